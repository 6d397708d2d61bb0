package main

import (
	"bytes"
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
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// loadSettings are what the process under load needs to know of the test.
type loadSettings struct {
	Entra, Graph, Issuer, Tenant, App, Secret, Scope, Journal string
	Certificate                                               []byte
	Waits                                                     int
}

// serveForLoad is the service in a process of its own, so that its memory is its own.
func serveForLoad() int {
	var o loadSettings
	if err := json.Unmarshal([]byte(os.Getenv("SERVICE_TEST_LOAD")), &o); err != nil {
		return 2
	}
	certificate, err := x509.ParseCertificate(o.Certificate)
	if err != nil {
		return 2
	}
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 2
	}
	public := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	graph := cloud.Configuration{ActiveDirectoryAuthorityHost: o.Entra + "/", Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		intune.ServiceGraph: {Endpoint: o.Graph, Audience: "https://graph.microsoft.com"},
	}}
	quiet := slog.New(slog.NewJSONHandler(io.Discard, nil))
	s, err := newService(context.Background(), &settings{
		public: public, issuer: o.Issuer, tenantID: o.Tenant, clientID: o.App, secret: o.Secret, scope: o.Scope, entra: client,
		authority: azcore.ClientOptions{Cloud: graph, Transport: client},
		graph: func() *intune.ClientOptions {
			return &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Cloud: graph, Transport: client}}
		},
		journal: o.Journal, maxWait: 10 * time.Minute, maxWaits: o.Waits,
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

// TestLoad holds many waits in one instance, each with its event stream, and measures what one takes. SERVICE_LOAD=1000
// says how many; the default only shows that it works.
func TestLoad(t *testing.T) {
	waits, hold := 60, time.Second
	if given, err := strconv.Atoi(os.Getenv("SERVICE_LOAD")); err == nil {
		waits, hold = min(given, 5000), 60*time.Second
	} else if testing.Short() {
		t.Skip("starts a process")
	}
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{KeepRequests: -1})
	var reads atomic.Int64
	quiet := func(h http.Handler) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	graph := quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			reads.Add(1)
		}
		tenant.ServeHTTP(w, r)
	}))
	people := make([]person, (waits+asksPerMinute-1)/asksPerMinute)
	for i := range people {
		people[i] = person{fmt.Sprintf("0d6f0c0e-1111-4a4a-8b8b-%012d", i), "Technician", fmt.Sprintf("t%d@contoso.example", i), manageScopes}
	}
	var handler atomic.Pointer[http.Handler]
	login := quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	entra := newStandIn(login.URL, "unused", tenant, people, testKey())
	handler.Store(new(entra.handler()))

	text, err := json.Marshal(loadSettings{
		Entra: login.URL, Graph: graph.URL, Issuer: entra.issuer(), Tenant: entra.tenantID, App: entra.clientID, Secret: entra.secret,
		Scope: entra.scope, Journal: filepath.Join(t.TempDir(), "journal.jsonl"), Certificate: graph.Certificate().Raw, Waits: waits,
	})
	if err != nil {
		t.Fatal(err)
	}
	p := launch(t, "load", []string{"SERVICE_TEST_LOAD=" + string(text)})
	defer func() { _ = p.Cancel(); _ = p.Wait() }()
	before := residentKiB(t, p.Process.Pid)

	devices := make([]intune.DeviceRef, waits)
	for i := range devices {
		devices[i] = tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprint("LT-", i)}, intunetest.SessionScript{Never: true})
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	begin := time.Now()
	var asked atomic.Int64
	var group sync.WaitGroup
	queue := make(chan int)
	for range 16 {
		group.Go(func() {
			for i := range queue {
				token, err := entra.apiToken(people[i/asksPerMinute])
				if err != nil {
					t.Error(err)
					continue
				}
				if id := loadAsk(t, client, p.at, token, devices[i].DeviceID()); id != "" {
					asked.Add(1)
					loadWatch(t, client, p.at, token, id)
				}
			}
		})
	}
	for i := range devices {
		queue <- i
	}
	close(queue)
	group.Wait()
	asking := time.Since(begin)
	time.Sleep(hold) // the reads settle at their slowest pace
	from, at := reads.Load(), time.Now()
	time.Sleep(hold)
	rate := float64(reads.Load()-from) / time.Since(at).Seconds()
	after := residentKiB(t, p.Process.Pid)
	t.Logf("%d waits with their event streams, begun in %v (%.0f a second); %d MiB before, %d MiB with them, %.0f KiB for each; %.1f reads a second",
		asked.Load(), asking.Round(time.Millisecond), float64(waits)/asking.Seconds(), before>>10, after>>10, float64(after-before)/float64(waits), rate)
	if asked.Load() != int64(waits) {
		t.Errorf("%d of %d were asked", asked.Load(), waits)
	}
	for _, d := range tenant.Devices() {
		if d.Prompts != 1 {
			t.Errorf("%s: %d prompts", d.Device.DeviceName, d.Prompts)
		}
	}
	if perWait := (after - before) / int64(waits); waits >= 500 && perWait > 512 {
		t.Errorf("%d KiB for each wait", perWait)
	}
}

func loadAsk(t *testing.T, client *http.Client, at, token, device string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/sessions", bytes.NewReader([]byte(`{"device":"`+device+`"}`)))
	if err != nil {
		t.Error(err)
		return ""
	}
	request.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Idempotency-Key": {device}}
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	var view sessionView
	if err := json.NewDecoder(response.Body).Decode(&view); err != nil || response.StatusCode != http.StatusCreated {
		t.Errorf("%d %v", response.StatusCode, err)
	}
	return view.ID
}

// loadWatch holds a stream open until the test ends.
func loadWatch(t *testing.T, client *http.Client, at, token, id string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/sessions/"+id+"/events", nil)
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	go func() {
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
	}()
}

// residentKiB is the memory of a process, as Linux counts it.
func residentKiB(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("measures with /proc")
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
