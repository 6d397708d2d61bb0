package intunetest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// query are the options that the service understands. All others are ignored: $orderby does not work on these
// collections, $skip works only on detected apps, and Intune ignores $search and ConsistencyLevel.
type query struct {
	selects   []string
	filter    string
	top       int // 0: not given
	count     bool
	expand    string
	skipToken string   // raw
	skip      string   // raw; only detected apps page by it
	rest      []string // raw options other than those two, for the next link
}

// parseQuery reads a raw query. A strict tenant does not decode the names of options: %24select is an unknown option,
// which is ignored. Most options then fail without a sign. An encoded $skiptoken would make a client read the first
// page forever, so it is an error.
func parseQuery(raw string, strict bool) (*query, error) {
	q := &query{}
	for option := range strings.SplitSeq(raw, "&") {
		if option == "" {
			continue
		}
		name, value, _ := strings.Cut(option, "=")
		decoded, err := url.QueryUnescape(name)
		switch {
		case err != nil:
			decoded = name
		case !strict:
			name = decoded
		}
		switch name {
		case "$skiptoken":
			q.skipToken = value
			continue
		case "$skip":
			q.skip = value
			continue
		}
		q.rest = append(q.rest, option)
		text, err := url.QueryUnescape(value)
		if err != nil {
			return nil, refusal("The query option '" + name + "' is malformed.")
		}
		switch name {
		case "$select":
			for property := range strings.SplitSeq(text, ",") {
				if property = strings.TrimSpace(property); property != "" && property != "*" {
					q.selects = append(q.selects, property)
				}
			}
		case "$filter":
			q.filter = text
		case "$count":
			q.count = text == "true"
		case "$expand":
			q.expand = text
		case "$top":
			q.top, err = strconv.Atoi(text)
			if err != nil || q.top < 1 || q.top > maxPageSize {
				return nil, refusal(fmt.Sprintf("Invalid value '%s' for $top: it must be between 1 and %d.", text, maxPageSize))
			}
		default:
			if decoded == "$skiptoken" {
				return nil, errAlteredToken
			}
		}
	}
	return q, nil
}

// refusal is why a request is refused, in a sentence as Graph writes them.
type refusal string

// Error implements error.
func (r refusal) Error() string { return string(r) }

// errAlteredToken does not show the token, which holds device names.
const errAlteredToken = refusal("The $skiptoken is not one that this service gave out: follow @odata.nextLink exactly as given.")

// badQuery is the answer to a query that cannot be understood.
func (x *exchange) badQuery(err error) *answer {
	return x.graphError(http.StatusBadRequest, "BadRequest", err.Error())
}

// checkSelect refuses properties that the type does not have in v1.0.
func (q *query) checkSelect(typeName string, has func(name string) bool) error {
	for _, name := range q.selects {
		if !has(name) {
			return refusal("Parsing OData Select and Expand failed: Could not find a property named '" + name +
				"' on type 'microsoft.graph." + typeName + "'.")
		}
	}
	return nil
}

// queryOn reads the query of a request for entities of a type.
func (x *exchange) queryOn(typeName string, has func(name string) bool) (*query, error) {
	q, err := parseQuery(x.request.RawQuery, x.strict)
	if err != nil {
		return nil, err
	}
	return q, q.checkSelect(typeName, has)
}

// context is the @odata.context of an answer, in Graph's own spelling, even if the request was spelled differently.
func (x *exchange) context(where *target, q *query, suffix string) string {
	steps := slices.Clone(where.steps)
	if where.me {
		// Graph names the user instead.
		steps[0] = step{name: "users", key: x.caller.user(), hasKey: true}
	}
	if suffix != "" && len(steps) > 0 {
		steps[len(steps)-1].hasKey = false
	}
	parts := make([]string, 0, len(steps))
	for _, s := range steps {
		text := s.name
		if s.hasKey {
			text += "('" + escapeData(strings.ReplaceAll(s.key, "'", "''")) + "')"
		}
		parts = append(parts, text)
	}
	path := strings.Join(parts, "/")
	if len(q.selects) > 0 {
		path += "(" + strings.Join(q.selects, ",") + ")"
	}
	return x.scheme + "://" + x.request.Host + "/v1.0/$metadata#" + path + suffix
}

// containsFold reports whether a list of names has one, compared without case.
func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(listed string) bool { return strings.EqualFold(listed, name) })
}

// escapeData escapes all but letters, digits and -._~, as .NET's EscapeDataString does.
func escapeData(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
