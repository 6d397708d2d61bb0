package graphpolicy_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// tries sends one request after another with the ids given, and records what left.
func tries(t *testing.T, call *graphpolicy.Call, status int, ids ...string) (left [][]string, errs []error) {
	t.Helper()
	transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
		careless := req.Header["client-request-id"] //nolint:staticcheck // as a careless policy writes it
		left = append(left, slices.Concat(req.Header["Client-Request-Id"], careless))
		return says(status)(req)
	})
	for _, id := range ids {
		req := request(t, call, http.MethodPost)
		switch id {
		case "":
		case "no header":
			req.Header = nil
		default:
			req.Header["client-request-id"] = []string{"stray"}
			req.Header["Client-Request-Id"] = []string{id, "second"}
		}
		_, err := transport.Do(req)
		errs = append(errs, err)
	}
	return left, errs
}

// Before sees the id that leaves at each try, which is the same in all.
func TestBeforeFixesTheRequestID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ids  []string
		want string
	}{
		"same":               {[]string{"a", "a"}, "a"},
		"another later":      {[]string{"a", "b", "c"}, "a"},
		"taken away later":   {[]string{"a", ""}, "a"},
		"taken away":         {[]string{"", "b"}, "made"},
		"without any header": {[]string{"no header", "b"}, "made"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen []string
			call := newCall(true)
			call.RequestID = "made"
			call.Before = func(req *http.Request) error {
				seen = append(seen, req.Header.Get("Client-Request-Id"))
				return nil
			}
			left, errs := tries(t, call, http.StatusServiceUnavailable, c.ids...)
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			if want := slices.Repeat([]string{c.want}, len(c.ids)); !slices.Equal(seen, want) {
				t.Errorf("Before saw %q, want %q", seen, want)
			}
			if want := slices.Repeat([][]string{{c.want}}, len(c.ids)); !slices.EqualFunc(left, want, slices.Equal) {
				t.Errorf("left with %q, want %q", left, want)
			}
			record := call.Record()
			want := graphpolicy.Record{Verdict: graphpolicy.Refused, Response: record.Response, RequestID: c.want, Left: true}
			if record != want {
				t.Errorf("recorded %+v, want %+v", record, want)
			}
		})
	}
}

// A fixed id wins over what the caller's policies set, with Before and without.
func TestFixedID(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(*http.Request) error{"no Before": nil, "Before": func(*http.Request) error { return nil }} {
		call := newCall(true)
		call.RequestID, call.FixedID, call.Before = "made", true, before
		left, errs := tries(t, call, http.StatusServiceUnavailable, "a", "", "no header", "b")
		if err := errors.Join(errs...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if want := slices.Repeat([][]string{{"made"}}, 4); !slices.EqualFunc(left, want, slices.Equal) {
			t.Errorf("%s: left with %q, want %q", name, left, want)
		}
		if id := call.Record().RequestID; id != "made" {
			t.Errorf("%s: recorded %q", name, id)
		}
	}
}

// A request that was refused once, and is stopped before its second try, has left all the same.
func TestBeforeStopsALaterTry(t *testing.T) {
	t.Parallel()
	cause, calls := errors.New("too late"), 0
	call := newCall(true)
	call.Before = func(*http.Request) error {
		if calls++; calls == 2 {
			return cause
		}
		return nil
	}
	left, errs := tries(t, call, http.StatusServiceUnavailable, "a", "a", "a")
	if len(left) != 1 || calls != 2 {
		t.Errorf("%d left, %d calls", len(left), calls)
	}
	if !errors.Is(errs[1], cause) {
		t.Errorf("error %v, want %v", errs[1], cause)
	}
	record := call.Record()
	if record.Verdict != graphpolicy.NotSent || !record.Left {
		t.Errorf("verdict %v, left: %v", record.Verdict, record.Left)
	}
	if record.Stopped == nil {
		t.Error("the record does not say that it was stopped")
	}
}

// A policy may abandon the request while Before runs. The caller has its result by then.
func TestNothingLeavesAfterTheEndOfTheCall(t *testing.T) {
	t.Parallel()
	call := newCall(true)
	call.Before = func(*http.Request) error {
		call.Close()
		return nil
	}
	left, errs := tries(t, call, http.StatusNoContent, "a")
	if len(left) != 0 {
		t.Errorf("left with %q", left)
	}
	if !isNonRetriable(errs[0]) {
		t.Errorf("azcore would try again: %v", errs[0])
	}
}

// Nothing leaves after an error of Before, whoever tries again, and azcore is told not to.
func TestBeforeStopsTheCall(t *testing.T) {
	t.Parallel()
	cause, calls := errors.New("https://get.teamviewer.com/secret"), 0
	call := newCall(true)
	call.Before = func(*http.Request) error { calls++; return cause }
	left, errs := tries(t, call, http.StatusNoContent, "a", "a", "b")
	if len(left) != 0 || calls != 1 {
		t.Errorf("%d left, %d calls", len(left), calls)
	}
	if !errors.Is(errs[0], cause) || errs[0].Error() != "stopped before it was sent" {
		t.Errorf("error %v", errs[0])
	}
	for _, err := range errs {
		if !isNonRetriable(err) {
			t.Errorf("azcore would try again: %v", err)
		}
	}
	record := call.Record()
	if want := (graphpolicy.Record{Verdict: graphpolicy.NotSent, RequestID: "a", Stopped: record.Stopped}); record != want {
		t.Errorf("recorded %+v, want %+v", record, want)
	}
	if record.Stopped == nil || record.Stopped.Unwrap() != cause { //nolint:errorlint // the very error
		t.Errorf("recorded that %#v stopped it", record.Stopped)
	}
}

// A context that ends while Before is at work ends the call before it is sent.
func TestContextEndsInBefore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	call, sent := newCall(true), 0
	call.Before = func(*http.Request) error { cancel(); return nil }
	transport := newTransport(t, func(req *http.Request) (*http.Response, error) { sent++; return says(http.StatusNoContent)(req) })
	req, err := http.NewRequestWithContext(call.Start(ctx), http.MethodPost, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transport.Do(req); !errors.Is(err, context.Canceled) || sent != 0 {
		t.Errorf("sent %d times, error %v", sent, err)
	}
	if record, want := call.Record(), (graphpolicy.Record{Verdict: graphpolicy.NotSent}); record != want {
		t.Errorf("recorded %+v, want %+v", record, want)
	}
}

// While Before is at work, no other try leaves.
func TestNoOtherTryDuringBefore(t *testing.T) {
	t.Parallel()
	call, sent := newCall(true), 0
	transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
		sent++
		return says(http.StatusServiceUnavailable)(req)
	})
	other := request(t, call, http.MethodPost)
	call.Before = func(*http.Request) error {
		if _, err := transport.Do(other); err == nil || sent != 0 {
			t.Errorf("the other one left: %v", err)
		}
		return nil
	}
	if _, err := transport.Do(request(t, call, http.MethodPost)); err != nil || sent != 1 {
		t.Errorf("sent %d times, error %v", sent, err)
	}
}

// A request that a policy has abandoned is not sent after the result of the call was taken.
func TestClosedCall(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		call, before, sent := newCall(method == http.MethodPost), 0, 0
		call.Before = func(*http.Request) error { before++; return nil }
		transport := newTransport(t, func(req *http.Request) (*http.Response, error) { sent++; return says(http.StatusNoContent)(req) })
		late := request(t, call, method)
		if record := call.Close(); record.Verdict != graphpolicy.NotSent {
			t.Errorf("recorded %+v", record)
		}
		if _, err := transport.Do(late); !isNonRetriable(err) {
			t.Errorf("%s: azcore would try again: %v", method, err)
		}
		if before != 0 || sent != 0 {
			t.Errorf("%s: sent %d times, Before called %d times", method, sent, before)
		}
	}
}

// A read changes nothing, and is not announced.
func TestBeforeIsOfWrites(t *testing.T) {
	t.Parallel()
	call := newCall(false)
	call.Before = func(*http.Request) error {
		t.Error("it was called")
		return nil
	}
	left, errs := tries(t, call, http.StatusOK, "a", "")
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if len(left) != 2 || slices.Contains(left[1], "a") {
		t.Errorf("left with %q, want the id only once", left)
	}
}
