package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// binary is the tool as users have it.
var binary string

func TestMain(m *testing.M) { os.Exit(withBinary(m)) }

func withBinary(m *testing.M) int {
	// A child ignores what its parent does, as this process under nohup or as a job of a shell, but not what its parent handles.
	for _, stop := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(stop) {
			signal.Notify(make(chan os.Signal, 1), stop)
		}
	}
	folder, err := os.MkdirTemp("", "helpdesk")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "helpdesk")
	build := exec.Command("go", "build", "-ldflags", "-X main.lookAgainAfter="+lookAgain.String(), "-o", binary, ".")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// desk is a technician's machine, with a tenant behind a loopback address.
type desk struct {
	t      *testing.T
	tenant *intunetest.Tenant
	folder string
	env    map[string]string
	reads  chan struct{} // gets a value, if somebody waits, for each read of a session
	asked  chan struct{} // gets a value, if somebody waits, for each request for assistance

	around atomic.Pointer[around] // the tool's requests do not tell the race detector what came before them
}

// around stands in the way of each request for assistance.
type around func(w http.ResponseWriter, r *http.Request, serve func())

func (d *desk) intercept(f around) { d.around.Store(&f) }

func newDesk(t *testing.T, tenant *intunetest.Tenant) *desk {
	t.Helper()
	d := &desk{t: t, tenant: tenant, folder: t.TempDir(), reads: make(chan struct{}), asked: make(chan struct{})}
	tell := func(to chan struct{}) {
		select {
		case to <- struct{}{}:
		default:
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/requestRemoteAssistance") {
			defer tell(d.asked)
		} else if strings.Contains(r.URL.RawQuery, "remoteAssistanceSessionUrl") {
			defer tell(d.reads)
		}
		serve := func() { tenant.ServeHTTP(w, r) }
		if f := d.around.Load(); f != nil && r.Method == http.MethodPost {
			(*f)(w, r, serve)
			return
		}
		serve()
	}))
	t.Cleanup(server.Close)
	d.env = map[string]string{
		"DISPLAY": ":0", // there is a screen
		"HOME":    d.folder, "PATH": filepath.Join(d.folder, "bin"), "TERM": "xterm", "TMPDIR": d.folder,
		"XDG_STATE_HOME": filepath.Join(d.folder, "state"), "XDG_CONFIG_HOME": filepath.Join(d.folder, "config"),
		"XDG_CACHE_HOME":      filepath.Join(d.folder, "cache"),
		"HELPDESK_TEST_GRAPH": server.URL,
	}
	d.as(tenant.Credential())
	return d
}

// as makes the tool speak for another caller.
func (d *desk) as(credential azcore.TokenCredential) {
	d.t.Helper()
	token, err := credential.GetToken(d.t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}})
	if err != nil {
		d.t.Fatal(err)
	}
	d.env["HELPDESK_TEST_TOKEN"] = token.Token
}

// command is the tool with arguments, not started yet.
func (d *desk) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(d.t.Context(), 2*patience)
	d.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = d.folder
	cmd.Env = []string{}
	for name, value := range d.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// outcome is what a run of the tool left.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs the tool in a pipe.
func (d *desk) run(args ...string) outcome {
	d.t.Helper()
	return d.start(args...).wait()
}

// running is the tool while it runs in a pipe.
type running struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
}

func (d *desk) start(args ...string) *running {
	d.t.Helper()
	return d.startWith("", args...)
}

func (d *desk) startWith(input string, args ...string) *running {
	d.t.Helper()
	return d.startCommand(d.command(args...), nil, input)
}

// startCommand starts a command. Its standard output is kept if stdout is nil.
func (d *desk) startCommand(cmd *exec.Cmd, stdout io.Writer, input string) *running {
	d.t.Helper()
	r := &running{t: d.t, cmd: cmd}
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = strings.NewReader(input), &r.stdout, &r.stderr
	if stdout != nil {
		r.cmd.Stdout = stdout
	}
	if err := r.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	return r
}

func (r *running) wait() outcome {
	r.t.Helper()
	err := r.cmd.Wait()
	if r.cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	return outcome{code: r.cmd.ProcessState.ExitCode(), stdout: r.stdout.String(), stderr: r.stderr.String()}
}

func (r *running) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// comes waits for a value.
func comes(t *testing.T, what string, from <-chan struct{}) {
	t.Helper()
	select {
	case <-from:
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
	}
}

// wants compares the exit code and looks for parts of both outputs. No parts of stdout mean that there must be none.
func (o outcome) wants(t *testing.T, code int, stdout, stderr []string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d", o.code, code)
	}
	if len(stdout) == 0 && o.stdout != "" {
		t.Errorf("unexpected on stdout:\n%s", o.stdout)
	}
	for _, c := range []struct {
		name, got string
		want      []string
	}{{"stdout", o.stdout, stdout}, {"stderr", o.stderr, stderr}} {
		for _, part := range c.want {
			if !strings.Contains(c.got, part) {
				t.Errorf("%q is missing from %s:\n%s", part, c.name, c.got)
			}
		}
	}
	if t.Failed() {
		t.Logf("stderr:\n%s", o.stderr)
	}
}

// decode compares the exit code and reads stdout as JSON.
func (o outcome) decode(t *testing.T, code int, into any) {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code %d, want %d; stderr:\n%s", o.code, code, o.stderr)
	}
	if err := json.Unmarshal([]byte(o.stdout), into); err != nil {
		t.Fatalf("%v:\n%s", err, o.stdout)
	}
}

// program puts a shell script on the path of the tool; it keeps its arguments and its input.
func (d *desk) program(name string) (arguments, input func() string) {
	d.t.Helper()
	folder := filepath.Join(d.folder, "bin")
	at := filepath.Join(folder, name)
	script := "#!/bin/sh\nPATH=/usr/bin:/bin\nprintf %s \"$*\" > " + at + ".args\ncat > " + at + ".input\necho END >> " + at + ".input\n"
	if err := os.MkdirAll(folder, 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(script), 0o700); err != nil {
		d.t.Fatal(err)
	}
	read := func(suffix string) func() string {
		return func() string {
			content, _ := os.ReadFile(at + suffix)
			return string(content)
		}
	}
	return read(".args"), read(".input")
}

// journal is what the tool has written down, the notes included.
func (d *desk) journal() string {
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(d.folder, "state", folderName, "*"))
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			d.t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

const (
	annasOld   = "00000000-0000-4000-8000-000000000001"
	annasNew   = "00000000-0000-4000-8000-000000000002"
	annasPhone = "00000000-0000-4000-8000-000000000003"
	link       = "https://get.teamviewer.com/v15/s1?access=SECRET"
)

// lookAgain is the time between two reads of a session, for the tenant and for the tool, which is not in its process.
const lookAgain = 5 * time.Millisecond

// quick is a tenant whose sessions can be waited for without waiting.
func quick() *intunetest.TenantOptions {
	return &intunetest.TenantOptions{LookAgainAfter: lookAgain}
}

// office is a tenant of three devices; the first two share a name. The scripts are for all of them.
func office(scripts ...intunetest.SessionScript) *intunetest.Tenant {
	if len(scripts) == 0 {
		scripts = []intunetest.SessionScript{{URL: link}}
	}
	tenant := intunetest.NewTenant(quick())
	tenant.AddDevice(intune.ManagedDevice{
		ID: annasOld, DeviceName: "LT-1", SerialNumber: "S-OLD", OperatingSystem: "Windows", OSVersion: "10.0.1",
		UserPrincipalName: "anna@contoso.com", ComplianceState: intune.ComplianceStateNoncompliant,
		LastSyncDateTime: time.Now().Add(-90 * 24 * time.Hour),
	}, scripts...)
	tenant.AddDevice(intune.ManagedDevice{
		ID: annasNew, DeviceName: "LT-1", SerialNumber: "S-NEW", OperatingSystem: "Windows", OSVersion: "10.0.2",
		Manufacturer: "HP", Model: "EliteBook",
		UserPrincipalName: "anna@contoso.com", UserDisplayName: "Anna Berg", AzureADDeviceID: "11111111-2222-4333-8444-555555555555",
		ComplianceState: intune.ComplianceStateCompliant, LastSyncDateTime: time.Now().Add(-73 * time.Hour),
	}, scripts...)
	tenant.AddDevice(intune.ManagedDevice{
		ID: annasPhone, DeviceName: "PHONE-9", SerialNumber: "S-PHONE", OperatingSystem: "iOS", UserPrincipalName: "anna@contoso.com",
	}, scripts...)
	return tenant
}

// never is a session that does not come before the tenant's clock is moved on.
var never = intunetest.SessionScript{URL: link, After: 1000 * time.Hour}

// come moves the tenant's clock on.
func come(tenant *intunetest.Tenant) { tenant.Advance(1001 * time.Hour) }

// prompts checks how often a user was asked.
func (d *desk) prompts(id string, want int) {
	d.t.Helper()
	if got := d.tenant.Prompts(intune.Device(id)); got != want {
		d.t.Errorf("the user of %s was asked %d times, want %d", id, got, want)
	}
}

// full is a disk without room.
func full(t *testing.T) io.Writer {
	t.Helper()
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here")
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// read and write are for the files of the tool's state.
func (d *desk) read(name string) string {
	d.t.Helper()
	content, err := os.ReadFile(filepath.Join(d.folder, "state", folderName, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(content)
}

func (d *desk) write(name, content string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.folder, "state", folderName, name), []byte(content), 0o600); err != nil {
		d.t.Fatal(err)
	}
}
