package compare

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	msgraphsdk "github.com/microsoftgraph/msgraph-sdk-go"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/viamsgraph"
)

const (
	user     = "anna.berg@contoso.com"
	guest    = "anna.berg_fabrikam.com#EXT#@contoso.com"
	userID   = "9f6f3a55-3c1e-4f0e-9d57-6d0c1b9d2a11"
	guestID  = "0b3c1e5d-7a1f-4d1d-8a54-52a2e3a0c7b2"
	dollar   = "$anna@contoso.com"
	dollarID = "5d2c7e11-8a44-4b0d-9c0e-2f8d6b7a9e01"
	appID    = "a3f1c2d4e5b6978812345678901234567890abcdefabcdefabcdefabcdefabcd"
)

// tenantOf is a tenant with two devices a page, three devices and an app; each call makes the same.
func tenantOf() *intunetest.Tenant {
	start := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 2, Clock: func() time.Time { return start }})
	first := tenant.AddDevice(intune.ManagedDevice{ID: deviceID, DeviceName: "LT-4F7K2", UserID: userID, UserPrincipalName: user})
	tenant.AddDevice(intune.ManagedDevice{ID: "1" + deviceID[1:], DeviceName: "LT-4F7K3", UserID: guestID, UserPrincipalName: guest})
	tenant.AddDevice(intune.ManagedDevice{ID: "2" + deviceID[1:], DeviceName: "LT-4F7K4", UserID: dollarID, UserPrincipalName: dollar})
	tenant.AddDetectedApp(intune.DetectedApp{ID: appID, DisplayName: "Contoso VPN"}, first)
	return tenant
}

// bench is one listener that both clients talk to.
type bench struct {
	tenant atomic.Pointer[intunetest.Tenant]
	ours   *intune.Client
	theirs *msgraphsdk.GraphServiceClient
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{}
	b.tenant.Store(tenantOf())
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.tenant.Load().ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	var err error
	b.ours, err = intune.NewClient(b.tenant.Load().Credential(), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: &http.Client{Transport: server.Client().Transport},
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: server.URL,
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				intune.ServiceGraph: {Endpoint: server.URL, Audience: "https://graph.microsoft.com"},
			},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	setup := peer.Setup{Root: server.URL + "/v1.0", Transport: server.Client().Transport}
	client, err := viamsgraph.NewWith(b.tenant.Load().Credential(), setup)
	if err != nil {
		t.Fatal(err)
	}
	b.theirs = client.Graph
	return b
}

// sent is what one side sends to a fresh tenant, without the address of the listener.
func (b *bench) sent(do func() error) ([]intunetest.RecordedRequest, error) {
	tenant := tenantOf()
	b.tenant.Store(tenant)
	err := do()
	return tenant.Requests(), err
}

func lines(requests []intunetest.RecordedRequest) (lines []string) {
	for _, r := range requests {
		line := r.Method + " " + r.Path
		if r.RawQuery != "" {
			line += "?" + r.RawQuery
		}
		if len(r.Body) > 0 {
			line += " " + string(r.Body)
		}
		lines = append(lines, line)
	}
	return lines
}

// Both clients send the same method, path, query and body for everything that msgraph-sdk-go has too. Where they do not, the case
// says why, and docs/comparison.md lists it.
func TestSameWire(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var table strings.Builder
	short := strings.NewReplacer("/v1.0", "", deviceID, "ID", "1"+deviceID[1:], "ID", "2"+deviceID[1:], "ID", appID, "APP")
	table.WriteString("| | this library sends | msgraph-sdk-go sends | why |\n| --- | --- | --- | --- |\n")
	same := 0
	cases := wireCases()
	for _, c := range cases {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		sent, err := b.sent(func() error { return c.ours(ctx, b.ours) })
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		ours := lines(sent)
		sent, err = b.sent(func() error { return c.theirs(ctx, b.theirs) })
		if (err != nil) != c.fails {
			t.Errorf("%s, msgraph-sdk-go: %v", c.name, err)
		}
		theirs := lines(sent)
		cancel()
		if len(ours) == 0 || len(theirs) == 0 {
			t.Errorf("%s: nothing was sent: %q, %q", c.name, ours, theirs)
			continue
		}
		if slices.Equal(ours, theirs) {
			same++
			if c.why != "" {
				t.Errorf("%s: there is no difference any more: %q", c.name, ours)
			}
			continue
		}
		if c.why == "" {
			t.Errorf("%s:\n%s\nand not\n%s", c.name, strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
		}
		for i := range max(len(ours), len(theirs)) {
			one, other := "", ""
			if i < len(ours) {
				one = "`" + short.Replace(ours[i]) + "`"
			}
			if i < len(theirs) {
				other = "`" + short.Replace(theirs[i]) + "`"
			}
			if one != other {
				fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", c.name, one, other, c.why)
			}
		}
	}
	fmt.Fprintf(&table, "\nIn the other %d of %d cases they send the same.", same, len(cases))
	hold(t, "wire", table.String())
}

// The headers of the action differ by these; the body is empty with a length of 0 on both sides.
func TestHeadersOfTheAction(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	action := actionCases()[0]
	one := func(do func() error) intunetest.RecordedRequest {
		t.Helper()
		sent, err := b.sent(do)
		if err != nil || len(sent) != 1 {
			t.Fatal(sent, err)
		}
		if body := sent[0].Body; len(body) > 0 {
			t.Fatalf("the body is %q", body)
		}
		return sent[0]
	}
	ours := one(func() error { return action.ours(t.Context(), b.ours) })
	theirs := one(func() error { return action.theirs(t.Context(), b.theirs) })
	names := func(r, other intunetest.RecordedRequest) (list []string) {
		for name := range r.Header {
			if len(other.Header.Values(name)) == 0 {
				list = append(list, name)
			}
		}
		slices.Sort(list)
		return list
	}
	if only := names(ours, theirs); len(only) > 0 {
		t.Errorf("only this library sends %q", only)
	}
	if only := names(theirs, ours); !slices.Equal(only, []string{"Sdkversion"}) {
		t.Errorf("only msgraph-sdk-go sends %q", only)
	}
	differ := []string{"User-Agent", "Client-Request-Id", "Authorization"}
	for name, values := range ours.Header {
		if !slices.Contains(differ, name) && !slices.Equal(values, theirs.Header[name]) {
			t.Errorf("%s: %q, %q", name, values, theirs.Header[name])
		}
	}
}
