package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

const (
	serviceAt = "https://assist.example"
	entraAt   = "https://login.example"
)

// testKey is made once, because it takes long.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// place is a tenant, a stand-in of Entra, and the service between them.
type place struct {
	tb      testing.TB
	tenant  *intunetest.Tenant
	entra   *standIn
	network inProcess
	service *service
	log     *syncBuffer
	spans   *tracetest.SpanRecorder
	metrics *sdkmetric.ManualReader
	journal string
	limits  func(*settings)
}

var (
	dana  = person{"0d6f0c0e-1111-4a4a-8b8b-000000000001", "Dana Cole", "dana@contoso.example", manageScopes}
	robin = person{"0d6f0c0e-1111-4a4a-8b8b-000000000002", "Robin Sato", "robin@contoso.example", manageScopes}
	guest = person{"0d6f0c0e-1111-4a4a-8b8b-000000000003", "Lee Park", "lee@contoso.example", "User.Read"}
)

func newPlace(tb testing.TB, change ...func(*settings)) *place {
	tb.Helper()
	return newPlaceOn(tb, intunetest.NewTenant(nil), change...)
}

func newPlaceOn(tb testing.TB, tenant *intunetest.Tenant, change ...func(*settings)) *place {
	tb.Helper()
	p := &place{
		tb: tb, tenant: tenant, log: &syncBuffer{}, network: inProcess{},
		journal: filepath.Join(tb.TempDir(), "journal.jsonl"),
	}
	p.limits = func(o *settings) {
		for _, c := range change {
			c(o)
		}
	}
	p.entra = newStandIn(entraAt, serviceAt+"/auth/callback", p.tenant, []person{dana, robin, guest}, testKey())
	p.network["login.example"] = p.entra.handler()
	p.open()
	tb.Cleanup(p.close)
	return p
}

// open starts the service, after a restart too.
func (p *place) open() {
	p.tb.Helper()
	public, err := url.Parse(serviceAt)
	if err != nil {
		p.tb.Fatal(err)
	}
	p.spans = tracetest.NewSpanRecorder()
	p.metrics = sdkmetric.NewManualReader()
	client := &http.Client{Transport: inProcess{"login.example": p.entra.handler()}}
	o := &settings{
		public: public, issuer: p.entra.issuer(), tenantID: p.entra.tenantID, clientID: p.entra.clientID, secret: p.entra.secret,
		scope: p.entra.scope, entra: client,
		authority: azcore.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: entraAt + "/"}, Transport: client},
		graph:     p.tenant.ClientOptions,
		journal:   p.journal, maxWait: 10 * time.Minute, maxWaits: 100,
		log:    newLog(p.log, slog.LevelInfo),
		traces: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(p.spans)),
		meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(p.metrics)),
	}
	p.limits(o)
	p.service, err = newService(p.tb.Context(), o)
	if err != nil {
		p.tb.Fatal(err)
	}
	p.network["assist.example"] = described(p.tb, p.service.handler)
}

func (p *place) close() {
	if p.service == nil {
		return
	}
	if err := p.service.close(context.Background()); err != nil {
		p.tb.Error(err)
	}
	p.service = nil
}

// add is a device whose links come as the script says.
func (p *place) add(name string, scripts ...intunetest.SessionScript) intune.DeviceRef {
	return p.tenant.AddDevice(intune.ManagedDevice{
		DeviceName: name, SerialNumber: "SN-" + name, OperatingSystem: "Windows", OSVersion: "10.0.26100.1",
		UserPrincipalName: "anna@contoso.example", UserDisplayName: "Anna Berg", UserID: "0d6f0c0e-2222-4a4a-8b8b-000000000009",
		ComplianceState: intune.ComplianceStateCompliant, LastSyncDateTime: time.Now().Add(-time.Hour),
		ManagementAgent: intune.ManagementAgentTypeMDM,
	}, scripts...)
}

// caller sends requests as somebody.
type caller struct {
	tb     testing.TB
	http   *http.Client
	header http.Header // of each request
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r *reply) into(tb testing.TB, v any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		tb.Fatalf("%d %s: %v", r.status, r.body, err)
	}
}

// nobody is a browser that has not signed in.
func (p *place) nobody() *caller {
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.tb.Fatal(err)
	}
	return &caller{tb: p.tb, http: &http.Client{Transport: p.network, Jar: jar}, header: http.Header{"Origin": {serviceAt}}}
}

// browser signs a person in with the page of the stand-in.
func (p *place) browser(who person) *caller {
	p.tb.Helper()
	c := p.nobody()
	page := c.visit(serviceAt + "/auth/login")
	got := c.submit(page.Request.URL.String(), who)
	if got.status != http.StatusOK {
		p.tb.Fatalf("sign-in: %d %s", got.status, got.body)
	}
	c.refresh()
	return c
}

// refresh takes the token of the page.
func (c *caller) refresh() {
	c.tb.Helper()
	var me struct{ CSRFToken string }
	c.header.Del("X-Csrf-Token") // as a page that is loaded again
	got := c.get("/me")
	got.into(c.tb, &me)
	if me.CSRFToken == "" {
		c.tb.Fatalf("no token in %s", got.body)
	}
	c.header.Set("X-Csrf-Token", me.CSRFToken)
}

func (c *caller) visit(address string) *http.Response {
	c.tb.Helper()
	response, err := c.http.Get(address)
	if err != nil {
		c.tb.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response
}

// submit chooses a person on the sign-in page at address.
func (c *caller) submit(address string, who person) reply {
	c.tb.Helper()
	response, err := c.http.PostForm(address, url.Values{"upn": {who.upn}})
	if err != nil {
		c.tb.Fatal(err)
	}
	return readReply(c.tb, response)
}

// apiToken is a token for the service's own API, as a program gets it from Entra for its user.
func (s *standIn) apiToken(who person) (string, error) {
	return s.signed(who, map[string]any{"scp": s.scope})
}

// program calls with a bearer token for a person.
func (p *place) program(who person) *caller {
	p.tb.Helper()
	token, err := p.entra.apiToken(who)
	if err != nil {
		p.tb.Fatal(err)
	}
	return &caller{tb: p.tb, http: &http.Client{Transport: p.network}, header: http.Header{"Authorization": {"Bearer " + token}}}
}

func (c *caller) get(path string) reply { return c.send(http.MethodGet, path, "", nil) }

func (c *caller) post(path, body string) reply { return c.send(http.MethodPost, path, body, nil) }

// ask posts a session.
func (c *caller) ask(device intune.DeviceRef, key string) reply {
	return c.send(http.MethodPost, "/sessions", `{"device":"`+device.DeviceID()+`"}`, http.Header{"Idempotency-Key": {key}})
}

func (c *caller) send(method, path, body string, header http.Header) reply {
	c.tb.Helper()
	response, err := c.http.Do(c.request(c.tb.Context(), method, path, body, header))
	if err != nil {
		c.tb.Fatal(err)
	}
	return readReply(c.tb, response)
}

func (c *caller) request(ctx context.Context, method, path, body string, header http.Header) *http.Request {
	c.tb.Helper()
	request, err := http.NewRequestWithContext(ctx, method, serviceAt+path, strings.NewReader(body))
	if err != nil {
		c.tb.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for _, set := range []http.Header{c.header, header} {
		for name, values := range set {
			request.Header[name] = values
			if len(values) == 1 && values[0] == "" {
				request.Header.Del(name)
			}
		}
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	return request
}

func readReply(tb testing.TB, response *http.Response) reply {
	tb.Helper()
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		tb.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(text)}
}

// session reads one.
func (c *caller) session(id string) sessionView {
	c.tb.Helper()
	got := c.get("/sessions/" + id)
	var view sessionView
	got.into(c.tb, &view)
	return view
}

// begin asks and expects that the user was asked.
func (c *caller) begin(device intune.DeviceRef, key string) sessionView {
	c.tb.Helper()
	got := c.ask(device, key)
	if got.status != http.StatusCreated {
		c.tb.Fatalf("POST /sessions: %d %s", got.status, got.body)
	}
	var view sessionView
	got.into(c.tb, &view)
	return view
}

// refused expects a problem of a kind.
func (c *caller) refused(got reply, want kind) problemBody {
	c.tb.Helper()
	var body problemBody
	if kind := got.header.Get("Content-Type"); kind != "application/problem+json" {
		c.tb.Fatalf("content type %q, status %d, body %s", kind, got.status, got.body)
	}
	got.into(c.tb, &body)
	if body.Type != "/problems/"+want.name {
		c.tb.Fatalf("got %d %s, want %s", got.status, got.body, want.name)
	}
	if got.status != want.status || body.Status != want.status {
		c.tb.Fatalf("%s: status %d, and %d in the body, want %d", want.name, got.status, body.Status, want.status)
	}
	if body.RequestID == "" || body.RequestID != got.header.Get("X-Request-Id") {
		c.tb.Errorf("request id %q in the body, %q in the header", body.RequestID, got.header.Get("X-Request-Id"))
	}
	return body
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
