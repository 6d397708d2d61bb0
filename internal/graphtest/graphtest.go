// Package graphtest holds what the tests of several packages share: transports and servers, tokens, a log and spans that
// are kept, and everything that a value prints.
package graphtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
)

// DeviceID is the device of the examples; OldLink and NewLink are links that no output may show.
const (
	DeviceID = "705c034c-034c-705c-4c03-5c704c035c70"
	OldLink  = "https://get.teamviewer.com/old-secret"
	NewLink  = "https://get.teamviewer.com/new-secret"
)

// Transport is a caller's transport, in process.
type Transport func(*http.Request) (*http.Response, error)

// Do implements policy.Transporter.
func (f Transport) Do(req *http.Request) (*http.Response, error) { return f(req) }

// RoundTrip implements [http.RoundTripper].
func (f Transport) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Answer is a response as a server would give it.
func Answer(req *http.Request, status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: header, Request: req,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// NewServer is a TLS server on loopback, which stops with the test.
func NewServer(tb testing.TB, handler http.HandlerFunc, http2 bool) *httptest.Server {
	tb.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = stdlog.New(io.Discard, "", 0) // connections break on purpose
	server.StartTLS()
	tb.Cleanup(server.Close)
	return server
}

// Cloud is a cloud whose Graph is at a test server.
func Cloud(service cloud.ServiceName, url string) cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: "https://login.invalid/",
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			service: {Endpoint: url, Audience: "https://graph.microsoft.com"},
		},
	}
}

// Signature ends every token, so that a leak of a token's tail is found too.
const Signature = "c2lnbmF0dXJlLXRoYXQtbm9ib2R5LW1heS1zZWU"

// JWT makes a token of claims, which are blank if JSON cannot hold them.
func JWT(claims map[string]any) string {
	text, err := json.Marshal(claims)
	if err != nil {
		text = nil
	}
	return RawJWT(string(text))
}

// RawJWT makes a token whose claims need not be JSON.
func RawJWT(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"typ":"JWT","alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + Signature
}

// CaptureLog collects azcore's log, whose listener is one for the process: a test that calls it must not be parallel.
func CaptureLog(t *testing.T) *strings.Builder {
	t.Helper()
	var mu sync.Mutex
	var text strings.Builder
	log.SetListener(func(event log.Event, message string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&text, "[%s] %s\n", event, message)
	})
	t.Cleanup(func() { log.SetListener(nil) })
	return &text
}

// Renderings is everything that values print, with every verb and logger, alone and inside others.
func Renderings(values ...any) string {
	var b bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&b, nil))
	structured := slog.New(slog.NewJSONHandler(&b, nil))
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10.5v"} {
			fmt.Fprintf(&b, verb+"\n", value)
			fmt.Fprintf(&b, verb+"\n", []any{value, &value, struct{ Field any }{value}, struct{ field any }{value}})
		}
		logger.Info("value", "value", value)
		structured.Info("value", "value", value)
		if text, err := json.Marshal(value); err == nil {
			b.Write(text)
		}
		if text, err := json.Marshal(map[string]any{"value": value}); err == nil {
			b.Write(text)
		}
	}
	return b.String()
}

// Spans is a tracing provider that keeps what it is given.
type Spans struct {
	mu   sync.Mutex
	List []*Span // in the order in which they began
}

// Span is one of them.
type Span struct {
	Name, Parent, Status string
	Kind                 tracing.SpanKind
	Code                 tracing.SpanStatus
	Attributes           map[string]any
	Events               []string
	Ended                int // how often
}

// Names are the names of the spans.
func (s *Spans) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, span := range s.List {
		names = append(names, span.Name)
	}
	return names
}

type spanKey struct{}

// Provider is for ClientOptions.TracingProvider.
func (s *Spans) Provider() tracing.Provider {
	return tracing.NewProvider(func(string, string) tracing.Tracer {
		return tracing.NewTracer(s.start, &tracing.TracerOptions{SpanFromContext: func(ctx context.Context) tracing.Span {
			if span, ok := ctx.Value(spanKey{}).(*Span); ok {
				return s.recorder(span)
			}
			return tracing.Span{}
		}})
	}, nil)
}

func (s *Spans) start(ctx context.Context, name string, o *tracing.SpanOptions) (context.Context, tracing.Span) {
	span := &Span{Name: name, Kind: o.Kind, Attributes: map[string]any{}}
	for _, a := range o.Attributes {
		span.Attributes[a.Key] = a.Value
	}
	if parent, ok := ctx.Value(spanKey{}).(*Span); ok {
		span.Parent = parent.Name
	}
	s.mu.Lock()
	s.List = append(s.List, span)
	s.mu.Unlock()
	return context.WithValue(ctx, spanKey{}, span), s.recorder(span)
}

// recorder writes to a span.
func (s *Spans) recorder(span *Span) tracing.Span {
	locked := func(write func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		write()
	}
	return tracing.NewSpan(tracing.SpanImpl{
		End: func() { locked(func() { span.Ended++ }) },
		SetAttributes: func(list ...tracing.Attribute) {
			locked(func() {
				for _, a := range list {
					span.Attributes[a.Key] = a.Value
				}
			})
		},
		AddEvent: func(name string, list ...tracing.Attribute) {
			locked(func() { span.Events = append(span.Events, fmt.Sprint(name, list)) })
		},
		SetStatus: func(code tracing.SpanStatus, text string) {
			locked(func() { span.Code, span.Status = code, text })
		},
	})
}
