package foreigntransports_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/hashicorp/go-retryablehttp"
)

const action = "/requestRemoteAssistance"

// newServer serves a tenant with a device over TLS.
func newServer(t *testing.T, http2 bool) (server *httptest.Server, tenant *intunetest.Tenant, device intune.DeviceRef) {
	t.Helper()
	tenant = intunetest.NewTenant(nil)
	device = tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"})
	server = httptest.NewUnstartedServer(tenant)
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections break on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, tenant, device
}

// retryable is what go-retryablehttp makes of a transport of Go's, but for the pauses between its tries.
func retryable(server *httptest.Server) *retryablehttp.Client {
	client := retryablehttp.NewClient()
	client.HTTPClient = &http.Client{Transport: server.Client().Transport.(*http.Transport).Clone()}
	client.RetryWaitMin, client.RetryWaitMax, client.Logger = time.Nanosecond, time.Nanosecond, nil
	return client
}

// transporter is a go-retryablehttp client without an http.Client around it.
type transporter struct{ *retryablehttp.Client }

func (t transporter) Do(req *http.Request) (*http.Response, error) {
	wrapped, err := retryablehttp.FromRequest(req)
	if err != nil {
		return nil, err
	}
	return t.Client.Do(wrapped)
}

// arrived counts the requests for a session that came to the tenant.
func arrived(tenant *intunetest.Tenant) (n int) {
	for _, request := range tenant.Requests() {
		if strings.HasSuffix(request.Path, action) {
			n++
		}
	}
	return n
}

// The service sees one request for a session, whatever go-retryablehttp makes of the answer, over a new connection, over
// one that a read has warmed, and where several are idle. All else is unknown.
func TestRetryableHTTP(t *testing.T) {
	t.Parallel()
	gateway := http.Header{"Request-Id": nil}
	faults := map[string]intunetest.Fault{
		"accepted":              {},
		"502":                   {Status: http.StatusBadGateway, Effect: true},
		"503 of a gateway":      {Status: http.StatusServiceUnavailable, Body: "first byte timeout", Header: gateway, Effect: true},
		"503 of the service":    {Status: http.StatusServiceUnavailable},
		"throttled":             {Status: http.StatusTooManyRequests},
		"dropped, carried out":  {Drop: intunetest.DropAfter},
		"dropped, nothing done": {Drop: intunetest.DropBefore},
	}
	for kind, wrap := range map[string]func(*retryablehttp.Client) policy.Transporter{
		"standard client": func(c *retryablehttp.Client) policy.Transporter { return c.StandardClient() },
		"round tripper": func(c *retryablehttp.Client) policy.Transporter {
			return &http.Client{Transport: &retryablehttp.RoundTripper{Client: c}}
		},
		"transporter": func(c *retryablehttp.Client) policy.Transporter { return transporter{c} },
	} {
		for protocol, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
			for name, fault := range faults {
				for _, connections := range []int{0, 1, 4} {
					t.Run(strings.Join([]string{kind, protocol, name, strconv.Itoa(connections)}, ", "), func(t *testing.T) {
						t.Parallel()
						server, tenant, device := newServer(t, http2)
						retrying := retryable(server)
						retrying.HTTPClient.Transport.(*http.Transport).MaxIdleConnsPerHost = connections
						client := newClient(t, server, tenant, wrap(retrying))
						warm(t, client, device, connections)
						injected := fault // the other tests have it too
						injected.PathSuffix, injected.Times = action, -1
						tenant.Inject(injected)
						_, err := client.RequestRemoteAssistance(t.Context(), device, nil)
						if errors.Is(err, intune.ErrOutcomeUnknown) != (name != "accepted") || (err == nil) != (name == "accepted") {
							t.Errorf("error %v", err)
						}
						if n := arrived(tenant); n != 1 || tenant.Prompts(device) > 1 {
							t.Errorf("%d requests arrived, the user was asked %d times, error %v", n, tenant.Prompts(device), err)
						}
					})
				}
			}
		}
	}
}

// OpenRemoteAssistance reads before it asks, and so has a connection at hand when it asks.
func TestRetryableHTTPWithOpen(t *testing.T) {
	t.Parallel()
	for protocol, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			server, tenant, device := newServer(t, http2)
			tenant.Inject(intunetest.Fault{PathSuffix: action, Status: http.StatusBadGateway, Effect: true, Times: -1})
			client := newClient(t, server, tenant, retryable(server).StandardClient())
			_, err := client.OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{MaxWait: time.Nanosecond})
			if pending, ok := errors.AsType[*intune.PendingError](err); !ok || !errors.Is(pending, intune.ErrOutcomeUnknown) {
				t.Errorf("got %v", err)
			}
			if n := arrived(tenant); n != 1 || tenant.Prompts(device) != 1 {
				t.Errorf("%d requests arrived, the user was asked %d times", n, tenant.Prompts(device))
			}
		})
	}
}

// Without the library go-retryablehttp asks five times, or these tests would prove nothing.
func TestRetryableHTTPAlone(t *testing.T) {
	t.Parallel()
	server, tenant, device := newServer(t, false)
	tenant.Inject(intunetest.Fault{PathSuffix: action, Status: http.StatusBadGateway, Effect: true, Times: -1})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1.0"+device.String()+action, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	scopes := []string{"https://graph.microsoft.com/.default"}
	token, err := tenant.Credential().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	if resp, err := retryable(server).StandardClient().Do(req); err == nil {
		_ = resp.Body.Close()
	}
	if n := arrived(tenant); n != 5 || tenant.Prompts(device) != 5 {
		t.Errorf("%d requests arrived, the user was asked %d times", n, tenant.Prompts(device))
	}
}

func newClient(t *testing.T, server *httptest.Server, tenant *intunetest.Tenant, transport policy.Transporter) *intune.Client {
	t.Helper()
	client, err := intune.NewClient(tenant.Credential(), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: transport,
		Retry:     policy.RetryOptions{RetryDelay: time.Nanosecond},
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: "https://login.invalid/",
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				intune.ServiceGraph: {Endpoint: server.URL, Audience: "https://graph.microsoft.com"},
			},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// warm reads as often at the same time, so that connections stay.
func warm(t *testing.T, client *intune.Client, device intune.DeviceRef, connections int) {
	t.Helper()
	var group sync.WaitGroup
	for range connections {
		group.Go(func() {
			if _, err := client.GetRemoteAssistanceSession(t.Context(), device, nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
