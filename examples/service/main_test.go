package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the program, so that signals and exit codes are the real ones.
func TestMain(m *testing.M) {
	switch os.Getenv("SERVICE_TEST_AS") {
	case "service":
		os.Exit(start())
	case "load":
		os.Exit(serveForLoad())
	case "copy":
		os.Exit(serveAsCopy())
	}
	code := m.Run()
	stopPostgres()
	// Only a run of all tests can have seen all answers.
	if missing := theOpenAPI().notSeen(); code == 0 && isWholeSuite() && len(missing) > 0 {
		fmt.Fprintf(os.Stderr, "answers in openapi.yaml that no test brings about:\n%s\n", strings.Join(missing, "\n"))
		code = 1
	}
	os.Exit(code)
}

// isWholeSuite says that no flag leaves tests out.
func isWholeSuite() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

// program is the service as a process of its own.
type program struct {
	*exec.Cmd
	at      string // its address in the browser
	listens string // the address that it listens on
	log     *syncBuffer
}

// launch starts the test binary as the program and waits for its address.
func launch(tb testing.TB, as string, env []string, args ...string) *program {
	tb.Helper()
	p := &program{Cmd: exec.CommandContext(tb.Context(), os.Args[0], args...), log: &syncBuffer{}}
	p.Env = append(os.Environ(), "SERVICE_TEST_AS="+as)
	p.Env = append(p.Env, env...)
	p.Stdout = p.log
	p.Cancel = func() error { return p.Process.Kill() }
	talk, err := p.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.Start(); err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewScanner(talk)
	if !lines.Scan() {
		tb.Fatal("the program said nothing")
	}
	_, rest, ok := strings.Cut(lines.Text(), "service: open ")
	if !ok {
		tb.Fatalf("the program said %q", lines.Text())
	}
	p.at, rest, _ = strings.Cut(rest, " (listening on ")
	p.at = strings.TrimSpace(p.at)
	p.listens, _, _ = strings.Cut(rest, ";")
	go func() { _, _ = io.Copy(io.Discard, talk) }()
	return p
}

func TestDemoThroughTheBinary(t *testing.T) {
	t.Parallel()
	p := launch(t, "service", nil, "-demo", "-listen", "127.0.0.1:0")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: time.Minute}
	response, err := client.Get(p.at + "/auth/login")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	response, err = client.PostForm(response.Request.URL.String(), url.Values{"upn": {"dana.cole@contoso.com"}})
	if err != nil {
		t.Fatal(err)
	}
	page := readReply(t, response)
	if page.status != http.StatusOK || !strings.Contains(page.body, "Remote assistance") {
		t.Fatalf("%d %s", page.status, page.body)
	}
	response, err = client.Get(p.at + "/devices?q=LT-4F7K2")
	if err != nil {
		t.Fatal(err)
	}
	if got := readReply(t, response); got.status != http.StatusOK || !strings.Contains(got.body, "Anna Berg") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	if log := p.log.String(); !strings.Contains(log, `"route":"/devices"`) || strings.Contains(log, "LT-4F7K2") {
		t.Errorf("log: %s", log)
	}
}

const anyTenant = "6b8f1f6c-3f0e-4d4b-9a39-1d8c5f7e2a10"

func TestFlagsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	app := map[string]string{"AZURE_TENANT_ID": anyTenant, "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s3cr3t"}
	for want, test := range map[string]struct {
		args []string
		env  map[string]string
	}{
		"-journal should":        {[]string{"-public", "https://a.example"}, app},
		"AZURE_TENANT_ID":        {[]string{"-journal", "j", "-public", "https://a.example"}, nil},
		"-public should":         {[]string{"-journal", "j"}, app},
		"https://host":           {[]string{"-journal", "j", "-public", "http://a.example"}, app},
		"a path of letters":      {[]string{"-journal", "j", "-public", "https://a.example/x/../y"}, app},
		"other letters in the":   {[]string{"-journal", "j", "-public", "https://\u00e4ssist.example"}, app},
		"https://host:port":      {[]string{"-journal", "j", "-public", "https://a.example:"}, app},
		"with a path of letters": {[]string{"-journal", "j", "-public", "https://a.example?"}, app},
		"should be the tenant's": {
			[]string{"-journal", "j", "-public", "https://a.example"},
			map[string]string{"AZURE_TENANT_ID": "contoso.com", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s3cr3t"},
		},
		"-database: cannot be read": {[]string{
			"-migrate", "-database", "host=h password = 's3cr3t x", "-public", "https://a.example",
		}, app},
		"-journal-max-size should be 0 to": {[]string{"-demo", "-journal-max-size", "99999999999999999"}, nil},
		"-demo signs anybody in":           {[]string{"-demo", "-listen", "0.0.0.0:0"}, nil},
		"-demo signs":                      {[]string{"-demo", "-public", "https://a.example", "-listen", ":0"}, nil},
		"-metrics should":                  {[]string{"-demo", "-metrics", "9090"}, nil},
		"-trusted-proxy should":            {[]string{"-demo", "-trusted-proxy", "10.0.0.0/8,proxy"}, nil},
		"-proxy-header should":             {[]string{"-demo", "-proxy-header", "X-Real-IP"}, nil},
		"-reference-pattern":               {[]string{"-demo", "-reference-pattern", "("}, nil},
		"invalid value \"loud\"":           {[]string{"-demo", "-log-level", "loud"}, nil},
		"CLIENT_SECRET_FILE are": {
			[]string{"-journal", "j"}, map[string]string{"AZURE_CLIENT_SECRET": "s3cr3t", "AZURE_CLIENT_SECRET_FILE": "f"},
		},
		"SECRET_FILE: open no-such": {
			[]string{"-journal", "j"}, map[string]string{"AZURE_CLIENT_SECRET_FILE": "no-such"},
		},
		"-listen should":         {[]string{"-demo", "-listen", "8080"}, nil},
		"-tls-cert and -tls-key": {[]string{"-demo", "-tls-cert", "c"}, nil},
		"no-such-cert.pem": {
			[]string{"-journal", "j", "-public", "https://a.example", "-tls-cert", "no-such-cert.pem", "-tls-key", "k"}, app,
		},
		"-keys-file: open no-such":  {[]string{"-demo", "-keys-file", "no-such"}, nil},
		"-max-wait should":          {[]string{"-demo", "-max-wait", "1ms"}, nil},
		"-journal-max-size should":  {[]string{"-demo", "-journal-max-size", "-1"}, nil},
		"-max-waits should":         {[]string{"-demo", "-max-waits", "0"}, nil},
		`"extra" is not a flag`:     {[]string{"-demo", "extra"}, nil},
		"flag provided but not def": {[]string{"-demon"}, nil},
	} {
		var out, talk strings.Builder
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // a service that starts all the same ends at once
		code := run(ctx, test.args, func(name string) string { return test.env[name] }, &out, &talk)
		if code != 2 || !strings.Contains(talk.String(), want) {
			t.Errorf("%v: code %d, want 2 and %q: %s", test.args, code, want, talk.String())
		}
		if strings.Contains(talk.String(), "s3cr3t") {
			t.Errorf("%v: the secret is in %s", test.args, talk.String())
		}
	}
	var talk strings.Builder
	code := run(t.Context(), []string{"-h"}, func(string) string { return "" }, io.Discard, &talk)
	if code != 0 || !strings.Contains(talk.String(), "service -demo") {
		t.Errorf("-h: %d %s", code, talk.String())
	}
}

// The address is compared with the header Host, which browsers write in one form.
func TestPublicAddress(t *testing.T) {
	t.Parallel()
	app := map[string]string{"AZURE_TENANT_ID": anyTenant, "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
	for public, want := range map[string]string{
		"https://Assist.Example":      "assist.example",
		"https://assist.example:443":  "assist.example",
		"https://assist.example:8443": "assist.example:8443",
		"https://[::1]:443":           "[::1]",
		"http://localhost:80":         "localhost",
		"http://127.0.0.1:443":        "127.0.0.1:443",
	} {
		o, err := readOptions([]string{"-journal", "j", "-public", public}, func(name string) string { return app[name] }, io.Discard)
		if err != nil || o.public.Host != want {
			t.Errorf("%s: %v, %v", public, o, err)
		}
	}
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	p := launch(t, "service", nil, "-demo", "-listen", "127.0.0.1:0")
	defer func() { _ = p.Cancel() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	second := exec.CommandContext(ctx, os.Args[0], "-demo", "-listen", strings.TrimPrefix(p.at, "http://"))
	second.Env = append(os.Environ(), "SERVICE_TEST_AS=service")
	talk, err := second.CombinedOutput()
	if code := second.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1: %v", code, err)
	}
	if !strings.Contains(string(talk), "-listen") {
		t.Errorf("the flag -listen is not named: %s", talk)
	}
}
