package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// running is the program with a real listener.
type running struct {
	root, page, ca string
	announcement   string // what it says to people
	client         *http.Client
	stop           func()
}

// startServer runs the program until the test ends.
func startServer(t *testing.T, args ...string) running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, line := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"-addr", ":0"}, args...), line, &stderr)
		line.Close()
	}()
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatalf("it ended with %d: %s", <-ended, stderr.String())
	}
	ready := lines.Text()
	stop := sync.OnceFunc(func() {
		cancel()
		if lines.Scan() {
			t.Errorf("a second line: %s", lines.Text())
		}
		if code := <-ended; code != exitDone {
			t.Errorf("exit code %d: %s", code, stderr.String())
		}
	})
	t.Cleanup(stop)
	rest, ca, _ := strings.Cut(ready, " ca ")
	words := strings.Fields(rest)
	if len(words) != 4 {
		t.Fatalf("the line has %d words before the certificate: %q", len(words), ready)
	}
	if names := words[0] + " " + words[2]; names != "ready page" {
		t.Fatalf("the line names %q: %q", names, ready)
	}
	// Nothing else is written there before the first request.
	s := running{root: words[1], page: words[3], ca: ca, announcement: stderr.String(), client: &http.Client{}, stop: stop}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			t.Fatalf("%s holds no certificate", ca)
		}
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
		t.Cleanup(transport.CloseIdleConnections) // runs before the server ends
		s.client.Transport = transport
	}
	return s
}

// answer is an answer with its body read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s running) send(t *testing.T, method, path, body string, change ...func(*http.Request)) answer {
	t.Helper()
	a, err := s.try(t, method, path, body, change...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (s running) try(t *testing.T, method, path, body string, change ...func(*http.Request)) (answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.root+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret-token")
	req.Header.Set("Content-Type", "application/json")
	for _, f := range change {
		f(req)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text)}, err
}

func header(name, value string) func(*http.Request) {
	return func(req *http.Request) { req.Header.Set(name, value) }
}

func (s running) state(t *testing.T) state {
	t.Helper()
	var got state
	if a := s.send(t, http.MethodGet, "/_tenant/state", ""); json.Unmarshal([]byte(a.body), &got) != nil || a.status != http.StatusOK {
		t.Fatalf("state: %d %s", a.status, a.body)
	}
	return got
}

// contains looks for parts of a text.
func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s: %q is missing from %.500q", what, part, text)
		}
	}
}

// file writes a file of the test's own.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	laptop = "2f1c6a8e-5d3b-4c7f-9a10-6b2e8d4f0c11"
	kiosk  = "c3d4e5f6-0718-4293-a4b5-c6d7e8f90a1b"

	devicesPath = "/v1.0/deviceManagement/managedDevices"
)
