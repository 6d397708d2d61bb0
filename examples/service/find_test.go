package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
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
			strings.ToUpper(device.DeviceID()): 1, "LT": 0, "xLT": 0, "KIOSK": maxFound, "0000": 0, "00-00": 0,
			serialLikeID: 1, "nobody@contoso.example": 0, "11111111-2222-4333-8444-555555555555": 0, "it's": 0,
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

// A part of a name finds devices, after those that the whole text tells, and each says which it was.
func TestFind_PartOfAName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		for i := range 2 * maxFound {
			p.tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprint("Front desk ", i), SerialNumber: fmt.Sprint("N", i)})
		}
		p.tenant.AddDevice(intune.ManagedDevice{DeviceName: "Front", SerialNumber: "N-1"})
		p.tenant.AddDevice(intune.ManagedDevice{DeviceName: "Other", SerialNumber: "front"})
		p.tenant.AddDevice(intune.ManagedDevice{DeviceName: "Dépôt’s 7", UserPrincipalName: "anna@contoso.example"})
		c := p.browser(dana)
		for text, want := range map[string]struct {
			exact, part int
			more, parts bool
		}{
			"front":               {2, maxFound - 2, true, true},
			"FRONT DESK 3":        {1, 10, false, true}, // and 30 to 39
			"desk 39":             {0, 1, false, true},
			"DÉPÔT":               {0, 1, false, true},
			"fr":                  {0, 0, false, false},
			"ép":                  {0, 0, false, false},
			"N3":                  {1, 0, false, false},
			"anna":                {0, 0, false, true}, // Intune finds no part of a user
			"nna@contoso.example": {0, 0, false, false},
			"') or ('a' eq 'a":    {0, 0, false, true},
		} {
			found := c.find(text)
			exact, part := 0, 0
			for i, device := range found.Devices {
				switch device.Match {
				case matchExact:
					if exact++; part > 0 {
						t.Errorf("%q: device %d is after those with a part", text, i)
					}
				case matchPart:
					part++
				default:
					t.Errorf("%q: match %q", text, device.Match)
				}
			}
			if exact != want.exact {
				t.Errorf("%q: %d exact matches, want %d", text, exact, want.exact)
			}
			if part != want.part {
				t.Errorf("%q: %d matches of a part, want %d", text, part, want.part)
			}
			if found.More != want.more {
				t.Errorf("%q: more is %t", text, found.More)
			}
			if found.Parts != want.parts {
				t.Errorf("%q: parts is %t", text, found.Parts)
			}
		}
	})
}

// find searches for devices.
func (c *caller) find(text string) (found foundView) {
	c.tb.Helper()
	got := c.get("/devices?" + url.Values{"q": {text}}.Encode())
	if got.status != http.StatusOK {
		c.tb.Fatalf("%q: %d %s", text, got.status, got.body)
	}
	got.into(c.tb, &found)
	return found
}

// An Intune that ignores a filter sends every device. The service gives up after some pages, and says that there may be more.
func TestFind_IgnoredFilter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t, func(o *settings) {
			graph := o.graph
			o.graph = func() *intune.ClientOptions {
				options := graph()
				options.Transport = withoutFilter{options.Transport}
				return options
			}
		})
		for i := range 40 * maxFound {
			p.tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprint("PC-", i)})
		}
		found := p.browser(dana).find("LT-1")
		if len(found.Devices) > 0 {
			t.Errorf("found %+v", found.Devices)
		}
		if !found.More {
			t.Error("the answer claims to be complete")
		}
		if n := p.tenant.RequestCount(); n > 3*maxPages {
			t.Errorf("%d requests", n)
		}
	})
}

// withoutFilter is the way to an Intune that ignores filters.
type withoutFilter struct{ to policy.Transporter }

func (t withoutFilter) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.RawQuery = regexp.MustCompile(`\$filter=[^&]*`).ReplaceAllString(r.URL.RawQuery, "")
	return t.to.Do(r)
}

// Anybody may choose the name of a device. However long it is, the answers stay small, and JSON.
func TestFind_AnswersAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		long := strings.Repeat("\u202e<b>é", 2_000)
		var device intune.DeviceRef
		for range maxFound {
			device = p.tenant.AddDevice(intune.ManagedDevice{
				DeviceName: "PC-1" + long, SerialNumber: long, UserDisplayName: long, UserPrincipalName: long, OperatingSystem: long,
				OSVersion: long, Manufacturer: long, Model: long, ComplianceState: intune.ComplianceState(long),
			})
		}
		c := p.browser(dana)
		found := c.find("PC-1")
		if len(found.Devices) != maxFound {
			t.Fatalf("%d devices", len(found.Devices))
		}
		if name := found.Devices[0].Name; !strings.HasPrefix(name, "PC-1\u202e<b>é\u202e") || !strings.HasSuffix(name, "…") {
			t.Errorf("the name begins with %q and ends with %q", name[:20], name[len(name)-8:])
		}
		for path, most := range map[string]int{
			"/devices?q=PC-1": 300 << 10, "/devices/" + device.DeviceID(): 15 << 10, "/devices/" + device.DeviceID() + "/readiness": 8 << 10,
		} {
			got := c.get(path)
			if got.status != http.StatusOK || len(got.body) > most {
				t.Errorf("%s: %d, %d bytes", path, got.status, len(got.body))
			}
			if kind := got.header.Get("Content-Type"); kind != "application/json" {
				t.Errorf("%s: %s", path, kind)
			}
		}
	})
}

// Whoever copies two cells of a table gets a tab between them.
func TestFind_TextIsNotInTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c := p.browser(dana)
		for _, text := range []string{"Berg%09LT-1", "Berg%0aLT-1", "Berg%C2%85@x", "%22Berg%27", "Berg%ff", "00%E2%80%AEBerg"} {
			if got := c.get("/devices?q=" + text); got.status >= http.StatusInternalServerError {
				t.Errorf("%s: %d %s", text, got.status, got.body)
			}
		}
		if text := p.log.String(); strings.Contains(text, "Berg") {
			t.Errorf("the log: %s", text)
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
