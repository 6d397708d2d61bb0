package journalfile_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// crashChild is the program of these tests, which the test binary becomes when the variable of this name is set: it opens
// sessions on devices as the example does, on a tenant that the parent serves, and is killed.
type crashChild struct {
	URL     string
	Root    []byte // the server's certificate
	Journal string
	Devices []intune.DeviceRef
	Crash   crashPoint
}

const (
	crashVariable    = "INTUNE_TEST_CRASH_CHILD"
	crashChildFailed = 3 // its exit code, which is not that of a process that was killed or panicked
)

// crashPoint is where the program kills itself.
type crashPoint struct {
	At     string // "" nowhere
	Entry  string // the method whose entry is written there, "" where none is
	Device intune.DeviceRef
}

// The points between any two system calls that matter.
const (
	beforeWrite = "before a write to the journal"
	inWrite     = "in a write to the journal"
	nearlyWrote = "in a write to the journal, all but the line break"
	afterWrite  = "after a write to the journal, before Sync"
	afterSync   = "after Sync"
	beforePost  = "before the request"
	afterPost   = "after the request was written"
	afterAnswer = "after the answer"
)

// The methods of a journal.
const (
	asking = "Asking"
	asked  = "Asked"
	ended  = "Ended"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(crashVariable); text != "" {
		var child crashChild
		err := json.Unmarshal([]byte(text), &child)
		if err == nil {
			err = child.run()
		}
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(crashChildFailed)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func (c *crashChild) run() error {
	certificate, err := x509.ParseCertificate(c.Root)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	file, err := os.OpenFile(c.Journal, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	crash := crasher{at: c.Crash}
	options := &intune.ClientOptions{Journal: journalfile.New(&crashFile{File: file, crash: crash}, nil)}
	options.Cloud = graphtest.Cloud(intune.ServiceGraph, c.URL)
	inner := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	options.Transport = &http.Client{Transport: impatient{func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet {
			return inner.RoundTrip(req)
		}
		crash.passes(beforePost, "", req.URL.Path)
		wrote := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { crash.passes(afterPost, "", req.URL.Path) }}
		resp, err := inner.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), wrote)))
		crash.passes(afterAnswer, "", req.URL.Path)
		return resp, err
	}}}
	client, err := intune.NewClient(intune.StaticToken("opaque-token"), options)
	if err != nil {
		return err
	}
	fmt.Println("ready") //nolint:forbidigo // the parent reads it
	// A user who was not asked is waited for in vain.
	open := &intune.OpenRemoteAssistanceManyOptions{ConfirmWithin: 20 * time.Millisecond}
	err = openSessions(context.Background(), client, file, c.Devices, open, func(session intune.RemoteAssistanceSession) {
		fmt.Println("shown", session.Device) //nolint:forbidigo // as above
	})
	if errors.Is(err, intune.ErrSessionPending) {
		return nil
	}
	return err
}

// impatient is a transport whose client reads again after a millisecond, as the tenant does in its own process.
type impatient struct{ graphtest.Transport }

func (impatient) LookAgainAfter() time.Duration { return time.Millisecond }

// crasher kills the process at its point.
type crasher struct{ at crashPoint }

// meets reports whether this is the point. A text of the device, such as a line of the journal, holds its address.
func (c crasher) meets(point, entry, device string) bool {
	return point == c.at.At && entry == c.at.Entry && strings.Contains(device, c.at.Device.String())
}

func (c crasher) passes(point, entry, device string) {
	if c.meets(point, entry, device) {
		die()
	}
}

// die is a crash: nothing is flushed, closed or answered any more.
func die() {
	process, err := os.FindProcess(os.Getpid())
	if err == nil {
		_ = process.Kill()
	}
	select {}
}

// crashFile is a journal's file, which is written by one goroutine at a time.
type crashFile struct {
	*os.File

	crash crasher
	line  string // the latest
}

func (f *crashFile) Write(line []byte) (int, error) {
	f.line = string(line)
	f.passes(beforeWrite)
	for point, n := range map[string]int{inWrite: len(line) / 2, nearlyWrote: len(line) - 1} {
		if f.crash.meets(point, methodOf(f.line), f.line) {
			_, _ = f.File.Write(line[:n])
			die()
		}
	}
	n, err := f.File.Write(line)
	f.passes(afterWrite)
	return n, err
}

func (f *crashFile) Sync() error {
	err := f.File.Sync()
	f.passes(afterSync)
	return err
}

func (f *crashFile) passes(point string) { f.crash.passes(point, methodOf(f.line), f.line) }

// methodOf is the method of the journal that writes a line.
func methodOf(line string) string {
	switch {
	case strings.Contains(line, `"outcome":`):
		return asked
	case strings.Contains(line, `"session":`):
		return ended
	default:
		return asking
	}
}

// crashes is a tenant on loopback, with devices, and the journal of a program that crashes.
type crashes struct {
	tenant *intunetest.Tenant
	child  crashChild
	took   time.Duration // the latest run, from when it was ready
}

func newCrashes(tb testing.TB, devices int) *crashes {
	tb.Helper()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	server := graphtest.NewServer(tb, tenant.ServeHTTP, true)
	c := &crashes{tenant: tenant, child: crashChild{URL: server.URL, Root: server.Certificate().Raw}}
	c.start(tb, devices)
	return c
}

// start is a new journal, and devices that were never asked, every second with the link of an earlier session.
func (c *crashes) start(tb testing.TB, devices int) {
	tb.Helper()
	c.child.Journal, c.child.Devices = filepath.Join(tb.TempDir(), "asked.jsonl"), nil
	for i := range devices {
		var left intune.ManagedDevice
		if i%2 == 1 {
			left.RemoteAssistanceSessionURL = intune.NewSessionURL(graphtest.OldLink)
		}
		c.child.Devices = append(c.child.Devices, c.tenant.AddDevice(left, intunetest.SessionScript{AfterReads: 1}))
	}
}

// run starts the program, and kills it so long after it is ready, if that is not negative. It returns which devices'
// sessions were shown, and whether the program was killed.
func (c *crashes) run(tb testing.TB, at crashPoint, kill time.Duration) (shown []string, killed bool) {
	tb.Helper()
	child := c.child
	child.Crash = at
	config, err := json.Marshal(child)
	if err != nil {
		tb.Fatal(err)
	}
	command := exec.CommandContext(tb.Context(), os.Args[0])
	// The race detector waits a second at each exit unless told otherwise.
	command.Env = append(os.Environ(), crashVariable+"="+string(config), "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	var trouble strings.Builder
	command.Stderr = &trouble
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		tb.Fatal(err)
	}
	ready := time.Now()
	for lines := bufio.NewScanner(output); lines.Scan(); {
		switch device, found := strings.CutPrefix(lines.Text(), "shown "); {
		case found:
			shown = append(shown, device)
		default:
			ready = time.Now()
			if kill < 0 {
				continue
			}
			timer := time.AfterFunc(kill, func() { _ = command.Process.Kill() })
			defer timer.Stop()
		}
	}
	err = command.Wait()
	c.took = time.Since(ready)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() != crashChildFailed && exit.ExitCode() != 2 {
		return shown, true
	}
	if err != nil {
		tb.Fatalf("%v: %s", err, trouble.String())
	}
	return shown, false
}

// check judges the end of a run that was whole: nobody was asked twice, and who was asked is named, and has a session.
func (c *crashes) check(tb testing.TB, shown []string) {
	tb.Helper()
	text := readText(tb, c.child.Journal)
	requests, err := intune.JournalRequests(journalfile.Read(strings.NewReader(text)))
	if err != nil {
		tb.Fatalf("error %v in\n%q", err, text)
	}
	for i, device := range c.child.Devices {
		var outcomes []intune.Outcome
		var ends []intune.SessionOutcome
		for _, r := range requests {
			if r.Device() == device {
				outcomes, ends = append(outcomes, r.Outcome()), append(ends, r.Ended.Session)
			}
		}
		prompts := c.tenant.Prompts(device)
		if len(outcomes) == 0 {
			tb.Errorf("device %d is not in the journal\n%q", i, text)
		}
		if prompts > 1 {
			tb.Errorf("device %d: %d prompts; journal\n%q", i, prompts, text)
		}
		outcome, end := intune.OutcomeAccepted, intune.SessionReady
		if prompts == 0 {
			outcome, end = intune.OutcomeUnknown, intune.SessionLeft
		}
		if !slices.Equal(outcomes, []intune.Outcome{outcome}) {
			tb.Errorf("device %d: %d prompts, and the outcomes are %v; journal\n%q", i, prompts, outcomes, text)
		}
		if !slices.Equal(ends, []intune.SessionOutcome{end}) {
			tb.Errorf("device %d: %d prompts, and the ends are %v; journal\n%q", i, prompts, ends, text)
		}
		if was := slices.Contains(shown, device.String()); was != (prompts == 1) {
			tb.Errorf("device %d: %d prompts, shown %v; journal\n%q", i, prompts, was, text)
		}
	}
}

// A program that kills itself at a point that matters, started again, asks nobody twice.
func TestCrashAtAPoint(t *testing.T) {
	t.Parallel()
	const wasAsked, notAsked, perhaps = 1, 0, -1
	for _, c := range []struct {
		at, entry string // the second device's
		prompts   int
	}{
		{beforeWrite, asking, wasAsked}, // by the next run
		{inWrite, asking, wasAsked},
		{nearlyWrote, asking, notAsked},
		{afterWrite, asking, notAsked},
		{afterSync, asking, notAsked},
		{beforePost, "", notAsked},
		{afterPost, "", perhaps},
		{afterAnswer, "", wasAsked},
		{beforeWrite, asked, wasAsked},
		{inWrite, asked, wasAsked},
		{nearlyWrote, asked, wasAsked},
		{afterWrite, asked, wasAsked},
		{afterSync, asked, wasAsked},
		{beforeWrite, ended, wasAsked},
		{inWrite, ended, wasAsked},
		{nearlyWrote, ended, wasAsked},
		{afterWrite, ended, wasAsked},
		{afterSync, ended, wasAsked},
	} {
		t.Run(c.at+" "+c.entry, func(t *testing.T) {
			t.Parallel()
			crashes := newCrashes(t, 3)
			if _, killed := crashes.run(t, crashPoint{c.at, c.entry, crashes.child.Devices[1]}, -1); !killed {
				t.Fatal("it did not crash")
			}
			for range 2 {
				shown, _ := crashes.run(t, crashPoint{}, -1)
				crashes.check(t, shown)
			}
			if n := crashes.tenant.Prompts(crashes.child.Devices[1]); c.prompts != perhaps && n != c.prompts {
				t.Errorf("%d prompts, want %d", n, c.prompts)
			}
		})
	}
}

// The same, killed by its parent at any time, hundreds of times.
func TestCrashAtAnyTime(t *testing.T) {
	t.Parallel()
	const least = max(2, 20/graphtest.Smaller)
	kills, budget := 300, 5*time.Second
	if testing.Short() {
		kills = least
	}
	crashes := newCrashes(t, 3)
	start := time.Now()
	_, _ = crashes.run(t, crashPoint{}, -1)
	whole := crashes.took
	done, starts := 0, 0
	for done < kills && (done < least || time.Since(start) < budget) {
		crashes.start(t, 3)
		for again := range 4 {
			starts++
			if _, killed := crashes.run(t, crashPoint{}, rand.N(whole)); !killed {
				if again == 0 {
					whole = crashes.took // an earlier one met a busy machine
				}
				break
			}
			done++
		}
		shown, _ := crashes.run(t, crashPoint{}, -1)
		crashes.check(t, shown)
		if t.Failed() {
			break
		}
	}
	t.Logf("killed %d of %d runs of %v in %v", done, starts, whole, time.Since(start))
}
