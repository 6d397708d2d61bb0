// Package graphtest holds what the tests of several packages share: transports, tokens, a log and spans that are kept,
// and everything that a value prints. It uses no type of the root package.
package graphtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
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

// Cloud is a cloud whose Graph is at a test server.
func Cloud(service cloud.ServiceName, url string) cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: "https://login.invalid/",
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			service: {Endpoint: url, Audience: "https://graph.microsoft.com"},
		},
	}
}

// JWT makes a token of claims.
func JWT(claims map[string]any) string {
	text, err := json.Marshal(claims)
	if err != nil {
		return ""
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"typ":"JWT","alg":"RS256"}`)) + "." + encode(text) + ".c2lnbmF0dXJlLXNlY3JldA"
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
	List []*Span
}

// Span is one of them.
type Span struct {
	Name, Parent, Status string
	Kind                 tracing.SpanKind
	Code                 tracing.SpanStatus
	Attributes           map[string]any
	Events               []string
	Ended                int
}

type spanKey struct{}

// Provider is for ClientOptions.TracingProvider.
func (s *Spans) Provider() tracing.Provider {
	return tracing.NewProvider(func(string, string) tracing.Tracer {
		wrap := func(made *Span) tracing.Span {
			return tracing.NewSpan(tracing.SpanImpl{
				End: func() { made.Ended++ },
				SetAttributes: func(list ...tracing.Attribute) {
					s.mu.Lock()
					defer s.mu.Unlock()
					for _, a := range list {
						made.Attributes[a.Key] = a.Value
					}
				},
				AddEvent: func(name string, list ...tracing.Attribute) {
					made.Events = append(made.Events, fmt.Sprint(name, list))
				},
				SetStatus: func(code tracing.SpanStatus, text string) { made.Code, made.Status = code, text },
			})
		}
		return tracing.NewTracer(func(ctx context.Context, name string, o *tracing.SpanOptions) (context.Context, tracing.Span) {
			made := &Span{Name: name, Kind: o.Kind, Attributes: map[string]any{}}
			for _, a := range o.Attributes {
				made.Attributes[a.Key] = a.Value
			}
			if parent, ok := ctx.Value(spanKey{}).(*Span); ok {
				made.Parent = parent.Name
			}
			s.mu.Lock()
			s.List = append(s.List, made)
			s.mu.Unlock()
			return context.WithValue(ctx, spanKey{}, made), wrap(made)
		}, &tracing.TracerOptions{SpanFromContext: func(ctx context.Context) tracing.Span {
			if made, ok := ctx.Value(spanKey{}).(*Span); ok {
				return wrap(made)
			}
			return tracing.Span{}
		}})
	}, nil)
}
