package intune

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// defaultMaxRetryDelay is longer than azcore's minute, because Graph asks for waits above it, and azcore gives up
// on a Retry-After that exceeds the limit.
const defaultMaxRetryDelay = 3 * time.Minute

// ClientOptions configures a [Client]. It is azcore's options; these behave in a way of their own:
//
//   - Cloud: one of the Cloud… values of this package, azcore's own configurations, or any configuration with an entry
//     for [ServiceGraph]. Default: [CloudPublic].
//   - APIVersion: "" or "v1.0". Graph's beta has other models, so anything else is an error.
//   - Retry: applies to reads as azcore documents it. The action and the other writes are repeated within it only while the
//     service has proved that it did not act (429, 503, a failed connection); no option changes that. MaxRetryDelay
//     defaults to three minutes instead of one.
//   - Transport: default is an HTTP client that follows no redirects. An [*http.Client] without a CheckRedirect is
//     used without following redirects either; one with it follows them without the token.
//   - PerCallPolicies, PerRetryPolicies: whatever they do to a request, the token leaves for the Graph endpoint only, and
//     a write is not sent again while its outcome is open.
//   - InsecureAllowCredentialWithHTTP: honored for an endpoint on a loopback address only.
//   - Logging: $filter, $search and $skiptoken values never appear, and with IncludeBody no body does but the answers
//     to the action, since the others hold links, skip tokens and names of people.
type ClientOptions struct {
	azcore.ClientOptions

	// Journal, if not nil, is told of every request for remote assistance, before it leaves and once its outcome is known.
	// A request that it cannot record is not sent.
	Journal Journal
}

// Client opens remote-assistance sessions on devices that Microsoft Intune manages. Make one with [NewClient] and
// share it: it is safe for concurrent use and holds no state but its options and the token. Methods of a zero Client return
// [ErrInvalidArgument].
type Client struct {
	internal *azcore.Client
	bearer   *graphpolicy.Bearer
	journal  Journal
	service  graphService
	origin   string // scheme and host of the Graph root
	base     string // Graph root with the version, without a trailing slash
}

// NewClient makes a client that calls Microsoft Graph as credential. It sends nothing.
//
//   - credential: any [azcore.TokenCredential], such as one from azidentity, [NewCredential] or [StaticToken]. nil is refused,
//     because azcore would silently send no token.
//   - options: nil means the public cloud and azcore's defaults, and is the same as zero options.
//
// Credentials of azidentity, and the kind of the permission DeviceManagementManagedDevices.ReadWrite.All that each
// needs, always with an administrator's consent (the examples show them all):
//
//   - DefaultAzureCredential, ManagedIdentityCredential: a service of your own; application.
//   - ClientSecretCredential, ClientCertificateCredential: a script or service with a secret; application.
//   - InteractiveBrowserCredential, DeviceCodeCredential: a person at this machine or another; delegated. Pass the client id
//     of an app registration of your own.
//   - OnBehalfOfCredential: a web service for the user who calls it, with a client for each user; delegated.
//   - AzureCLICredential, and DefaultAzureCredential on a developer's machine: the token is issued to Microsoft's own
//     client, which normally has no Intune permission, so that the calls end in 403.
//
// What cannot be used is an [ErrInvalidArgument].
func NewClient(credential azcore.TokenCredential, options *ClientOptions) (*Client, error) {
	if isNil(credential) {
		return nil, invalidArgument("credential", "is nil; pass a token credential, such as azidentity's DefaultAzureCredential")
	}
	var o ClientOptions
	if options != nil {
		o = *options
	}
	if o.Transport != nil && isNil(o.Transport) {
		return nil, invalidArgument("options.Transport", fmt.Sprintf("is a nil %T; leave it out for the default, or pass one that is not nil", o.Transport))
	}
	if client, ok := o.Transport.(*http.Client); ok && client.Transport != nil && isNil(client.Transport) {
		return nil, invalidArgument("options.Transport", fmt.Sprintf("is an *http.Client whose Transport is a nil %T; leave that out for the default", client.Transport))
	}
	if o.Journal != nil && isNil(o.Journal) {
		return nil, invalidArgument("options.Journal", fmt.Sprintf("is a nil %T; leave it out for no journal, or pass one that is not nil", o.Journal))
	}
	if err := checkPolicies("options.PerCallPolicies", o.PerCallPolicies); err != nil {
		return nil, err
	}
	if err := checkPolicies("options.PerRetryPolicies", o.PerRetryPolicies); err != nil {
		return nil, err
	}
	if o.APIVersion != "" && o.APIVersion != graphAPIVersion {
		return nil, invalidArgument("options.APIVersion", "must be empty or v1.0; the models of other versions differ")
	}
	service, err := resolveCloud(o.Cloud, o.InsecureAllowCredentialWithHTTP)
	if err != nil {
		return nil, err
	}
	if o.Retry.MaxRetryDelay == 0 {
		o.Retry.MaxRetryDelay = defaultMaxRetryDelay
	}
	o.Retry.StatusCodes = slices.Clone(o.Retry.StatusCodes)
	o.Logging.AllowedHeaders = withoutSecrets(o.Logging.AllowedHeaders, "authorization", "location")
	o.Logging.AllowedQueryParams = withoutSecrets(o.Logging.AllowedQueryParams, "$filter", "$search", "$skiptoken")
	bearer := graphpolicy.NewBearer(credential, service.scope, service.root, service.root.Scheme == "http")
	o.Transport = graphpolicy.NewTransport(o.Transport, service.root, bearer)
	perRetry := []policy.Policy{graphpolicy.NewGuard(bearer)}
	if len(o.PerRetryPolicies) > 0 {
		perRetry = append(perRetry, graphpolicy.Answering{})
		o.PerRetryPolicies = append(slices.Clone(o.PerRetryPolicies), graphpolicy.Sentry{})
	}
	internal, err := azcore.NewClient(moduleName, moduleVersion, runtime.PipelineOptions{
		// Location is not among them: a redirect's target may carry a token or a link.
		AllowedHeaders:         []string{"client-request-id", "x-ms-ags-diagnostic", "Prefer", "Deprecation", "Sunset"},
		AllowedQueryParameters: []string{"$select", "$top", "$expand", "$orderby", "$count"},
		APIVersion:             runtime.APIVersionOptions{Location: runtime.APIVersionLocationPath},
		PerRetry:               perRetry,
		Tracing:                runtime.TracingOptions{Namespace: "Microsoft.Graph"},
	}, &o.ClientOptions)
	if err != nil {
		return nil, err
	}
	return &Client{
		internal: internal,
		bearer:   bearer,
		journal:  o.Journal,
		service:  service,
		origin:   service.root.Scheme + "://" + service.root.Host,
		base:     service.root.String() + "/" + graphAPIVersion,
	}, nil
}

// TokenRequestOptions is what the client asks its credential for: the Graph scope of its cloud, with continuous access
// evaluation. Pass it to Authenticate of an azidentity credential to sign a user in beforehand; without it azidentity
// asks for another resource's token, or for one from another cache, and the user is prompted a second time.
func (c *Client) TokenRequestOptions() policy.TokenRequestOptions {
	if c == nil || c.internal == nil {
		return policy.TokenRequestOptions{}
	}
	return policy.TokenRequestOptions{Scopes: []string{c.service.scope}, EnableCAE: true}
}

// withoutSecrets copies a list of names whose values the caller wants to see in logs, less those that no log may show.
func withoutSecrets(names []string, secret ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.Contains(secret, strings.ToLower(name))
	})
}

// String names the client's cloud and nothing else.
func (c *Client) String() string {
	if c == nil {
		return "intune.Client(nil)"
	}
	return "intune.Client(" + c.base + ")"
}

// tracer is disabled for a client that NewClient did not make.
func (c *Client) tracer() tracing.Tracer {
	if c == nil || c.internal == nil {
		return tracing.Tracer{}
	}
	return c.internal.Tracer()
}

// request describes one HTTP request of an operation.
type request struct {
	op     *operation
	device DeviceRef
	method string
	url    string                    // absolute
	body   []byte                    // JSON, nil for none
	before func(*http.Request) error // as graphpolicy.Call.Before
	record graphpolicy.Record        // what became of it, set by send
}

// address is where the request goes, nil if that is no URL.
func (r *request) address() *url.URL {
	u, err := url.Parse(r.url)
	if err != nil {
		return nil
	}
	return u
}

// acceptJSON is shared by all requests; nothing writes into it.
var acceptJSON = []string{"application/json"}

// send carries out one request, with azcore's retries, and returns the answer if its status is a success. Every
// failure is an *Error.
func (c *Client) send(ctx context.Context, r *request) (*http.Response, error) {
	call := &graphpolicy.Call{
		API: r.op.api, Write: r.method != http.MethodGet, RequestID: newRequestID(), Redact: redactTransportError,
		// Every other body can hold a link, a skip token, a filter's operand or names of people.
		Secret: r.op != opRequestRemoteAssistance,
		Before: r.before,
	}
	req, err := c.newRequest(call.Start(ctx), call, r)
	if err != nil {
		return nil, err
	}

	resp, err := c.internal.Pipeline().Do(req)
	record := call.Close()
	r.record = record
	if record.Response != nil {
		// azcore drops an answer that came as the context ended, and the one before a failed claims challenge.
		resp = record.Response
	}
	c.traceRequestIDs(ctx, resp)
	if record.Verdict == graphpolicy.Answered && resp != nil && runtime.HasStatusCode(resp, successes...) {
		if err == nil || call.Write || isContextError(err) && payloadRead(resp) {
			return resp, nil
		}
	}
	if resp == nil && err == nil {
		err = graphpolicy.ErrNoAnswer
	}
	return resp, c.newError(r, call.Write, record, resp, err)
}

// newRequest builds what runtime.NewRequest would. An address that needs no escapes, as nearly all, is not parsed
// again.
func (c *Client) newRequest(ctx context.Context, call *graphpolicy.Call, r *request) (*policy.Request, error) {
	var u *url.URL
	if path, ok := strings.CutPrefix(r.url, c.origin); ok && isPlainPath(path) {
		u = &url.URL{Scheme: c.service.root.Scheme, Host: c.service.root.Host, Path: path}
	} else if parsed, err := url.Parse(r.url); err == nil && parsed.Host != "" {
		u = parsed
	} else {
		return nil, invalidArgument("request", "cannot be built: the address is not a valid URL")
	}
	header := http.Header{"Accept": acceptJSON, "Client-Request-Id": {call.RequestID}}
	raw := &http.Request{
		Method: r.method, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	req, err := runtime.NewRequestFromRequest(raw.WithContext(ctx))
	if err == nil && r.body != nil {
		call.ContentType = "application/json" // which the log must not see: a body can hold a link
		err = req.SetBody(streaming.NopCloser(bytes.NewReader(r.body)), graphpolicy.HiddenContentType)
	}
	if err == nil {
		call.Attach(req)
	}
	return req, err
}

func isPlainPath(path string) bool {
	for i := range len(path) {
		c := path[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '-' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

var successes = []int{http.StatusOK, http.StatusCreated, http.StatusNoContent}

// payloadRead reports whether azcore has read the body to its end, so that the end of the context does not matter.
func payloadRead(resp *http.Response) bool {
	_, err := runtime.Payload(resp)
	return err == nil
}

// startSpan opens the span of a public method. Call the result with the method's error.
func (c *Client) startSpan(ctx context.Context, op *operation) (context.Context, func(error)) {
	return runtime.StartSpan(ctx, op.api, c.tracer(), nil)
}

// traceRequestIDs sets what azcore reads from headers that Graph does not use.
func (c *Client) traceRequestIDs(ctx context.Context, resp *http.Response) {
	tracer := c.tracer()
	if resp == nil || !tracer.Enabled() {
		return
	}
	tracer.SpanFromContext(ctx).SetAttributes(
		tracing.Attribute{Key: "az.client_request_id", Value: clientRequestID(resp)},
		tracing.Attribute{Key: "az.service_request_id", Value: resp.Header.Get("Request-Id")},
	)
}

// clientRequestID is the id that was sent last, which policy.WithHTTPHeader may have replaced.
func clientRequestID(resp *http.Response) string {
	if resp.Request != nil {
		if id := resp.Request.Header["Client-Request-Id"]; len(id) > 0 {
			return id[0]
		}
	}
	return resp.Header.Get("Client-Request-Id")
}

// newRequestID makes a random GUID. azcore's own formats with fmt and costs as much as the rest of the request.
func newRequestID() string {
	var id [16]byte                                      // not a secret: it only has to differ
	binary.LittleEndian.PutUint64(id[:8], rand.Uint64()) //nolint:gosec // as above
	binary.LittleEndian.PutUint64(id[8:], rand.Uint64()) //nolint:gosec // as above
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[:8], id[:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// checkPolicies finds policies that azcore would call methods on though they are nil.
func checkPolicies(argument string, policies []policy.Policy) error {
	for i, p := range policies {
		if isNil(p) {
			return invalidArgument(fmt.Sprintf("%s[%d]", argument, i), "is nil; leave it out")
		}
	}
	return nil
}

// check refuses what would end in a nil dereference.
func (c *Client) check(ctx context.Context) error {
	if c == nil || c.internal == nil {
		return invalidArgument("client", "was not made by intune.NewClient")
	}
	if ctx == nil {
		return invalidArgument("ctx", "is nil; pass context.Background() if there is no other")
	}
	return nil
}

// isNil finds nil pointers inside interfaces too: azcore would call methods on them.
func isNil(value any) bool {
	if value == nil {
		return true
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Interface, reflect.Slice, reflect.Chan:
		return v.IsNil()
	default:
		return false
	}
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
