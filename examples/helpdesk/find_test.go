package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// office is a tenant of three devices; the first two share a name.
func office() *intunetest.Tenant {
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{Clock: today})
	tenant.AddDevice(intune.ManagedDevice{
		ID: "00000000-0000-4000-8000-000000000001", DeviceName: "LT-1", SerialNumber: "S-OLD", OperatingSystem: "Windows", OSVersion: "10.0.1",
		UserPrincipalName: "anna@contoso.com", ComplianceState: intune.ComplianceStateNoncompliant, LastSyncDateTime: today().Add(-90 * 24 * time.Hour),
	})
	tenant.AddDevice(intune.ManagedDevice{
		ID: "00000000-0000-4000-8000-000000000002", DeviceName: "LT-1", SerialNumber: "S-NEW", OperatingSystem: "Windows", OSVersion: "10.0.2",
		UserPrincipalName: "anna@contoso.com", ComplianceState: intune.ComplianceStateCompliant, LastSyncDateTime: today().Add(-3 * 24 * time.Hour),
	})
	tenant.AddDevice(intune.ManagedDevice{
		ID: "00000000-0000-4000-8000-000000000003", DeviceName: "PHONE-9", SerialNumber: "S-PHONE", OperatingSystem: "iOS",
		UserPrincipalName: "anna@contoso.com",
	})
	return tenant
}

func TestFind(t *testing.T) {
	t.Parallel()
	find := on(office())
	const several = "to act on exactly one of them, pass its Intune id"
	t.Run("serial", func(t *testing.T) {
		t.Parallel()
		got := find(t, "find", "-serial", " s-new ")
		got.wants(t, exitFound, []string{
			"NAME", "INTUNE ID", "LT-1", "S-NEW", "Windows 10.0.2", "anna@contoso.com", "compliant",
			"2026-03-01 12:00 UTC, 3 days ago", "00000000-0000-4000-8000-000000000002",
		}, nil)
		if strings.Count(got.stdout, "\n") != 2 {
			t.Errorf("want one device:\n%s", got.stdout)
		}
	})
	t.Run("name", func(t *testing.T) {
		t.Parallel()
		got := find(t, "find", "-name", "lt-1")
		got.wants(t, exitFound, []string{"S-OLD", "S-NEW", "not compliant"}, []string{"2 devices match", several})
		if strings.Index(got.stdout, "S-NEW") > strings.Index(got.stdout, "S-OLD") {
			t.Errorf("the device in use must come first:\n%s", got.stdout)
		}
	})
	t.Run("user", func(t *testing.T) {
		t.Parallel()
		find(t, "find", "-user", "anna@contoso.com").wants(t, exitFound, []string{"S-OLD", "S-NEW", "S-PHONE", "never"}, []string{"3 devices match", several})
	})
	t.Run("user and os", func(t *testing.T) {
		t.Parallel()
		got := find(t, "find", "-user", "anna@contoso.com", "-os", "ios")
		got.wants(t, exitFound, []string{"S-PHONE"}, nil)
		if strings.Contains(got.stdout, "Windows") {
			t.Errorf("-os is not observed:\n%s", got.stdout)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		find(t, "find", "-name", "LT").wants(t, exitNothing, nil, []string{`no device matches -name "LT"`, "without wildcards"})
		find(t, "find", "-user", "anna").wants(t, exitNothing, nil, []string{"user principal name"})
		find(t, "find", "-serial", "S-PHONE", "-os", "Windows").wants(t, exitNothing, nil, []string{`-serial "S-PHONE" and -os "Windows"`})
	})
	t.Run("refused by the library", func(t *testing.T) {
		t.Parallel()
		find(t, "find", "-serial", "0000").wants(t, exitUsage, nil, []string{"all zeros"})
	})
}

func TestFindJSON(t *testing.T) {
	t.Parallel()
	find := on(office())
	got := find(t, "find", "-user", "anna@contoso.com", "-json")
	var list []map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &list); err != nil || got.code != exitFound || len(list) != 3 {
		t.Fatalf("exit code %d, %v:\n%s", got.code, err, got.stdout)
	}
	for name, want := range map[string]any{
		"id": "00000000-0000-4000-8000-000000000002", "deviceName": "LT-1", "serialNumber": "S-NEW", "manufacturer": "", "model": "",
		"operatingSystem": "Windows", "osVersion": "10.0.2", "userPrincipalName": "anna@contoso.com", "userDisplayName": "",
		"complianceState": "compliant", "lastSyncDateTime": "2026-03-01T12:00:00Z",
	} {
		if value, ok := list[0][name]; !ok || value != want {
			t.Errorf("%s is %v, want %v", name, value, want)
		}
		if _, ok := list[2][name]; !ok {
			t.Errorf("%s is missing where there is none", name)
		}
	}
	if value := list[2]["lastSyncDateTime"]; value != nil {
		t.Errorf("a device that never reported has %v", value)
	}
	if got := find(t, "find", "-name", "none", "-json"); got.code != exitNothing || got.stdout != "[]\n" {
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
	on(tenant)(t, "find", "-name", "LT-1").wants(t, exitFound, []string{"LT-1"}, []string{"7 devices match"})
}

func TestFindServiceIgnoresFilter(t *testing.T) {
	t.Parallel()
	tenant := office()
	options := tenant.ClientOptions()
	options.Transport = ignoring{tenant}
	find := with(tenant.Credential(), options)
	got := find(t, "find", "-serial", "S-NEW")
	got.wants(t, exitFound, []string{"S-NEW"}, []string{`also sent 2 devices not matching -serial "S-NEW"`})
	if strings.Contains(got.stdout, "S-OLD") || strings.Contains(got.stdout, "S-PHONE") {
		t.Errorf("a wrong device is shown:\n%s", got.stdout)
	}
	find(t, "find", "-serial", "none").wants(t, exitNothing, nil, []string{"also sent 3 devices", "no device matches"})
	if got := find(t, "find", "-serial", "S-NEW", "-json"); strings.Count(got.stdout, `"id"`) != 1 {
		t.Errorf("a wrong device is in:\n%s", got.stdout)
	}
}

func TestFindForbidden(t *testing.T) {
	t.Parallel()
	tenant := office()
	powerless := with(tenant.CredentialWith(map[string]any{"roles": []string{}}), tenant.ClientOptions())
	got := powerless(t, "find", "-name", "LT-1", "-json")
	got.wants(t, exitFailure, nil, []string{"403", "hint:", "DeviceManagementManagedDevices.Read.All"})
	if strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("want one line:\n%s", got.stderr)
	}

	tenant.Inject(intunetest.Fault{Status: http.StatusForbidden, Double: true, Code: "Forbidden", Message: "An error has occurred"})
	on(tenant)(t, "find", "-name", "LT-1").wants(t, exitFailure, nil, []string{"Forbidden", "hint:", "Managed devices / Read"})
}

func TestFindStops(t *testing.T) {
	t.Parallel()
	tenant := office()
	env := environment{now: today, connect: func(context.Context, connection, io.Writer) (*intune.Client, error) {
		return tenant.Client(), nil
	}}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"find", "-name", "LT-1"}, {"find", "-app", "VPN", "-json"}} {
		runIn(ended, env, args...).wants(t, exitFailure, nil, []string{"stopped before the search was over"})
	}

	tenant.Inject(intunetest.Fault{Delay: time.Minute, Times: -1})
	got := runIn(t.Context(), env, "find", "-name", "LT-1", "-timeout", "20ms")
	got.wants(t, exitFailure, nil, []string{"not done within 20ms", "-timeout 5m"})
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
	for _, args := range [][]string{{"find", "-name", "LT-1"}, {"find", "-name", "LT-1", "-json"}} {
		on(tenant)(t, args...).wants(t, exitFailure, nil, []string{"400 Bad Request"})
	}
}

func TestFindSignInFails(t *testing.T) {
	t.Parallel()
	env := environment{now: today, connect: func(context.Context, connection, io.Writer) (*intune.Client, error) {
		return nil, errors.New("cannot sign in:\n\tno \x1b[31mway")
	}}
	got := runIn(t.Context(), env, "find", "-name", "LT-1")
	got.wants(t, exitFailure, nil, []string{"helpdesk: cannot sign in: no \ufffd[31mway\n"})
}
