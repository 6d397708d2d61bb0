package graphpolicy_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

// moves answers with a redirect to where, and whatever comes there with a 204.
func moves(status int, where string, there func(*http.Request) (*http.Response, error)) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		if req.URL.String() != address {
			return there(req)
		}
		return &http.Response{StatusCode: status, Header: http.Header{"Location": {where}}, Body: http.NoBody, Request: req}, nil
	}
}

// viaOf is the status of the redirect of which an error tells, 0 if it tells of none.
func viaOf(err error) int {
	if found, ok := errors.AsType[*graphpolicy.ForeignError](err); ok {
		return found.StatusCode
	}
	return 0
}

func follow(*http.Request, []*http.Request) error { return nil }

// A client without a CheckRedirect follows nothing, and the redirect is the answer. One that follows gets an error, which
// says what the redirect was.
func TestFollowedRedirects(t *testing.T) {
	t.Parallel()
	nowhere := func(*http.Request) (*http.Response, error) { return nil, io.EOF }
	for name, c := range map[string]struct {
		check  func(*http.Request, []*http.Request) error
		status int
		there  func(*http.Request) (*http.Response, error)
		want   graphpolicy.Verdict
		hops   int
		via    int // the status of the redirect, if it was followed
		fails  bool
	}{
		"302":                        {nil, 302, says(204), graphpolicy.Open, 1, 0, false},
		"307":                        {nil, 307, says(204), graphpolicy.Refused, 1, 0, false},
		"302, followed":              {follow, 302, says(204), graphpolicy.Open, 2, 302, true},
		"307, followed":              {follow, 307, says(204), graphpolicy.Refused, 2, 307, true},
		"307, followed to nowhere":   {follow, 307, nowhere, graphpolicy.Open, 2, 0, true},
		"307, followed to a refusal": {follow, 307, says(404), graphpolicy.Refused, 2, 307, true},
	} {
		for _, write := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", write"}[write], func(t *testing.T) {
				t.Parallel()
				hops := 0
				transport := moves(c.status, "https://login.example/", c.there)
				client := &http.Client{CheckRedirect: c.check, Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
					hops++
					return transport(req)
				})}
				call := newCall(write)
				resp, err := newTransportOver(t, client).Do(request(t, call, http.MethodPost))
				if hops != c.hops || (err != nil) != c.fails {
					t.Fatalf("%d hops, answer %v, error %v", hops, resp, err)
				}
				if got := viaOf(err); got != c.via {
					t.Errorf("a redirect of status %d, error %v", got, err)
				}
				if err == nil && resp.StatusCode != c.status {
					t.Errorf("got %d", resp.StatusCode)
				}
				want := c.want
				if !write {
					want = map[bool]graphpolicy.Verdict{true: graphpolicy.NotSent, false: graphpolicy.Answered}[c.fails]
				}
				if verdict := call.Record().Verdict; verdict != want {
					t.Errorf("verdict %d, want %d", verdict, want)
				}
				if client.CheckRedirect == nil != (c.check == nil) {
					t.Error("the caller's client was changed")
				}
			})
		}
	}
}

// A redirect is an answer to our request, even if the transport knows that nothing was sent to where it leads.
func TestRedirectIsNotUnsent(t *testing.T) {
	t.Parallel()
	nowhere := func(*http.Request) (*http.Response, error) { return nil, errDial }
	transport := moves(http.StatusTemporaryRedirect, "https://login.example/", nowhere)
	client := &http.Client{CheckRedirect: follow, Transport: honest{graphtest.Transport(transport)}}
	call := newCall(true)
	_, err := newTransportOver(t, client).Do(request(t, call, http.MethodPost))
	if !errors.Is(err, errDial) || call.Record().Verdict != graphpolicy.Open {
		t.Errorf("verdict %d, error %v", call.Record().Verdict, err)
	}
}

// Of several hops the worst counts: one that may have acted, or one that got the token.
func TestVerdictOfSeveralHops(t *testing.T) {
	t.Parallel()
	elsewhere := &url.URL{Scheme: "https", Host: "login.example"}
	hop := func(status int, before *http.Request) *http.Request {
		redirect := &http.Response{StatusCode: status, Request: before}
		return &http.Request{Method: http.MethodPost, URL: elsewhere, Header: http.Header{}, Response: redirect}
	}
	back := hop(307, nil)
	back.URL = &url.URL{Scheme: "https", Host: "graph.microsoft.com"}
	withToken := hop(307, nil)
	withToken.Header.Set("Authorization", "Bearer token")
	for name, c := range map[string]struct {
		final *http.Request
		want  graphpolicy.Verdict
		via   int
	}{
		"one":                     {hop(307, nil), graphpolicy.Refused, 307},
		"one that may have acted": {hop(303, nil), graphpolicy.Open, 303},
		"two":                     {hop(308, hop(307, nil)), graphpolicy.Refused, 307},
		"the last may have acted": {hop(302, hop(307, nil)), graphpolicy.Open, 307},
		"the first may have":      {hop(307, hop(302, nil)), graphpolicy.Open, 302},
		"with the token":          {withToken, graphpolicy.Open, 307},
		"back to ours":            {back, graphpolicy.Refused, 307},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			_, err := newTransport(t, func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: c.final}, nil
			}).Do(request(t, call, http.MethodPost))
			if got := viaOf(err); got != c.via {
				t.Errorf("a redirect of status %d, error %v", got, err)
			}
			if verdict := call.Record().Verdict; verdict != c.want {
				t.Errorf("verdict %d, want %d", verdict, c.want)
			}
		})
	}
}

// An answer to another method is not ours.
func TestAnswerToAnotherMethod(t *testing.T) {
	t.Parallel()
	for _, write := range []bool{false, true} {
		call := newCall(write)
		_, err := newTransport(t, func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 204, Body: http.NoBody, Request: &http.Request{Method: http.MethodGet, URL: req.URL}}, nil
		}).Do(request(t, call, http.MethodPost))
		if _, ok := errors.AsType[*graphpolicy.ForeignError](err); !ok || write != (call.Record().Verdict == graphpolicy.Open) {
			t.Errorf("write %v: verdict %d, error %v", write, call.Record().Verdict, err)
		}
	}
}

// closing notes that a body was closed.
type closing struct {
	io.Reader

	closed *bool
}

func (c closing) Close() error { *c.closed = true; return nil }

// Every body that goes no further is closed.
func TestBodiesThatGoNoFurtherAreClosed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Response) error{
		"foreign": func(r *http.Response) error {
			r.Request = &http.Request{URL: &url.URL{Host: "login.example"}}
			return nil
		},
		"an error":  func(*http.Response) error { return io.EOF },
		"protocols": func(r *http.Response) error { r.StatusCode = http.StatusSwitchingProtocols; return nil },
		"write":     func(*http.Response) error { return nil },
	} {
		for _, write := range []bool{false, true} {
			if name == "write" && !write {
				continue // it goes further
			}
			closed := false
			_, _ = newTransport(t, func(req *http.Request) (*http.Response, error) {
				resp, _ := says(http.StatusOK)(req)
				resp.Body = closing{strings.NewReader(""), &closed}
				return resp, change(resp)
			}).Do(request(t, newCall(write), http.MethodPost))
			if !closed {
				t.Errorf("%s, write %v: the body is open", name, write)
			}
		}
	}
}
