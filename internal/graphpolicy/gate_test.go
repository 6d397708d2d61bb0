package graphpolicy_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

// A write goes out once, whoever else tries while it is under way or after it.
func TestTwoTriesOfAWrite(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(*http.Request) error{"plain": nil, "announced": func(*http.Request) error { return nil }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			call.Before = before
			twoTries(t, call)
		})
	}
}

func twoTries(t *testing.T, call *graphpolicy.Call) {
	t.Helper()
	sent := 0
	var transport *graphpolicy.Transport
	again := func(when string) {
		_, err := transport.Do(request(t, call, http.MethodPost))
		if !isNonRetriable(err) || !strings.Contains(err.Error(), "is not sent again") {
			t.Errorf("%s: %v", when, err)
		}
	}
	transport = newTransport(t, func(req *http.Request) (*http.Response, error) {
		sent++
		if verdict := call.Record().Verdict; verdict != graphpolicy.Open {
			t.Errorf("verdict %d while it is under way", verdict)
		}
		if sent == 1 {
			again("meanwhile")
		}
		return says(http.StatusInternalServerError)(req)
	})
	if _, err := transport.Do(request(t, call, http.MethodPost)); err != nil {
		t.Error(err)
	}
	again("afterwards")
	if sent != 1 || call.Record().Verdict != graphpolicy.Open {
		t.Errorf("sent %d times, verdict %d", sent, call.Record().Verdict)
	}
}

// A try that may have left is remembered, whatever becomes of the other tries.
func TestWhetherARequestLeft(t *testing.T) {
	t.Parallel()
	breaks := func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	unreached := func(*http.Request) (*http.Response, error) { return nil, errDial }
	for name, c := range map[string]struct {
		steps []graphtest.Transport
		want  bool
	}{
		"nothing":             {nil, false},
		"not reached":         {[]graphtest.Transport{unreached, unreached}, false},
		"broke":               {[]graphtest.Transport{breaks}, true},
		"refused":             {[]graphtest.Transport{says(503)}, true},
		"refused, then not":   {[]graphtest.Transport{says(503), unreached}, true},
		"not reached, then":   {[]graphtest.Transport{unreached, says(503)}, true},
		"not reached, breaks": {[]graphtest.Transport{unreached, breaks}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			for _, step := range c.steps {
				_, _ = newTransportOver(t, honest{step}).Do(request(t, call, http.MethodPost))
			}
			if got := call.Record().Left; got != c.want {
				t.Errorf("left: %v", got)
			}
		})
	}
}

// A request whose context has ended is not sent, whatever the transport would do with it.
func TestRequestOfAnEndedContextIsNotSent(t *testing.T) {
	t.Parallel()
	for _, write := range []bool{false, true} {
		call := newCall(write)
		transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
			t.Error("it was sent")
			return says(http.StatusNoContent)(req)
		})
		req := request(t, call, http.MethodPost)
		ctx, cancel := context.WithCancel(req.Context())
		cancel()
		if _, err := transport.Do(req.WithContext(ctx)); !errors.Is(err, context.Canceled) || call.Record().Verdict != graphpolicy.NotSent {
			t.Errorf("verdict %d, error %v", call.Record().Verdict, err)
		}
	}
}

// A client's CheckRedirect decides as it does elsewhere, and never sees the token. Neither does the place that a redirect
// leads to, nor does it see the URL of our request, whose query may hold a filter.
func TestCheckRedirectOfTheCallers(t *testing.T) {
	t.Parallel()
	refused := errors.New("not there")
	for name, c := range map[string]struct {
		answer error
		hops   int
		want   error
	}{
		"follows": {nil, 2, io.EOF},
		"stays":   {http.ErrUseLastResponse, 1, nil},
		"refuses": {refused, 1, refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hops := 0
			client := &http.Client{
				Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
					if hops++; (req.Header.Get("Authorization") != "") != (hops == 1) {
						t.Errorf("hop %d goes with the token %q", hops, req.Header.Get("Authorization"))
					}
					if req.Header.Get("Referer") != "" {
						t.Errorf("hop %d goes with the Referer %q", hops, req.Header.Get("Referer"))
					}
					if hops == 2 {
						return nil, io.EOF
					}
					header := http.Header{"Location": {"/v1.0/other"}}
					return &http.Response{StatusCode: http.StatusFound, Header: header, Body: http.NoBody, Request: req}, nil
				}),
				CheckRedirect: func(next *http.Request, via []*http.Request) error {
					if next.Header.Get("Authorization") != "" || next.Header.Get("Referer") != "" {
						t.Errorf("it sees %v", next.Header)
					}
					if len(via) != 1 {
						t.Errorf("it is asked after %d", len(via))
					}
					next.Header.Set("Authorization", "Bearer of the caller")
					next.Header.Set("Referer", via[0].URL.String())
					return c.answer
				},
			}
			req := request(t, newCall(false), http.MethodGet)
			req.Header.Set("Authorization", "Bearer token")
			resp, err := newTransportOver(t, client).Do(req)
			if hops != c.hops || !errors.Is(err, c.want) {
				t.Errorf("%d hops, want %d; error %v, want %v", hops, c.hops, err, c.want)
			}
			if err == nil && resp.StatusCode != http.StatusFound {
				t.Errorf("status %d", resp.StatusCode)
			}
		})
	}
}
