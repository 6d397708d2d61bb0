package main

import (
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestFind(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	const several = "to act on exactly one of them, pass its Intune id"
	for args, c := range map[string]struct {
		code           int
		stdout, stderr []string
		not            string
	}{
		"-serial s-new": {
			exitDone, []string{"NAME", "LT-1", "S-NEW", "Windows 10.0.2", "anna@contoso.com", "3 days", annasNew}, nil, "S-OLD",
		},
		"-name lt-1":                           {exitDone, []string{"S-OLD", "S-NEW"}, []string{"2 devices match", several}, "S-PHONE"},
		"lt-1":                                 {exitDone, []string{"S-OLD", "S-NEW"}, []string{"2 devices match"}, "S-PHONE"},
		"S-OLD":                                {exitDone, []string{"S-OLD"}, nil, "S-NEW"},
		annasOld:                               {exitDone, []string{"S-OLD"}, nil, "S-NEW"},
		"-user anna@contoso.com":               {exitDone, []string{"S-OLD", "S-NEW", "S-PHONE", "never"}, []string{"3 devices match"}, "bo@"},
		"anna@contoso.com -os ios":             {exitDone, []string{"S-PHONE"}, nil, "Windows"},
		"-name LT":                             {exitNothing, nil, []string{`no device matches the name "LT"`, "without wildcards"}, ""},
		"-user anna":                           {exitNothing, nil, []string{"user principal name"}, ""},
		"S-PHONE -os Windows":                  {exitNothing, nil, []string{`"S-PHONE" and the system "Windows"`}, ""},
		"-id " + annasPhone + " -os Windows":   {exitNothing, nil, []string{"no device matches the Intune id"}, ""},
		"-serial 0000":                         {exitUsage, nil, []string{"all zeros"}, ""},
		"0000":                                 {exitNothing, nil, []string{`no device matches "0000"`}, ""},
		"11111111-2222-4333-8444-555555555555": {exitDone, []string{"S-NEW"}, []string{"Entra's id of the device"}, "S-OLD"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			got := d.run(append([]string{"find"}, strings.Fields(args)...)...)
			got.wants(t, c.code, c.stdout, c.stderr)
			if c.not != "" && strings.Contains(got.stdout, c.not) {
				t.Errorf("%q is not to be there:\n%s", c.not, got.stdout)
			}
		})
	}
}

func TestFindPutsTheDeviceInUseFirst(t *testing.T) {
	t.Parallel()
	got := newDesk(t, office()).run("find", "LT-1")
	if strings.Index(got.stdout, "S-NEW") > strings.Index(got.stdout, "S-OLD") {
		t.Errorf("got:\n%s", got.stdout)
	}
}

// TestFindRecognizesOddNames has a device whose name looks like a user, one whose serial number is another's name, and one
// whose serial number looks like an id, as that of a virtual machine may.
func TestFindRecognizesOddNames(t *testing.T) {
	t.Parallel()
	tenant := office()
	tenant.AddDevice(intune.ManagedDevice{DeviceName: "pc@home", SerialNumber: "LT-1"})
	tenant.AddDevice(intune.ManagedDevice{DeviceName: "VM-1", SerialNumber: "EC2C1F0A-5B7D-4E21-9C33-8D0F6A7B1C2D"})
	d := newDesk(t, tenant)
	d.run("find", "ec2c1f0a-5b7d-4e21-9c33-8d0f6a7b1c2d").wants(t, exitDone, []string{"VM-1"}, nil)
	d.run("find", "pc@home").wants(t, exitDone, []string{"pc@home"}, nil)
	d.run("find", "LT-1").wants(t, exitDone, []string{"pc@home", "S-NEW", "S-OLD"}, []string{"3 devices match"})
	d.run("connect", "LT-1", "-yes").wants(t, exitAmbiguous, nil, nil)
}

func TestFindJSON(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	var list []map[string]any
	d.run("find", "-user", "anna@contoso.com", "-json").decode(t, exitDone, &list)
	if len(list) != 3 {
		t.Fatalf("%d devices, want 3: %v", len(list), list)
	}
	for name, want := range map[string]any{
		"id": annasNew, "deviceName": "LT-1", "serialNumber": "S-NEW", "manufacturer": "HP", "model": "EliteBook",
		"operatingSystem": "Windows", "osVersion": "10.0.2", "userPrincipalName": "anna@contoso.com", "userDisplayName": "Anna Berg",
		"complianceState": "compliant",
	} {
		if value, ok := list[0][name]; !ok || value != want {
			t.Errorf("%s is %v, want %v", name, value, want)
		}
		if _, ok := list[2][name]; !ok {
			t.Errorf("%s is missing where there is none", name)
		}
	}
	if at, err := time.Parse(time.RFC3339, list[0]["lastSyncDateTime"].(string)); err != nil || at.After(time.Now().Add(-72*time.Hour)) {
		t.Errorf("lastSyncDateTime is %v", list[0]["lastSyncDateTime"])
	}
	if value := list[2]["lastSyncDateTime"]; value != nil {
		t.Errorf("a device that never reported has %v", value)
	}
	if got := d.run("find", "none", "-json"); got.code != exitNothing || got.stdout != "[]\n" {
		t.Errorf("exit code %d, %q", got.code, got.stdout)
	}
}

func TestFindCSV(t *testing.T) {
	t.Parallel()
	tenant := office()
	tenant.AddDevice(intune.ManagedDevice{
		DeviceName: `=HYPERLINK("http://evil")`, SerialNumber: "-1+1", UserPrincipalName: "anna@contoso.com", Model: "a,\nb",
	})
	got := newDesk(t, tenant).run("find", "-user", "anna@contoso.com", "-csv")
	got.wants(t, exitDone, []string{""}, nil)
	rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	if err != nil {
		t.Fatalf("%v:\n%s", err, got.stdout)
	}
	if len(rows) != 5 || rows[0][1] != "deviceName" {
		t.Fatalf("want a head with deviceName second, and four rows:\n%s", got.stdout)
	}
	for _, row := range rows {
		for _, text := range row {
			if text != "" && strings.ContainsAny(text[:1], "=+-@") {
				t.Errorf("a spreadsheet would run %q", text)
			}
		}
	}
	if got := newDesk(t, tenant).run("find", "none", "-csv"); got.code != exitNothing || strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("exit code %d, %q", got.code, got.stdout)
	}
}

// TestFindPages has every device on a page of its own, and pages without any.
func TestFindPages(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 2, ShortPages: true})
	for range 7 {
		tenant.AddDevice(intune.ManagedDevice{DeviceName: "LT-1"})
	}
	newDesk(t, tenant).run("find", "-name", "LT-1").wants(t, exitDone, []string{"LT-1"}, []string{"7 devices match"})
}

// TestServiceIgnoresFilter is a service that ignores filters, as Intune does with those it does not support.
func TestServiceIgnoresFilter(t *testing.T) {
	t.Parallel()
	tenant := office()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var kept []string
		for option := range strings.SplitSeq(r.URL.RawQuery, "&") {
			if !strings.HasPrefix(option, "$filter=") {
				kept = append(kept, option)
			}
		}
		r.URL.RawQuery = strings.Join(kept, "&")
		tenant.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	d := newDesk(t, tenant)
	d.env["HELPDESK_TEST_GRAPH"] = server.URL
	got := d.run("find", "-serial", "S-NEW")
	got.wants(t, exitDone, []string{"S-NEW"}, []string{`also sent 2 devices not matching the serial number "S-NEW"`})
	if strings.Contains(got.stdout, "S-OLD") || strings.Contains(got.stdout, "S-PHONE") {
		t.Errorf("a wrong device is shown:\n%s", got.stdout)
	}
	d.run("connect", "S-NEW", "-yes").wants(t, exitDone, []string{link}, []string{"also sent"})
	d.prompts(annasNew, 1)
	d.prompts(annasOld, 0)
}

func TestFindForbidden(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	d.as(d.tenant.CredentialWith(map[string]any{"roles": []string{}}))
	got := d.run("find", "-name", "LT-1", "-json")
	got.wants(t, exitRefused, nil, []string{"403", "hint:", "DeviceManagementManagedDevices.Read.All"})
	if strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("want one line in a pipe:\n%s", got.stderr)
	}
	d.as(d.tenant.Credential())
	d.tenant.Inject(intunetest.Fault{Status: http.StatusForbidden, Double: true, Code: "Forbidden", Message: "An error has occurred"})
	d.run("find", "-name", "LT-1").wants(t, exitRefused, nil, []string{"Forbidden", "hint:", "Managed devices / Read"})
}

func TestFindStops(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	arrived := make(chan struct{}, 8)
	d.tenant.Inject(intunetest.Fault{Delay: time.Hour, Times: -1, Match: func(intunetest.RecordedRequest) bool {
		arrived <- struct{}{}
		return true
	}})
	r := d.start("find", "LT-1", "-json")
	comes(t, "the request", arrived)
	r.signal(syscall.SIGINT)
	r.wait().wants(t, 130, nil, []string{"helpdesk: stopped\n"})
	d.run("find", "-name", "LT-1", "-timeout", "20ms").wants(t, exitFailure, nil, []string{"not done within 20ms", "--timeout 5m"})
}

// TestFindPartWayFailure checks that part of an answer is not printed as if it were all.
func TestFindPartWayFailure(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 1})
	tenant.AddDevice(intune.ManagedDevice{DeviceName: "LT-1"})
	tenant.AddDevice(intune.ManagedDevice{DeviceName: "LT-1"})
	tenant.Inject(intunetest.Fault{
		Match:  func(r intunetest.RecordedRequest) bool { return strings.Contains(r.RawQuery, "skiptoken") },
		Status: http.StatusBadRequest, Code: "BadRequest", Message: "no", Times: -1,
	})
	d := newDesk(t, tenant)
	for _, form := range []string{"-json", "-csv", "-os="} {
		code := exitRefused
		if form == "-os=" {
			code = exitUsage
		}
		d.run("find", "-name", "LT-1", form).wants(t, code, nil, nil)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	for _, args := range []string{"find LT-1", "find LT-1 -json", "show S-NEW", "connector", "whoami", "connect -h", "completion bash"} {
		cmd := d.command(strings.Fields(args)...)
		var stderr strings.Builder
		cmd.Stdout, cmd.Stderr = full(t), &stderr
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != exitFailure || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("%s: %v\n%s", args, err, &stderr)
		}
	}
}

// TestHostileNames has a device whose user chose its name to fool the technician's terminal.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	const hostile = "PC\x1b[2J\x1b]0;owned\a\r\nKIOSK\t\u202e321\u009b31m\U000e0041      5CG0001      compliant\x7f\v\f"
	tenant := intunetest.NewTenant(quick())
	device := tenant.AddDevice(intune.ManagedDevice{
		DeviceName: hostile, SerialNumber: "S-1", UserPrincipalName: "eve\x1b[31m@contoso.com", UserDisplayName: hostile,
		OSVersion: strings.Repeat("9", 500), Model: hostile, LastSyncDateTime: time.Now(),
	})
	app := intune.DetectedApp{DisplayName: "x", Version: hostile, Publisher: hostile}
	tenant.AddDetectedApp(app)
	tenant.AddDetectedApp(app)
	d := newDesk(t, tenant)

	list := d.run("find", "S-1")
	list.wants(t, exitDone, []string{"PC\ufffd[2J", "eve\ufffd[31m@contoso.com", strings.Repeat("9", 500)}, nil)
	if strings.Count(list.stdout, "\n") != 3 {
		t.Errorf("the name broke the table:\n%q", list.stdout)
	}
	asJSON := d.run("find", "S-1", "-json")
	var devices []deviceJSON
	asJSON.decode(t, exitDone, &devices)
	if len(devices) != 1 || devices[0].DeviceName != hostile {
		t.Errorf("the name did not survive:\n%s", asJSON.stdout)
	}
	texts := []string{list.stdout, asJSON.stdout, d.run("find", "-app", "x").stderr}
	for _, args := range []string{"show S-1", "show S-1 -csv", "connect S-1 -yes", "history", "history -csv", "history -json"} {
		got := d.run(strings.Fields(args)...)
		got.wants(t, exitDone, []string{""}, nil)
		texts = append(texts, got.stdout, got.stderr)
	}
	for _, text := range texts {
		for _, r := range strings.ReplaceAll(text, "\n", "") {
			if !unicode.IsPrint(r) {
				t.Errorf("%U reached the terminal:\n%q", r, text)
			}
		}
	}
	d.prompts(device.DeviceID(), 1)
}
