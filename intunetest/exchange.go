package intunetest

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// exchange is one request on its way through the tenant.
type exchange struct {
	request   RecordedRequest
	scheme    string // scheme for next links, which is that of the request
	strict    bool   // TenantOptions.Strict
	inProcess bool   // the request came without a socket
	// unsized marks a request that has neither a length nor chunks.
	unsized         bool
	undecodable     *answer // the refusal of a body whose compression cannot be undone
	requestID       string
	clientRequestID string
	caller          caller
}

// answer is what the tenant answers to an exchange.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    int // body bytes that get through; negative: all
}

func newAnswer(status int, contentType string, body []byte) *answer {
	a := &answer{status: status, header: http.Header{}, body: body, cut: -1}
	if contentType != "" {
		a.header.Set("Content-Type", contentType)
	}
	return a
}

const (
	contentJSON  = "application/json"
	contentOData = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
	contentHTML  = "text/html; charset=us-ascii"
)

func noContent() *answer { return newAnswer(http.StatusNoContent, "", nil) }

// serve takes a request from arrival to answer. An error means that the connection breaks.
func (t *Tenant) serve(ctx context.Context, x *exchange) (*answer, error) {
	t.arrive(x)
	x.strict = t.options.Strict
	x.undecodable = x.decode()
	rule := t.claimFault(x.request)
	if rule != nil && rule.Drop == DropConnect && x.inProcess {
		if err := wait(ctx, rule.Delay); err != nil {
			return nil, err
		}
		return nil, errRefused
	}
	entry := t.record(x)
	a, err := t.answerWith(ctx, x, rule)
	if err != nil {
		return nil, err
	}
	t.answered(entry, a.status)
	return a, nil
}

// arrive gives a request its time and its ids.
func (t *Tenant) arrive(x *exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x.request.Time = t.now()
	x.requestID = t.nextGUID("request")
	x.clientRequestID = x.request.Header.Get("client-request-id")
	if x.clientRequestID == "" {
		x.clientRequestID = x.requestID
	}
}

// perform is what the service does with a request that nothing interferes with.
func (t *Tenant) perform(ctx context.Context, x *exchange) (*answer, error) {
	// The order is that of the service, as far as can be seen: front end, gateway, Intune.
	a := x.admit()
	if a == nil && isBatch(x) {
		var err error
		if a, err = t.batch(ctx, x); err != nil {
			return nil, err
		}
	}
	if a == nil {
		a = t.serveOne(x)
	}
	return x.finish(a), nil
}

// admit refuses a request that the front end or the gateway would refuse.
func (x *exchange) admit() *answer {
	if x.unsized && x.request.Method == http.MethodPost {
		return lengthRequired()
	}
	var ok bool
	if x.caller, ok = callerOf(x.request.Header); !ok {
		return x.graphError(http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty.")
	}
	return x.undecodable
}

// serveOne carries out a request that is not a batch.
func (t *Tenant) serveOne(x *exchange) *answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.throttle(x); a != nil {
		return a
	}
	return t.route(x)
}

// challenge is what a 401 of Graph asks for.
const challenge = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ` +
	`client_id="00000003-0000-0000-c000-000000000000"`

// finish adds the headers that every answer of Graph has.
func (x *exchange) finish(a *answer) *answer {
	if a.status == http.StatusUnauthorized {
		a.header.Set("WWW-Authenticate", challenge)
	}
	if a.status == http.StatusNoContent || a.header.Get("Content-Type") == contentOData {
		a.header.Set("OData-Version", "4.0")
	}
	for name, value := range map[string]string{
		"request-id":                x.requestID,
		"client-request-id":         x.clientRequestID,
		"x-ms-ags-diagnostic":       diagnostic,
		"Date":                      x.request.Time.UTC().Format(http.TimeFormat),
		"Cache-Control":             "no-cache",
		"Strict-Transport-Security": "max-age=31536000",
		"Vary":                      "Accept-Encoding",
	} {
		a.header.Set(name, value)
	}
	return a
}

// diagnostic is the header by which Microsoft's support finds the machine.
const diagnostic = `{"ServerInfo":{"DataCenter":"Norway East","Slice":"E","Ring":"2","ScaleUnit":"002","RoleInstance":"OS2PEPF00000000"}}`

// wait is a delay that ends with the request.
func wait(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// visible is the part of the body that gets through.
func (a *answer) visible() (part []byte, broken bool) {
	if a.cut < 0 || a.cut >= len(a.body) {
		return a.body, false
	}
	return a.body[:a.cut], true
}

func schemeOf(secure bool) string {
	if secure {
		return "https"
	}
	return "http"
}

// backend is roughly the path that the request has at Intune's back end. It is for requests that are not routed.
func (x *exchange) backend() string {
	_, path, _ := strings.Cut(strings.TrimPrefix(x.request.Path, "/"), "/")
	return path
}

// describe names a request in errors of the kit itself.
func (x *exchange) describe() string {
	return strings.TrimSpace(x.request.Method + " " + x.request.Path)
}
