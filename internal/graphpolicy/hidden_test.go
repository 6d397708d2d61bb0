package graphpolicy_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// azcore's log policy goes by the content type: what it sees is not JSON, and what the caller gets is.
func TestContentTypeIsHiddenFromTheLogOnly(t *testing.T) {
	t.Parallel()
	for _, secret := range []bool{false, true} {
		var below string
		call := &graphpolicy.Call{Secret: secret, Redact: asIs}
		_, resp, err := send(t, call, http.MethodGet, func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody, Request: req}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		below = seenBelow(t, secret)
		if got := resp.Header.Get("Content-Type"); got != "application/json" || (below == "application/json") == secret {
			t.Errorf("secret %v: the caller sees %q, the log %q", secret, got, below)
		}
	}
}

// An answer without a content type has none, whatever the tries before brought.
func TestNoContentTypeIsMadeUp(t *testing.T) {
	t.Parallel()
	typed := func(req *http.Request) (*http.Response, error) {
		resp, err := says(http.StatusServiceUnavailable)(req)
		resp.Header.Set("Content-Type", "application/json")
		return resp, err
	}
	call := &graphpolicy.Call{Secret: true, Redact: asIs}
	tries, resp, err := send(t, call, http.MethodGet, typed, typed, says(http.StatusOK))
	if err != nil || tries != 3 || resp.Header["Content-Type"] != nil {
		t.Errorf("%d tries, error %v, header %v", tries, err, resp.Header)
	}
}

// That holds for an answer to a claims challenge as well, which comes within the same try, and whose header may be shared.
func TestNoContentTypeIsMadeUpAfterAChallenge(t *testing.T) {
	t.Parallel()
	shared := http.Header{}
	desk := &desk{life: time.Hour}
	office := newOffice(t, desk, func(n int, req *http.Request) (*http.Response, error) {
		if n == 1 {
			resp, err := challenges(req)
			resp.Header.Set("Content-Type", "application/json")
			return resp, err
		}
		return &http.Response{StatusCode: http.StatusOK, Header: shared, Body: http.NoBody, Request: req}, nil
	})
	call := newCall(true)
	call.Secret = true
	if err := office.act(t.Context(), call, address); err != nil {
		t.Fatal(err)
	}
	desk.sawClaims(t, "", "{}")
	if got := call.Record().Response.Header; got["Content-Type"] != nil || len(shared) != 0 {
		t.Errorf("the answer has %v, and the shared header %v", got, shared)
	}
}

// seenBelow is the content type that a policy between the guard and the transport sees.
func seenBelow(t *testing.T, secret bool) string {
	t.Helper()
	resp, err := newTransport(t, func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody, Request: req}, nil
	}).Do(request(t, &graphpolicy.Call{Secret: secret, Redact: asIs}, http.MethodGet))
	if err != nil {
		t.Fatal(err)
	}
	return resp.Header.Get("Content-Type")
}
