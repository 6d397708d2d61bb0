package intune

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/ratelimit"
)

// defaultMaxRetryDelay is longer than azcore's minute, because Graph asks for waits above it, and azcore gives up
// on a Retry-After that exceeds the limit.
const defaultMaxRetryDelay = 3 * time.Minute

// ClientOptions configures a [Client]. It embeds azcore's options, of which these differ from azcore's own behavior:
//
//   - Cloud: one of the Cloud… values of this package, azcore's own configurations, or any configuration with an entry
//     for [ServiceGraph]. Default: [CloudPublic].
//   - APIVersion: "" or "v1.0". Graph's beta has other models, so anything else is an error.
//   - Retry: applies to reads as azcore documents it, and also to a read whose answer, begun as a success, holds or breaks
//     off into an error that may pass. The reads of a wait have the pace of OpenRemoteAssistanceOptions.Frequency instead, but
//     for those of a poller. The action is sent again, within the same limits, only if Graph itself refused it without
//     acting (429, 503, and other refusals that StatusCodes or ShouldRetry name) or was not reached; no option sends it again
//     while its outcome is unknown. MaxRetryDelay defaults to three minutes instead of one.
//   - Transport: the default is an HTTP client that follows no redirects. An [*http.Client] without a CheckRedirect
//     follows none either; one with a CheckRedirect follows them without the token and without a Referer. Two methods make
//     a transport, or the RoundTripper of an [*http.Client], a fake that lets minutes pass, as the tenant of package
//     intunetest is: ClockAhead() [time.Duration] moves the clock by which the client measures its waits, and
//     LookAgainAfter() [time.Duration], if above zero, is the time between two reads of a wait, instead of the client's
//     pace, of Frequency and of SessionReadsPerSecond. What is known of a transport's errors is said below.
//   - PerCallPolicies, PerRetryPolicies: whatever they do to a request, the token is sent to the Graph endpoint only,
//     and the action is not sent again while its outcome is unknown.
//   - InsecureAllowCredentialWithHTTP: honored for an endpoint on a loopback address only.
//   - Logging: the values of $filter, $search and $skiptoken never appear, and neither do bodies, whatever IncludeBody
//     says, since they hold links, skip tokens and names of people. An [*Error] has what the body of a failure said.
//
// The client knows by itself that the action was not sent, for example because no connection could be made, with two
// transports only: the default, and an [*http.Client] over a bare [*http.Transport], which is one without TLSNextProto and
// with nothing registered for https or for a version of HTTP (a nil Transport is [http.DefaultTransport]). Any error of
// another transport leaves the outcome of the action unknown, whatever the error's type, since the transport may have sent
// the request before it failed. One that knows better has a method NotSent(error) bool, which returns true for an error of
// its own after which nothing was sent; the tenant of package intunetest has this method.
//
// Another transport also gets no second connection for the action once it has had one, so that one that retries, or sends
// a request twice at a time, does not ask the user twice; the outcome is then unknown. This fails with a transport that
// sends without net/http, or with a context that was not made from the request's: leave retries to this package.
type ClientOptions struct {
	azcore.ClientOptions

	// Journal, if not nil, records every request for remote assistance before it is sent and once its outcome is known, and
	// each wait that stops. A request that the journal cannot record is not sent.
	Journal Journal

	// SessionReadsPerSecond is how many reads of sessions all waits of this client (OpenRemoteAssistance,
	// OpenRemoteAssistanceMany, WaitForRemoteAssistance) may make together in a second. Zero means 25, a quarter of what the
	// service allows an app in a tenant, which is 2,000 reads in 20 seconds. Below zero there is no limit. While there is
	// room, each wait has the pace of OpenRemoteAssistanceOptions.Frequency; with more waits, the time between two reads
	// becomes longer, and is the same for all: 20 seconds with 500 waits. Reads before a request go out at once, and the
	// waits make up for them. Pollers and GetRemoteAssistanceSession do not count. Client.SetSessionReadsPerSecond changes it
	// later.
	//
	// Source: https://learn.microsoft.com/graph/throttling-limits
	SessionReadsPerSecond float64
}

// Client opens remote-assistance sessions on devices that Microsoft Intune manages. Make one with [NewClient] and
// share it: it is safe for concurrent use and holds no state but its options, the token, and what its waits may read
// together. A program in which several people sign in makes one, and one more from it for each of them with
// [Client.WithCredential]. Methods of a zero Client return [ErrInvalidArgument].
type Client struct {
	// These belong to the credential.
	internal *azcore.Client
	caller   *graphcall.Caller
	bearer   *graphpolicy.Bearer

	options azcore.ClientOptions // checked, with the caller's own transport
	retry   policy.RetryOptions  // of the options
	journal Journal
	now     func() time.Time // for waits
	service graphService
	root    *url.URL // of the Graph version, without a trailing slash

	reads     *ratelimit.Reads     // of all waits
	lookAgain func() time.Duration // the pace of waits that a fake sets, zero if it sets none
}

// NewClient makes a client that calls Microsoft Graph with tokens from credential. It sends nothing.
//
//   - credential: any [azcore.TokenCredential], such as one from azidentity, [NewCredential] or [StaticToken]. nil is refused,
//     because azcore would silently send no token. A call ends with its context even if the credential does not; until the
//     credential has answered, other calls that need a token wait for the same answer.
//   - options: nil means the public cloud and azcore's defaults, and is the same as zero options.
//
// The list shows credentials of azidentity, what each is for, and which kind of the permission
// DeviceManagementManagedDevices.ReadWrite.All it needs, always with an administrator's consent (the examples show them
// all):
//
//   - DefaultAzureCredential, ManagedIdentityCredential: a service of your own; application.
//   - ClientSecretCredential, ClientCertificateCredential: a script or service with a secret; application.
//   - InteractiveBrowserCredential, DeviceCodeCredential: a person at this machine or another; delegated. Pass the client id
//     of an app registration of your own.
//   - OnBehalfOfCredential: a web service for the user who calls it, with a client for each user, of which
//     [Client.WithCredential] makes all but the first; delegated.
//   - AzureCLICredential, and DefaultAzureCredential on a developer's machine: the token is issued to Microsoft's own
//     client, which normally has no Intune permission, so that the calls end in 403.
//
// NewClient returns [ErrInvalidArgument] if the credential or an option cannot be used.
func NewClient(credential azcore.TokenCredential, options *ClientOptions) (*Client, error) {
	var o ClientOptions
	if options != nil {
		o = *options
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	service, err := resolveCloud(o.Cloud, o.InsecureAllowCredentialWithHTTP)
	if err != nil {
		return nil, err
	}
	root, err := url.Parse(service.root.String() + "/" + graphAPIVersion)
	if err != nil {
		return nil, err
	}
	pipeline := pipelineOptions(o.ClientOptions)
	client := &Client{
		options: pipeline,
		retry:   pipeline.Retry,
		journal: o.Journal,
		now:     clockOf(o.Transport),
		service: service,
		root:    root,

		reads:     ratelimit.NewReads(cmp.Or(o.SessionReadsPerSecond, defaultSessionReads)),
		lookAgain: lookAgainOf(o.Transport),
	}
	return client.WithCredential(credential)
}

// WithCredential makes a client that differs from c in whose tokens it sends, and in nothing else. It sends nothing. A
// program makes one for each person who signs in: it takes some ten microseconds, and nothing has to be closed.
//
// Both clients share the options with their policies, the transport with its connections, the journal, and what their waits
// may read together: the service limits an app, whoever is signed in to it. Tokens they do not share: each client keeps its
// own, and gets a new one when the service refuses that.
//
// WithCredential returns [ErrInvalidArgument] if the credential is nil, or if [NewClient] did not make c.
func (c *Client) WithCredential(credential azcore.TokenCredential) (*Client, error) {
	if c == nil || c.root == nil {
		return nil, errNotMade
	}
	if isNil(credential) {
		return nil, invalidArgument("credential", "is nil; pass a token credential, such as azidentity's DefaultAzureCredential")
	}
	bearer := graphpolicy.NewBearer(credential, c.service.scope, c.service.root, c.service.root.Scheme == "http")
	o := c.options
	o.Transport = graphpolicy.NewTransport(o.Transport, c.service.root, bearer)
	perRetry := []policy.Policy{graphpolicy.NewGuard(bearer)}
	if len(o.PerRetryPolicies) > 0 {
		perRetry = append(perRetry, graphpolicy.Answering{})
	}
	internal, err := azcore.NewClient(moduleName, moduleVersion, runtime.PipelineOptions{
		// Location is not among them: a redirect's target may carry a token or a link.
		AllowedHeaders:         []string{"client-request-id", "x-ms-ags-diagnostic", "Prefer", "Deprecation", "Sunset"},
		AllowedQueryParameters: []string{"$select", "$top", "$expand", "$orderby", "$count"},
		APIVersion:             runtime.APIVersionOptions{Location: runtime.APIVersionLocationPath},
		PerRetry:               perRetry,
		Tracing:                runtime.TracingOptions{Namespace: "Microsoft.Graph"},
	}, &o)
	if err != nil {
		return nil, err
	}
	other := *c
	other.internal, other.bearer = internal, bearer
	other.caller = &graphcall.Caller{
		Pipeline: internal.Pipeline(), Tracer: internal.Tracer(), Root: c.root, Redact: redactTransportError, Clean: cleanText,
	}
	return &other, nil
}

// check refuses what azcore would send requests with, or call methods of.
func (o *ClientOptions) check() error {
	if o.Transport != nil && isNil(o.Transport) {
		return invalidArgument("options.Transport",
			fmt.Sprintf("is a nil %T; leave it out for the default, or pass one that is not nil", o.Transport))
	}
	if client, ok := o.Transport.(*http.Client); ok && client.Transport != nil && isNil(client.Transport) {
		return invalidArgument("options.Transport",
			fmt.Sprintf("is an *http.Client whose Transport is a nil %T; leave that out for the default", client.Transport))
	}
	if o.Journal != nil && isNil(o.Journal) {
		return invalidArgument("options.Journal",
			fmt.Sprintf("is a nil %T; leave it out for no journal, or pass one that is not nil", o.Journal))
	}
	if math.IsNaN(o.SessionReadsPerSecond) {
		return invalidArgument("options.SessionReadsPerSecond", notARate)
	}
	if err := checkPolicies("options.PerCallPolicies", o.PerCallPolicies); err != nil {
		return err
	}
	if err := checkPolicies("options.PerRetryPolicies", o.PerRetryPolicies); err != nil {
		return err
	}
	if o.APIVersion != "" && o.APIVersion != graphAPIVersion {
		return invalidArgument("options.APIVersion", "must be empty or v1.0; the models of other versions differ")
	}
	return nil
}

// pipelineOptions are the options for azcore, but for the transport. The caller may change the slices of its own afterwards.
func pipelineOptions(o azcore.ClientOptions) azcore.ClientOptions {
	if o.Retry.MaxRetryDelay == 0 {
		o.Retry.MaxRetryDelay = defaultMaxRetryDelay
	}
	o.Retry.StatusCodes = slices.Clone(o.Retry.StatusCodes)
	o.PerCallPolicies = slices.Clone(o.PerCallPolicies)
	if len(o.PerRetryPolicies) > 0 {
		o.PerRetryPolicies = append(slices.Clone(o.PerRetryPolicies), graphpolicy.Sentry{})
	}
	o.Logging.IncludeBody = false
	o.Logging.AllowedHeaders = withoutSecrets(o.Logging.AllowedHeaders, "authorization", "location")
	o.Logging.AllowedQueryParams = withoutSecrets(o.Logging.AllowedQueryParams, "$filter", "$search", "$skiptoken")
	return o
}

// clockOf returns the clock that measures waits. A fake of the service may move it.
func clockOf(transport policy.Transporter) func() time.Time {
	fake, ok := innermost(transport).(interface{ ClockAhead() time.Duration })
	if !ok {
		return time.Now
	}
	return func() time.Time { return time.Now().Add(fake.ClockAhead()) }
}

// lookAgainOf returns the pace of waits that a fake of the service sets; zero leaves it to the client.
func lookAgainOf(transport policy.Transporter) func() time.Duration {
	fake, ok := innermost(transport).(interface{ LookAgainAfter() time.Duration })
	if !ok {
		return func() time.Duration { return 0 }
	}
	return fake.LookAgainAfter
}

// innermost is what carries the requests: for an [*http.Client] its RoundTripper.
func innermost(transport policy.Transporter) any {
	if client, ok := transport.(*http.Client); ok {
		return client.Transport
	}
	return transport
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

// Endpoint is the root of Microsoft Graph that the client calls, without a version and without a slash at the end, such as
// "https://graph.microsoft.com". It is the Endpoint of the [ServiceGraph] entry of the client's cloud. A client that
// [NewClient] did not make has "".
func (c *Client) Endpoint() string {
	if c == nil || c.internal == nil {
		return ""
	}
	return c.service.root.String()
}

// withoutSecrets copies a list of names whose values the caller wants to see in logs, without those that no log may
// show.
func withoutSecrets(names []string, secret ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.Contains(secret, strings.ToLower(name))
	})
}

// String names the client's cloud and nothing else.
func (c *Client) String() string {
	if c == nil || c.root == nil {
		return "intune.Client(nil)"
	}
	return "intune.Client(" + c.root.String() + ")"
}

// checkPolicies refuses nil policies, because azcore would call their methods.
func checkPolicies(argument string, policies []policy.Policy) error {
	for i, p := range policies {
		if isNil(p) {
			return invalidArgument(fmt.Sprintf("%s[%d]", argument, i), "is nil; leave it out")
		}
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
