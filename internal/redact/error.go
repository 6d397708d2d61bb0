package redact

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// Error is a transport's or credential's error with a clean text: the path instead of the URL, without the private parts.
// It answers [errors.Is] and [errors.As] for everything below the original, whatever was found in the text; a [*url.Error]
// that is found so is a copy that is just as clean.
func Error(err error, private Private) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	clean := text
	if failed, ok := errors.AsType[*url.Error](err); ok {
		clean = strings.ReplaceAll(clean, failed.Error(), pathOnly(failed, private).Error())
	}
	clean = private.Clean(Limit(clean, longest))
	if clean == text {
		return err
	}
	return &cleanError{text: clean, cause: err, pathOnly: func(u *url.Error) *url.Error { return pathOnly(u, private) }}
}

// pathOnly is a copy of a [*url.Error] without scheme, host and query.
func pathOnly(failed *url.Error, private Private) *url.Error {
	path := ""
	if u, err := url.Parse(failed.URL); err == nil {
		path = private.Hide(u.EscapedPath())
	}
	return &url.Error{Op: failed.Op, URL: path, Err: Error(failed.Err, private)}
}

// cleanError does not unwrap: the error below would show what was taken out.
type cleanError struct {
	text     string
	cause    error
	pathOnly func(*url.Error) *url.Error // a func, because fmt follows fields for verbs that do not fit
}

// Error implements error.
func (e *cleanError) Error() string { return e.text }

// GoString keeps %#v from following the cause.
func (e *cleanError) GoString() string { return strconv.Quote(e.text) }

// Is passes the question on.
func (e *cleanError) Is(target error) bool { return errors.Is(e.cause, target) }

// As passes the question on, and answers for a [*url.Error] itself.
func (e *cleanError) As(target any) bool {
	into, ok := target.(**url.Error)
	if !ok {
		return errors.As(e.cause, target)
	}
	failed, ok := errors.AsType[*url.Error](e.cause)
	if ok {
		*into = e.pathOnly(failed)
	}
	return ok
}
