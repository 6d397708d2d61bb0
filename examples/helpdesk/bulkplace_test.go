package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// place is a desk with a tenant of many devices.
type place struct{ *desk }

func newPlace(t *testing.T, tenant *intunetest.Tenant) *place {
	t.Helper()
	return &place{newDesk(t, tenant)}
}

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

// command is bulk with arguments, not started yet.
func (p *place) command(args ...string) *exec.Cmd {
	p.t.Helper()
	return p.desk.command(append([]string{"bulk"}, args...)...)
}

// bulkOutcome is what a run of bulk left.
type bulkOutcome struct {
	outcome
	t *testing.T
}

// run runs bulk in a pipe.
func (p *place) run(args ...string) bulkOutcome {
	p.t.Helper()
	return p.start("", args...).wait()
}

// runningBulk is bulk while it runs in a pipe.
type runningBulk struct{ *running }

func (p *place) start(input string, args ...string) runningBulk {
	p.t.Helper()
	return p.startInto(nil, input, args...)
}

func (p *place) startInto(stdout io.Writer, input string, args ...string) runningBulk {
	p.t.Helper()
	return runningBulk{p.startCommand(p.command(args...), stdout, input)}
}

func (r runningBulk) wait() bulkOutcome {
	r.t.Helper()
	return bulkOutcome{outcome: r.running.wait(), t: r.t}
}

func (r runningBulk) signal(s syscall.Signal) {
	_ = r.cmd.Process.Signal(s) // it may be gone already
}

// wants compares the exit code and looks for parts of standard error.
func (o bulkOutcome) wants(code int, stderr ...string) bulkOutcome {
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
func (o bulkOutcome) lacks(parts ...string) bulkOutcome {
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
func (o bulkOutcome) columns(names ...string) string {
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

func (o bulkOutcome) wantsColumns(names string, want ...string) bulkOutcome {
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

const action = "/requestRemoteAssistance"
