package compare

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/hashicorp/go-retryablehttp"
	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/go-intune/intune/benchmarks/internal/peer"
)

const (
	graphHost   = "graph.microsoft.com"
	foreignHost = "elsewhere.example"
	html        = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to your account</body></html>"
)

// fault is something that goes wrong with the action, or with a list.
type fault struct {
	name   string
	inject intunetest.Fault
	refuse int  // connections that are refused before
	list   bool // the call is a list
	again  bool // a transport that retries matters to it
}

// action is a fault of the action.
func action(name string, f intunetest.Fault) fault {
	f.PathSuffix = "/requestRemoteAssistance"
	return fault{name: name, inject: f, again: true}
}

func faults() []fault {
	const always = -1
	toForeign := func(path string) http.Header { return http.Header{"Location": {"https://" + foreignHost + path}} }
	return []fault{
		{name: "connection refused, once", refuse: 1},
		action("connection breaks before the service acts, once", intunetest.Fault{Drop: intunetest.DropBefore}),
		action("connection breaks after it acted, once", intunetest.Fault{Drop: intunetest.DropAfter}),
		action("connection breaks after it acted, each time", intunetest.Fault{Drop: intunetest.DropAfter, Times: always}),
		action("acts and answers 500, each time", intunetest.Fault{Status: 500, Effect: true, Times: always}),
		action("acts, and a gateway answers 502 in HTML, each time", intunetest.Fault{
			Status: 502, Body: "<html><body>Bad gateway</body></html>", Effect: true, Times: always,
		}),
		action("acts, and a gateway answers 504, once", intunetest.Fault{Status: 504, Effect: true}),
		action("acts, and a gateway answers 504, each time", intunetest.Fault{Status: 504, Effect: true, Times: always}),
		action("answers 503 without acting, once", intunetest.Fault{Status: 503, Code: "ServiceUnavailable", Message: "Try again."}),
		action("answers 429 with Retry-After: 1.9, once", intunetest.Fault{
			Status: 429, Code: "TooManyRequests", Message: "Slow down.", Header: http.Header{"Retry-After": {"1.9"}},
		}),
		action("answers 302 to a sign-in page elsewhere", intunetest.Fault{Status: 302, Header: toForeign("/sign-in"), Times: always}),
		action("answers 307 to another host", intunetest.Fault{Status: 307, Header: toForeign("/moved"), Times: always}),
		{name: "a list's next link leads to another host", list: true, inject: intunetest.Fault{
			Method: http.MethodGet, Status: 200,
			Body: `{"@odata.nextLink":"https://` + foreignHost + `/v1.0/deviceManagement/managedDevices?$skiptoken=1",` +
				`"value":[{"id":"` + deviceID + `","lastSyncDateTime":"2026-01-01T00:00:00Z"}]}`,
		}},
	}
}

// happened is what became of a call.
type happened struct {
	prompts int           // that the user saw
	gap     time.Duration // between the first two requests
	err     error
	foreign []string // the Authorization headers that arrived elsewhere
}

// suffer makes one call of a contender, which has two minutes for it. If retries, its transport is one of
// go-retryablehttp.
func suffer(t *testing.T, c contender, f fault, retries bool) (h happened) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		tenant.AddDevice(intune.ManagedDevice{ID: deviceID})
		if f.refuse == 0 {
			tenant.Inject(f.inject)
		}
		network := &network{refuse: f.refuse}
		defer network.close()
		network.host(graphHost, tenant)
		network.host(foreignHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.foreign = append(h.foreign, r.Header.Get("Authorization"))
			switch {
			case f.list:
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"value":[{"id":"b","lastSyncDateTime":"2026-01-01T00:00:00Z"}]}`)
			case r.URL.Path == "/sign-in":
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprint(w, html)
			default:
				w.WriteHeader(http.StatusNoContent)
			}
		}))
		transport := network.transport(t)
		if retries {
			transport = retryable(transport)
		}
		client := c.client(t, peer.Setup{Transport: transport})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if f.list {
			h.err = client.List(ctx, func(peer.Row) {})
		} else {
			h.err = client.Request(ctx, deviceID)
		}
		h.prompts = tenant.TotalPrompts()
		if sent := tenant.Requests(); len(sent) > 1 {
			h.gap = sent[1].Time.Sub(sent[0].Time)
		}
	})
	return h
}

// told is what the caller learns: success, that the outcome is open, or an error, with its status if that can be found
// in its text or fields.
func (h happened) told() string {
	if h.err == nil {
		return "success"
	}
	if errors.Is(h.err, intune.ErrOutcomeUnknown) {
		return "outcome unknown"
	}
	status := 0
	var typed *azcore.ResponseError
	var graph abstractions.ApiErrorable
	switch {
	case errors.As(h.err, &typed):
		status = typed.StatusCode
	case errors.As(h.err, &graph):
		status = graph.GetStatusCode()
	default:
		for _, word := range strings.FieldsFunc(h.err.Error(), func(r rune) bool { return r < '0' || r > '9' }) {
			if n, _ := strconv.Atoi(word); len(word) == 3 && http.StatusText(n) != "" {
				status = n
				break
			}
		}
	}
	if status == 0 {
		return "error"
	}
	return fmt.Sprint("error ", status)
}

// cell is the entry of the table.
func (h happened) cell(f fault) string {
	parts := []string{h.told()}
	if !f.list {
		parts = append([]string{strconv.Itoa(h.prompts)}, parts...)
	}
	wait, err := strconv.ParseFloat(strings.Join(f.inject.Header["Retry-After"], ""), 64)
	if err == nil && h.gap > 0 && h.gap < time.Duration(wait*float64(time.Second)) {
		parts = append(parts, "asks again too early")
	}
	elsewhere := strings.Contains(strings.Join(f.inject.Header["Location"], "")+f.inject.Body, foreignHost)
	switch sent := strings.Join(h.foreign, ""); {
	case sent != "":
		parts = append(parts, "**sends the token there**")
	case len(h.foreign) > 0:
		parts = append(parts, "goes there without the token")
	case elsewhere:
		parts = append(parts, "does not go there")
	}
	return strings.Join(parts, ", ")
}

// retryable is a client of go-retryablehttp with its defaults, as its StandardClient gives it to other libraries.
func retryable(transport http.RoundTripper) http.RoundTripper {
	client := retryablehttp.NewClient()
	client.HTTPClient.Transport, client.Logger = transport, nil
	return client.StandardClient().Transport
}

// The tables in docs/comparison.md are what the libraries do today. Run with -update to write them.
func TestFaults(t *testing.T) {
	t.Parallel()
	hold(t, "faults", table(t, faults(), contenders, false))
}

func TestFaultsWithRetryableHTTP(t *testing.T) {
	t.Parallel()
	matter := slices.DeleteFunc(faults(), func(f fault) bool { return !f.again })
	hold(t, "retryable", table(t, matter, slices.DeleteFunc(slices.Clone(contenders), func(c contender) bool {
		return !slices.Contains([]string{"intune", "msgraph", "azcore"}, c.name)
	}), true))
}

// table has a row for each fault and a column for each contender, this library first.
func table(t *testing.T, faults []fault, contenders []contender, retries bool) string {
	t.Helper()
	var table strings.Builder
	table.WriteString("| The service, or the way to it |")
	for _, c := range contenders {
		table.WriteString(" " + peer.Titles[slices.Index(peer.Names, c.name)] + " |")
	}
	table.WriteString("\n|" + strings.Repeat(" --- |", len(contenders)+1) + "\n")
	for _, f := range faults {
		table.WriteString("| " + f.name + " |")
		for i, c := range contenders {
			h := suffer(t, c, f, retries)
			t.Logf("%s, %s: %d prompts, second try after %v, %v", f.name, c.name, h.prompts, h.gap, h.err)
			table.WriteString(" " + h.cell(f) + " |")
			if i == 0 {
				keeps(t, f, h, retries)
			}
		}
		table.WriteString("\n")
	}
	return table.String()
}

// keeps checks what this library promises. A transport that retries follows redirects by itself.
func keeps(t *testing.T, f fault, h happened, retries bool) {
	t.Helper()
	if h.prompts > 1 {
		t.Errorf("%s: the user was asked %d times", f.name, h.prompts)
	}
	switch h.told() {
	case "outcome unknown":
	case "success":
		if !f.list && h.prompts != 1 {
			t.Errorf("%s: success, and %d prompts", f.name, h.prompts)
		}
	default:
		if h.prompts > 0 {
			t.Errorf("%s: the user was asked, and the error says nothing of it: %v", f.name, h.err)
		}
	}
	if len(h.foreign) > 0 && !retries {
		t.Errorf("%s: sent elsewhere", f.name)
	}
	if strings.Join(h.foreign, "") != "" {
		t.Errorf("%s: the token was sent elsewhere", f.name)
	}
}
