package intune_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

func TestRequestRemoteAssistance_LogShowsIDsAndHidesSecrets(t *testing.T) { //nolint:paralleltest // the listener is the process's
	text := graphtest.CaptureLog(t)
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		return answer(req, http.StatusForbidden, http.Header{
			"Request-Id": {"request-1"}, "X-Ms-Ags-Diagnostic": {"diagnostic-1"}, "Retry-After": {"7"},
			"Location": {"https://login.example/?code=secret-location"}, "Content-Type": {"application/json"},
		}, `{"error":{"code":"Forbidden","message":"body-text"}}`), nil
	}), func(o *intune.ClientOptions) {
		o.Logging.AllowedHeaders = []string{"Authorization", "Location", "X-Own"}
		o.Logging.AllowedQueryParams = []string{"$filter", "$skiptoken", "$SEARCH", "x"}
		o.PerCallPolicies = append(o.PerCallPolicies, rewrite(func(r *http.Request) {
			r.URL.RawQuery = "$select=id&$filter=secret-filter&$skiptoken=secret-skip&$search=secret-search&x=1"
		}))
	})
	ctx := policy.WithHTTPHeader(t.Context(), http.Header{"X-Own": {"own-1"}, "Client-Request-Id": {"client-1"}})
	if _, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil); !errors.Is(err, intune.ErrForbidden) {
		t.Fatal(err)
	}
	for _, shown := range []string{"request-1", "client-1", "diagnostic-1", "Retry-After: 7", "own-1", "select=id", "x=1"} {
		if !strings.Contains(text.String(), shown) {
			t.Errorf("%q is not in the log:\n%s", shown, text)
		}
	}
	for _, hidden := range []string{"opaque-token", "secret-filter", "secret-skip", "secret-search", "secret-location", "body-text"} {
		if strings.Contains(text.String(), hidden) {
			t.Errorf("%q is in the log:\n%s", hidden, text)
		}
	}
}

func TestRequestRemoteAssistance_Spans(t *testing.T) {
	t.Parallel()
	collected := &graphtest.Spans{}
	service := newScript(status(429, "request-id", "r1"), status(204, "request-id", "r2"), status(404, "request-id", "r3"))
	client := newClient(t, service, func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() })
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
		t.Fatal(err)
	}
	_, err := client.RequestRemoteAssistance(t.Context(), intune.UserDevice("anna@contoso.com", "1"), nil)
	if !errors.Is(err, intune.ErrNotFound) {
		t.Fatal(err)
	}
	want := []string{"Client.RequestRemoteAssistance", "HTTP POST", "HTTP POST", "Client.RequestRemoteAssistance", "HTTP POST"}
	if names := collected.Names(); !slices.Equal(names, want) {
		t.Fatalf("spans %v, want %v", names, want)
	}
	good, bad := collected.List[0], collected.List[3]
	got := [...]any{good.Kind, good.Code, good.Attributes["az.service_request_id"], good.Attributes["az.namespace"]}
	if want := [...]any{tracing.SpanKindInternal, tracing.SpanStatusUnset, "r2", "Microsoft.Graph"}; got != want {
		t.Errorf("kind, code, request id and namespace of the success are %v, want %v", got, want)
	}
	if id, _ := good.Attributes["az.client_request_id"].(string); !guid.MatchString(id) {
		t.Errorf("client request id %q", id)
	}
	if bad.Code != tracing.SpanStatusError || !strings.Contains(bad.Status, "404 Not Found") {
		t.Errorf("span of the failure: %+v", bad)
	}
	if strings.Contains(bad.Status, "anna") {
		t.Errorf("the span shows the user: %s", bad.Status)
	}
	if collected.List[1].Parent != good.Name || collected.List[1].Kind != tracing.SpanKindClient {
		t.Errorf("span of the request: %+v", collected.List[1])
	}
}

// The name by which azcore's generated fakes and interceptors know a call.
func TestRequestRemoteAssistance_APINameIsInTheContext(t *testing.T) {
	t.Parallel()
	var name any
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		name = req.Context().Value(runtime.CtxAPINameKey{})
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil || name != "Client.RequestRemoteAssistance" {
		t.Errorf("name %v, error %v", name, err)
	}
}

// spanned are the public methods that have a span, each as a call for a device with the id 1.
var spanned = map[string]func(context.Context, *intune.Client) error{
	"AuditEvents": func(ctx context.Context, c *intune.Client) error {
		for _, err := range c.AuditEvents(ctx, nil) {
			return err
		}
		return nil
	},
	"BeginRemoteAssistance": func(ctx context.Context, c *intune.Client) error {
		_, err := c.BeginRemoteAssistance(ctx, intune.Device("1"), nil)
		return err
	},
	"DetectedApps": func(ctx context.Context, c *intune.Client) error {
		for _, err := range c.DetectedApps(ctx, nil) {
			return err
		}
		return nil
	},
	"Devices": func(ctx context.Context, c *intune.Client) error {
		for _, err := range c.Devices(ctx, intune.AllDevices(), nil) {
			return err
		}
		return nil
	},
	"FindDevice": func(ctx context.Context, c *intune.Client) error {
		_, err := c.FindDevice(ctx, intune.DeviceFilter{DeviceName: "PC-1"}, nil)
		return err
	},
	"GetDevice": func(ctx context.Context, c *intune.Client) error {
		_, err := c.GetDevice(ctx, intune.Device("1"), nil)
		return err
	},
	"GetRemoteAssistanceSession": func(ctx context.Context, c *intune.Client) error {
		_, err := c.GetRemoteAssistanceSession(ctx, intune.Device("1"), nil)
		return err
	},
	"NewListAuditEventsPager": func(ctx context.Context, c *intune.Client) error {
		_, err := c.NewListAuditEventsPager(nil).NextPage(ctx)
		return err
	},
	"NewListDetectedAppsPager": func(ctx context.Context, c *intune.Client) error {
		_, err := c.NewListDetectedAppsPager(nil).NextPage(ctx)
		return err
	},
	"NewListDevicesPager": func(ctx context.Context, c *intune.Client) error {
		_, err := c.NewListDevicesPager(intune.AllDevices(), nil).NextPage(ctx)
		return err
	},
	"NewListRemoteAssistancePartnersPager": func(ctx context.Context, c *intune.Client) error {
		_, err := c.NewListRemoteAssistancePartnersPager(nil).NextPage(ctx)
		return err
	},
	"OpenRemoteAssistance": func(ctx context.Context, c *intune.Client) error {
		_, err := c.OpenRemoteAssistance(ctx, intune.Device("1"), nil)
		return err
	},
	"OpenRemoteAssistanceMany": func(ctx context.Context, c *intune.Client) error {
		for r := range c.OpenRemoteAssistanceMany(ctx, slices.Values([]intune.DeviceRef{intune.Device("1"), intune.Device("2")}), nil) {
			return r.Err
		}
		return nil
	},
	"RemoteAssistanceConnector": func(ctx context.Context, c *intune.Client) error {
		_, err := c.RemoteAssistanceConnector(ctx, nil)
		return err
	},
	"RequestRemoteAssistance": func(ctx context.Context, c *intune.Client) error {
		_, err := c.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
		return err
	},
	"RequestRemoteAssistanceMany": func(ctx context.Context, c *intune.Client) error {
		for r := range c.RequestRemoteAssistanceMany(ctx, slices.Values([]intune.DeviceRef{intune.Device("1"), intune.Device("2")}), nil) {
			return r.Err
		}
		return nil
	},
	"ResumeRemoteAssistance": func(ctx context.Context, c *intune.Client) error {
		_, err := c.ResumeRemoteAssistance(ctx, "no token", nil)
		return err
	},
	"WaitForRemoteAssistance": func(ctx context.Context, c *intune.Client) error {
		_, err := c.WaitForRemoteAssistance(ctx, "no token", nil)
		return err
	},
}

// unspanned call Graph not at all.
var unspanned = map[string]bool{
	"Endpoint": true, "SetSessionReadsPerSecond": true, "String": true, "TokenInfo": true, "TokenRequestOptions": true, "WithCredential": true,
}

func TestClient_EveryMethodsSpanCarriesItsError(t *testing.T) {
	t.Parallel()
	for method := range reflect.TypeFor[*intune.Client]().Methods() {
		if spanned[method.Name] == nil && !unspanned[method.Name] {
			t.Errorf("method %s has no case here", method.Name)
		}
	}
	for name, call := range spanned {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collected := &graphtest.Spans{}
			var api any
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				api = req.Context().Value(runtime.CtxAPINameKey{})
				return answer(req, http.StatusNotFound, nil, ""), nil
			}), func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() })
			err := call(t.Context(), client)
			least := 2 // its own and that of a request
			if errors.Is(err, intune.ErrInvalidArgument) {
				least = 1
			}
			if err == nil || len(collected.List) < least {
				t.Fatalf("spans %v, error %v", collected.Names(), err)
			}
			// azcore names the spans of pagers, whose requests have the method's name all the same.
			got := collected.List[0].Name
			if strings.HasPrefix(got, "Pager[") {
				got, _ = api.(string)
			}
			if got != "Client."+name {
				t.Errorf("the method's name is %q, %q to a transport", got, api)
			}
			// Some methods are calls of others, so there may be spans of theirs below.
			for i, made := range collected.List {
				if i == 0 && made.Kind != tracing.SpanKindInternal {
					t.Errorf("the first span is %q of kind %v", made.Name, made.Kind)
				}
				if made.Ended != 1 || made.Code != tracing.SpanStatusError {
					t.Errorf("span %q ended %d times with status %v %q, and the call with %v", made.Name, made.Ended, made.Code, made.Status, err)
				}
				if made.Attributes["az.namespace"] != "Microsoft.Graph" {
					t.Errorf("span %q has the attributes %v", made.Name, made.Attributes)
				}
				if i == 0 && !strings.HasSuffix(made.Status, err.Error()) {
					t.Errorf("span %q says %q and the error %q", made.Name, made.Status, err)
				}
			}
		})
	}
}

// A client that NewClient did not make, a nil client and a nil context are refused by every method.
func TestClient_EveryMethodChecksItsClientAndContext(t *testing.T) {
	t.Parallel()
	for name, call := range spanned {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, client := range []*intune.Client{{}, nil} {
				const why = "client was not made by intune.NewClient"
				if err := call(t.Context(), client); !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), why) {
					t.Errorf("client %v: %v", client, err)
				}
			}
			if strings.HasPrefix(name, "NewList") {
				return // azcore's pager calls methods of the context
			}
			collected := &graphtest.Spans{}
			client := newClient(t, transportFunc(func(*http.Request) (*http.Response, error) {
				t.Error("a request was sent")
				return nil, errors.New("unexpected")
			}), func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() })
			if err := call(nil, client); !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "ctx is nil") {
				t.Errorf("got %v", err)
			}
			if len(collected.List) > 0 {
				t.Errorf("spans %v", collected.Names())
			}
		})
	}
	for _, client := range []*intune.Client{{}, nil} {
		if _, err := client.TokenInfo(t.Context()); !errors.Is(err, intune.ErrInvalidArgument) {
			t.Errorf("TokenInfo of client %v: %v", client, err)
		}
		if scopes := client.TokenRequestOptions().Scopes; scopes != nil || client.String() != "intune.Client(nil)" {
			t.Errorf("client %v: scopes %v", client, scopes)
		}
	}
}

func TestClient_SpansOfReads(t *testing.T) {
	t.Parallel()
	collected := &graphtest.Spans{}
	apiNames := map[string]bool{}
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 1})
	tenant.AddDevice(intune.ManagedDevice{ID: "1", DeviceName: "secret-name-A"})
	tenant.AddDevice(intune.ManagedDevice{ID: "2", DeviceName: "secret-name-B"})
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		if name, ok := req.Context().Value(runtime.CtxAPINameKey{}).(string); ok {
			apiNames[name] = true
		}
		return tenant.Do(req)
	}), func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() })
	ctx := t.Context()
	check := func(want ...string) {
		t.Helper()
		if names := collected.Names(); !slices.Equal(names, want) {
			t.Errorf("spans %q, want %q", names, want)
		}
		for _, made := range collected.List {
			for key, value := range made.Attributes {
				if text := fmt.Sprint(value); strings.Contains(text, "secret-name") || strings.Contains(text, "skiptoken=Last") {
					t.Errorf("%s has %s = %s", made.Name, key, text)
				}
			}
		}
		collected.List = nil
	}
	_, _ = ids(t, client.Devices(ctx, intune.AllDevices(), nil))
	check("Client.Devices", "HTTP GET", "Client.Devices", "HTTP GET")
	_, _ = client.FindDevice(ctx, intune.DeviceFilter{DeviceName: "secret-name-A"}, nil)
	check("Client.FindDevice", "HTTP GET")
	_, _ = client.GetDevice(ctx, intune.Device("1"), nil)
	check("Client.GetDevice", "HTTP GET")
	for range client.DetectedApps(ctx, nil) {
		t.Error("an app")
	}
	check("Client.DetectedApps", "HTTP GET")
	_, _ = allPages(t, client.NewListDevicesPager(intune.AllDevices(), nil))
	check("Pager[ListDevicesResponse].NextPage", "HTTP GET", "Pager[ListDevicesResponse].NextPage", "HTTP GET")
	_, _ = allPages(t, client.NewListDetectedAppsPager(nil))
	check("Pager[ListDetectedAppsResponse].NextPage", "HTTP GET")
	_, err := client.GetDevice(ctx, intune.Device("3"), nil)
	checkKinds(t, err, intune.ErrNotFound)
	if failed := collected.List[0]; failed.Name != "Client.GetDevice" || failed.Code != tracing.SpanStatusError {
		t.Errorf("the span is %s and has the status %v", failed.Name, failed.Code)
	}
	for _, want := range []string{"Devices", "FindDevice", "GetDevice", "DetectedApps", "NewListDevicesPager", "NewListDetectedAppsPager"} {
		if !apiNames["Client."+want] && want != "FindDevice" {
			t.Errorf("no request of %s: %v", want, apiNames)
		}
	}
}

func TestClient_ReadsRefuseANilContext(t *testing.T) {
	t.Parallel()
	service := inTurn(pageOf("", deviceRow("1", "A")))
	traced := func(o *intune.ClientOptions) { o.TracingProvider = (&graphtest.Spans{}).Provider() }
	for _, client := range []*intune.Client{newClient(t, service), newClient(t, service, traced)} {
		var none context.Context
		_, get := client.GetDevice(none, intune.Device("1"), nil)
		_, find := client.FindDevice(none, intune.DeviceFilter{DeviceName: "A"}, nil)
		_, devices := ids(t, client.Devices(none, intune.AllDevices(), nil))
		apps := errors.New("nothing was yielded")
		for _, err := range client.DetectedApps(none, nil) {
			apps = err
		}
		for name, err := range map[string]error{"GetDevice": get, "FindDevice": find, "Devices": devices, "DetectedApps": apps} {
			if !errors.Is(err, intune.ErrInvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	_, err := newClient(t, service).NewListDevicesPager(intune.AllDevices(), nil).NextPage(nil) //nolint:staticcheck // nil is the point
	_, appsErr := newClient(t, service).NewListDetectedAppsPager(nil).NextPage(nil)             //nolint:staticcheck // nil is the point
	if !errors.Is(err, intune.ErrInvalidArgument) || !errors.Is(appsErr, intune.ErrInvalidArgument) {
		t.Errorf("pagers: %v, %v", err, appsErr)
	}
	service.saw(t)
}
