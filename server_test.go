package intune_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/go-intune/intune"
)

// graphAt is a cloud whose Graph is at a test server.
func graphAt(url string) cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: "https://login.invalid/",
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			intune.ServiceGraph: {Endpoint: url, Audience: "https://graph.microsoft.com"},
		},
	}
}

// newServer is a real TLS listener on loopback.
func newServer(tb testing.TB, handler http.HandlerFunc, http2 bool) *httptest.Server {
	tb.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections break on purpose
	server.StartTLS()
	tb.Cleanup(server.Close)
	return server
}

// newServerClient talks to a test server through an ordinary http.Client.
func newServerClient(tb testing.TB, server *httptest.Server, change ...func(*intune.ClientOptions)) *intune.Client {
	tb.Helper()
	return newClient(tb, server.Client(), append([]func(*intune.ClientOptions){
		func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) },
	}, change...)...)
}
