package graphcall_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

func TestRequestID(t *testing.T) {
	t.Parallel()
	asIs := func(text string) string { return text }
	for name, c := range map[string]struct {
		header string
		clean  func(string) string
		want   string
	}{
		"a GUID":            {graphtest.DeviceID, asIs, graphtest.DeviceID},
		"none":              {"", asIs, ""},
		"cleaned":           {"id-secret", func(text string) string { return strings.ReplaceAll(text, "secret", "clean") }, "id-clean"},
		"at the limit":      {strings.Repeat("a", 256), asIs, strings.Repeat("a", 256)},
		"longer":            {strings.Repeat("a", 257), asIs, strings.Repeat("a", 256)},
		"cut in a letter":   {strings.Repeat("a", 255) + "ä", asIs, strings.Repeat("a", 255)},
		"not UTF-8":         {"a\xff", asIs, "a\ufffd"},
		"longer once clean": {"short", func(string) string { return strings.Repeat("b", 1000) }, strings.Repeat("b", 256)},
		"as long as is cleaned": {
			strings.Repeat("a", 512),
			func(text string) string { return strings.TrimLeft(text, "a") + strings.Repeat("b", len(text)/2) },
			strings.Repeat("b", 256),
		},
		"too long to be cleaned whole": {
			strings.Repeat("a", 512) + "c", func(text string) string { return strings.TrimLeft(text, "a") }, "",
		},
	} {
		resp := &http.Response{Header: http.Header{"Request-Id": {c.header}}}
		if got := graphcall.RequestID(resp, c.clean); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestClientRequestID(t *testing.T) {
	t.Parallel()
	header := func(id ...string) http.Header { return http.Header{"Client-Request-Id": id} }
	for name, c := range map[string]struct {
		sent *http.Request
		back http.Header
		want string
	}{
		"sent":           {&http.Request{Header: header("sent")}, header("back"), "sent"},
		"sent twice":     {&http.Request{Header: header("first", "second")}, header("back"), "first"},
		"sent as blank":  {&http.Request{Header: header("")}, header("back"), ""},
		"removed":        {&http.Request{Header: header()}, header("back"), "back"},
		"no header":      {&http.Request{}, header("back"), "back"},
		"no request":     {nil, header("back"), "back"},
		"neither":        {nil, nil, ""},
		"none came back": {&http.Request{}, http.Header{}, ""},
	} {
		if got := graphcall.ClientRequestID(&http.Response{Request: c.sent, Header: c.back}); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A proxy's text in place of an id shows nothing private, neither in the result nor in the span.
func TestSend_IDsAreCleaned(t *testing.T) {
	t.Parallel()
	const secrets = "anna@contoso.com PC-ANNA /v1.0/x Bearer token-1 \u202e" + graphtest.NewLink
	for sent, want := range map[string]string{
		graphtest.DeviceID: graphtest.DeviceID,
		"see " + secrets:   "see REDACTED REDACTED REDACTED REDACTED https://get.teamviewer.com/REDACTED",
	} {
		collected := &graphtest.Spans{}
		caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
			return graphtest.Answer(req, http.StatusOK, http.Header{"Request-Id": {sent}}, "{}"), nil
		}, func(o *azcore.ClientOptions) { o.TracingProvider = collected.Provider() })
		ctx, end := runtime.StartSpan(t.Context(), "Client.Read", caller.Tracer, nil)
		r := read(caller)
		r.ID, r.Asked = "client-1", graphpolicy.Asked{User: "anna@contoso.com", Query: "$filter=deviceName%20eq%20%27PC-anna%27"}
		result := caller.Send(ctx, r)
		end(result.Err)
		if got := (graphcall.IDs{RequestID: want, ClientRequestID: "client-1"}); result.IDs != got {
			t.Errorf("got %+v, want %+v", result.IDs, got)
		}
		if got := collected.List[0].Attributes["az.service_request_id"]; got != want {
			t.Errorf("the span has %q, want %q", got, want)
		}
	}
}

func TestCaller_Trace(t *testing.T) {
	t.Parallel()
	ids := graphcall.IDs{RequestID: "r", ClientRequestID: "c"}
	(&graphcall.Caller{}).Trace(t.Context(), ids) // without a tracer

	collected := &graphtest.Spans{}
	tracer := collected.Provider().NewTracer("", "")
	caller := &graphcall.Caller{Tracer: tracer}
	caller.Trace(t.Context(), ids) // without a span
	ctx, span := tracer.Start(t.Context(), "Client.Read", &tracing.SpanOptions{})
	caller.Trace(ctx, ids)
	span.End()
	if len(collected.List) != 1 {
		t.Fatalf("spans %q", collected.Names())
	}
	got := collected.List[0].Attributes
	if got["az.service_request_id"] != "r" || got["az.client_request_id"] != "c" {
		t.Errorf("the span has %v", got)
	}
}
