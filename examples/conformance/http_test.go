package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// TestOverConnections serves the tenant over real connections, as a real tenant is: compressed answers, pooled connections,
// the lengths of requests without a body.
func TestOverConnections(t *testing.T) {
	t.Parallel()
	d := demo{devices: 8, change: func(tenant policy.Transporter) policy.Transporter {
		server := httptest.NewTLSServer(tenant.(http.Handler))
		t.Cleanup(server.Close)
		at, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		client := server.Client()
		return transport(func(req *http.Request) (*http.Response, error) {
			moved := req.Clone(req.Context())
			moved.Host, moved.URL.Host = req.URL.Host, at.Host
			resp, err := client.Do(moved)
			if err == nil {
				resp.Request = req // the library refuses what comes from elsewhere
			}
			return resp, err
		})
	}}
	code, out, errs := conformance(t, d, allFlags...)
	if code != exitOK || errs != "" {
		t.Errorf("exit code %d: %s", code, errs)
	}
	for id, v := range verdicts(t, out) {
		if v != confirmed && id != "page-size" {
			t.Errorf("%s", section(out, id))
		}
	}
}
