package graphcall_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/uuid"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

var errBroken = errors.New("broken")

func TestSend_WhatGoesOut(t *testing.T) {
	t.Parallel()
	var sent *http.Request
	var body []byte
	caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
		sent = req
		if req.Body != nil {
			body, _ = io.ReadAll(req.Body)
		}
		return graphtest.Answer(req, http.StatusOK, nil, "{}"), nil
	})
	r := read(caller)
	r.ID = "id-1"
	result := caller.Send(t.Context(), r)
	if result.Err != nil || !result.OK {
		t.Fatalf("%+v", result)
	}
	if sent.Method != http.MethodGet || sent.URL.String() != root+"/x?$select=id" {
		t.Errorf("sent %s %s", sent.Method, sent.URL)
	}
	if sent.Host != "graph.microsoft.com" || sent.Proto != "HTTP/1.1" {
		t.Errorf("sent to host %q by %q", sent.Host, sent.Proto)
	}
	if sent.ProtoMajor != 1 || sent.ProtoMinor != 1 {
		t.Errorf("sent by %d.%d", sent.ProtoMajor, sent.ProtoMinor)
	}
	for name, want := range map[string]string{
		"Accept": "application/json", "Client-Request-Id": "id-1", "Authorization": "Bearer token-1", "Content-Type": "", "Content-Length": "",
	} {
		if got := sent.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if len(body) != 0 || sent.ContentLength != 0 {
		t.Errorf("sent the body %q of length %d", body, sent.ContentLength)
	}
	if got := sent.Context().Value(runtime.CtxAPINameKey{}); got != "Client.Read" {
		t.Errorf("azcore recognizes the call as %v", got)
	}

	if result := caller.Send(t.Context(), write(caller)); !result.OK {
		t.Fatalf("%+v", result)
	}
	if sent.Method != http.MethodPost || len(body) != 0 {
		t.Errorf("sent %s with the body %q", sent.Method, body)
	}
	if got := sent.Header.Get("Content-Type"); got != "" || sent.ContentLength != 0 {
		t.Errorf("sent the content type %q, length %d", got, sent.ContentLength)
	}
}

func TestSend_ClientRequestID(t *testing.T) {
	t.Parallel()
	var sent []string
	caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
		sent = append(sent, req.Header.Get("Client-Request-Id"))
		status := http.StatusOK
		if len(sent)%2 == 1 {
			status = http.StatusTooManyRequests
		}
		return graphtest.Answer(req, status, http.Header{"Request-Id": {"r"}}, ""), nil
	})
	for range 2 {
		result := caller.Send(t.Context(), read(caller))
		last := sent[len(sent)-1]
		if _, err := uuid.Parse(last); err != nil || last != sent[len(sent)-2] {
			t.Errorf("tries with %q", sent[len(sent)-2:])
		}
		if ids := result.IDs; ids.ClientRequestID != last || result.Record.RequestID != last {
			t.Errorf("sent %q, the result says %+v and %q", last, ids, result.Record.RequestID)
		}
	}
	if sent[0] == sent[2] {
		t.Error("two requests have the same id")
	}
	ctx := policy.WithHTTPHeader(t.Context(), http.Header{"Client-Request-Id": {"of the caller"}})
	result := caller.Send(ctx, read(caller))
	if ids := result.IDs; ids.ClientRequestID != "of the caller" || result.Record.RequestID != "of the caller" {
		t.Errorf("the result says %+v and %q", ids, result.Record.RequestID)
	}
}

// A policy may change the address of what is sent, but not the caller's.
func TestSend_KeepsTheRequest(t *testing.T) {
	t.Parallel()
	var sent string
	caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
		sent = req.URL.RawQuery
		return graphtest.Answer(req, http.StatusOK, nil, ""), nil
	}, perCall(func(req *policy.Request) (*http.Response, error) {
		req.Raw().URL.RawQuery = "changed"
		return req.Next()
	}))
	r := read(caller)
	result := caller.Send(t.Context(), r)
	if !result.OK || sent != "changed" {
		t.Errorf("sent %q, error %v", sent, result.Err)
	}
	if r.URL.RawQuery != "$select=id" || r.ID != "" {
		t.Errorf("the request became %+v", r)
	}
}

func TestSend_Success(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{
		200: true, 204: true,
		201: false, 202: false, 203: false, 205: false, 206: false, 302: false, 304: false,
		400: false, 401: false, 404: false, 429: false, 500: false, 503: false,
	} {
		for _, request := range []func(*graphcall.Caller) *graphcall.Request{read, write} {
			caller := newCaller(t, always(status, ""), noRetries)
			r := request(caller)
			result := caller.Send(t.Context(), r)
			if result.OK != want || result.Response.StatusCode != status {
				t.Errorf("write %v, %d: OK is %v, the answer %d", r.Write, status, result.OK, result.Response.StatusCode)
			}
			if result.Err != nil {
				t.Errorf("write %v, %d: error %v", r.Write, status, result.Err)
			}
		}
	}
}

// A write whose outcome is open is not repeated, and a read is.
func TestRequest_Write(t *testing.T) {
	t.Parallel()
	for write, want := range map[bool]struct {
		method string
		tries  int
	}{false: {http.MethodGet, 4}, true: {http.MethodPost, 1}} {
		var methods []string
		caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
			methods = append(methods, req.Method)
			return graphtest.Answer(req, http.StatusInternalServerError, nil, ""), nil
		})
		result := caller.Send(t.Context(), &graphcall.Request{Write: write, URL: caller.At("/x")})
		if wanted := slices.Repeat([]string{want.method}, want.tries); !slices.Equal(methods, wanted) {
			t.Errorf("write %v: sent %q, want %q", write, methods, wanted)
		}
		if result.OK {
			t.Errorf("write %v: a 500 is OK", write)
		}
	}
}

// azcore drops an answer that came as the context ended.
func TestSend_ContextEndsAfterTheAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request func(*graphcall.Caller) *graphcall.Request
		status  int
		broken  bool // the body
		want    bool
	}{
		"a read":                     {read, 200, false, true},
		"a read that was refused":    {read, 404, false, false},
		"a read that broke off":      {read, 200, true, false},
		"a write":                    {write, 204, false, true},
		"a write that was refused":   {write, 403, false, false},
		"a write, broken after that": {write, 204, true, true}, // a 204 says all by its status
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
				cancel()
				resp := graphtest.Answer(req, c.status, nil, `{"id":"1"}`)
				if c.broken {
					resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"id":`), brokenReader{context.Canceled}))
				}
				return resp, nil
			})
			result := caller.Send(ctx, c.request(caller))
			if result.OK != c.want || !errors.Is(result.Err, context.Canceled) {
				t.Errorf("OK is %v, error %v", result.OK, result.Err)
			}
			if result.Response == nil || result.Response.StatusCode != c.status {
				t.Fatalf("the answer is %v", result.Response)
			}
			want := `{"id":"1"}`
			if c.status == http.StatusNoContent {
				want = "" // whatever stands for a body is not read
			}
			if !result.OK || c.broken {
				return
			}
			if body, err := runtime.Payload(result.Response); err != nil || string(body) != want {
				t.Errorf("the body is %q, %v", body, err)
			}
		})
	}
}

// brokenReader fails every time.
type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }

func TestSend_AnswerThatBreaksOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request func(*graphcall.Caller) *graphcall.Request
		status  int
		want    bool
		came    bool // an answer
	}{
		"a read":                 {read, 200, false, true},
		"a write":                {write, 200, false, false},
		"a write that says it":   {write, 204, true, true},
		"a write that is denied": {write, 403, false, true},
	} {
		caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
			resp := graphtest.Answer(req, c.status, nil, "")
			resp.Body = io.NopCloser(brokenReader{errBroken})
			return resp, nil
		}, noRetries)
		result := caller.Send(t.Context(), c.request(caller))
		if result.OK != c.want || (result.Response != nil) != c.came {
			t.Errorf("%s: OK is %v, the answer %v", name, result.OK, result.Response)
		}
	}
}

// A caller's policy may lose what the service answered.
func TestSend_PolicyThatLosesTheAnswer(t *testing.T) {
	t.Parallel()
	loses := func(err error) func(*azcore.ClientOptions) {
		return perCall(func(req *policy.Request) (*http.Response, error) {
			_, _ = req.Next()
			return nil, err
		})
	}
	for name, c := range map[string]struct {
		request func(*graphcall.Caller) *graphcall.Request
		err     error
		want    bool
	}{
		"a read, and says nothing":  {read, nil, true},
		"a write, and says nothing": {write, nil, true},
		"a read, with an error":     {read, errBroken, false},
		"a write, with an error":    {write, errBroken, true}, // the service acted, whatever the policy says
	} {
		caller := newCaller(t, always(http.StatusOK, "{}"), loses(c.err))
		result := caller.Send(t.Context(), c.request(caller))
		if result.OK != c.want || !errors.Is(result.Err, c.err) {
			t.Errorf("%s: OK is %v, error %v", name, result.OK, result.Err)
		}
		if result.Response == nil || result.Response.StatusCode != http.StatusOK {
			t.Errorf("%s: the answer is %v", name, result.Response)
		}
	}
}

// What a policy says in the service's place is no success of the service.
func TestSend_PolicyThatAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resp *http.Response
		err  error
		want error
	}{
		"an answer": {&http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, nil, nil},
		"nothing":   {nil, nil, graphpolicy.Cause(graphpolicy.ErrNoAnswer)},
		"an error":  {nil, errBroken, errBroken},
	} {
		calls := 0
		caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
			calls++
			return graphtest.Answer(req, http.StatusOK, nil, ""), nil
		}, perCall(func(*policy.Request) (*http.Response, error) { return c.resp, c.err }))
		result := caller.Send(t.Context(), write(caller))
		if result.OK || result.Response != c.resp {
			t.Errorf("%s: OK is %v, the answer %v", name, result.OK, result.Response)
		}
		if !errors.Is(result.Err, c.want) || result.Record.Verdict != graphpolicy.NotSent {
			t.Errorf("%s: error %v, verdict %v", name, result.Err, result.Record.Verdict)
		}
		if calls != 0 {
			t.Errorf("%s: sent %d times", name, calls)
		}
	}
}

// The answer of a service that asks for another token is the result, though azcore drops it when there is none.
func TestSend_ChallengeWithoutToken(t *testing.T) {
	t.Parallel()
	caller := newCallerWith(t, &credential{most: 1}, func(req *http.Request) (*http.Response, error) {
		return graphtest.Answer(req, http.StatusUnauthorized, http.Header{
			"Www-Authenticate": {`Bearer error="insufficient_claims", claims="e30="`}, "Request-Id": {"r"},
		}, ""), nil
	})
	result := caller.Send(t.Context(), read(caller))
	if result.Response == nil || result.Response.Header.Get("Request-Id") != "r" {
		t.Errorf("the answer is %v", result.Response)
	}
	if _, ok := errors.AsType[*graphpolicy.TokenError](result.Err); !ok || result.OK {
		t.Errorf("OK is %v, error %v", result.OK, result.Err)
	}
}

func TestSend_Redact(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	text := graphtest.CaptureLog(t)
	caller := newCaller(t, func(*http.Request) (*http.Response, error) { return nil, errors.New("dial get.teamviewer.com/secret") }, noRetries)
	var address, authorization string
	var asked graphpolicy.Asked
	caller.Redact = func(err error, of graphpolicy.Asked, u *url.URL, header string) error {
		asked, address, authorization = of, u.String(), header
		return errors.New(strings.ReplaceAll(err.Error(), "secret", "cleaned"))
	}
	r := read(caller)
	r.Asked = graphpolicy.Asked{User: "anna", Query: "$top=1"}
	result := caller.Send(t.Context(), r)
	if result.OK || result.Response != nil {
		t.Errorf("%+v", result)
	}
	if result.Err == nil || result.Err.Error() != "dial get.teamviewer.com/cleaned" {
		t.Errorf("error %v", result.Err)
	}
	if address != root+"/x?$select=id" || authorization != "Bearer token-1" {
		t.Errorf("cleaned for %q and %q", address, authorization)
	}
	if asked != r.Asked {
		t.Errorf("cleaned for %+v", asked)
	}
	if !strings.Contains(text.String(), "/cleaned") || strings.Contains(text.String(), "secret") {
		t.Errorf("the log has\n%s", text)
	}
}

// An answer that holds an error is for the caller to read, unless something else ended the call.
func TestSend_BrokenAnswer(t *testing.T) {
	t.Parallel()
	const body = `{"value":[{"id":"1"},{"error":{"code":"TooManyRequests","RetryAfter":60}}`
	tries := 0
	throttled := func(req *http.Request) (*http.Response, error) {
		tries++
		return graphtest.Answer(req, http.StatusOK, nil, body), nil
	}
	caller := newCaller(t, throttled, noRetries)
	if result := caller.Send(t.Context(), read(caller)); !result.OK || !result.Record.Broken {
		t.Errorf("got %+v, want a broken answer", result)
	}
	if tries != 1 {
		t.Errorf("%d tries", tries)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		caller := newCaller(t, throttled)
		result := caller.Send(ctx, read(caller))
		if result.OK || !errors.Is(result.Err, context.DeadlineExceeded) {
			t.Errorf("got %+v, want the end of the context", result)
		}
		if result.Response == nil {
			t.Error("the response is lost")
		}
	})
	caller = newCaller(t, throttled, noRetries, func(o *azcore.ClientOptions) {
		o.PerCallPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) {
			_, _ = req.Next()
			return nil, errBroken
		})}
	})
	if result := caller.Send(t.Context(), read(caller)); result.OK || !errors.Is(result.Err, errBroken) {
		t.Errorf("%+v", result)
	}
}

func TestSend_Before(t *testing.T) {
	t.Parallel()
	tries := 0
	caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
		tries++
		return graphtest.Answer(req, map[int]int{1: 429, 2: 204}[tries], nil, ""), nil
	})
	var asked []string
	r := write(caller)
	r.ID = "id-1"
	r.Before = func(req *http.Request) error {
		asked = append(asked, req.Header.Get("Client-Request-Id"))
		return nil
	}
	if result := caller.Send(t.Context(), r); !result.OK || tries != 2 {
		t.Errorf("%d tries, error %v", tries, result.Err)
	}
	if !slices.Equal(asked, []string{"id-1", "id-1"}) {
		t.Errorf("asked before %q", asked)
	}
	r.Before = func(*http.Request) error { return errBroken }
	result := caller.Send(t.Context(), r)
	if result.OK || tries != 2 {
		t.Errorf("%d tries, OK is %v", tries, result.OK)
	}
	if result.Record.Stopped == nil || !errors.Is(result.Err, errBroken) {
		t.Errorf("stopped by %v, error %v", result.Record.Stopped, result.Err)
	}
}

// After its result is known, a call is over: a policy that goes on in the background sends nothing.
func TestSend_EndsTheCall(t *testing.T) {
	t.Parallel()
	calls := 0
	var rest func() error
	caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
		calls++
		return graphtest.Answer(req, http.StatusOK, nil, ""), nil
	}, perCall(func(req *policy.Request) (*http.Response, error) {
		rest = func() error { _, err := req.Next(); return err }
		return nil, errBroken
	}))
	if result := caller.Send(t.Context(), write(caller)); result.OK || !errors.Is(result.Err, errBroken) {
		t.Errorf("%+v", result)
	}
	if err := rest(); err == nil || calls != 0 {
		t.Errorf("sent %d times afterwards, error %v", calls, err)
	}
}

// The span of the operation has the ids of its latest request that was answered.
func TestSend_Spans(t *testing.T) {
	t.Parallel()
	collected := &graphtest.Spans{}
	answered := true
	caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
		if !answered {
			return nil, errBroken
		}
		return graphtest.Answer(req, http.StatusNotFound, http.Header{"Request-Id": {"r"}}, ""), nil
	}, noRetries, func(o *azcore.ClientOptions) { o.TracingProvider = collected.Provider() })
	spanOf := func() map[string]any {
		ctx, end := runtime.StartSpan(t.Context(), "Client.Read", caller.Tracer, nil)
		r := read(caller)
		r.ID = "c"
		result := caller.Send(ctx, r)
		end(result.Err)
		span := collected.List[len(collected.List)-2]
		if request := collected.List[len(collected.List)-1]; request.Name != "HTTP GET" || request.Parent != span.Name {
			t.Errorf("the request's span is %+v", request)
		}
		return span.Attributes
	}
	if got := spanOf(); got["az.service_request_id"] != "r" || got["az.client_request_id"] != "c" {
		t.Errorf("the span has %v", got)
	}
	answered = false
	if got := spanOf(); got["az.service_request_id"] != nil || got["az.client_request_id"] != nil {
		t.Errorf("without an answer the span has %v", got)
	}
}

// Under one span, requests are sent at the same time, so they must not share what azcore keeps of one for the span: its
// URL, which it takes out of the span's text. The race detector sees it too.
func TestSend_AtTheSameTime(t *testing.T) {
	t.Parallel()
	collected := &graphtest.Spans{}
	caller := newCaller(t, always(http.StatusOK, "{}"), func(o *azcore.ClientOptions) { o.TracingProvider = collected.Provider() })
	ctx, end := runtime.StartSpan(t.Context(), "Client.Read", caller.Tracer, nil)
	r := graphcall.Request{API: "Client.Read", URL: caller.At("/x", "value=1")}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			own := r
			if result := caller.Send(ctx, &own); !result.OK {
				t.Error(result.Err)
			}
		})
	}
	group.Wait()
	end(errors.New("failed at " + r.URL.String()))
	if len(collected.List) != 9 {
		t.Fatalf("spans %q", collected.Names())
	}
	if says := collected.List[0].Status; !strings.Contains(says, "value=1") {
		t.Errorf("the span says %q", says)
	}
}

func TestEmptySuccess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   io.Reader
		want   bool
	}{
		"204":               {http.StatusNoContent, nil, true},
		"204 with a body":   {http.StatusNoContent, strings.NewReader("x"), true},
		"204, broken":       {http.StatusNoContent, brokenReader{errBroken}, true},
		"200":               {http.StatusOK, strings.NewReader(""), true},
		"200 with a body":   {http.StatusOK, strings.NewReader("{}"), false},
		"200, broken":       {http.StatusOK, brokenReader{errBroken}, false},
		"201":               {http.StatusCreated, strings.NewReader(""), false},
		"202":               {http.StatusAccepted, strings.NewReader(""), false},
		"404":               {http.StatusNotFound, strings.NewReader(""), false},
		"200 without a one": {http.StatusOK, nil, true},
	} {
		resp := &http.Response{StatusCode: c.status}
		if c.body != nil {
			resp.Body = io.NopCloser(c.body)
		}
		if got := graphcall.EmptySuccess(resp); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestIsContextError(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	for _, c := range []struct {
		err  error
		want bool
	}{
		{context.Canceled, true},
		{context.DeadlineExceeded, true},
		{fmt.Errorf("sent: %w", context.Canceled), true},
		{ended.Err(), true},
		{errBroken, false},
		{nil, false},
	} {
		if got := graphcall.IsContextError(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
