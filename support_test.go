package intune_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// transportFunc is a caller's transport, in process.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) Do(req *http.Request) (*http.Response, error) { return f(req) }

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answer is a response as a server would give it.
func answer(req *http.Request, status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: header, Request: req,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
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
func graphAt(url string) cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: "https://login.invalid/",
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			intune.ServiceGraph: {Endpoint: url, Audience: "https://graph.microsoft.com"},
		},
	}
}

// newServer is a real TLS listener on loopback.
func newServer(tb testing.TB, handler http.HandlerFunc, http2 bool) *httptest.Server {
	tb.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections break on purpose
	server.StartTLS()
	tb.Cleanup(server.Close)
	return server
}

// newServerClient talks to a test server through an ordinary http.Client.
func newServerClient(tb testing.TB, server *httptest.Server, change ...func(*intune.ClientOptions)) *intune.Client {
	tb.Helper()
	return newClient(tb, server.Client(), append([]func(*intune.ClientOptions){
		func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) },
	}, change...)...)
}
