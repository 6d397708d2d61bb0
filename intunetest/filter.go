package intunetest

import (
	"slices"
	"strings"
	"time"
)

// predicate is a filter that the service applies. value returns a property of an item, as a list shows it, by its name
// in lower case.
type predicate func(value func(property string) any) bool

// appOperators are the operators that users report to work on detected apps; Microsoft describes none.
var appOperators = map[string]string{"displayname": "contains"}

// deviceOperators are the operators that the description of each property states. Source: the property descriptions
// of https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice, which also say that the others
// cannot be filtered on. Users report that two more have an effect: managedDeviceOwnerType eq, and deviceName
// startswith, which finds the same devices as contains.
var deviceOperators = map[string]string{
	"azureaddeviceid":           "eq",
	"compliancestate":           "eq or",
	"devicecategorydisplayname": "eq or",
	"devicename":                "eq contains startswith",
	"emailaddress":              "contains",
	"exchangeaccessstate":       "eq or",
	"imei":                      "eq or",
	"jailbroken":                "eq or",
	"manageddeviceownertype":    "eq",
	"managementagent":           "eq or",
	"managementstate":           "eq or",
	"manufacturer":              "eq or",
	"model":                     "eq contains",
	"operatingsystem":           "eq or",
	"osversion":                 "contains",
	"phonenumber":               "contains",
	"serialnumber":              "eq or",
	"userprincipalname":         "eq ne",
	"compliancegraceperiodexpirationdatetime": "lt gt",
	"enrolleddatetime":                        "lt gt",
	"lastsyncdatetime":                        "lt gt",
}

// parseFilter returns the predicate of a $filter. nil means that every device comes back: there is no filter, or the
// filter uses something that the documentation does not have (another property or operator, an or between other
// comparisons than eq, a blank operand, a filter by Entra device id together with $count), which the service ignores
// instead of refusing. Only text that is not OData at all is refused. operators are the operators of each property.
func parseFilter(filter string, count bool, operators map[string]string) (predicate, error) {
	if strings.TrimSpace(filter) == "" {
		return nil, nil
	}
	p := &filterParser{tokens: filterTokens(filter), count: count, operators: operators}
	matches := p.or(0)
	switch {
	case p.ended:
		return nil, errBadFilter
	case p.ignored || len(p.tokens) > 0:
		return nil, nil
	}
	return matches, nil
}

const errBadFilter = refusal("Invalid filter clause")

// filterToken is a word (which includes operators and numbers), a quoted string, a parenthesis or a comma.
type filterToken struct {
	text   string
	quoted bool
}

// filterTokens returns no tokens for an open quote or for parentheses that do not match.
func filterTokens(filter string) (tokens []filterToken) {
	depth := 0
	for filter = strings.TrimSpace(filter); filter != ""; filter = strings.TrimLeft(filter, " \t\r\n") {
		switch filter[0] {
		case '(', ')', ',':
			switch filter[0] {
			case '(':
				depth++
			case ')':
				depth--
			}
			if depth < 0 {
				return nil
			}
			tokens = append(tokens, filterToken{text: filter[:1]})
			filter = filter[1:]
		case '\'':
			text, rest, closed := quotedText(filter[1:])
			if !closed {
				return nil
			}
			tokens = append(tokens, filterToken{text: text, quoted: true})
			filter = rest
		default:
			end := strings.IndexAny(filter+" ", " \t\r\n(),'")
			tokens = append(tokens, filterToken{text: filter[:end]})
			filter = filter[end:]
		}
	}
	if depth != 0 {
		return nil
	}
	return tokens
}

// quotedText reads up to the closing quote; a doubled quote stands for a single one.
func quotedText(s string) (text, rest string, closed bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "'")
		if !found {
			return "", "", false
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, "'") {
			return b.String(), after, true
		}
		b.WriteByte('\'')
		s = after[1:]
	}
}

// filterParser reads the syntax that it knows, and notes anything else.
type filterParser struct {
	tokens    []filterToken
	operators map[string]string
	count     bool
	ignored   bool // the service would not apply this filter
	ended     bool // the text ends too early
	mixed     bool // has a comparison that cannot be combined with or
}

// maxFilterDepth bounds the recursion. No real filter nests deeper.
const maxFilterDepth = 50

func (p *filterParser) or(depth int) predicate {
	outside := p.mixed
	p.mixed = false
	terms := []predicate{p.and(depth)}
	for p.accept("or") {
		terms = append(terms, p.and(depth))
	}
	if len(terms) > 1 && p.mixed {
		p.ignored = true
	}
	p.mixed = p.mixed || outside
	return func(value func(string) any) bool {
		for _, term := range terms {
			if term(value) {
				return true
			}
		}
		return false
	}
}

func (p *filterParser) and(depth int) predicate {
	terms := []predicate{p.primary(depth)}
	for p.accept("and") {
		p.mixed = true // the type's description allows and or or, not both in one
		terms = append(terms, p.primary(depth))
	}
	return func(value func(string) any) bool {
		for _, term := range terms {
			if !term(value) {
				return false
			}
		}
		return true
	}
}

func (p *filterParser) primary(depth int) predicate {
	if depth > maxFilterDepth {
		return p.ignore()
	}
	if p.accept("(") {
		inner := p.or(depth + 1)
		p.accept(")") // if it is not next, tokens are left over at the end
		return inner
	}
	for _, function := range []string{"contains", "startswith"} {
		if p.accept(function) {
			return p.call(function)
		}
	}
	name, operator, operand := p.next(), p.next(), p.next()
	if operator.quoted {
		return p.ignore()
	}
	return p.comparison(name, operator.text, operand)
}

// call reads the operands of a function.
func (p *filterParser) call(function string) predicate {
	if !p.accept("(") {
		return p.ignore()
	}
	name := p.next()
	if !p.accept(",") {
		return p.ignore()
	}
	operand := p.next()
	p.accept(")") // if it is not next, tokens are left over at the end
	return p.comparison(name, function, operand)
}

func (p *filterParser) comparison(name filterToken, operator string, operand filterToken) predicate {
	property := strings.ToLower(name.text)
	known := strings.Fields(p.operators[property])
	p.mixed = p.mixed || !slices.Contains(known, "or")
	if operator == "ne" && !slices.Contains(known, "ne") {
		operator = "eq" // users report that it behaves so
	}
	if operator == "or" || !slices.Contains(known, operator) || name.quoted || strings.TrimSpace(operand.text) == "" ||
		p.count && property == "azureaddeviceid" {
		return p.ignore()
	}
	if operator == "lt" || operator == "gt" {
		at, err := time.Parse(time.RFC3339, operand.text)
		if err != nil || operand.quoted {
			return p.ignore()
		}
		return compareTimes(property, operator, at)
	}
	if !operand.quoted {
		return p.ignore()
	}
	return compareTexts(property, operator, operand.text)
}

func compareTimes(property, operator string, with time.Time) predicate {
	return func(value func(string) any) bool {
		at, _ := value(property).(time.Time)
		if operator == "lt" {
			return at.Before(with)
		}
		return at.After(with)
	}
}

func compareTexts(property, operator, with string) predicate {
	return func(value func(string) any) bool {
		text, _ := value(property).(string)
		switch operator {
		case "contains", "startswith":
			return strings.Contains(strings.ToLower(text), strings.ToLower(with))
		case "ne":
			return !strings.EqualFold(text, with)
		default:
			return strings.EqualFold(text, with)
		}
	}
}

// ignore returns no predicate, because the service then ignores the whole filter.
func (p *filterParser) ignore() predicate {
	p.ignored = true
	return nil
}

func (p *filterParser) next() filterToken {
	if len(p.tokens) == 0 {
		p.ended = true
		return filterToken{}
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

func (p *filterParser) accept(text string) bool {
	if len(p.tokens) == 0 || p.tokens[0].quoted || p.tokens[0].text != text {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}
