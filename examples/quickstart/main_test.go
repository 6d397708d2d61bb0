package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// quickstart runs the command and gives what it left.
func quickstart(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// contains looks for parts of a text, whose line breaks and indents are those of a terminal and do not count.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	text = strings.Join(strings.Fields(text), " ")
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing from:\n%s", part, text)
		}
	}
}

func TestTour(t *testing.T) {
	t.Parallel()
	started := time.Now()
	code, out, errs := quickstart(t)
	if code != exitOK || errs != "" {
		t.Fatalf("exit code %d, on stderr: %s", code, errs)
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("the tour took %v", took)
	}
	contains(
		t, out,
		"> GET /v1.0/deviceManagement/managedDevices?$filter=… < 200 OK", "Windows, used by anna@contoso.com. Its Intune id: "+tourDeviceID,
		"Would it work on this device?", "device "+tourDeviceID+": ready pass cloud",
		"warn connector onboarded; Microsoft retires", "pass session no link",
		"> POST /v1.0/deviceManagement/managedDevices/"+tourDeviceID+"/requestRemoteAssistance < 204 No Content",
		"> POST /v1.0/users/anna@contoso.com/managedDevices/"+tourDeviceID+"/requestRemoteAssistance < 204 No Content",
		"> POST /v1.0/deviceManagement/detectedApps/a1b2c3/managedDevices/"+tourDeviceID+"/requestRemoteAssistance < 204 No Content",
		"no link yet", "the link: REDACTED", "session.URL.Reveal()",
		`\"ErrorCode\":\"Forbidden\"`,
		"403 Forbidden (UnknownError/Forbidden): An error has occurred; hint:",
		"errors.Is(err, intune.ErrForbidden): true",
		"go run ./examples/quickstart -live",
	)
	if strings.Contains(out, "teamviewer.com") {
		t.Error("the link is shown")
	}
}

func TestTourAtOneAddress(t *testing.T) {
	t.Parallel()
	for flag, c := range map[string]struct{ value, path string }{
		"-user": {"guest_fabrikam.com#EXT#@contoso.com", "/v1.0/users/guest_fabrikam.com%23EXT%23@contoso.com"},
		"-app":  {"app-1", "/v1.0/deviceManagement/detectedApps/app-1"},
	} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			code, out, errs := quickstart(t, "-device", "d-1", flag, c.value)
			if code != exitOK {
				t.Fatalf("exit code %d: %s", code, errs)
			}
			contains(t, out, "> POST "+c.path+"/managedDevices/d-1/requestRemoteAssistance", "the link: REDACTED")
			if strings.Contains(out, "at intune.Device(id)") {
				t.Error("the other addresses are asked too")
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	code, out, errs := quickstart(t, "-h")
	if code != exitOK || errs != "" {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
	if out != usage {
		t.Errorf("stdout %q", out)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// Output that cannot be written is a failure, of the tour and of the help.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"-h"}} {
		var errs strings.Builder
		if code := run(t.Context(), args, full{}, &errs); code != exitFailure {
			t.Errorf("%v: exit code %d", args, code)
		}
		contains(t, errs.String(), "quickstart: write to standard output: no space left on device")
	}
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ args, want string }{
		"unknown flag":       {"-nonsense", "flag provided but not defined: -nonsense"},
		"argument":           {"device-1", `unexpected argument "device-1"`},
		"no device":          {"-live -yes", "-live needs -device"},
		"no consent":         {"-live -device d-1", "will prompt the user of device d-1 on a real screen; add -yes"},
		"two addresses":      {"-user u -app a", "-user and -app exclude each other"},
		"live flags":         {"-tenant t -cloud china", "-cloud, -tenant: only together with -live"},
		"unknown method":     {"-live -yes -device d-1 -auth magic", `unknown -auth "magic"`},
		"unknown cloud":      {"-live -yes -device d-1 -cloud moon", `unknown -cloud "moon"`},
		"no time":            {"-live -yes -device d-1 -timeout 0s", "-timeout must be above zero"},
		"impossible device":  {"-device ../users", "slash"},
		"impossible user":    {"-user ..", "user is .."},
		"live, impossible":   {"-live -yes -device a/b", "slash"},
		"browser, no app":    {"-live -yes -device d-1 -auth browser", "ClientID"},
		"devicecode, no app": {"-live -yes -device d-1 -auth devicecode", "ClientID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := quickstart(t, strings.Fields(c.args)...)
			if code != exitUsage || out != "" {
				t.Errorf("exit code %d, stdout %q", code, out)
			}
			contains(t, errs, c.want)
		})
	}
}

func TestLiveWithoutCredential(t *testing.T) { //nolint:paralleltest // it changes the environment
	for _, name := range []string{
		"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME",
	} {
		t.Setenv(name, "")
	}
	code, out, errs := quickstart(t, "-live", "-yes", "-device", "d-1", "-auth", "environment")
	if code != exitFailure || out != "" {
		t.Errorf("exit code %d, stdout %q", code, out)
	}
	contains(t, errs, "cannot sign in", "AZURE_TENANT_ID")
}

// The live mode's own part, on the tenant: the link goes to standard output and nowhere else.
func TestOpenLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const link = "https://get.teamviewer.com/v15/sLIVE"
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{ID: "d-1"}, intunetest.SessionScript{After: time.Minute, URL: link})
		var out, errs strings.Builder
		options := tenant.ClientOptions()
		options.PerRetryPolicies = append(options.PerRetryPolicies, &trace{out: &errs})
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		if err := openLive(t.Context(), client, device, 5*time.Minute, &out, &errs); err != nil {
			t.Fatal(err)
		}
		if out.String() != link+"\n" || strings.Contains(errs.String(), link) {
			t.Errorf("stdout %q, stderr %q", out.String(), errs.String())
		}
		contains(t, errs.String(), "Signed in: the token is app-only", "requestRemoteAssistance < 204",
			" Asked. Waiting for the link, at most 5m0s")
		if n := tenant.Prompts(device); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestOpenLiveFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{ID: "d-1"}, intunetest.SessionScript{Never: true})
		var out, errs strings.Builder
		err := openLive(t.Context(), tenant.Client(), device, time.Minute, &out, &errs)
		if !errors.Is(err, context.DeadlineExceeded) || out.String() != "" {
			t.Errorf("error %v, stdout %q", err, out.String())
		}

		errs.Reset()
		tenant.Inject(intunetest.Fault{Method: "POST", Drop: intunetest.DropBefore})
		err = openLive(t.Context(), tenant.Client(), device, time.Minute, &out, &errs)
		if !errors.Is(err, intune.ErrOutcomeUnknown) || strings.Contains(errs.String(), "\nAsked.") {
			t.Errorf("error %v, stderr %q", err, errs.String())
		}
		contains(t, errs.String(), "Perhaps asked")

		tenant.Inject(intunetest.Fault{Method: "POST", Status: http.StatusNotFound, Nested: true, Code: "ResourceNotFound", Message: "gone"})
		err = openLive(t.Context(), tenant.Client(), device, time.Minute, &out, &errs)
		if !errors.Is(err, intune.ErrNotFound) || out.String() != "" {
			t.Errorf("error %v, stdout %q", err, out.String())
		}
	})
}
