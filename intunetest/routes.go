package intunetest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// place is a kind of resource.
type place int

const (
	placeUnmodeled place = iota // Graph serves it, the kit does not
	placeDevices
	placeDevice
	placeApps
	placeApp
	placeAppDevices
	placeAppDevice
	placePartners
	placePartner
	placeRequestRemoteAssistance
	placeAuditEvents
	placeCount // operations has none
)

// keyKind says what the key of a collection identifies.
type keyKind int

const (
	keyUser keyKind = iota
	keyApp
	keyDevice
	keyPartner
	keyUnmodeled
	keyKinds
)

// target is what a path addresses.
type target struct {
	place    place
	me       bool
	keys     [keyKinds]string
	has      [keyKinds]bool
	template string // "~/singleton/navigation/key", for messages
	steps    []step
}

type step struct {
	name, key string
	hasKey    bool
}

// backend is the path at Intune's back end, with its parentheses escaped or not.
func (t *target) backend(escaped bool) string {
	parts := make([]string, 0, len(t.steps))
	for _, s := range t.steps {
		text := s.name
		if s.hasKey {
			text += "('" + strings.ReplaceAll(s.key, "'", "''") + "')"
		}
		if escaped {
			text = url.QueryEscape(text)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "/")
}

// badSegment is the error for a path that the model does not have.
func badSegment(name string) error {
	return refusal("Resource not found for the segment '" + name + "'.")
}

// resolve finds the place of a path below the version. Names are compared without case, which is not significant to
// Intune's routes as far as observed; a key is either the next segment or in parentheses and quotes.
func resolve(segments []string) (*target, error) {
	t := &target{template: "~"}
	next, partial := graphRoot.next, graphRoot.partial
	if len(segments) > 0 && (isVersion(segments[0]) || isScheme(segments[0])) {
		return nil, badSegment(segments[0]) // the addresses of a batch's items are relative to the version
	}
	for len(segments) > 0 {
		name, key, inParentheses, ok := splitSegment(segments[0])
		here := next[strings.ToLower(bareName(name))]
		switch {
		case here == nil && partial && segments[0] != "":
			return &target{}, nil // also a function, whose parentheses hold what is no key
		case !ok:
			return nil, badSegment(segments[0])
		}
		segments = segments[1:]
		if here == nil || inParentheses && here.entity == nil {
			return nil, badSegment(name)
		}
		t.template += "/" + here.kind
		t.place, t.me = here.place, t.me || here.name == "me"
		if here.place == placeUnmodeled && here.entity == nil && here.next == nil {
			return t, nil
		}
		next, partial = here.next, here.partial
		current := step{name: here.name}
		if here.entity != nil && !inParentheses && len(segments) > 0 {
			if len(segments) == 1 && segments[0] == countSegment {
				if here.entity.place == placeUnmodeled {
					return &target{}, nil
				}
				t.count(current)
				return t, nil
			}
			// Graph takes a segment with a dollar sign for one of its own names.
			if strings.HasPrefix(segments[0], "$") || segments[0] == "" {
				return nil, badSegment(segments[0])
			}
			key, inParentheses = segments[0], true
			segments = segments[1:]
		}
		if inParentheses {
			current.key, current.hasKey = key, true
			t.keys[here.entity.key], t.has[here.entity.key] = key, true
			t.template += "/key"
			t.place = here.entity.place
			next, partial = here.entity.next, here.entity.partial
		}
		t.steps = append(t.steps, current)
	}
	return t, nil
}

func isVersion(name string) bool {
	return strings.EqualFold(name, "v1.0") || strings.EqualFold(name, "beta")
}

// isScheme reports whether a segment begins a whole URL.
func isScheme(name string) bool {
	return strings.EqualFold(name, "https:") || strings.EqualFold(name, "http:")
}

// countSegment is the segment that asks for the number of a collection's items.
const countSegment = "$count"

// count makes the target the number of the items of a collection, for which Intune has no route.
func (t *target) count(collection step) {
	t.place = placeCount
	t.template += "/" + countSegment
	t.steps = append(t.steps, collection, step{name: countSegment})
}

// bareName removes the namespace of a qualified action.
func bareName(name string) string {
	const namespace = "microsoft.graph."
	if len(name) > len(namespace) && strings.EqualFold(name[:len(namespace)], namespace) {
		return name[len(namespace):]
	}
	return name
}

// splitSegment splits name('key') into name and key; a quote within the key is doubled. A segment that is not well formed
// has a name all the same.
func splitSegment(segment string) (name, key string, inParentheses, ok bool) {
	name, rest, inParentheses := strings.Cut(segment, "(")
	if !inParentheses {
		return segment, "", false, segment != ""
	}
	quoted, closed := strings.CutSuffix(rest, "')")
	quoted, opened := strings.CutPrefix(quoted, "'")
	key = strings.ReplaceAll(quoted, "''", "'")
	if !closed || !opened || key == "" || name == "" || strings.Count(quoted, "'") != 2*strings.Count(key, "'") {
		return name, "", false, false
	}
	return name, key, true, true
}

// splitPath returns the version and the unescaped segments below it. It ignores a trailing slash.
func splitPath(escaped string) (version string, segments []string, ok bool) {
	for part := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(escaped, "/"), "/"), "/") {
		text, err := url.PathUnescape(part)
		if err != nil {
			return "", nil, false
		}
		segments = append(segments, text)
	}
	return segments[0], segments[1:], true
}

// route finds the operation for a request and carries it out. The caller holds the lock.
func (t *Tenant) route(x *exchange) *answer {
	version, segments, ok := splitPath(x.request.Path)
	if !ok {
		return x.graphError(http.StatusBadRequest, "BadRequest", "The path of the request is malformed.")
	}
	switch {
	case strings.EqualFold(version, "beta"):
		return x.unmodeled()
	case !strings.EqualFold(version, "v1.0"):
		return x.graphError(http.StatusNotFound, "ResourceNotFound", "Invalid version: "+version)
	}
	where, err := resolve(segments)
	if err != nil {
		return x.graphError(http.StatusBadRequest, "BadRequest", err.Error())
	}
	if where.place == placeUnmodeled {
		return x.unmodeled()
	}
	operation, ok := operations[where.place][x.request.Method]
	switch {
	case ok && operation.run == nil:
		return x.unmodeled()
	case !ok && strings.HasSuffix(where.template, "/action"):
		return x.methodNotAllowed()
	case !ok:
		return x.noRoute(where)
	}
	if where.me && !x.caller.delegated {
		return x.graphError(http.StatusBadRequest, "BadRequest", "/me request is only valid with delegated authentication flow.")
	}
	sufficient := operation.sufficient
	if operation.below != nil && (where.has[keyApp] || where.has[keyUser] || where.me) {
		sufficient = operation.below
	}
	if x.caller.lacks(sufficient) {
		return x.forbidden(where, sufficient)
	}
	return operation.run(t, x, where)
}

// methodNotAllowed is the answer to any other method where only POST makes sense.
func (x *exchange) methodNotAllowed() *answer {
	a := x.graphError(http.StatusMethodNotAllowed, "BadRequest", "Specified HTTP method is not allowed for the request target.")
	a.header.Set("Allow", http.MethodPost)
	return a
}

// forbidden is Intune's answer to a token without the permission. The sentence names the permissions that would be
// sufficient.
func (x *exchange) forbidden(where *target, sufficient []string) *answer {
	return x.intuneError(http.StatusForbidden, "Forbidden", "Application is not authorized to perform this operation. "+
		"Application must have one of the following scopes: "+strings.Join(sufficient, ", "), where.backend(true))
}

// noRoute is Intune's answer to a path that the model has and no controller serves.
func (x *exchange) noRoute(where *target) *answer {
	return x.graphError(http.StatusBadRequest, "No method match route template", fmt.Sprintf(
		"No OData route exists that match template %s with http verb %s for request /StatelessDeviceFEService/%s.",
		where.template, x.request.Method, where.backend(false)))
}

// unmodeled is the kit's own answer to a request that Graph serves and the kit does not.
func (x *exchange) unmodeled() *answer {
	return x.graphError(http.StatusNotImplemented, "NotImplemented",
		"intunetest: the tenant does not model "+x.describe()+"; it serves what package intune uses of Graph v1.0")
}
