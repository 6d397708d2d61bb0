package redact_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/redact"
)

// callersError is of a type of a caller's transport.
type callersError struct {
	URL   string
	below error
}

func (e callersError) Error() string { return "cannot reach " + e.URL }

func (e callersError) Unwrap() error { return e.below }

func (e callersError) Timeout() bool { return e.below == nil }

func (e callersError) Temporary() bool { return e.below != nil }

// quietError says nothing of what is below it.
type quietError struct{ error }

func (quietError) Error() string { return "quiet" }

func (e quietError) Unwrap() error { return e.error }

func TestError(t *testing.T) {
	t.Parallel()
	const address = "https://graph.microsoft.com/v1.0/users/anna@contoso.com/managedDevices?$filter=deviceName%20eq%20%27dial%27"
	op := &net.OpError{Op: "dial", Net: "tcp", Err: io.ErrUnexpectedEOF}
	failed := &url.Error{Op: "Get", URL: address, Err: op}
	for name, err := range map[string]error{
		"url.Error":                   failed,
		"wrapped":                     fmt.Errorf("proxy: %w", failed),
		"twice":                       &url.Error{Op: "Get", URL: address, Err: fmt.Errorf("at %s: %w", address, failed)},
		"joined":                      errors.Join(failed, &url.Error{Op: "Post", URL: "https://get.teamviewer.com/anna", Err: op}),
		"url.Error below a quiet one": quietError{failed},
		"text with the URL":           fmt.Errorf("at %s: %w", address, op),
		"nothing to hide":             op,
		"type of a caller's":          callersError{address, op},
		"pointer to one":              &callersError{address, failed},
	} {
		for _, private := range []redact.Private{
			redact.Of("$filter=deviceName%20eq%20%27dial%27", "anna@contoso.com"),
			redact.Of("$filter=deviceName%20eq%20%27unexpected%20EOF%27", "anna@contoso.com"), // found in the cause's text
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				clean := redact.Error(err, private)
				found, ok := errors.AsType[*net.OpError](clean)
				if !ok || found != op {
					t.Errorf("the *net.OpError of %v is %v", clean, found)
				}
				if !errors.Is(clean, io.ErrUnexpectedEOF) {
					t.Errorf("the cause is lost in %v", clean)
				}
				if errors.Is(clean, context.Canceled) {
					t.Errorf("%v counts as canceled", clean)
				}
				shown := fmt.Sprintf("%v %+v %#v %d %x %s", clean, clean, clean, clean, clean, []any{clean, struct{ error }{clean}})
				if found, ok := errors.AsType[*url.Error](clean); ok {
					shown += found.URL + found.Error()
				} else if errors.Is(err, failed) && !errors.Is(err, op) {
					t.Error("no *url.Error")
				}
				var timeout net.Error
				if errors.As(err, &timeout) != errors.As(clean, &timeout) {
					t.Error("no net.Error")
				} else if timeout != nil {
					shown += fmt.Sprint(timeout)
				}
				shown += fmt.Sprint(errors.Unwrap(clean))
				for _, secret := range []string{"anna", "deviceName", "filter=d", "https://get"} {
					if strings.Contains(shown, secret) || strings.Contains(shown, fmt.Sprintf("%x", secret)) {
						t.Errorf("%q shows in %s", secret, shown)
					}
				}
				if again := redact.Error(clean, private); again.Error() != clean.Error() {
					t.Errorf("%q became %q", clean, again)
				}
			})
		}
	}
	if redact.Error(nil, redact.Private{}) != nil {
		t.Error("nil became an error")
	}
	if same := redact.Error(op, redact.Private{}); same != error(op) { //nolint:errorlint // this very value
		t.Errorf("%#v was rebuilt", same)
	}
}

// emptyError has no text.
type emptyError struct{ error }

func (emptyError) Error() string { return "" }

func (e emptyError) Unwrap() error { return e.error }

// listError cannot be compared.
type listError []string

func (e listError) Error() string { return e[0] }

// answeringError answers for what is not below it.
type answeringError struct{ text string }

func (e answeringError) Error() string { return e.text }

func (answeringError) Is(target error) bool { return target == io.EOF }

func (answeringError) As(target any) bool {
	switch target := target.(type) {
	case **net.DNSError:
		*target = &net.DNSError{Name: "host.example"}
	case **url.Error:
		*target = &url.Error{URL: "https://get.teamviewer.com/s12"}
	default:
		return false
	}
	return true
}

// errors.Is and errors.As give the same answers as for the original error.
func TestErrorAnswersAsBefore(t *testing.T) {
	t.Parallel()
	const link = "https://get.teamviewer.com/s12"
	answering := answeringError{"at " + link}
	err := errors.Join(
		quietError{errors.New("see " + link)}, fmt.Errorf("a: %w", emptyError{errors.New(link)}), answering,
		context.DeadlineExceeded, listError{link},
	)
	clean := redact.Error(err, redact.Private{})
	for _, target := range []error{io.EOF, answering, context.DeadlineExceeded} {
		if !errors.Is(clean, target) {
			t.Errorf("it is no %v", target)
		}
	}
	for _, target := range []error{io.ErrUnexpectedEOF, answeringError{"x"}, listError{link}, nil} {
		if errors.Is(clean, target) {
			t.Errorf("it is %v", target)
		}
	}
	if found, ok := errors.AsType[*net.DNSError](clean); !ok || found.Name != "host.example" {
		t.Errorf("found %v", found)
	}
	if found, ok := errors.AsType[*url.Error](clean); ok {
		t.Errorf("found %v", found)
	}
	if found, ok := errors.AsType[*net.OpError](clean); ok {
		t.Errorf("found %v", found)
	}
	if timeout, ok := errors.AsType[net.Error](clean); !ok || timeout != context.DeadlineExceeded { //nolint:errorlint // this very value
		t.Errorf("found %v", timeout)
	}
	const want = "quiet\na: \nat https://get.teamviewer.com/REDACTED\ncontext deadline exceeded\nhttps://get.teamviewer.com/REDACTED"
	if clean.Error() != want || fmt.Sprintf("%d", clean) != want {
		t.Errorf("got %v, with %%d %d", clean, clean)
	}
	nodes := 0
	for node := range tree(clean) {
		if nodes++; node == nil || strings.Contains(node.Error(), "s12") {
			t.Errorf("%T in it shows it: %v", node, node)
		}
	}
	if nodes != 9 {
		t.Errorf("%d errors in it", nodes)
	}
	for node := range tree(redact.Error(callersError{URL: link}, redact.Private{})) {
		if node == nil {
			t.Error("it holds a nil")
		}
	}
}

// tree walks an error and what is below it.
func tree(err error) iter.Seq[error] {
	return func(yield func(error) bool) {
		if !yield(err) {
			return
		}
		var below []error
		switch err := err.(type) { //nolint:errorlint // of each
		case interface{ Unwrap() error }:
			below = append(below, err.Unwrap())
		case interface{ Unwrap() []error }:
			below = err.Unwrap()
		}
		for _, err := range below {
			for err := range tree(err) {
				if !yield(err) {
					return
				}
			}
		}
	}
}

type severalError []error

func (severalError) Error() string { return "several at https://get.teamviewer.com/s12" }

func (e severalError) Unwrap() []error { return e }

// errors.Is and errors.As pass over a nil among the errors below.
func TestErrorAboveNil(t *testing.T) {
	t.Parallel()
	clean := redact.Error(severalError{nil, io.EOF}, redact.Private{})
	if clean.Error() != "several at https://get.teamviewer.com/REDACTED" {
		t.Errorf("got %v", clean)
	}
	if !errors.Is(clean, io.EOF) || errors.Is(clean, io.ErrUnexpectedEOF) {
		t.Errorf("the cause of %v is not io.EOF alone", clean)
	}
}

func TestErrorOfACallersType(t *testing.T) {
	t.Parallel()
	clean := redact.Error(fmt.Errorf("a: %w", callersError{URL: "https://get.teamviewer.com/s12"}), redact.Private{})
	if found, ok := errors.AsType[callersError](clean); !ok || !errors.Is(clean, found) {
		t.Errorf("%v does not hold its cause", clean)
	}
	var timeout net.Error
	if errors.As(redact.Error(quietError{errors.New("https://get.teamviewer.com/s12")}, redact.Private{}), &timeout) || timeout != nil {
		t.Errorf("a net.Error out of nothing: %v", timeout)
	}
	if !errors.As(clean, &timeout) {
		t.Fatalf("%v is no net.Error", clean)
	}
	if !timeout.Timeout() || timeout.Temporary() { //nolint:staticcheck // the interface has it
		t.Errorf("a time-out: %v, temporary: %v", timeout.Timeout(), timeout.Temporary()) //nolint:staticcheck // as above
	}
	if strings.Contains(timeout.Error(), "s12") {
		t.Errorf("net.Error: %v", timeout)
	}
	clean = redact.Error(callersError{"https://get.teamviewer.com/s12", io.EOF}, redact.Private{})
	if !errors.As(clean, &timeout) {
		t.Fatalf("%v is no net.Error", clean)
	}
	if timeout.Timeout() || !timeout.Temporary() { //nolint:staticcheck // as above
		t.Errorf("a time-out: %v, temporary: %v", timeout.Timeout(), timeout.Temporary()) //nolint:staticcheck // as above
	}
}

// The target of a redirect may be a link of a stranger.
func TestPathOfAFailedRequest(t *testing.T) {
	t.Parallel()
	private := redact.Of("", "anna@contoso.com").At("graph.example:8443")
	kelvin := redact.Of("").At("desk.example")
	sign := &url.Error{Op: "Get", URL: "https://des\u212a.example/s12", Err: io.EOF}
	if failed, ok := errors.AsType[*url.Error](redact.Error(sign, kelvin)); !ok || failed.URL != "/REDACTED" {
		t.Errorf("another host became %v", failed)
	}
	for address, want := range map[string]string{
		"https://graph.example:8443/v1.0/users/anna@contoso.com/x?$skiptoken=s12": "/v1.0/users/REDACTED/x",
		"https://graph.microsoft.com/v1.0/x#s12":                                  "/v1.0/x",
		"https://graph.example/s12":                                               "/REDACTED",
		"https://get.teamviewer.com/s12":                                          "/REDACTED",
		"https://get.teamviewer.com/?s12":                                         "/",
		"https://get.teamviewer.com":                                              "",
		"get.teamviewer.com/s12":                                                  "get.teamviewer.com/REDACTED",
		"/v1.0/x?s12":                                                             "/v1.0/x",
		"https://s12\x7f":                                                         "",
		"https://a\u212aa.ms/s12":                                                 "/REDACTED", // the Kelvin sign is a k in lower case
	} {
		failed, ok := errors.AsType[*url.Error](redact.Error(&url.Error{Op: "Get", URL: address, Err: io.EOF}, private))
		if !ok {
			t.Fatalf("%q: no *url.Error", address)
		}
		if failed.URL != want || failed.Op != "Get" {
			t.Errorf("%q became %s %q, want Get %q", address, failed.Op, failed.URL, want)
		}
	}
}
