package intunetest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// longestWait is the library's default for Retry.MaxRetryDelay: if the service asks for more, the library does not try
// again.
const longestWait = 3 * time.Minute

// Client is a client that talks to the tenant in process with [Tenant.Credential], and never waits. For other options,
// change those of [Tenant.ClientOptions] and call intune.NewClient.
func (t *Tenant) Client() *intune.Client {
	client, err := intune.NewClient(t.Credential(), t.ClientOptions())
	if err != nil {
		panic("intunetest: the kit's own client options are refused: " + err.Error())
	}
	return client
}

// ClientOptions are fresh options for a client that talks to the tenant in process and does not wait between tries.
//
// The delay between tries is one nanosecond. A wait that the tenant asked for with Retry-After is added to the tenant's
// clock ([Tenant.Advance]) instead of being waited for, so that throttling ends as if the client had waited. A wait of
// more than three minutes stays as it is; the library then gives up, as in production. The policy that does this is in
// PerRetryPolicies.
//
// Inside testing/synctest, where waiting costs nothing, set Retry and PerRetryPolicies to their zero values to see
// the true waits.
func (t *Tenant) ClientOptions() *intune.ClientOptions {
	return &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: t,
		// Not a negative delay, because azcore's overflow check takes it for the longest delay.
		Retry:            policy.RetryOptions{RetryDelay: time.Nanosecond},
		PerRetryPolicies: []policy.Policy{instantWaits{t}},
	}}
}

// instantWaits moves the tenant's clock instead of letting the retry policy wait.
type instantWaits struct{ tenant *Tenant }

// Do implements policy.Policy.
func (p instantWaits) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil || resp == nil || !repeatable(resp.StatusCode) {
		return resp, err
	}
	wait := waitOf(resp.Header)
	if wait <= 0 || wait > longestWait {
		return resp, nil
	}
	p.tenant.Advance(wait)
	// The retry policy reads a copy, because the library reports what the service asked for from the original.
	hurried := *resp
	hurried.Header = resp.Header.Clone()
	hurried.Header.Set("Retry-After-Ms", "1")
	hurried.Header.Del("Retry-After")
	hurried.Header.Del("X-Ms-Retry-After-Ms")
	return &hurried, nil
}

// repeatable are the statuses after which azcore tries again.
func repeatable(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// waitOf reads how long an answer asks to wait; 0 if it does not ask. The library's transport has put every form of
// Retry-After into the first header; the second is for clients without that transport.
func waitOf(header http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(header.Get("Retry-After-Ms")), 64); err == nil && ms > 0 {
		return scaled(ms, time.Millisecond)
	}
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
		return scaled(seconds, time.Second)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		return at.Sub(sent)
	}
	return 0
}

// scaled avoids the overflow of a number that is too large to be waited for anyway.
func scaled(number float64, unit time.Duration) time.Duration {
	return time.Duration(min(number*float64(unit), float64(longestWait+time.Hour)))
}
