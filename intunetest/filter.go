package intunetest

import (
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// predicate is a filter that the service applies.
type predicate func(d *intune.ManagedDevice) bool

// filterOperators are the operators that the description of each property states. Source: the property descriptions
// of https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice, which also say that the others
// cannot be filtered on.
var filterOperators = map[string]string{
	"azureaddeviceid":           "eq",
	"compliancestate":           "eq or",
	"devicecategorydisplayname": "eq or",
	"devicename":                "eq contains",
	"emailaddress":              "contains",
	"exchangeaccessstate":       "eq or",
	"imei":                      "eq or",
	"jailbroken":                "eq or",
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

// parseFilter gives the predicate of a $filter. nil means that every device comes back: there is no filter, or it
// uses what the documentation does not state (another property or operator, an or between other comparisons than eq,
// a blank operand, a filter by Entra device id together with $count), which the service ignores instead of refusing.
// Only text that is no OData at all is refused.
func parseFilter(filter string, count bool) (predicate, error) {
	if strings.TrimSpace(filter) == "" {
		return nil, nil
	}
	p := &filterParser{tokens: filterTokens(filter), count: count}
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

// filterToken is a word, an operator or number included, a quoted string, or one of ( ) and the comma.
type filterToken struct {
	text   string
	quoted bool
}

// filterTokens gives none for an open quote and for parentheses that do not pair.
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

// quotedText reads up to the closing quote; a doubled one stands for itself.
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

// filterParser reads what it knows and notes the rest.
type filterParser struct {
	tokens  []filterToken
	count   bool
	ignored bool // the service would not apply this filter
	ended   bool // the text ends where it cannot
	mixed   bool // holds a comparison that does not go with or
}

// maxFilterDepth bounds the recursion; nobody nests deeper and expects an answer.
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
	return func(d *intune.ManagedDevice) bool {
		for _, term := range terms {
			if term(d) {
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
	return func(d *intune.ManagedDevice) bool {
		for _, term := range terms {
			if !term(d) {
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
		p.accept(")") // where it is missing, one is left over at the end
		return inner
	}
	if p.accept("contains") {
		if !p.accept("(") {
			return p.ignore()
		}
		name := p.next()
		if !p.accept(",") {
			return p.ignore()
		}
		operand := p.next()
		p.accept(")") // as above
		return p.comparison(name, "contains", operand)
	}
	name, operator, operand := p.next(), p.next(), p.next()
	if operator.quoted {
		return p.ignore()
	}
	return p.comparison(name, operator.text, operand)
}

func (p *filterParser) comparison(name filterToken, operator string, operand filterToken) predicate {
	folded := strings.ToLower(name.text)
	known := strings.Fields(filterOperators[folded])
	p.mixed = p.mixed || !slices.Contains(known, "or")
	if operator == "or" || !slices.Contains(known, operator) || name.quoted || strings.TrimSpace(operand.text) == "" ||
		p.count && folded == "azureaddeviceid" {
		return p.ignore()
	}
	property := findProperty(folded)
	if operator == "lt" || operator == "gt" {
		at, err := time.Parse(time.RFC3339, operand.text)
		if err != nil || operand.quoted {
			return p.ignore()
		}
		return func(d *intune.ManagedDevice) bool {
			value, _ := property.value(d).(time.Time)
			if operator == "lt" {
				return value.Before(at)
			}
			return value.After(at)
		}
	}
	if !operand.quoted {
		return p.ignore()
	}
	return func(d *intune.ManagedDevice) bool {
		value, _ := property.shown(&device{record: *d}).(string)
		switch operator {
		case "contains":
			return strings.Contains(strings.ToLower(value), strings.ToLower(operand.text))
		case "ne":
			return !strings.EqualFold(value, operand.text)
		default:
			return strings.EqualFold(value, operand.text)
		}
	}
}

// ignore gives no predicate, since none of the filter is applied.
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
