package intune_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
)

// Short names of what most tests use.
type transportFunc = graphtest.Transport

var (
	answer    = graphtest.Answer
	newServer = graphtest.NewServer
)

// unavailable is a 503 of the service itself, which its id proves.
func unavailable(req *http.Request) *http.Response {
	return answer(req, http.StatusServiceUnavailable, http.Header{"Request-Id": {"r1"}}, "")
}

// always answers every request alike.
func always(status int, body string) transportFunc {
	return func(req *http.Request) (*http.Response, error) { return answer(req, status, nil, body), nil }
}

func newClient(tb testing.TB, transport policy.Transporter, change ...func(*intune.ClientOptions)) *intune.Client {
	tb.Helper()
	options := &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: transport,
		Retry:     policy.RetryOptions{RetryDelay: time.Nanosecond},
	}}
	for _, f := range change {
		f(options)
	}
	client, err := intune.NewClient(intune.StaticToken("opaque-token"), options)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

func noRetries(o *intune.ClientOptions) { o.Retry.MaxRetries = -1 }

func asError(tb testing.TB, err error) *intune.Error {
	tb.Helper()
	e, ok := errors.AsType[*intune.Error](err)
	if !ok {
		tb.Fatalf("got %v, want an *intune.Error", err)
	}
	return e
}

// checkKinds wants an error to be each of these, and none of the other kinds: of the library's, and of a context's end. A nil
// stands for no kind.
func checkKinds(tb testing.TB, err error, want ...error) {
	tb.Helper()
	for _, kind := range want {
		if kind != nil && !errors.Is(err, kind) {
			tb.Errorf("the error is not %q: %v", kind, err)
		}
	}
	others := []error{
		intune.ErrInvalidArgument, intune.ErrOutcomeUnknown, intune.ErrSessionPending, context.Canceled, context.DeadlineExceeded,
	}
	for _, kind := range slices.AppendSeq(others, maps.Values(sentinels)) {
		if errors.Is(err, kind) && !slices.Contains(want, kind) {
			tb.Errorf("the error is %q, too: %v", kind, err)
		}
	}
}

// kindIf is a kind for checkKinds, or none.
func kindIf(is bool, kind error) error {
	if is {
		return kind
	}
	return nil
}

// checkSays wants the text of an error to hold each of these parts.
func checkSays(tb testing.TB, err error, parts ...string) {
	tb.Helper()
	for _, part := range parts {
		if !strings.Contains(fmt.Sprint(err), part) {
			tb.Errorf("no %q in the error: %v", part, err)
		}
	}
}

// heap is what is in use after a collection.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// graphAt is a cloud whose Graph is at a test server.
func graphAt(url string) cloud.Configuration { return graphtest.Cloud(intune.ServiceGraph, url) }

// newServerClient talks to a test server through an ordinary http.Client.
func newServerClient(tb testing.TB, server *httptest.Server, change ...func(*intune.ClientOptions)) *intune.Client {
	tb.Helper()
	return newClient(tb, server.Client(), append([]func(*intune.ClientOptions){
		func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) },
	}, change...)...)
}
