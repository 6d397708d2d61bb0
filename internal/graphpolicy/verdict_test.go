package graphpolicy_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// Only a 503 with Graph's own marks proves that the service did not act: a gateway may have delivered the request.
func TestVerdictOf503(t *testing.T) {
	t.Parallel()
	const graph = `{"error":{"code":"serviceNotAvailable","message":"Try again."}}`
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(writer, graph)
	_ = writer.Close()
	text := func(text string) io.Reader { return strings.NewReader(text) }
	for name, c := range map[string]struct {
		header http.Header
		body   io.Reader
		want   graphpolicy.Verdict
	}{
		"id":                          {http.Header{"Request-Id": {"r1"}}, text(""), graphpolicy.Refused},
		"id, and a page":              {http.Header{"Request-Id": {"r1"}}, text("<html>"), graphpolicy.Refused},
		"id, and a body that breaks":  {http.Header{"Request-Id": {"r1"}}, iotest.ErrReader(io.ErrUnexpectedEOF), graphpolicy.Refused},
		"id, blank":                   {http.Header{"Request-Id": {""}}, text(""), graphpolicy.Open},
		"id of a gateway":             {http.Header{"X-Request-Id": {"r1"}}, text(""), graphpolicy.Open},
		"code":                        {nil, text(graph), graphpolicy.Refused},
		"code, and nothing else":      {nil, text(`{"error":{"code":"x"}}`), graphpolicy.Refused},
		"code, a byte-order mark":     {nil, text("\ufeff" + graph + "\r\n"), graphpolicy.Refused},
		"code, more below":            {nil, text(`{"@odata.context":"x","error":{"code":"x","innerError":{"date":"y"}}}`), graphpolicy.Refused},
		"code, almost too long":       {nil, text(graph + strings.Repeat(" ", 64<<10-1-len(graph))), graphpolicy.Refused},
		"code, cut by us":             {nil, text(graph + strings.Repeat(" ", 64<<10-len(graph))), graphpolicy.Open},
		"code, cut":                   {nil, text(graph[:len(graph)-1]), graphpolicy.Open},
		"code, breaks off at the end": {nil, io.MultiReader(text(graph), iotest.ErrReader(io.ErrUnexpectedEOF)), graphpolicy.Open},
		"code, then more":             {nil, text(graph + "<html>"), graphpolicy.Open},
		"code, compressed":            {http.Header{"Content-Encoding": {"gzip"}}, &zipped, graphpolicy.Open},
		"code, blank":                 {nil, text(`{"error":{"code":" "}}`), graphpolicy.Open},
		"code, a number":              {nil, text(`{"error":{"code":503,"status":"UNAVAILABLE"}}`), graphpolicy.Open},
		"code, null":                  {nil, text(`{"error":{"code":null}}`), graphpolicy.Open},
		"code, other case":            {nil, text(`{"Error":{"Code":"ServiceUnavailable"}}`), graphpolicy.Open},
		"code, of no error":           {nil, text(`{"code":"x"}`), graphpolicy.Open},
		"error without a code":        {nil, text(`{"error":{"message":"x"}}`), graphpolicy.Open},
		"error, a text":               {nil, text(`{"error":"upstream request timeout"}`), graphpolicy.Open},
		"error, null":                 {nil, text(`{"error":null}`), graphpolicy.Open},
		"list of errors":              {nil, text(`[{"error":{"code":"x"}}]`), graphpolicy.Open},
		"message":                     {nil, text(`{"message":"no healthy upstream"}`), graphpolicy.Open},
		"nothing":                     {nil, text(""), graphpolicy.Open},
		"null":                        {nil, text("null"), graphpolicy.Open},
		"Envoy":                       {nil, text("upstream connect error or disconnect/reset before headers"), graphpolicy.Open},
		"Varnish":                     {nil, text("<title>503 Backend fetch failed</title>"), graphpolicy.Open},
		"Fastly":                      {nil, text("<p>Error 503 first byte timeout</p>"), graphpolicy.Open},
		"Front Door":                  {nil, text("<h2>Our services aren't available right now</h2>"), graphpolicy.Open},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: c.header, Body: io.NopCloser(c.body), Request: req}, nil
			})
			if _, err := transport.Do(request(t, call, http.MethodPost)); err != nil || call.Record().Verdict != c.want {
				t.Errorf("verdict %d, want %d; error %v", call.Record().Verdict, c.want, err)
			}
		})
	}
}

// What each status says of a write.
func TestVerdictOfAnAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to int
		want     graphpolicy.Verdict
	}{
		{100, 199, graphpolicy.Open},
		{200, 299, graphpolicy.Answered},
		{300, 306, graphpolicy.Open},
		{307, 308, graphpolicy.Refused},
		{309, 399, graphpolicy.Open},
		{400, 407, graphpolicy.Refused},
		{408, 408, graphpolicy.Open},
		{409, 498, graphpolicy.Refused},
		{499, 499, graphpolicy.Open},
		{500, 500, graphpolicy.Open},
		{501, 501, graphpolicy.Refused},
		{502, 502, graphpolicy.Open},
		{503, 503, graphpolicy.Refused},
		{504, 504, graphpolicy.Open},
		{505, 505, graphpolicy.Refused},
		{506, 506, graphpolicy.Open},
		{507, 507, graphpolicy.Refused},
		{508, 508, graphpolicy.Open},
		{509, 509, graphpolicy.Refused},
		{510, 510, graphpolicy.Open},
		{511, 511, graphpolicy.Refused},
		{512, 999, graphpolicy.Open},
	} {
		for status := c.from; status <= c.to; status++ {
			call := newCall(true)
			if _, err := newTransport(t, says(status)).Do(request(t, call, http.MethodPost)); err != nil || call.Record().Verdict != c.want {
				t.Errorf("%d: verdict %d, want %d; error %v", status, call.Record().Verdict, c.want, err)
			}
		}
	}
}
