package intune_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// inZone is two hours ahead of UTC: 10:00 there is 08:00Z.
var inZone = time.Date(2026, 3, 1, 10, 0, 0, 0, time.FixedZone("", 2*60*60))

// filterFields are all fields of a filter, with the clause they give (C§3.1) and values that do and do not match.
var filterFields = map[string]struct {
	filter intune.DeviceFilter
	clause string
	good   []string // JSON
	bad    []string
}{
	"DeviceName": {
		intune.DeviceFilter{DeviceName: "Anna's PC"},
		"deviceName eq 'Anna''s PC'",
		[]string{`"Anna's PC"`, `"ANNA'S pc"`},
		[]string{`"Anna''s PC"`, `"Anna's PC2"`, `"Anna's"`, `""`, `null`},
	},
	"DeviceNameContains": {
		intune.DeviceFilter{DeviceNameContains: "na's k"},
		"contains(deviceName,'na''s k')",
		[]string{`"Anna's k"`, `"ANNA'S KIOSK"`, `"na's k"`, `"Anna's \u212a"`},
		[]string{`"Anna''s k"`, `"Anna's"`, `"na's"`, `""`, `null`},
	},
	"SerialNumber": {
		intune.DeviceFilter{SerialNumber: "5CD 0"},
		"serialNumber eq '5CD 0'",
		[]string{`"5CD 0"`, `"5cd 0"`},
		[]string{`"5CD"`, `"0"`, `null`},
	},
	"UserPrincipalName": {
		intune.DeviceFilter{UserPrincipalName: "anna+x@contoso.com"},
		"userPrincipalName eq 'anna+x@contoso.com'",
		[]string{`"Anna+X@contoso.com"`},
		[]string{`"anna@contoso.com"`, `""`},
	},
	"AzureADDeviceID": {
		intune.DeviceFilter{AzureADDeviceID: "A1B2C3D4-0000-0000-0000-000000000000"},
		"azureADDeviceId eq 'A1B2C3D4-0000-0000-0000-000000000000'",
		[]string{`"a1b2c3d4-0000-0000-0000-000000000000"`},
		[]string{`"00000000-0000-0000-0000-000000000000"`},
	},
	"IMEI": {
		intune.DeviceFilter{IMEI: "490154203237518"},
		"imei eq '490154203237518'",
		[]string{`"490154203237518"`},
		[]string{`"490154203237519"`},
	},
	"Manufacturer": {
		intune.DeviceFilter{Manufacturer: "Dell & Co?#/"},
		"manufacturer eq 'Dell & Co?#/'",
		[]string{`"dell & co?#/"`},
		[]string{`"Dell"`},
	},
	"Model": {
		intune.DeviceFilter{Model: "Größe 5"},
		"model eq 'Größe 5'",
		[]string{`"GRÖßE 5"`},
		[]string{`"Grosse 5"`},
	},
	"OperatingSystem": {
		intune.DeviceFilter{OperatingSystem: "iOS"},
		"operatingSystem eq 'iOS'",
		[]string{`"ios"`},
		[]string{`"iPadOS"`, `"macOS"`},
	},
	"ComplianceState": {
		intune.DeviceFilter{ComplianceState: intune.ComplianceStateNoncompliant},
		"complianceState eq 'noncompliant'",
		[]string{`"nonCompliant"`},
		[]string{`"compliant"`, `null`},
	},
	"ManagementAgent": {
		intune.DeviceFilter{ManagementAgent: intune.ManagementAgentTypeMDM},
		"managementAgent eq 'mdm'",
		[]string{`"mdm"`},
		[]string{`"easMdm"`},
	},
	"LastSyncAfter": {
		intune.DeviceFilter{LastSyncAfter: inZone},
		"lastSyncDateTime gt 2026-03-01T08:00:00Z",
		[]string{`"2026-03-01T08:00:00.0000001Z"`},
		[]string{`"2026-03-01T08:00:00Z"`, `"2026-03-01T07:59:59Z"`, `null`, `"0001-01-01T00:00:00Z"`},
	},
	"LastSyncBefore": {
		intune.DeviceFilter{LastSyncBefore: inZone},
		"lastSyncDateTime lt 2026-03-01T08:00:00Z",
		[]string{`"2026-03-01T07:59:59.9999999Z"`},
		[]string{`"2026-03-01T08:00:00Z"`, `"2026-03-01T09:00:00Z"`, `null`, `"0001-01-01T00:00:00Z"`},
	},
	"EnrolledAfter": {
		intune.DeviceFilter{EnrolledAfter: inZone.Add(120 * time.Nanosecond)},
		"enrolledDateTime gt 2026-03-01T08:00:00.0000001Z",
		[]string{`"2026-03-01T08:00:00.0000002Z"`},
		[]string{`"2026-03-01T08:00:00.0000001Z"`, `""`},
	},
	"EnrolledBefore": {
		intune.DeviceFilter{EnrolledBefore: inZone.Add(120 * time.Nanosecond)},
		"enrolledDateTime lt 2026-03-01T08:00:00.0000002Z",
		[]string{`"2026-03-01T08:00:00.0000001Z"`},
		[]string{`"2026-03-01T08:00:00.0000002Z"`, `""`},
	},
}

// propertyOf is the property of a comparison, such as "model eq 'X'" or "contains(model,'X')".
func propertyOf(comparison string) string {
	property, _, _ := strings.Cut(strings.TrimPrefix(comparison, "contains("), " ")
	property, _, _ = strings.Cut(property, ",")
	return property
}

// sentFilter is the $filter of an address, unescaped.
func sentFilter(tb testing.TB, address string) string {
	tb.Helper()
	_, query, _ := strings.Cut(address, "?")
	for option := range strings.SplitSeq(query, "&") {
		if value, ok := strings.CutPrefix(option, "$filter="); ok {
			if at := strings.IndexFunc(value, func(r rune) bool { return !isUnreserved(r) && r != '%' }); at >= 0 {
				tb.Errorf("the filter is not escaped at %q", value[at:])
			}
			text, err := url.PathUnescape(value) // a plus sign is a plus sign here
			if err != nil {
				tb.Fatal(err)
			}
			return text
		}
	}
	return ""
}

func isUnreserved(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-._~", r))
}

func TestDeviceFilter_EveryFieldIsInTheTable(t *testing.T) {
	t.Parallel()
	for field := range reflect.TypeFor[intune.DeviceFilter]().Fields() {
		if _, ok := filterFields[field.Name]; !ok {
			t.Errorf("%s is missing", field.Name)
		}
	}
}

// The service is one that ignores filters: C§3.1, the big trap. Nothing but matches may be handed out, in any way.
func TestDeviceFilter_RowsAreCheckedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range filterFields {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			property := propertyOf(c.clause)
			rows, want := []string{}, ""
			for i, value := range c.good {
				rows = append(rows, fmt.Sprintf(`{"id":"good%d",%q:%s}`, i, property, value))
				want = strings.TrimSpace(fmt.Sprintf("%s good%d", want, i))
			}
			for i, value := range c.bad {
				rows = append(rows, fmt.Sprintf(`{"id":"bad%d",%q:%s}`, i, property, value))
			}
			rows = append(rows, `{"id":"thin"}`, `null`)
			slices.Reverse(rows)
			slices.Reverse(rows[len(rows)-len(c.good):])
			service := inTurn(pageOf("", rows...))
			client := newClient(t, service)
			pages, err := allPages(t, client.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{Filter: c.filter}))
			if err != nil {
				t.Fatal(err)
			}
			got, wanted := [...]int{len(pages[0].Value), pages[0].Dropped, pages[0].Repeated}, [...]int{len(c.good), len(c.bad) + 1, 0}
			if got != wanted {
				t.Errorf("devices, dropped and repeated are %v, want %v", got, wanted)
			}
			if sent := sentFilter(t, service.asked[0]); sent != c.clause {
				t.Errorf("sent %s, want %s", sent, c.clause)
			}
			for _, in := range []intune.DeviceCollection{intune.AllDevices(), intune.UserDevices("u1"), intune.DetectedAppDevices("abc")} {
				if got, err := ids(t, client.Devices(t.Context(), in, &intune.ListDevicesOptions{Filter: c.filter})); got != want || err != nil {
					t.Errorf("%v: got %q, %v, want %q", in, got, err, want)
				}
			}
		})
	}
}

// Several fields are combined with "and", in the request and in the check.
func TestDeviceFilter_FieldsAreCombined(t *testing.T) {
	t.Parallel()
	service := inTurn(pageOf("",
		`{"id":"both","manufacturer":"Dell","model":"X","lastSyncDateTime":"2026-03-01T09:00:00Z"}`,
		`{"id":"maker","manufacturer":"Dell","model":"Y","lastSyncDateTime":"2026-03-01T09:00:00Z"}`,
		`{"id":"model","manufacturer":"HP","model":"X","lastSyncDateTime":"2026-03-01T09:00:00Z"}`,
		`{"id":"early","manufacturer":"Dell","model":"X","lastSyncDateTime":"2026-03-01T08:00:00Z"}`,
		`{"id":"late","manufacturer":"Dell","model":"X","lastSyncDateTime":"2026-03-01T10:00:00Z"}`))
	filter := intune.DeviceFilter{Manufacturer: "Dell", Model: "X", LastSyncAfter: inZone, LastSyncBefore: inZone.Add(2 * time.Hour)}
	got, err := ids(t, newClient(t, service).Devices(t.Context(), intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter}))
	if got != "both" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	want := "manufacturer eq 'Dell' and model eq 'X' and lastSyncDateTime gt 2026-03-01T08:00:00Z and lastSyncDateTime lt 2026-03-01T10:00:00Z"
	if sent := sentFilter(t, service.asked[0]); sent != want {
		t.Errorf("sent %s, want %s", sent, want)
	}
	if text := fmt.Sprintf("%v %+v %#v", filter, filter, filter); strings.Contains(text, "Dell") || !strings.Contains(text, "Manufacturer") {
		t.Errorf("printed as %s", text)
	}
}

// What could match anything, nothing or somebody else is refused before anything is sent.
func TestDeviceFilter_Refuses(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for says, list := range map[string][]intune.DeviceFilter{
		"is blank": {
			{DeviceName: " "},
			{DeviceNameContains: " "},
			{SerialNumber: "\t"},
			{UserPrincipalName: "\n"},
			{AzureADDeviceID: "\u00a0"},
			{IMEI: "\r\n"},
			{Manufacturer: "\u2003"},
			{Model: "  "},
			{OperatingSystem: " "},
			{ComplianceState: " "},
			{ManagementAgent: " "},
			{Model: "X", DeviceName: " "},
		},
		"control character": {
			{DeviceName: "a\x00"},
			{DeviceNameContains: "a\x00"},
			{SerialNumber: "a\n"},
			{UserPrincipalName: "\x7fa"},
			{AzureADDeviceID: "a\u0085"},
			{IMEI: "1\t1"},
			{Manufacturer: "a\x1b[0m"},
			{Model: "a\rb"},
			{OperatingSystem: "a\x01"},
			{ComplianceState: "a\n"},
			{ManagementAgent: "a\n"},
		},
		"UTF-8": {{DeviceName: "secret\xff"}, {Model: "\xc3"}},
		"all zeros": {
			{AzureADDeviceID: "00000000-0000-0000-0000-000000000000"},
			{AzureADDeviceID: "0"},
			{SerialNumber: "0"},
			{SerialNumber: "0000000"},
			{SerialNumber: "0 0"},
			{SerialNumber: "00-00"},
			{IMEI: "000000000000000"},
			{IMEI: " 0"},
		},
		"LastSyncBefore": {
			{LastSyncAfter: now, LastSyncBefore: now},
			{LastSyncAfter: now, LastSyncBefore: now.Add(-1)},
			{LastSyncAfter: inZone, LastSyncBefore: inZone.UTC()},
		},
		"EnrolledBefore": {{EnrolledAfter: now, EnrolledBefore: now}, {EnrolledAfter: now.Add(1), EnrolledBefore: now}},
		"not a time": {
			{LastSyncAfter: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)},
			{EnrolledBefore: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
			{EnrolledAfter: time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)},
		},
	} {
		for _, filter := range list {
			service := inTurn(pageOf("", deviceRow("1", "")))
			client := newClient(t, service)
			got, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter}))
			_, pagerErr := client.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter}).NextPage(t.Context())
			found, findErr := client.FindDevice(t.Context(), filter, nil)
			for _, err := range []error{err, pagerErr, findErr} {
				checkRefused(t, err, says, "filter.")
				if strings.Contains(fmt.Sprint(err), "secret") {
					t.Errorf("the error shows the operand: %v", err)
				}
			}
			if got != "" || found.ID != "" {
				t.Errorf("%s: got %q and %q", says, got, found.ID)
			}
			service.saw(t)
		}
	}
}

// What nobody sees, such as what a spreadsheet leaves, would find nothing. It is quoted, but a person's name is masked.
func TestDeviceFilter_RefusesWhatNobodySees(t *testing.T) {
	t.Parallel()
	fields := map[string]func(*intune.DeviceFilter, string){
		"DeviceName":         func(f *intune.DeviceFilter, text string) { f.DeviceName = text },
		"DeviceNameContains": func(f *intune.DeviceFilter, text string) { f.DeviceNameContains = text },
		"SerialNumber":       func(f *intune.DeviceFilter, text string) { f.SerialNumber = text },
		"UserPrincipalName":  func(f *intune.DeviceFilter, text string) { f.UserPrincipalName = text },
		"AzureADDeviceID":    func(f *intune.DeviceFilter, text string) { f.AzureADDeviceID = text },
		"IMEI":               func(f *intune.DeviceFilter, text string) { f.IMEI = text },
		"Manufacturer":       func(f *intune.DeviceFilter, text string) { f.Manufacturer = text },
		"Model":              func(f *intune.DeviceFilter, text string) { f.Model = text },
		"OperatingSystem":    func(f *intune.DeviceFilter, text string) { f.OperatingSystem = text },
		"ComplianceState":    func(f *intune.DeviceFilter, text string) { f.ComplianceState = intune.ComplianceState(text) },
		"ManagementAgent":    func(f *intune.DeviceFilter, text string) { f.ManagementAgent = intune.ManagementAgentType(text) },
	}
	client := newClient(t, transportFunc(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, errors.New("no")
	}))
	const (
		invisible = "holds an invisible character, such as a byte-order mark: "
		space     = "has white space around it: "
		control   = "holds a control character: "
	)
	for text, c := range map[string]struct{ says, thing, person string }{
		"\ufeff5CD1":         {invisible, `"\ufeff5CD1"`, `"\ufeff****"`},
		"5CD1\u200b":         {invisible, `"5CD1\u200b"`, `"****\u200b"`},
		"5C\u00adD1":         {invisible, `"5C\u00adD1"`, `"**\u00ad**"`},
		"\ufeff5CD1 XY ":     {invisible, `"\ufeff5CD1 XY "`, `"\ufeff**** ** "`},
		"👩\u200d💻":           {invisible, `"\U0001f469\u200d\U0001f4bb"`, `"*\u200d*"`},
		"\u0645\u200c\u062e": {invisible, `"\u0645\u200c\u062e"`, `"*\u200c*"`},
		"5CD1 ":              {space, `"5CD1 "`, `"**** "`},
		" 5CD1":              {space, `" 5CD1"`, `" ****"`},
		"5CD1\u00a0":         {space, `"5CD1\u00a0"`, `"****\u00a0"`},
		"\u30005CD1":         {space, `"\u30005CD1"`, `"\u3000****"`},
		"5CD1\u2028":         {space, `"5CD1\u2028"`, `"****\u2028"`},
		"5CD1\r\n":           {control, `"5CD1\r\n"`, `"****\r\n"`},
		"5C\tD1":             {control, `"5C\tD1"`, `"**\t**"`},
	} {
		for name, set := range fields {
			var filter intune.DeviceFilter
			set(&filter, text)
			want := "invalid argument: filter." + name + " " + c.says + c.thing
			if name == "UserPrincipalName" {
				want = "invalid argument: filter." + name + " " + c.says + c.person
			}
			_, listErr := client.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter}).NextPage(t.Context())
			_, findErr := client.FindDevice(t.Context(), filter, nil)
			for _, err := range []error{listErr, findErr} {
				if !errors.Is(err, intune.ErrInvalidArgument) || err.Error() != want {
					t.Errorf("got %v, want %s", err, want)
				}
			}
		}
	}
}

// White space within a text is seen, and serial numbers of virtual machines have it.
func TestDeviceFilter_TakesWhatIsSeen(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	client := tenant.Client()
	for _, text := range []string{
		"VMware-56 4d 10 20 30 40 50 60-70 80 90 a0 b0 c0 d0 e0", "Anna’s\u00a0iPhone", "Ole's iPhone", "R9/0 & Co+1", "PC  2", "家のPC",
		"cafe\u0301", "❤\ufe0f",
	} {
		ref := tenant.AddDevice(intune.ManagedDevice{DeviceName: text, SerialNumber: text})
		for _, filter := range []intune.DeviceFilter{{DeviceName: text}, {DeviceNameContains: text}, {SerialNumber: text}} {
			found, err := client.FindDevice(t.Context(), filter, nil)
			if err != nil || found.Ref() != ref {
				t.Errorf("%q: got %v, %v", text, found.Ref(), err)
			}
		}
	}
}

// The operands may be names of people; the JSON of a filter is for configuration files and holds them.
func TestDeviceFilter_LoggedWithoutItsOperands(t *testing.T) {
	t.Parallel()
	filter := intune.DeviceFilter{UserPrincipalName: "anna-secret@contoso.com", DeviceName: "pc-secret", DeviceNameContains: "secret"}
	var b strings.Builder
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&b, nil), slog.NewTextHandler(&b, nil)} {
		slog.New(handler).Info("looking", "filter", filter, "pointer", &filter)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		fmt.Fprintf(&b, verb, filter)
	}
	if text := b.String(); strings.Contains(text, "secret") || !strings.Contains(text, "{DeviceName DeviceNameContains UserPrincipalName}") {
		t.Errorf("got %s", text)
	}
	var again intune.DeviceFilter
	text, err := json.Marshal(filter)
	if err == nil {
		err = json.Unmarshal(text, &again)
	}
	if err != nil || again != filter {
		t.Errorf("got %#v, %v", again, err)
	}
}

// A time that is zero in another zone is still no bound.
func TestDeviceFilter_ZeroTimeInAnotherZoneIsNoBound(t *testing.T) {
	t.Parallel()
	zero := time.Time{}.In(time.FixedZone("", 60*60))
	service := inTurn(pageOf("", deviceRow("1", "A")))
	filter := intune.DeviceFilter{LastSyncAfter: zero, LastSyncBefore: zero, EnrolledAfter: zero, EnrolledBefore: zero}
	device, err := newClient(t, service).FindDevice(t.Context(), filter, nil)
	checkRefused(t, err)
	if !filter.IsZero() || device.ID != "" {
		t.Errorf("IsZero %v; found %v", filter.IsZero(), device)
	}
	service.saw(t)
}

// The kit keeps to the documented operators: every filter of the table is one that it applies, so that nothing is dropped.
func TestDeviceFilter_KeepsToTheDocumentation(t *testing.T) {
	t.Parallel()
	for name, c := range filterFields {
		property := propertyOf(c.clause)
		tenant := intunetest.NewTenant(nil)
		rows := append(slices.Clone(c.bad), c.good...)
		for i, value := range rows {
			var device intune.ManagedDevice
			if err := json.Unmarshal(fmt.Appendf(nil, `{"id":"%d",%q:%s}`, i, property, value), &device); err != nil {
				t.Fatal(err)
			}
			tenant.AddDevice(device)
		}
		pages, err := allPages(t, tenant.Client().NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{Filter: c.filter}))
		if err != nil || len(pages[0].Value) != len(c.good) {
			t.Fatalf("%s: got %+v, %v", name, pages, err)
		}
		// A device that never was in touch is before every bound to the service, and matches none to us.
		if pages[0].Dropped > 0 && !strings.HasSuffix(name, "Before") {
			t.Errorf("%s: the service ignored the filter: %+v", name, pages)
		}
	}
}

// operands reads a $filter by itself: comparisons with "and" between them, texts in quotes that are doubled inside.
func operands(tb testing.TB, filter string) map[string]string {
	tb.Helper()
	read := map[string]string{}
	for filter != "" {
		property, rest, _ := strings.Cut(filter, " ")
		operator, rest, _ := strings.Cut(rest, " ")
		var value strings.Builder
		if quoted, ok := strings.CutPrefix(rest, "'"); ok {
			for {
				text, after, closed := strings.Cut(quoted, "'")
				if !closed {
					tb.Fatalf("an open quote in %q", filter)
				}
				value.WriteString(text)
				if quoted, ok = strings.CutPrefix(after, "'"); !ok {
					rest = after
					break
				}
				value.WriteByte('\'')
			}
		} else {
			text, after, more := strings.Cut(rest, " ")
			value.WriteString(text)
			if rest = ""; more {
				rest = " " + after
			}
		}
		key := property + " " + operator
		if _, twice := read[key]; twice || !documented[key] {
			tb.Fatalf("%q twice or not documented: %q", key, filter)
		}
		read[key] = value.String()
		var ok bool
		if filter, ok = strings.CutPrefix(rest, " and "); !ok && rest != "" {
			tb.Fatalf("cannot read %q", rest)
		}
	}
	return read
}

// documented are the comparisons that C§3.1 allows, of the properties that a filter has.
var documented = map[string]bool{
	"complianceState eq": true, "imei eq": true, "managementAgent eq": true, "manufacturer eq": true, "operatingSystem eq": true,
	"serialNumber eq": true, "deviceName eq": true, "model eq": true, "userPrincipalName eq": true, "azureADDeviceId eq": true,
	"enrolledDateTime lt": true, "enrolledDateTime gt": true, "lastSyncDateTime lt": true, "lastSyncDateTime gt": true,
}

func FuzzDeviceFilter(f *testing.F) {
	f.Add("DESKTOP-1", "5CD", "anna@contoso.com", int64(1), int64(2_000_000_000_000_000_000))
	f.Add("it''s 'x' and 1 eq 1", "' or ''='", "%27&$top=1#", int64(99), int64(101))
	f.Add("a+b c%20", "00-0", "\u00e4\u2028\u200b", int64(0), int64(0))
	f.Add("K", "\u212a", " ", int64(5), int64(5))
	f.Add("a b", "\ufeff5CD1", "anna\u00a0", int64(0), int64(0))
	f.Fuzz(func(t *testing.T, name, serial, user string, after, before int64) {
		filter := intune.DeviceFilter{DeviceName: name, SerialNumber: serial, UserPrincipalName: user}
		if after != 0 {
			filter.LastSyncAfter = time.Unix(0, after)
		}
		if before != 0 {
			filter.LastSyncBefore = time.Unix(0, before)
		}
		// Devices that are near misses of each other, all of which the service sends.
		var devices []intune.ManagedDevice
		synced := []time.Time{time.Unix(0, after), time.Unix(0, after+100), time.Unix(0, before), time.Unix(0, before-100), {}}
		for i, text := range []string{
			"", name, strings.ToUpper(name), name + " ", name + "'", strings.ReplaceAll(name, "'", "''"), "%", "*", strings.TrimSpace(name),
		} {
			for j, other := range []string{"", serial, user} {
				devices = append(devices, intune.ManagedDevice{
					ID: fmt.Sprint(i, "-", j), DeviceName: text, SerialNumber: other, UserPrincipalName: []string{user, "", strings.ToLower(user)}[j],
					LastSyncDateTime: synced[(i+j)%len(synced)].UTC(),
				})
			}
		}
		rows, err := json.Marshal(devices)
		if err != nil {
			t.Skip(err) // a time that JSON does not have
		}
		service := inTurn(`{"value":` + string(rows) + `}`)
		got, err := ids(t, newClient(t, service).Devices(t.Context(), intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter}))
		refused := after != 0 && before != 0 && after >= before || serial != "" && strings.Trim(serial, "0- ") == ""
		for _, text := range []string{name, serial, user} {
			hidden := func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }
			refused = refused || strings.TrimSpace(text) != text || !utf8.ValidString(text) || strings.ContainsFunc(text, hidden)
		}
		if refused {
			checkRefused(t, err)
			service.saw(t)
			if got != "" {
				t.Errorf("got %q", got)
			}
			return
		}
		if err != nil || len(service.asked) != 1 {
			t.Fatalf("got %v, asked %q", err, service.asked)
		}
		sent := operands(t, sentFilter(t, service.asked[0]))
		equal := func(key, value string) bool {
			operand, given := sent[key]
			return !given || strings.EqualFold(operand, value)
		}
		at := func(key string) time.Time {
			moment, err := time.Parse("2006-01-02T15:04:05.9999999Z", sent[key])
			if sent[key] != "" && err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			return moment
		}
		for key, want := range map[string]string{"deviceName eq": name, "serialNumber eq": serial, "userPrincipalName eq": user} {
			if sent[key] != want {
				t.Fatalf("sent %s %q, want %q", key, sent[key], want)
			}
		}
		gt, lt := at("lastSyncDateTime gt"), at("lastSyncDateTime lt")
		if gt.IsZero() != (after == 0) || lt.IsZero() != (before == 0) {
			t.Fatalf("sent %q for %d and %d", sent, after, before)
		}
		// The times here are whole tenths of microseconds or are rounded outwards, so the service would send all that match.
		rounded := func(by int64) bool { return by >= 0 && by < 100 }
		if after != 0 && !rounded(after-gt.UnixNano()) {
			t.Fatalf("sent %v for after %d", gt, after)
		}
		if before != 0 && !rounded(lt.UnixNano()-before) {
			t.Fatalf("sent %v for before %d", lt, before)
		}
		want := []string{}
		for _, d := range devices {
			exact := d.LastSyncDateTime
			named := equal("deviceName eq", d.DeviceName) && equal("serialNumber eq", d.SerialNumber)
			named = named && equal("userPrincipalName eq", d.UserPrincipalName)
			late := after == 0 || exact.Year() > 1 && exact.UnixNano() > after
			early := before == 0 || exact.Year() > 1 && exact.UnixNano() < before
			if named && late && early {
				want = append(want, d.ID)
			}
		}
		if got != strings.Join(want, " ") {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

// ignoring serves three pages of a list whose filter the service ignores (C§3.1). On the last, nothing is dropped.
func ignoring(req *http.Request) (*http.Response, error) {
	const next = graphLists + "managedDevices?$skiptoken="
	body := pageOf(next+"2", deviceRow("1", "SRV"), deviceRow("2", "srv"))
	switch req.URL.Query().Get("$skiptoken") {
	case "3":
		body = pageOf("", deviceRow("4", "pc")) // came before
	case "2":
		body = pageOf(next+"3", deviceRow("3", "SRV"), deviceRow("4", "PC"))
	}
	return answer(req, http.StatusOK, nil, body), nil
}

// TestListDevicesResponse_TellsOfAnIgnoredFilter: rows that do not match are left out, and who wants to know is told how many.
func TestListDevicesResponse_TellsOfAnIgnoredFilter(t *testing.T) {
	t.Parallel()
	filter := intune.DeviceFilter{DeviceName: "PC"}
	calls := map[string]func(*intune.Client, func(intune.ListDevicesResponse)) ([]string, error){
		"Devices": func(client *intune.Client, onPage func(intune.ListDevicesResponse)) (ids []string, err error) {
			for device, err := range client.Devices(t.Context(), intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter, OnPage: onPage}) {
				if err != nil {
					return nil, err
				}
				ids = append(ids, device.ID)
			}
			return ids, nil
		},
		"FindDevice": func(client *intune.Client, onPage func(intune.ListDevicesResponse)) ([]string, error) {
			device, err := client.FindDevice(t.Context(), filter, &intune.FindDeviceOptions{OnPage: onPage})
			return []string{device.ID}, err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collected := &graphtest.Spans{}
			client := newClient(t, transportFunc(ignoring), func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() })
			var dropped, rows []int
			found, err := call(client, func(page intune.ListDevicesResponse) {
				dropped, rows = append(dropped, page.Dropped), append(rows, len(page.Value))
			})
			if err != nil || !slices.Equal(found, []string{"4"}) {
				t.Fatalf("found %v, error %v", found, err)
			}
			if !slices.Equal(dropped, []int{2, 1, 0}) || !slices.Equal(rows, []int{0, 1, 0}) {
				t.Errorf("OnPage saw %v rows, and %v dropped", rows, dropped)
			}
			var events []string
			for _, made := range collected.List {
				events = append(events, made.Events...)
			}
			const event = "rows that do not match the filter[{intune.dropped "
			if want := []string{event + "2}]", event + "1}]"}; !slices.Equal(events, want) {
				t.Errorf("events %q, want %q", events, want)
			}
		})
	}
}
