package intunetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

var (
	_ http.Handler       = (*Tenant)(nil)
	_ http.RoundTripper  = (*Tenant)(nil)
	_ policy.Transporter = (*Tenant)(nil)
)

// The errors that a client sees when a connection breaks.
var (
	errRefused error = &net.OpError{
		Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443},
		Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
	}
	errDropped = io.EOF
)

// Do is [Tenant.RoundTrip]; it makes the tenant an azcore policy.Transporter.
func (t *Tenant) Do(req *http.Request) (*http.Response, error) { return t.RoundTrip(req) }

// RoundTrip answers a request in process, without a socket. Like [http.Transport] it sends a length or chunks, so that
// none of its requests is refused with 411. It follows no redirects, and returns the context's error if the context
// ends first. The request may be for any host; next links point to the same host.
func (t *Tenant) RoundTrip(req *http.Request) (*http.Response, error) {
	if req == nil || req.URL == nil {
		return nil, errors.New("intunetest: a request without a URL")
	}
	body, err := readBody(req.Body)
	if err != nil {
		return nil, fmt.Errorf("intunetest: reading the body of %s %s: %w", req.Method, req.URL.EscapedPath(), err)
	}
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x := newExchange(req, body)
	x.scheme = req.URL.Scheme
	x.inProcess = true
	a, err := t.serve(ctx, x)
	if err != nil {
		return nil, err
	}
	return a.response(req), nil
}

// NotSent reports whether an error of RoundTrip means that nothing was sent, which is that of [DropConnect]. A client asks
// the transport that it was given, and no other: behind another round tripper, httpmock's included, it does not know that
// nothing was sent, and the outcome of the request is unknown.
func (*Tenant) NotSent(err error) bool {
	return err == errRefused //nolint:errorlint // wrapped by a transport around the tenant, it proves nothing
}

// ServeHTTP answers a request that a server received, such as httptest.NewTLSServer(tenant). A [Fault] that breaks the
// connection panics with [http.ErrAbortHandler], as handlers do; a real server turns that into a closed connection.
func (t *Tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away
	}
	x := newExchange(r, body)
	x.scheme = schemeOf(r.TLS != nil)
	x.unsized = lengthMissing(r)
	a, err := t.serve(r.Context(), x)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	header := w.Header()
	header["Content-Type"], header["Date"] = nil, nil // or the server would add those that a fault removed
	maps.Copy(header, a.header)
	part, broken := a.visible()
	if bodyAllowed(a.status) {
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if _, err := w.Write(part); err == nil && broken { //nolint:gosec // HTML in errors is the point, and nobody browses a test
		_ = http.NewResponseController(w).Flush()
	}
	if broken {
		panic(http.ErrAbortHandler)
	}
}

// lengthMissing recognizes an HTTP/1 request that announced no length and is not chunked, which Go's server reads as an
// empty body. It looks only at requests that came through a server, because others, such as those of
// httptest.NewRequest, never have the header.
func lengthMissing(r *http.Request) bool {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	return server != nil && r.ProtoMajor == 1 && r.Header.Get("Content-Length") == "" && len(r.TransferEncoding) == 0
}

func newExchange(r *http.Request, body []byte) *exchange {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	// A client in process may have written names in another case into the map, which a connection would not keep.
	header := http.Header{}
	for name, values := range r.Header {
		name = http.CanonicalHeaderKey(name)
		header[name] = append(header[name], values...)
	}
	return &exchange{request: RecordedRequest{
		Method: method, Path: pathOf(r.URL), RawQuery: r.URL.RawQuery, Host: host, Header: header, Body: body,
	}}
}

// pathOf is the path as it is sent over the wire.
func pathOf(u *url.URL) string {
	path := u.EscapedPath()
	if u.Opaque != "" {
		path = u.Opaque
		if rest, ok := strings.CutPrefix(path, "//"); ok {
			_, path, _ = strings.Cut(rest, "/")
			path = "/" + path
		}
	}
	if path == "" {
		return "/"
	}
	return path
}

// response is the answer as an in-process transport returns it.
func (a *answer) response(req *http.Request) *http.Response {
	resp := &http.Response{
		Status:     strings.TrimSpace(strconv.Itoa(a.status) + " " + http.StatusText(a.status)),
		StatusCode: a.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header,
		Body:   http.NoBody,
		// The announced length, even if the body breaks off.
		ContentLength: int64(len(a.body)),
		Request:       req,
	}
	if !bodyAllowed(a.status) {
		resp.ContentLength = 0
		return resp
	}
	if req.Method == http.MethodHead {
		return resp
	}
	part, broken := a.visible()
	switch {
	case broken:
		resp.Body = &responseBody{Reader: io.MultiReader(bytes.NewReader(part), brokenReader{}), ctx: req.Context()}
	case len(part) > 0:
		resp.Body = &responseBody{Reader: bytes.NewReader(part), ctx: req.Context()}
	}
	return resp
}

// bodyAllowed is false for the statuses that never have a body.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// responseBody ends with the request's context, as the body of a real connection does.
type responseBody struct {
	io.Reader
	ctx context.Context //nolint:containedctx // the body of a response lives as long as its request
}

// Read implements [io.Reader].
func (b *responseBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.Reader.Read(p)
}

// Close implements [io.Closer].
func (*responseBody) Close() error { return nil }

type brokenReader struct{}

// Read implements [io.Reader].
func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
