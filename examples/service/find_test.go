package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestFind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		for i := range maxFound + 1 {
			p.tenant.AddDevice(intune.ManagedDevice{DeviceName: "KIOSK", SerialNumber: fmt.Sprint("K", i)})
		}
		const serialLikeID = "ec2c1f0a-5b7d-4e21-9c33-8d0f6a7b1c2d" // as virtual machines may have
		p.tenant.AddDevice(intune.ManagedDevice{DeviceName: "VM-1", SerialNumber: strings.ToUpper(serialLikeID)})
		c := p.browser(dana)
		for text, want := range map[string]int{
			"LT-1": 1, "lt-1": 1, " SN-LT-1 ": 1, "\ufeffSN-LT-1\u00a0\u200b": 1, "anna@contoso.example": 1, device.DeviceID(): 1,
			strings.ToUpper(device.DeviceID()): 1, "LT": 0, "KIOSK": maxFound, "0000": 0, "00-00": 0, serialLikeID: 1, "nobody@contoso.example": 0,
			"11111111-2222-4333-8444-555555555555": 0, "it's": 0,
		} {
			var answer struct {
				Devices []deviceView
				More    bool
			}
			got := c.get("/devices?" + url.Values{"q": {text}}.Encode())
			got.into(t, &answer)
			if len(answer.Devices) != want || answer.Devices == nil {
				t.Errorf("%q: want %d devices: %d %s", text, want, got.status, got.body)
			}
			if answer.More != (want == maxFound) {
				t.Errorf("%q: more is %t with %d devices", text, answer.More, want)
			}
		}
		for _, bad := range []string{"", "  ", "\u200b", strings.Repeat("x", 201), "\xff"} {
			c.refused(c.get("/devices?"+url.Values{"q": {bad}}.Encode()), kindMalformed)
		}
		c.refused(c.get("/devices/11111111-2222-4333-8444-555555555555"), kindNoDevice)
		c.refused(c.get("/devices/LT-1"), kindNoDevice)
		if text := p.log.String(); strings.Contains(text, "anna@contoso.example") {
			t.Error("the log names the user who was searched for")
		}
	})
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		good := p.add("LT-1")
		stale := p.tenant.AddDevice(intune.ManagedDevice{
			DeviceName: "LT-2", OperatingSystem: "Windows", LastSyncDateTime: time.Now().Add(-90 * time.Hour),
		})
		c := p.browser(dana)
		for device, want := range map[string]string{
			good.DeviceID(): `"name":"connector","status":"pass"`, stale.DeviceID(): "sync it in Company Portal",
		} {
			if got := c.get("/devices/" + device + "/readiness"); got.status != http.StatusOK || !strings.Contains(got.body, want) {
				t.Errorf("%d %s", got.status, got.body)
			}
		}
		p.tenant.SetConnector(intune.ConnectorStateNotOnboarded)
		got := c.get("/devices/" + good.DeviceID() + "/readiness")
		for _, part := range []string{`"ready":false`, "to your administrator"} {
			if !strings.Contains(got.body, part) {
				t.Errorf("%q is missing: %d %s", part, got.status, got.body)
			}
		}
		if strings.Contains(got.body, "TeamViewer") {
			t.Errorf("the remedy is not for technicians: %s", got.body)
		}
		if !strings.Contains(p.log.String(), "TeamViewer (old)") {
			t.Error("the operator finds no remedy in the log")
		}
		if p.tenant.Prompts(good)+p.tenant.Prompts(stale) != 0 {
			t.Error("a check asked somebody")
		}
	})
}

// The worst day of a service: Intune is throttled, down, or slow. Nobody is asked twice, and each answer says what to do.
func TestIntuneHasABadDay(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault intunetest.Fault
		want  kind
	}{
		"throttled":  {intunetest.Fault{Status: 429, Header: http.Header{"Retry-After": {"400"}}}, kindThrottled},
		"down":       {intunetest.Fault{Status: 503}, kindUnavailable},
		"refuses":    {intunetest.Fault{Drop: intunetest.DropConnect}, kindUnavailable},
		"forbidden":  {intunetest.Fault{Status: 403, Code: "Forbidden", Message: "An error has occurred", Nested: true}, kindForbidden},
		"bad device": {intunetest.Fault{Status: 400, Code: "BadRequest", Message: "The device is not supported", Nested: true}, kindTenant},
		"no license": {intunetest.Fault{Status: 400, Code: "BadRequest", Message: "Tenant is not licensed", Nested: true}, kindTenant},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				device := p.add("LT-1")
				c := p.browser(dana)
				test.fault.PathSuffix, test.fault.Times = actionSuffix, -1
				p.tenant.Inject(test.fault)
				got := c.ask(device, anyKey)
				c.refused(got, test.want)
				if test.fault.Status == 429 && got.header.Get("Retry-After") != "400" {
					t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
				}
				p.tenant.ClearFaults()
				c.begin(device, anyKey)
				time.Sleep(time.Minute)
				if n := p.tenant.Prompts(device); n != 1 {
					t.Errorf("%d prompts", n)
				}
			})
		})
	}
}
