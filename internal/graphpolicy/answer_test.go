package graphpolicy_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

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
		"success":              {http.StatusOK, graphpolicy.Open, true},
		"created":              {http.StatusCreated, graphpolicy.Open, true},
		"success without body": {http.StatusNoContent, graphpolicy.Answered, false},
		"refusal":              {http.StatusBadRequest, graphpolicy.Refused, false},
		"failure":              {http.StatusInternalServerError, graphpolicy.Open, false},
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
		"protocols, switched":          {StatusCode: http.StatusSwitchingProtocols, Body: unreadable{t}}, // reading it would not end with the context
		"protocols, switched, no body": {StatusCode: http.StatusSwitchingProtocols},
	} {
		for _, write := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", write"}[write], func(t *testing.T) {
				t.Parallel()
				resp, err := newTransport(t, func(*http.Request) (*http.Response, error) { return &given, nil }).Do(request(t, newCall(write), http.MethodPost))
				if err != nil {
					t.Fatal(err)
				}
				if resp.Body != http.NoBody || resp.Header == nil || resp.Request == nil {
					t.Errorf("got body %T, header %v, request %v", resp.Body, resp.Header, resp.Request)
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
	for name, c := range map[string]struct {
		final *http.Request
		want  graphpolicy.Verdict
		via   int // the status of the redirect, foreign if it is not told
	}{
		"not told":               {nil, graphpolicy.Answered, 0},
		"without a URL":          {&http.Request{}, graphpolicy.Answered, 0},
		"elsewhere":              {&http.Request{Method: http.MethodPost, URL: elsewhere}, graphpolicy.Open, foreign},
		"after a redirect":       {&http.Request{URL: elsewhere, Response: &http.Response{StatusCode: 307}}, graphpolicy.Refused, 307},
		"after one that carried": {&http.Request{URL: elsewhere, Response: &http.Response{StatusCode: 302}}, graphpolicy.Open, 302},
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
			if found, ok := errors.AsType[*graphpolicy.ForeignError](err); ok != (c.via != 0) || ok && found.StatusCode != max(c.via, 0) {
				t.Errorf("got %v", err)
			}
		})
	}
}
