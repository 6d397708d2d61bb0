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

// testPlace is a stand-in for Microsoft Graph and Entra on this machine, for tests: that of package intunetest or of
// examples/tenant. It is set by environment variables, and never by a flag that somebody could paste.
type testPlace struct {
	graph     string        // HELPDESK_TEST_GRAPH: root of the stand-in for Graph
	token     string        // HELPDESK_TEST_TOKEN: what to send it
	authority string        // HELPDESK_TEST_AUTHORITY: root of the stand-in for Entra
	frequency time.Duration // HELPDESK_TEST_FREQUENCY: time between two reads of a session
}

func testPlaceFromEnvironment() (testPlace, error) {
	p := testPlace{
		graph: os.Getenv("HELPDESK_TEST_GRAPH"), token: os.Getenv("HELPDESK_TEST_TOKEN"), authority: os.Getenv("HELPDESK_TEST_AUTHORITY"),
	}
	if p.graph == "" {
		return testPlace{}, nil
	}
	for _, root := range []string{p.graph, p.authority} {
		if u, err := url.Parse(root); root != "" && (err != nil || !net.ParseIP(u.Hostname()).IsLoopback()) {
			return p, failed(exitUsage, "HELPDESK_TEST_GRAPH and HELPDESK_TEST_AUTHORITY must be addresses of this machine, "+
				"such as http://127.0.0.1:8443")
		}
	}
	p.frequency, _ = time.ParseDuration(os.Getenv("HELPDESK_TEST_FREQUENCY")) // zero is the pace that users have
	return p, nil
}

func (p testPlace) apply(o azcore.ClientOptions) azcore.ClientOptions {
	if p.graph == "" {
		return o
	}
	o.Cloud = cloud.Configuration{
		ActiveDirectoryAuthorityHost: p.authority,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			intune.ServiceGraph: {Endpoint: p.graph, Audience: "https://graph.microsoft.com"},
		},
	}
	o.InsecureAllowCredentialWithHTTP = strings.HasPrefix(p.graph, "http://")
	return o
}
