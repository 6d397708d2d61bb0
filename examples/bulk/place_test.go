package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestMain(m *testing.M) { os.Exit(withBinary(m)) }

// folder is where the program is built.
var folder string

func withBinary(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "bulk"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	return m.Run()
}

// build makes the program as users have it, once somebody needs it: fuzzing does not.
var build = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(folder, "bulk")
	output, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, output)
	}
	return binary, err
})

// program is the name of the file.
func program(t *testing.T) string {
	t.Helper()
	name, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// place is a folder with the program, and a tenant behind a loopback address.
type place struct {
	t      *testing.T
	tenant *intunetest.Tenant
	folder string
	env    map[string]string

	around atomic.Pointer[around] // the program's requests do not tell the race detector what came before them
}

// around stands in the way of each request for assistance.
type around func(w http.ResponseWriter, r *http.Request, serve func())

func (p *place) intercept(f around) { p.around.Store(&f) }

func newPlace(t *testing.T, tenant *intunetest.Tenant) *place {
	t.Helper()
	p := &place{t: t, tenant: tenant, folder: t.TempDir()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve := func() { tenant.ServeHTTP(w, r) }
		if f := p.around.Load(); f != nil && r.Method == http.MethodPost {
			(*f)(w, r, serve)
			return
		}
		serve()
	}))
	t.Cleanup(server.Close)
	token, err := tenant.Credential().GetToken(t.Context(), policy.TokenRequestOptions{
		Scopes: []string{"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.env = map[string]string{
		"HOME": p.folder, "PATH": "/usr/bin:/bin", "TERM": "xterm", "TMPDIR": p.folder,
		"BULK_TEST_GRAPH": server.URL, "BULK_TEST_TOKEN": token.Token, "BULK_TEST_FREQUENCY": lookAgain.String(),
	}
	return p
}

// lookAgain is the time between two reads of a session, for the tenant and for the program, which is not in its process.
const lookAgain = 5 * time.Millisecond

// fleetOf is a tenant of n devices, PC-001 and so on.
func fleetOf(n int, options *intunetest.TenantOptions, scripts ...intunetest.SessionScript) *intunetest.Tenant {
	if options == nil {
		options = &intunetest.TenantOptions{LookAgainAfter: lookAgain}
	}
	tenant := intunetest.NewTenant(options)
	for i := 1; i <= n; i++ {
		tenant.AddDevice(intune.ManagedDevice{
			ID: idOf(i), DeviceName: nameOf(i), SerialNumber: fmt.Sprintf("S-%03d", i),
			AzureADDeviceID: fmt.Sprintf("eeeeeeee-0000-4000-8000-%012d", i),
		}, scripts...)
	}
	return tenant
}

func idOf(i int) string   { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }
func nameOf(i int) string { return fmt.Sprintf("PC-%03d", i) }

// list is a CSV of the devices 1 to n by name.
func list(n int) string {
	var b strings.Builder
	b.WriteString("Device name\n")
	for i := 1; i <= n; i++ {
		b.WriteString(nameOf(i) + "\n")
	}
	return b.String()
}

func (p *place) file(name string) string { return filepath.Join(p.folder, name) }

func (p *place) write(name, content string) {
	p.t.Helper()
	if err := os.WriteFile(p.file(name), []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) read(name string) string {
	p.t.Helper()
	content, err := os.ReadFile(p.file(name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(content)
}

// command is the program with arguments, not started yet.
func (p *place) command(args ...string) *exec.Cmd {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*patience)
	p.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program(p.t), args...)
	cmd.Dir = p.folder
	cmd.Env = []string{}
	for name, value := range p.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// outcome is what a run of the program left.
type outcome struct {
	t              *testing.T
	code           int
	stdout, stderr string
}

// run runs the program in a pipe.
func (p *place) run(args ...string) outcome {
	p.t.Helper()
	return p.start("", args...).wait()
}

// running is the program while it runs in a pipe.
type running struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
}

func (p *place) start(input string, args ...string) *running {
	p.t.Helper()
	return p.startInto(nil, input, args...)
}

func (p *place) startInto(stdout io.Writer, input string, args ...string) *running {
	p.t.Helper()
	r := &running{t: p.t, cmd: p.command(args...)}
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = strings.NewReader(input), &r.stdout, &r.stderr
	if stdout != nil {
		r.cmd.Stdout = stdout
	}
	if err := r.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (r *running) wait() outcome {
	r.t.Helper()
	err := r.cmd.Wait()
	if r.cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	return outcome{t: r.t, code: r.cmd.ProcessState.ExitCode(), stdout: r.stdout.String(), stderr: r.stderr.String()}
}

func (r *running) signal(s syscall.Signal) {
	_ = r.cmd.Process.Signal(s) // it may be gone already
}

// wants compares the exit code and looks for parts of standard error.
func (o outcome) wants(code int, stderr ...string) outcome {
	o.t.Helper()
	if o.code != code {
		o.t.Errorf("exit code %d, want %d; stderr:\n%s", o.code, code, o.stderr)
	}
	for _, part := range stderr {
		if !strings.Contains(o.stderr, part) {
			o.t.Errorf("%q is missing from stderr:\n%s", part, o.stderr)
		}
	}
	return o
}

// lacks looks for what must not be on standard error.
func (o outcome) lacks(parts ...string) outcome {
	o.t.Helper()
	for _, part := range parts {
		if strings.Contains(o.stderr, part) {
			o.t.Errorf("%q is on stderr:\n%s", part, o.stderr)
		}
	}
	return o
}

// result is a line of the results by the names of the columns.
type result map[string]string

func results(t *testing.T, text string) []result {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) == 0 {
		t.Fatalf("the results are no CSV: %v\n%s", err, text)
	}
	var all []result
	for _, record := range records[1:] {
		one := result{}
		for i, name := range records[0] {
			one[name] = record[i]
		}
		all = append(all, one)
	}
	return all
}

// columns are some columns of the results on standard output, one line each.
func (o outcome) columns(names ...string) string {
	o.t.Helper()
	var lines []string
	for _, one := range results(o.t, o.stdout) {
		var cells []string
		for _, name := range names {
			cells = append(cells, one[name])
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	return strings.Join(lines, "\n")
}

func (o outcome) wantsColumns(names string, want ...string) outcome {
	o.t.Helper()
	if got := o.columns(strings.Fields(names)...); got != strings.Join(want, "\n") {
		o.t.Errorf("%s:\n%s\nwant:\n%s", names, got, strings.Join(want, "\n"))
	}
	return o
}

// prompts checks how often the users of the devices 1 to n were asked.
func (p *place) prompts(want ...int) {
	p.t.Helper()
	for i, n := range want {
		if got := p.tenant.Prompts(intune.Device(idOf(i + 1))); got != n {
			p.t.Errorf("the user of %s was asked %d times, want %d", nameOf(i+1), got, n)
		}
	}
	total := 0
	for _, n := range want {
		total += n
	}
	if got := p.tenant.TotalPrompts(); got != total {
		p.t.Errorf("%d users were asked, want %d", got, total)
	}
}

// full is a disk without room.
func full(t *testing.T) *os.File {
	t.Helper()
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here")
	}
	t.Cleanup(func() { file.Close() })
	return file
}

const action = "/requestRemoteAssistance"
