package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The demo behind a proxy that speaks TLS and gives the service a part of its addresses.
func TestDemoBehindAProxy(t *testing.T) {
	t.Parallel()
	var target atomic.Pointer[url.URL]
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target.Load())
		r.Out.Host = r.In.Host
		r.Out.Header.Set("X-Forwarded-For", "198.51.100.7")
	}})
	defer proxy.Close()
	p := launch(t, "service", nil, "-demo", "-listen", "127.0.0.1:0", "-public", proxy.URL+"/assist/", "-trusted-proxy", "127.0.0.0/8")
	defer func() { _ = p.Cancel() }()
	if p.at != proxy.URL+"/assist" {
		t.Errorf("the service says it is at %s", p.at)
	}
	target.Store(&url.URL{Scheme: "http", Host: p.listens})

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := proxy.Client()
	client.Jar, client.Timeout = jar, time.Minute
	page := signInToDemo(t, client, p.at)
	if page.Request.URL.String() != p.at+"/" {
		t.Fatalf("the sign-in ended at %s", page.Request.URL)
	}
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src "+p.at+"/;") {
		t.Errorf("the policy trusts the rest of the host: %s", policy)
	}
	for _, cookie := range jar.Cookies(page.Request.URL) {
		if !strings.HasPrefix(cookie.Name, "__Secure-") {
			t.Errorf("cookie %s", cookie.Name)
		}
	}
	if root, err := url.Parse(proxy.URL + "/another"); err != nil || len(jar.Cookies(root)) != 0 {
		t.Errorf("the rest of the host gets cookies: %v, %v", jar.Cookies(root), err)
	}

	get := func(address string) reply {
		response, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		return readReply(t, response)
	}
	for _, file := range []string{"/page.js", "/page.css", "/openapi.yaml", "/me", "/readyz"} {
		if got := get(p.at + file); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", file, got.status, got.body)
		}
	}
	for _, other := range []string{"/me", "/assistant/me", "/assist//me", "/assist/../me", "/", "/%61ssist/me/"} {
		if got := get(proxy.URL + other); got.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", other, got.status, got.body)
		}
	}
	if got := get(p.at + "/sessions/none"); !strings.Contains(got.body, `"type":"/assist/problems/not-found"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := get(p.at); got.status != http.StatusOK {
		t.Errorf("without the slash at the end: %d %s", got.status, got.body)
	}

	var me meView
	got := get(p.at + "/me")
	got.into(t, &me)
	var found struct{ Devices []deviceView }
	got = get(p.at + "/devices?q=LT-4F7K2")
	got.into(t, &found)
	body := strings.NewReader(`{"device":"` + found.Devices[0].ID + `"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.at+"/sessions", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{
		"Origin": {proxy.URL}, "X-Csrf-Token": {me.CSRFToken}, "Content-Type": {"application/json"}, "Idempotency-Key": {anyKey},
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	asked := readReply(t, response)
	if at := asked.header.Get("Location"); asked.status != http.StatusCreated || !strings.HasPrefix(at, "/assist/sessions/") {
		t.Errorf("%d, Location %q: %s", asked.status, at, asked.body)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	if log := p.log.String(); !strings.Contains(log, `"client":"198.51.100.7"`) || !strings.Contains(log, `"route":"/sessions"`) {
		t.Errorf("log: %s", log)
	}
}

// signInToDemo signs Dana in with the made-up page.
func signInToDemo(t *testing.T, client *http.Client, at string) *http.Response {
	t.Helper()
	page, err := client.Get(at + "/auth/login")
	if err != nil {
		t.Fatal(err)
	}
	_ = page.Body.Close()
	if !strings.HasPrefix(page.Request.URL.String(), at+"/stand-in/") {
		t.Fatalf("the sign-in page is at %s", page.Request.URL)
	}
	response, err := client.PostForm(page.Request.URL.String(), url.Values{"upn": {"dana.cole@contoso.com"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := readReply(t, response); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return response
}

func TestDemoSpeaksTLS(t *testing.T) {
	t.Parallel()
	from := httptest.NewTLSServer(nil) // which brings a certificate for 127.0.0.1
	defer from.Close()
	folder := t.TempDir()
	certFile, keyFile := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	key, err := x509.MarshalPKCS8PrivateKey(from.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: from.Certificate().Raw}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := launch(t, "service", nil, "-demo", "-listen", "127.0.0.1:0", "-tls-cert", certFile, "-tls-key", keyFile)
	defer func() { _ = p.Cancel() }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := from.Client()
	client.Jar, client.Timeout = jar, time.Minute
	page := signInToDemo(t, client, p.at)
	if page.TLS == nil || page.TLS.Version < tls.VersionTLS12 {
		t.Errorf("TLS: %+v", page.TLS)
	}
	if got := page.Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("a browser would ask for TLS on all of this machine: %s", got)
	}
}
