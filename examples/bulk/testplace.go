package main

import (
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/go-intune/intune"
)

// testPlace is a stand-in for Microsoft Graph on this machine, for tests: that of package intunetest or of
// examples/tenant. It is set by environment variables, and never by a flag that somebody could paste.
type testPlace struct {
	graph     string        // BULK_TEST_GRAPH: root of the stand-in for Graph
	token     string        // BULK_TEST_TOKEN: what to send it
	frequency time.Duration // BULK_TEST_FREQUENCY: time between two reads of a session
}

func testPlaceFromEnvironment() (testPlace, error) {
	p := testPlace{graph: os.Getenv("BULK_TEST_GRAPH"), token: os.Getenv("BULK_TEST_TOKEN")}
	if p.graph == "" {
		return testPlace{}, nil
	}
	if u, err := url.Parse(p.graph); err != nil || !net.ParseIP(u.Hostname()).IsLoopback() {
		return p, failed(exitUsage, "BULK_TEST_GRAPH must be an address of this machine, such as http://127.0.0.1:8443")
	}
	p.frequency, _ = time.ParseDuration(os.Getenv("BULK_TEST_FREQUENCY")) // zero is the pace that users have
	return p, nil
}

func (p testPlace) apply(o azcore.ClientOptions) azcore.ClientOptions {
	if p.graph == "" {
		return o
	}
	o.Cloud = cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		intune.ServiceGraph: {Endpoint: p.graph, Audience: "https://graph.microsoft.com"},
	}}
	o.InsecureAllowCredentialWithHTTP = strings.HasPrefix(p.graph, "http://")
	return o
}
