package intune_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestNewClient_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options azcore.ClientOptions
		says    string
	}{
		"other version": {azcore.ClientOptions{APIVersion: "beta"}, "APIVersion"},
		"unknown authority": {
			azcore.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.example/"}}, "ServiceGraph",
		},
		"services, no Graph": {
			azcore.ClientOptions{Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{"x": {}}}},
			"ServiceGraph",
		},
		"http":             {azcore.ClientOptions{Cloud: graphAt("http://graph.microsoft.com")}, "https"},
		"http on loopback": {azcore.ClientOptions{Cloud: graphAt("http://127.0.0.1:1")}, "https"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := intune.NewClient(intune.StaticToken("t"), &intune.ClientOptions{ClientOptions: c.options})
			if client != nil {
				t.Errorf("got %v beside the error", client)
			}
			checkRefused(t, err, c.says)
		})
	}
}

func TestNewClient_NilAndZeroOptionsAreTheSame(t *testing.T) {
	t.Parallel()
	for _, options := range []*intune.ClientOptions{nil, {}, {ClientOptions: azcore.ClientOptions{APIVersion: "v1.0"}}} {
		client, err := intune.NewClient(intune.StaticToken("t"), options)
		if err != nil || client.String() != "intune.Client(https://graph.microsoft.com/v1.0)" {
			t.Errorf("got %v, %v", client, err)
		}
	}
}

func TestClient_Endpoint(t *testing.T) {
	t.Parallel()
	for want, configuration := range map[string]cloud.Configuration{
		"https://graph.microsoft.com":             {},
		"https://graph.microsoft.us":              intune.CloudUSGovernment,
		"https://graph.example:8443/prefix":       graphAt("https://graph.example:8443/prefix/"),
		"https://microsoftgraph.chinacloudapi.cn": cloud.AzureChina,
	} {
		client, err := intune.NewClient(intune.StaticToken("t"), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Cloud: configuration}})
		if err != nil {
			t.Fatal(err)
		}
		if got := client.Endpoint(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, client := range []*intune.Client{{}, nil} {
		if got := client.Endpoint(); got != "" {
			t.Errorf("%v: got %s", client, got)
		}
	}
}

// What the caller changes in the options after NewClient does not reach the client.
func TestNewClient_OptionsAreCopied(t *testing.T) {
	t.Parallel()
	service := newScript(status(http.StatusServiceUnavailable))
	codes := []int{http.StatusServiceUnavailable}
	options := &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: service, Retry: policy.RetryOptions{RetryDelay: 1, StatusCodes: codes, MaxRetries: 1},
	}}
	client, err := intune.NewClient(intune.StaticToken("t"), options)
	if err != nil {
		t.Fatal(err)
	}
	codes[0], options.Retry.MaxRetries, options.Transport = 0, 9, nil
	_, err = client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if !errors.Is(err, intune.ErrUnavailable) || service.calls.Load() != 2 {
		t.Errorf("%d tries, error %v", service.calls.Load(), err)
	}
	if options.Retry.MaxRetryDelay != 0 {
		t.Error("the caller's options were changed")
	}
}

func TestClient_ConcurrentUse(t *testing.T) {
	t.Parallel()
	server := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, true)
	client := newServerClient(t, server)
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestClientOptions_PolicyThatReplacesTheContext(t *testing.T) {
	t.Parallel()
	for place, option := range placed(forgets) {
		for code, c := range map[int]struct {
			sent    int32
			unknown bool
		}{204: {1, false}, 200: {1, false}, 500: {1, true}, 504: {1, true}, 503: {6, false}} {
			service := newScript(status(code))
			_, err := newClient(t, service, insists, option).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if n := service.calls.Load(); n != c.sent {
				t.Errorf("%s, %d: sent %d times, want %d", place, code, n, c.sent)
			}
			if errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown || (err == nil) != (code < 300) {
				t.Errorf("%s, %d: got %v", place, code, err)
			}
		}
		// Limits hold as well.
		large := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			body := `{"id":"1"}` + strings.Repeat(" ", 8<<20)
			return answer(req, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, body), nil
		}), option)
		if _, err := large.GetDevice(t.Context(), intune.Device("1"), nil); err == nil || !strings.Contains(err.Error(), "longer than") {
			t.Errorf("%s: error %v", place, err)
		}
	}
}

// A context that a policy kept from an earlier call says nothing about this one.
func TestClientOptions_PolicyThatMixesUpContexts(t *testing.T) {
	t.Parallel()
	var kept context.Context //nolint:containedctx // the mistake under test
	service := newScript(status(500), status(204))
	client := newClient(t, service, func(o *intune.ClientOptions) {
		o.PerRetryPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) {
			if kept == nil {
				kept = req.Raw().Context()
			}
			return req.Clone(kept).Next()
		})}
	})
	_, first := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	_, second := client.RequestRemoteAssistance(t.Context(), intune.Device("2"), nil)
	if !errors.Is(first, intune.ErrOutcomeUnknown) || second != nil {
		t.Errorf("got %v, then %v", first, second)
	}
	if n := service.calls.Load(); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestClientOptions_PolicyThatReturnsNothing(t *testing.T) {
	t.Parallel()
	before := policyFunc(func(*policy.Request) (*http.Response, error) { return nil, nil }) //nolint:nilnil // the mistake under test
	after := policyFunc(func(req *policy.Request) (*http.Response, error) {
		if _, err := req.Next(); err != nil {
			return nil, err
		}
		return nil, nil //nolint:nilnil // as above
	})
	for place, option := range placed(before) {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			service := newScript(status(204))
			err := act(t, newClient(t, service, option))
			checkKinds(t, err)
			checkSays(t, err, "neither an answer nor an error")
			if n := service.calls.Load(); n != 0 {
				t.Errorf("sent %d times", n)
			}
		})
	}
	for place, option := range placed(after) {
		for code, unknown := range map[int]bool{204: false, 500: true} {
			service := newScript(status(code))
			_, err := newClient(t, service, option).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if (err == nil) != (code == 204) || errors.Is(err, intune.ErrOutcomeUnknown) != unknown {
				t.Errorf("%s, after %d: %v", place, code, err)
			}
			if n := service.calls.Load(); n != 1 {
				t.Errorf("%s, after %d: sent %d times", place, code, n)
			}
		}
		if _, err := newClient(t, newScript(status(200)), option).GetDevice(t.Context(), intune.Device("1"), nil); err == nil {
			t.Errorf("%s: a read succeeded", place)
		}
	}
}

// A policy that repeats what broke, above or below azcore's retries.
func TestClientOptions_PolicyThatRepeats(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]policy.Policy{"repeats": again{}} {
		for place, option := range placed(p) {
			for failure, step := range map[string]func(*http.Request) (*http.Response, error){
				"broken": broken(errors.New("boom")), "500": status(500), "204": status(204),
			} {
				t.Run(name+" "+place+" "+failure, func(t *testing.T) {
					t.Parallel()
					var sent atomic.Int32
					client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
						sent.Add(1)
						return step(req)
					}), option, noRetries)
					_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
					if n := sent.Load(); n != 1 {
						t.Errorf("sent %d times", n)
					}
					if failure != "204" && !errors.Is(err, intune.ErrOutcomeUnknown) {
						t.Errorf("got %v, want an unknown outcome", err)
					}
				})
			}
		}
	}
}

// The transport is the last gate: what a caller's policy does to a request that has its token does not take it elsewhere.
func TestClientOptions_PolicyThatLeadsElsewhereGetsNoToken(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Request){
		"host":   func(r *http.Request) { r.URL.Host = "graph.microsoft.com.example" },
		"scheme": func(r *http.Request) { r.URL.Scheme = "http" },
		"port":   func(r *http.Request) { r.URL.Host = "graph.microsoft.com:8443" },
		"user":   func(r *http.Request) { *r.URL = *mustParse("https://graph.microsoft.com@example/v1.0/x") },
		"long s": func(r *http.Request) { r.URL.Host = "graph.micro\u017foft.com" },
		"opaque": func(r *http.Request) { r.URL.Opaque = "//elsewhere.example/v1.0/x" },
		"header": func(r *http.Request) { r.Host = "elsewhere.example" },
	} {
		for place, option := range placed(rewrite(change)) {
			service := newScript(status(204))
			client := newClient(t, service, option)
			_, write := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			_, read := client.GetDevice(t.Context(), intune.Device("1"), nil)
			says := "refused to send a token"
			if name == "scheme" && place == "per call" {
				says = "not permitted" // azcore's own
			}
			for _, err := range []error{write, read} {
				if !strings.Contains(fmt.Sprint(err), says) {
					t.Errorf("%s, %s: got %v, want %q", name, place, err, says)
				}
			}
			if n := service.calls.Load(); n != 0 || errors.Is(write, intune.ErrOutcomeUnknown) {
				t.Errorf("%s, %s: %d requests left, error %v", name, place, n, write)
			}
		}
	}
}

func TestNewClient_ClientThatCannotWork(t *testing.T) {
	t.Parallel()
	var noPolicy *again
	hollow := &http.Client{Transport: (*http.Transport)(nil)}
	for name, c := range map[string]struct {
		options azcore.ClientOptions
		names   string
	}{
		"nil policy, per call":        {azcore.ClientOptions{PerCallPolicies: []policy.Policy{again{}, nil}}, "options.PerCallPolicies[1]"},
		"nil policy, per retry":       {azcore.ClientOptions{PerRetryPolicies: []policy.Policy{nil}}, "options.PerRetryPolicies[0]"},
		"typed nil policy":            {azcore.ClientOptions{PerRetryPolicies: []policy.Policy{noPolicy}}, "options.PerRetryPolicies[0]"},
		"typed nil client":            {azcore.ClientOptions{Transport: (*http.Client)(nil)}, "options.Transport is a nil *http.Client"},
		"typed nil inside a client":   {azcore.ClientOptions{Transport: hollow}, "options.Transport is an *http.Client"},
		"typed nil func as transport": {azcore.ClientOptions{Transport: transportFunc(nil)}, "options.Transport"},
	} {
		_, err := intune.NewClient(intune.StaticToken("x"), &intune.ClientOptions{ClientOptions: c.options})
		if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// as is a client of another caller.
func as(tb testing.TB, client *intune.Client, credential azcore.TokenCredential) *intune.Client {
	tb.Helper()
	other, err := client.WithCredential(credential)
	if err != nil {
		tb.Fatal(err)
	}
	return other
}

func TestClient_WithCredential(t *testing.T) {
	t.Parallel()
	client := newClient(t, newScript(status(204)), func(o *intune.ClientOptions) { o.Cloud = intune.CloudChina })
	other := as(t, client, intune.StaticToken("other"))
	if got, want := other.String(), client.String(); got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
	if got, want := other.Endpoint(), client.Endpoint(); got != want {
		t.Errorf("it calls %s, want %s", got, want)
	}
	if got, want := other.TokenRequestOptions(), client.TokenRequestOptions(); !reflect.DeepEqual(got, want) {
		t.Errorf("it asks for %v, want %v", got, want)
	}
	for _, client := range []*intune.Client{{}, nil} {
		other, err := client.WithCredential(intune.StaticToken("t"))
		if other != nil {
			t.Errorf("got %v beside the error", other)
		}
		checkRefused(t, err, "client was not made by intune.NewClient")
	}
}

// Each call goes out with the token of its own client, also when the clients call at once and are made while others call.
func TestClient_WithCredential_NobodySendsAnothersToken(t *testing.T) {
	t.Parallel()
	transport := transportFunc(func(req *http.Request) (*http.Response, error) {
		got, want := req.Header.Get("Authorization"), "Bearer token-of-"+path.Base(path.Dir(req.URL.Path))
		if req.Method == http.MethodGet {
			want = "Bearer token-of-" + path.Base(req.URL.Path)
		}
		if got != want {
			t.Errorf("%s %s has the token %q", req.Method, req.URL.Path, got)
		}
		return answer(req, http.StatusNoContent, nil, ""), nil
	})
	first := clientOf(t, intune.StaticToken("token-of-0"), transport)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			client := first
			if i > 0 {
				client = as(t, first, intune.StaticToken(fmt.Sprint("token-of-", i)))
			}
			for range 8 {
				if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device(strconv.Itoa(i)), nil); err != nil {
					t.Error(err)
				}
				_, _ = client.GetDevice(t.Context(), intune.Device(strconv.Itoa(i)), nil) // whose answer is none
			}
		})
	}
	group.Wait()
}

// What the service says of one token touches no other.
func TestClient_WithCredential_RefusedTokenIsDroppedAlone(t *testing.T) {
	t.Parallel()
	var desk, otherDesk tokenDesk
	service := newScript(status(204), status(204), status(401), status(204))
	client := clientOf(t, &desk, service)
	other := as(t, client, &otherDesk)
	for i, call := range []struct {
		client        *intune.Client
		fails         error
		asked, others int
	}{
		{client: client, asked: 1},
		{client: other, asked: 1, others: 1},
		{client: client, fails: intune.ErrUnauthenticated, asked: 1, others: 1},
		{client: other, asked: 1, others: 1},
		{client: client, asked: 2, others: 1},
	} {
		checkKinds(t, act(t, call.client), call.fails)
		if n := len(desk.asked); n != call.asked {
			t.Errorf("after call %d the first credential was asked %d times, want %d", i, n, call.asked)
		}
		if n := len(otherDesk.asked); n != call.others {
			t.Errorf("after call %d the other credential was asked %d times, want %d", i, n, call.others)
		}
	}
}

func TestClient_WithCredential_JournalIsShared(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{})
	var journal memory
	client := journaled(t, tenant, &journal)
	other := as(t, client, tenant.CredentialWith(map[string]any{"oid": "other"}))
	for _, client := range []*intune.Client{client, other} {
		if _, err := client.RequestRemoteAssistance(t.Context(), device, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(journal.asking); n != 2 {
		t.Errorf("%d entries of Asking, want 2", n)
	}
	var callers []string
	for _, entry := range journal.asked {
		callers = append(callers, entry.CallerID)
	}
	if want := []string{"caller-1", "other"}; !slices.Equal(callers, want) {
		t.Errorf("Asked has the callers %q, want %q", callers, want)
	}
}

// The policies are the same values, and there is one connection.
func TestClient_WithCredential_PoliciesAndConnectionsAreShared(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	var connections, perCall, perRetry atomic.Int32
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	counted := func(n *atomic.Int32) []policy.Policy {
		return []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) {
			n.Add(1)
			return req.Next()
		})}
	}
	perCallPolicies, perRetryPolicies := counted(&perCall), counted(&perRetry)
	client := newServerClient(t, server, func(o *intune.ClientOptions) {
		o.PerCallPolicies, o.PerRetryPolicies = perCallPolicies, perRetryPolicies
	})
	perCallPolicies[0], perRetryPolicies[0] = nil, nil // the client has copies
	for i := range 3 {
		if err := act(t, as(t, client, intune.StaticToken(fmt.Sprint("token-", i)))); err != nil {
			t.Fatal(err)
		}
	}
	for what, c := range map[string]struct{ got, want int32 }{
		"connections": {connections.Load(), 1}, "calls of the policy per call": {perCall.Load(), 3},
		"calls of the policy per retry": {perRetry.Load(), 3},
	} {
		if c.got != c.want {
			t.Errorf("%d %s, want %d", c.got, what, c.want)
		}
	}
}

// Two clients with a wait each read no more together than one client may.
func TestClient_WithCredential_BudgetOfReadsIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		options := tenant.ClientOptions()
		options.SessionReadsPerSecond = 0.5 // what one wait reads by itself
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for _, client := range []*intune.Client{client, as(t, client, tenant.Credential())} {
			device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
			group.Go(func() {
				_, err := client.OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{MaxWait: 100 * time.Second})
				checkKinds(t, err, intune.ErrSessionPending)
			})
		}
		group.Wait()
		reads := 0
		for _, request := range tenant.Requests() {
			if request.Method == http.MethodGet {
				reads++
			}
		}
		if reads < 45 || reads > 55 {
			t.Errorf("%d reads in 100 seconds, want about 50", reads)
		}
	})
}

// What a fake of the service sets holds for each client: the pace of a wait, and the clock that ends it.
func TestClient_WithCredential_ClockOfATenant(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // of real time, in which the ten minutes of MaxWait pass
	defer cancel()
	_, err := as(t, tenant.Client(), tenant.Credential()).OpenRemoteAssistance(ctx, device, nil)
	checkKinds(t, err, intune.ErrSessionPending)
}

// clockedTransport is a fake of the service that makes time pass.
type clockedTransport struct {
	transportFunc

	ahead time.Duration
}

func (c *clockedTransport) ClockAhead() time.Duration { return c.ahead }
