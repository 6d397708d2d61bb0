package redact

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"reflect"
	"strings"
)

// Error is a transport's or credential's error, rebuilt so that neither its text nor the text of an error below it shows a
// URL, a private part or anything else that [Text] takes out, and so that little of it is JSON and rules of dashes. The
// same rules hold for the whole tree of errors:
//
//   - a [*url.Error] becomes a copy with the path instead of the URL, and without the path if its host is neither the
//     service nor Microsoft's;
//   - any other error whose text is not clean, or below which something was changed, shows a clean text instead; [errors.Is]
//     still finds the original, and [errors.As] returns it unchanged, since the caller asked for its type;
//   - an error that is clean, with all errors below it, stays as it is.
func Error(err error, private Private) error {
	clean, _ := rebuilt(err, private)
	return clean
}

// rebuilt also reports whether anything was changed.
func rebuilt(err error, private Private) (clean error, changed bool) { //nolint:revive // the error is the result
	switch err := err.(type) { //nolint:errorlint // it looks at each error of the tree by itself
	case nil:
		return nil, false
	case *url.Error:
		inner, _ := rebuilt(err.Err, private)
		return &url.Error{Op: private.Clean(err.Op), URL: private.path(err.URL), Err: inner}, true
	}
	text := err.Error()
	failed := &cleanError{original: err}
	for _, below := range children(err) {
		inner, innerChanged := rebuilt(below, private)
		failed.below = append(failed.below, inner)
		if innerChanged {
			changed = true
			// The text of the error above quotes it.
			text = strings.ReplaceAll(text, below.Error(), inner.Error())
		}
	}
	failed.text = private.Clean(condensed(Limit(text, longest)))
	if !changed && failed.text == err.Error() {
		return err, false
	}
	return failed, true
}

func children(err error) []error {
	switch err := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		if below := err.Unwrap(); below != nil {
			return []error{below}
		}
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	}
	return nil
}

// path is what is shown of the URL of a failed request.
func (p Private) path(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	known := u.Host == "" || u.Host == p.host || isMicrosoft(u.Hostname())
	if !known && u.Path != "" && u.Path != "/" {
		return "/" + Placeholder
	}
	return p.Clean(u.EscapedPath())
}

// cleanError replaces an error whose text must not be shown. The errors below it are clean.
type cleanError struct {
	text     string
	original error
	below    []error
}

// Error implements error.
func (e *cleanError) Error() string { return e.text }

// Format shows the text whatever the verb; for some verbs fmt would print the fields.
func (e *cleanError) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, e.text) }

// Unwrap gives the errors below, which are clean.
func (e *cleanError) Unwrap() []error { return e.below }

// Is answers for the original error alone, not for those below it.
func (e *cleanError) Is(target error) bool {
	if reflect.TypeOf(target).Comparable() && e.original == target {
		return true
	}
	is, ok := e.original.(interface{ Is(error) bool })
	return ok && is.Is(target)
}

// As answers for the original error alone. It gives no [*url.Error] that the original's As method would make, since
// that could show what was removed. A [net.Error], which callers ask for to learn of a timeout, is given as a netError
// that shows the clean text.
func (e *cleanError) As(target any) bool {
	if into, ok := target.(*net.Error); ok {
		original, ok := e.original.(net.Error) //nolint:errorlint // errors.As asks for the others
		if ok {
			*into = netError{cleanError: e, original: original}
		}
		return ok
	}
	into := reflect.ValueOf(target).Elem()
	if reflect.TypeOf(e.original).AssignableTo(into.Type()) {
		into.Set(reflect.ValueOf(e.original))
		return true
	}
	if _, ok := target.(**url.Error); ok {
		return false
	}
	as, ok := e.original.(interface{ As(any) bool })
	return ok && as.As(target)
}

// netError is a cleanError whose original is a [net.Error].
type netError struct {
	*cleanError

	original net.Error
}

// Timeout implements [net.Error].
func (e netError) Timeout() bool { return e.original.Timeout() }

// Temporary implements [net.Error].
func (e netError) Temporary() bool { return e.original.Temporary() } //nolint:staticcheck // the interface has it
