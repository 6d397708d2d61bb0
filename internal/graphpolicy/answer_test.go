package graphpolicy_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// A write whose answer breaks off: what the status says stands, except for a success that should have brought something.
func TestAnswerOfAWriteBreaksOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		want   graphpolicy.Verdict
		fails  bool
	}{
		"success": {http.StatusOK, graphpolicy.Open, true},
		"created": {http.StatusCreated, graphpolicy.Open, true},
		"refusal": {http.StatusBadRequest, graphpolicy.Refused, false},
		"failure": {http.StatusInternalServerError, graphpolicy.Open, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			body := io.MultiReader(strings.NewReader("begin"), iotest.ErrReader(io.ErrUnexpectedEOF))
			resp, err := gives(t, c.status, body, -1).Do(request(t, call, http.MethodPost))
			if call.Record().Verdict != c.want || errors.Is(err, io.ErrUnexpectedEOF) != c.fails {
				t.Fatalf("verdict %d, want %d; error %v", call.Record().Verdict, c.want, err)
			}
			if c.fails {
				return
			}
			if read, err := io.ReadAll(resp.Body); err != nil || string(read) != "begin" {
				t.Errorf("read %q, error %v", read, err)
			}
		})
	}
}

// endless is a body of which the beginning has come. It does not end before the request's context does.
type endless struct {
	io.Reader

	ctx    context.Context //nolint:containedctx // of one request
	closed bool
}

func (e *endless) Read(p []byte) (int, error) {
	if n, err := e.Reader.Read(p); err == nil {
		return n, nil
	}
	<-e.ctx.Done()
	return 0, e.ctx.Err()
}

func (e *endless) Close() error { e.closed = true; return nil }

// What has arrived counts, though the body never ends: an answer without a body is not read, and the others are read for
// ten seconds.
func TestAnswerThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		length string // the header
		took   time.Duration
		want   graphpolicy.Verdict
		fails  bool
	}{
		"no content":           {http.StatusNoContent, "", 0, graphpolicy.Answered, false},
		"reset content":        {http.StatusResetContent, "", 0, graphpolicy.Answered, false},
		"not modified":         {http.StatusNotModified, "", 0, graphpolicy.Open, false},
		"success of no length": {http.StatusOK, "0", 0, graphpolicy.Answered, false},
		"refusal of no length": {http.StatusForbidden, "0", 0, graphpolicy.Refused, false},
		"success":              {http.StatusOK, "", 10 * time.Second, graphpolicy.Open, true},
		"success of a length":  {http.StatusOK, "100", 10 * time.Second, graphpolicy.Open, true},
		"throttled":            {http.StatusTooManyRequests, "", 10 * time.Second, graphpolicy.Refused, false},
		"refusal":              {http.StatusForbidden, "", 10 * time.Second, graphpolicy.Refused, false},
		"failure":              {http.StatusBadGateway, "", 10 * time.Second, graphpolicy.Open, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				call, start := newCall(true), time.Now()
				body := &endless{Reader: strings.NewReader("begin")}
				resp, err := newTransport(t, func(req *http.Request) (*http.Response, error) {
					body.ctx = req.Context()
					given := &http.Response{StatusCode: c.status, Body: body, Request: req, Header: http.Header{}}
					if c.length != "" {
						given.Header.Set("Content-Length", c.length)
					}
					return given, nil
				}).Do(request(t, call, http.MethodPost))
				if took := time.Since(start); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if verdict := call.Record().Verdict; verdict != c.want {
					t.Errorf("verdict %d, want %d", verdict, c.want)
				}
				if !body.closed {
					t.Error("the body was not closed")
				}
				if (err != nil) != c.fails {
					t.Fatalf("error %v", err)
				}
				if c.fails {
					if errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "did not end within 10s") {
						t.Errorf("error %v", err)
					}
					return
				}
				want := "begin"
				if c.took == 0 {
					want = ""
				}
				if read, err := io.ReadAll(resp.Body); err != nil || string(read) != want {
					t.Errorf("read %q, error %v, want %q", read, err, want)
				}
			})
		})
	}
}

// The context of the caller ends the reading of a body earlier.
func TestAnswerThatDoesNotEndBeforeTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		call := newCall(true)
		_, err := newTransport(t, func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: &endless{strings.NewReader(""), req.Context(), false}, Request: req}, nil
		}).Do(request(t, call, http.MethodPost).WithContext(call.Start(ctx)))
		if !errors.Is(err, context.DeadlineExceeded) || call.Record().Verdict != graphpolicy.Open {
			t.Errorf("verdict %d, error %v", call.Record().Verdict, err)
		}
	})
}

// A read has no verdict, and the policies above find that there is no body.
func TestAnswerOfAReadWithoutABody(t *testing.T) {
	t.Parallel()
	resp, err := newTransport(t, func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusNoContent, Body: unreadable{t}, Request: req}, nil
	}).Do(request(t, newCall(false), http.MethodGet))
	if err != nil || resp.Body != http.NoBody {
		t.Errorf("body %v, error %v", resp, err)
	}
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) { u.t.Error("it was read"); return 0, io.EOF }

func (unreadable) Close() error { return nil }

// The policies above find what the caller's transport left out: a header that they can write to, and a body that says
// that there is none.
func TestAnswersThatLackSomething(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]http.Response{
		"all":                          {StatusCode: http.StatusNoContent},
		"no body":                      {StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody},
		"protocols, switched":          {StatusCode: http.StatusSwitchingProtocols, Body: unreadable{t}}, // reading it would outlast the context
		"protocols, switched, no body": {StatusCode: http.StatusSwitchingProtocols},
	} {
		for _, write := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", write"}[write], func(t *testing.T) {
				t.Parallel()
				transport := newTransport(t, func(*http.Request) (*http.Response, error) { return &given, nil })
				resp, err := transport.Do(request(t, newCall(write), http.MethodPost))
				if err != nil {
					t.Fatal(err)
				}
				if resp.Body != http.NoBody {
					t.Errorf("the body is a %T", resp.Body)
				}
				if resp.Header == nil || resp.Request == nil {
					t.Errorf("header %#v, request %p", resp.Header, resp.Request)
				}
			})
		}
	}
}

// An answer beside an error may have no body.
func TestAnswerBesideAnError(t *testing.T) {
	t.Parallel()
	transport := newTransport(t, func(*http.Request) (*http.Response, error) { return &http.Response{}, io.ErrUnexpectedEOF })
	if resp, err := transport.Do(request(t, newCall(true), http.MethodPost)); resp != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, error %v", resp, err)
	}
}

// A caller's transport may say little about the request that was answered in the end.
func TestRequestThatWasAnswered(t *testing.T) {
	t.Parallel()
	const foreign = -1
	elsewhere := &url.URL{Scheme: "https", Host: "login.example", Path: "/"}
	ours := &url.URL{Scheme: "https", Host: "graph.microsoft.com"}
	otherwise := &url.URL{Scheme: "https", Host: "GRAPH.microsoft.com:443"}
	long := &url.URL{Scheme: "https", Host: "graph.micro\u017foft.com"}
	for name, c := range map[string]struct {
		final *http.Request
		want  graphpolicy.Verdict
		via   int // the status of the redirect, foreign if it is not told
	}{
		"not told":                {nil, graphpolicy.Answered, 0},
		"without a URL":           {&http.Request{}, graphpolicy.Answered, 0},
		"elsewhere":               {&http.Request{Method: http.MethodPost, URL: elsewhere}, graphpolicy.Open, foreign},
		"ours, written otherwise": {&http.Request{Method: http.MethodPost, URL: otherwise}, graphpolicy.Answered, 0},
		"with a long s":           {&http.Request{Method: http.MethodPost, URL: long}, graphpolicy.Open, foreign},
		"to another Host header":  {&http.Request{Method: http.MethodPost, URL: ours, Host: "login.example"}, graphpolicy.Open, foreign},
		"after a redirect":        {&http.Request{URL: elsewhere, Response: &http.Response{StatusCode: 307}}, graphpolicy.Refused, 307},
		"after one that carried":  {&http.Request{URL: elsewhere, Response: &http.Response{StatusCode: 302}}, graphpolicy.Open, 302},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			_, err := newTransport(t, func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: c.final}, nil
			}).Do(request(t, call, http.MethodPost))
			if call.Record().Verdict != c.want || (err != nil) != (c.via != 0) {
				t.Fatalf("verdict %d, want %d; error %v", call.Record().Verdict, c.want, err)
			}
			found, ok := errors.AsType[*graphpolicy.ForeignError](err)
			if ok != (c.via != 0) {
				t.Errorf("got %v, want a ForeignError: %v", err, c.via != 0)
			}
			if ok && found.StatusCode != max(c.via, 0) {
				t.Errorf("status %d of the redirect, want %d", found.StatusCode, max(c.via, 0))
			}
		})
	}
}
