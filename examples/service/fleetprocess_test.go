//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-intune/intune"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// copySettings are what a copy of the service needs to know of the test.
type copySettings struct {
	Public, Entra, Graph, Issuer, Tenant, App, Secret, Scope string
	Database, Schema, Keys                                   string
	Certificate                                              []byte
	Lease                                                    time.Duration

	// Undivided is for copies that die so often that the parts of the dead, of what Intune allows, would leave nothing to the living.
	Undivided bool
}

// hasty is a network whose client reads again soon.
type hasty struct{ *http.Client }

func (hasty) LookAgainAfter() time.Duration { return 60 * time.Millisecond }

// serveAsCopy is one copy of the service, as the program makes it but for its tenant. It dies with the test.
func serveAsCopy() int {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := serveCopy(ctx); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serveCopy(ctx context.Context) error {
	var o copySettings
	if err := json.Unmarshal([]byte(os.Getenv("SERVICE_TEST_COPY")), &o); err != nil {
		return err
	}
	client, err := trusting(o.Certificate)
	if err != nil {
		return err
	}
	public, err := url.Parse(o.Public)
	if err != nil {
		return err
	}
	keys, err := parseKeys(o.Keys)
	if err != nil {
		return err
	}
	graph := cloudAt(o.Entra, o.Graph)
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	s := &settings{
		public: public, issuer: o.Issuer, tenantID: o.Tenant, clientID: o.App, secret: o.Secret, scope: o.Scope, entra: client, keys: keys,
		authority: azcore.ClientOptions{Cloud: graph, Transport: client},
		graph: func() *intune.ClientOptions {
			return &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Cloud: graph, Transport: hasty{client}}}
		},
		maxWait: 10 * time.Minute, maxWaits: 1000, log: log, traces: tracenoop.NewTracerProvider(), meters: metricnoop.NewMeterProvider(),
	}
	if err := s.usePostgres(ctx, &pgFlags{dsn: o.Database, schema: o.Schema, lease: o.Lease}); err != nil {
		return err
	}
	s.asks = 1000
	if o.Undivided {
		s.shared = nil
	}
	service, err := newService(ctx, s)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(os.Stderr, "service: open http://%s \n", listener.Addr())
	return serveUntil(ctx, service, listener, &options{}, log, io.Discard)
}

// process is a copy that runs.
type process struct {
	*exec.Cmd

	at   *url.URL
	log  *syncBuffer
	done chan struct{} // closed when it has ended
}

// startProcess starts a copy and waits until it serves.
func startProcess(tb testing.TB, text []byte) *process {
	tb.Helper()
	p := &process{Cmd: exec.Command(os.Args[0]), log: &syncBuffer{}, done: make(chan struct{})}
	p.Env = append(os.Environ(), "SERVICE_TEST_AS=copy", "SERVICE_TEST_COPY="+string(text))
	p.Stdout = p.log
	_, err := p.StdinPipe() // which ends with this process
	must(tb, err)
	talk, err := p.StderrPipe()
	must(tb, err)
	must(tb, p.Start())
	lines := bufio.NewScanner(talk)
	lines.Scan()
	_, rest, ok := strings.Cut(lines.Text(), "service: open ")
	if !ok {
		tb.Fatalf("the copy said %q", lines.Text())
	}
	at, _, _ := strings.Cut(rest, " ")
	p.at, err = url.Parse(at)
	must(tb, err)
	go func() {
		for lines.Scan() {
			_, _ = p.log.Write([]byte("stderr: " + lines.Text() + "\n"))
		}
		_ = p.Wait()
		close(p.done)
	}()
	return p
}

// end sends a signal after which the copy ends.
func (p *process) end(signal syscall.Signal) {
	_ = p.Process.Signal(signal)
	<-p.done
}

// fleet are the copies behind the proxy.
type fleet struct {
	tb   testing.TB
	text []byte

	mu   sync.Mutex
	runs []*process
	all  []*process
}

func (f *fleet) start() *process {
	p := startProcess(f.tb, f.text)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs, f.all = append(f.runs, p), append(f.all, p)
	return p
}

// leave takes a copy out of the proxy.
func (f *fleet) leave(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, one := range f.runs {
		if one == p {
			f.runs = append(f.runs[:i:i], f.runs[i+1:]...)
			return
		}
	}
}

// pick is the copy that serves a request.
func (f *fleet) pick(n int) *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.runs) == 0 {
		return nil
	}
	return f.runs[n%len(f.runs)]
}
