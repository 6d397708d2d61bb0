//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// copiesPlace is a tenant, a stand-in of Entra, and several copies of the service, each a process, behind a proxy.
type copiesPlace struct {
	tb     testing.TB
	tenant *intunetest.Tenant
	entra  *standIn
	fleet  *fleet
	proxy  string // its address
	roots  *x509.CertPool
	truth  *pgStore // what the database says; it holds nothing

	mu      sync.Mutex
	prompts map[string][]prompt // by device, those that were accepted in their order
}

func newCopiesPlace(tb testing.TB, people []person, undivided bool) *copiesPlace {
	tb.Helper()
	pg := newPGPlace(tb)
	c := &copiesPlace{
		tb: tb, tenant: intunetest.NewTenant(&intunetest.TenantOptions{KeepRequests: -1}), prompts: map[string][]prompt{},
		roots: x509.NewCertPool(), fleet: &fleet{tb: tb},
	}
	serve := func(h http.HandlerFunc, secure bool) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections break on purpose
		if secure {
			server.StartTLS()
			c.roots.AddCert(server.Certificate())
		} else {
			server.Start()
		}
		tb.Cleanup(server.Close)
		return server
	}
	graph := serve(c.graph, true)
	c.proxy = serve(c.pass, false).URL
	var handler atomic.Pointer[http.Handler]
	login := serve(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }, true)
	c.entra = newStandIn(login.URL, c.proxy+"/auth/callback", c.tenant, people, testKey())
	c.entra.again = true // a copy may die between Entra's answer and its row
	handler.Store(new(c.entra.handler()))
	lease := 1500 * time.Millisecond
	var err error
	c.fleet.text, err = json.Marshal(copySettings{
		Public: c.proxy, Entra: login.URL, Graph: graph.URL, Issuer: c.entra.issuer(), Tenant: c.entra.tenantID, App: c.entra.clientID,
		Secret: c.entra.secret, Scope: c.entra.scope, Certificate: graph.Certificate().Raw,
		Database: pg.dsn, Schema: pg.schema, Keys: keyLine(1), Lease: lease, Undivided: undivided,
	})
	must(tb, err)
	at, err := url.Parse(graph.URL)
	must(tb, err)
	c.truth = pg.copy(func(o *pgOptions) { o.scope = at.Host + "/" + c.entra.tenantID })
	tb.Cleanup(func() {
		for _, p := range c.fleet.all {
			_ = p.Process.Kill()
			<-p.done
		}
	})
	return c
}

// prompt is a request that was accepted.
type prompt struct {
	clientRequestID string
	at              time.Time
}

// graph notes each prompt with the client-request-id that it came for.
func (c *copiesPlace) graph(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, actionSuffix) {
		c.tenant.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	c.mu.Lock()
	c.tenant.ServeHTTP(answer, r)
	if answer.Code == http.StatusNoContent {
		device := path.Base(path.Dir(r.URL.Path))
		c.prompts[device] = append(c.prompts[device], prompt{r.Header.Get("Client-Request-Id"), time.Now()})
	}
	c.mu.Unlock()
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// promptLink is the link of the n-th prompt of a device.
func promptLink(device intune.DeviceRef, n int) string {
	return fmt.Sprintf("https://get.teamviewer.com/%s-%d", device.DeviceID(), n)
}

// add is a device whose prompts are answered after a while.
func (c *copiesPlace) add(after func() time.Duration) intune.DeviceRef {
	device := intune.Device(rand32())
	scripts := make([]intunetest.SessionScript, 20)
	for i := range scripts {
		scripts[i] = intunetest.SessionScript{URL: promptLink(device, i), After: after()}
	}
	return c.tenant.AddDevice(intune.ManagedDevice{ID: device.DeviceID(), DeviceName: "LT"}, scripts...)
}

func rand32() string {
	text := fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())
	return text[:8] + "-" + text[8:12] + "-4" + text[13:16] + "-a" + text[17:20] + "-" + text[20:]
}

// passes is the network of the proxy. It goes to another copy when one does not take the connection.
type passes struct {
	fleet *fleet
	http.RoundTripper
}

func (p *passes) RoundTrip(r *http.Request) (*http.Response, error) {
	n := rand.IntN(1 << 20)
	for range 4 {
		to := p.fleet.pick(n)
		n++
		if to == nil {
			continue
		}
		r.URL.Scheme, r.URL.Host = "http", to.at.Host
		response, err := p.RoundTripper.RoundTrip(r)
		if refused, ok := errors.AsType[*net.OpError](err); ok && refused.Op == "dial" {
			continue
		}
		return response, err
	}
	return nil, errors.New("no copy takes the connection")
}

func (c *copiesPlace) pass(w http.ResponseWriter, r *http.Request) {
	(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host }, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
		Transport: &passes{c.fleet, &http.Transport{DisableKeepAlives: true, ResponseHeaderTimeout: 3 * time.Second}},
	}).ServeHTTP(w, r)
}

// workplace is the browser of a technician who has signed in once.
type workplace struct {
	c    *copiesPlace
	who  person
	http *http.Client
	csrf string
	last string // event of the stream

	mu    sync.Mutex
	shown map[string]sessionView // on the page, by session
	since time.Time              // connected without a break; zero if not
}

func (c *copiesPlace) signIn(who person) *workplace {
	c.tb.Helper()
	jar, err := cookiejar.New(nil)
	must(c.tb, err)
	d := &workplace{c: c, who: who, shown: map[string]sessionView{}, http: &http.Client{Jar: jar, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 16,
	}}}
	page, err := d.http.Get(c.proxy + "/auth/login")
	must(c.tb, err)
	_ = page.Body.Close()
	response, err := d.http.PostForm(page.Request.URL.String(), url.Values{"upn": {who.upn}})
	must(c.tb, err)
	_ = response.Body.Close()
	var me struct{ CSRFToken string }
	if status := d.send(c.tb.Context(), http.MethodGet, "/me", "", "", &me); status != http.StatusOK || me.CSRFToken == "" {
		c.tb.Fatalf("%s is not signed in: %d", who.name, status)
	}
	d.csrf = me.CSRFToken
	return d
}

// send sends a request and reads the answer. 0 is no answer.
func (d *workplace) send(ctx context.Context, method, path, device, key string, into any) int {
	body := []byte(nil)
	if device != "" {
		body = []byte(`{"device":"` + device + `"}`)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, d.c.proxy+path, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header = http.Header{"Origin": {d.c.proxy}, "X-Csrf-Token": {d.csrf}, "Content-Type": {"application/json"}}
	if d.csrf == "" {
		r.Header.Del("X-Csrf-Token")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := d.http.Do(r)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0
	}
	if response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden {
		d.c.tb.Errorf("%s %s as %s: %d %s", method, path, d.who.name, response.StatusCode, text)
	}
	if response.StatusCode < 300 && into != nil && json.Unmarshal(text, into) != nil {
		return 0
	}
	return response.StatusCode
}

// follow keeps the page of a technician until ctx ends: one stream of all sessions, which connects again as a browser does.
func (d *workplace) follow(ctx context.Context) {
	for ctx.Err() == nil {
		d.stream(ctx)
		d.mu.Lock()
		d.since = time.Time{}
		d.mu.Unlock()
		idle(ctx, 200*time.Millisecond)
	}
}

func (d *workplace) stream(ctx context.Context) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.c.proxy+"/events", nil)
	if err != nil {
		return
	}
	if d.last != "" {
		r.Header.Set("Last-Event-ID", d.last)
	}
	response, err := d.http.Do(r)
	if err != nil {
		return
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		var view sessionView
		switch {
		case response.StatusCode != http.StatusOK:
			return
		case name == "id":
			d.last = value
		case name == "data" && json.Unmarshal([]byte(value), &view) != nil:
			return
		}
		d.mu.Lock()
		if d.since.IsZero() {
			d.since = time.Now()
		}
		if view.ID != "" && view.Number >= d.shown[view.ID].Number {
			d.shown[view.ID] = view
		}
		d.mu.Unlock()
	}
}

// shows is what the page says of a session, and since when it is connected; zero if it is not.
func (d *workplace) shows(id string) (now state, since time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shown[id].State, d.since
}

// idle lets time pass.
func idle(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// logOf is what the copies have logged about a session.
func (f *fleet) logOf(id string) (lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, p := range f.all {
		for line := range strings.SplitSeq(p.log.String(), "\n") {
			if strings.Contains(line, id) && !strings.Contains(line, `"route"`) {
				lines = append(lines, fmt.Sprint(i, ": ", line))
			}
		}
	}
	return lines
}

// linesOf are the log lines about the end of waits, by session.
func (f *fleet) linesOf(outcome state) map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := map[string]int{}
	for _, p := range f.all {
		for line := range strings.SplitSeq(p.log.String(), "\n") {
			var entry struct{ Msg, Session, State string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "session" && entry.State == string(outcome) {
				n[entry.Session]++
			}
		}
	}
	return n
}
