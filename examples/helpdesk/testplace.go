package main

import (
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// testPlace is a stand-in for Microsoft Graph and Entra on this machine, for tests: that of package intunetest or of
// examples/tenant. Unlike a rehearsal, everything else is as on a real tenant.
type testPlace struct {
	graph     string // HELPDESK_TEST_GRAPH: root of the stand-in for Graph
	token     string // HELPDESK_TEST_TOKEN: what to send it
	authority string // HELPDESK_TEST_AUTHORITY: root of the stand-in for Entra
}

func testPlaceFromEnvironment() (testPlace, error) {
	p := testPlace{
		graph: os.Getenv("HELPDESK_TEST_GRAPH"), token: os.Getenv("HELPDESK_TEST_TOKEN"), authority: os.Getenv("HELPDESK_TEST_AUTHORITY"),
	}
	if p.graph == "" {
		return testPlace{}, nil
	}
	for _, root := range []string{p.graph, p.authority} {
		if u, err := url.Parse(root); root != "" && (err != nil || !isLoopback(u.Hostname())) {
			return p, failed(exitUsage, "HELPDESK_TEST_GRAPH and HELPDESK_TEST_AUTHORITY must be addresses of this machine, "+
				"such as http://127.0.0.1:8443")
		}
	}
	return p, nil
}

func (p testPlace) apply(o azcore.ClientOptions) azcore.ClientOptions {
	if p.graph == "" {
		return o
	}
	o = atStandIn(o, p.graph, p.authority)
	if pause, err := time.ParseDuration(lookAgainAfter); err == nil {
		o.Transport = &http.Client{Transport: quickTransport{&http.Transport{}, pause}}
	}
	return o
}

// lookAgainAfter is set when a test builds the tool: the time between two reads of a session. It is blank in the tool that
// users have, which keeps the pace of the library.
var lookAgainAfter string //nolint:gochecknoglobals // go build -ldflags -X

// quickTransport is the way to the stand-in with that time between two reads: see intune.ClientOptions.
type quickTransport struct {
	*http.Transport

	pause time.Duration
}

// LookAgainAfter is for the library.
func (t quickTransport) LookAgainAfter() time.Duration { return t.pause }
