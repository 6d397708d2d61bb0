package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// loadSettings are what the process under load needs to know of the test.
type loadSettings struct {
	Entra, Graph, Issuer, Tenant, App, Secret, Scope, Journal string
	Certificate                                               []byte
	Waits                                                     int
}

// trusting is a client for servers with a certificate of the test.
func trusting(certificate []byte) (*http.Client, error) {
	root, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 64,
	}}, nil
}

// cloudAt is the cloud of the test's own Entra and Graph.
func cloudAt(entra, graph string) cloud.Configuration {
	return cloud.Configuration{ActiveDirectoryAuthorityHost: entra + "/", Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		intune.ServiceGraph: {Endpoint: graph, Audience: "https://graph.microsoft.com"},
	}}
}

// serveForLoad is the service in a process of its own, so that its memory is its own.
func serveForLoad() int {
	var o loadSettings
	if err := json.Unmarshal([]byte(os.Getenv("SERVICE_TEST_LOAD")), &o); err != nil {
		return 2
	}
	client, err := trusting(o.Certificate)
	if err != nil {
		return 2
	}
	client.Transport.(*http.Transport).MaxConnsPerHost = 64 //nolint:forcetypeassert // trusting has made it
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 2
	}
	public := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	graph := cloudAt(o.Entra, o.Graph)
	quiet := slog.New(slog.NewJSONHandler(io.Discard, nil))
	s, err := newService(context.Background(), &settings{
		public: public, issuer: o.Issuer, tenantID: o.Tenant, clientID: o.App, secret: o.Secret, scope: o.Scope, entra: client,
		authority: azcore.ClientOptions{Cloud: graph, Transport: client},
		graph: func() *intune.ClientOptions {
			return &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Cloud: graph, Transport: client}}
		},
		journal: o.Journal, maxWait: 10 * time.Minute, maxWaits: o.Waits, asks: 1000, // so that kills meet requests
		log: quiet, traces: tracenoop.NewTracerProvider(), meters: metricnoop.NewMeterProvider(),
	})
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = fmt.Fprintf(os.Stderr, "service: open %s \n", public)
	_ = serveUntil(context.Background(), s, listener, &options{}, quiet, io.Discard)
	return 0
}

// load is a Graph and an Entra on loopback, for a service in a process of its own that can be killed.
type load struct {
	tb     testing.TB
	tenant *intunetest.Tenant
	entra  *standIn
	reads  atomic.Int64
	text   []byte // the settings of the process

	journal string
}

func newLoad(tb testing.TB, waits int) *load {
	tb.Helper()
	l := &load{
		tb: tb, tenant: intunetest.NewTenant(&intunetest.TenantOptions{KeepRequests: -1}), journal: filepath.Join(tb.TempDir(), "journal.jsonl"),
	}
	serve := func(h http.HandlerFunc) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		tb.Cleanup(server.Close)
		return server
	}
	graph := serve(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			l.reads.Add(1)
		}
		l.tenant.ServeHTTP(w, r)
	})
	people := make([]person, (waits+asksPerMinute-1)/asksPerMinute)
	for i := range people {
		people[i] = person{fmt.Sprintf("0d6f0c0e-1111-4a4a-8b8b-%012d", i), "Technician", fmt.Sprintf("t%d@contoso.example", i), manageScopes}
	}
	var handler atomic.Pointer[http.Handler]
	login := serve(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) })
	l.entra = newStandIn(login.URL, "unused", l.tenant, people, testKey())
	handler.Store(new(l.entra.handler()))
	var err error
	l.text, err = json.Marshal(loadSettings{
		Entra: login.URL, Graph: graph.URL, Issuer: l.entra.issuer(), Tenant: l.entra.tenantID, App: l.entra.clientID,
		Secret: l.entra.secret, Scope: l.entra.scope, Journal: l.journal,
		Certificate: graph.Certificate().Raw, Waits: waits,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// launch starts the service, again after it was killed.
func (l *load) launch() *program {
	l.tb.Helper()
	return launch(l.tb, "load", []string{"SERVICE_TEST_LOAD=" + string(l.text)})
}
