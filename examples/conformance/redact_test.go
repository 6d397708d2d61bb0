package main

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// mark is in everything that the marked tenant calls its own.
const mark = "zmark"

// markedRecord is a device with a marker in every property that is a text.
func markedRecord(n int) intune.ManagedDevice {
	d := demoRecord(n)
	v := reflect.ValueOf(&d).Elem()
	for field, value := range v.Fields() {
		switch {
		case field.Name == "ID" || field.Name == "UserID":
			// The changes of single facts know these, which are GUIDs; leaks looks for any GUID.
		case value.Kind() == reflect.String:
			value.SetString(fmt.Sprintf("%s %s%d", mark, field.Name, n))
		}
	}
	d.UserPrincipalName = fmt.Sprintf("%s%d@%s.example", mark, n, mark)
	d.ActivationLockBypassCode = intune.NewSecret(mark)
	d.RemoteAssistanceSessionURL = intune.NewSessionURL("https://" + mark + ".example/old?" + mark)
	d.RemoteAssistanceSessionErrorDetails = "cannot reach " + mark
	d.DeviceActionResults = []intune.DeviceActionResult{{ActionName: mark, Passcode: intune.NewSecret(mark)}}
	return d
}

// marked is the tenant with a marker in every property, header, error message, link, and in the token.
func marked() demo {
	return demo{
		devices: 8,
		record:  markedRecord,
		change:  markAnswers,
		claims: map[string]any{
			"tid": mark, "appid": mark, "upn": mark + "@" + mark + ".example",
			"roles": []string{
				"DeviceManagementManagedDevices.ReadWrite.All", "DeviceManagementServiceConfig.Read.All", "DeviceManagementApps.Read.All",
				mark + ".Read.All",
			},
		},
		sessions: []intunetest.SessionScript{
			{URL: "https://" + mark + ".example/first?" + mark, ErrorDetails: "error " + mark},
			{URL: "https://get.teamviewer.com/" + mark},
		},
	}
}

// markAnswers adds markers to the answers of a tenant.
func markAnswers(tenant policy.Transporter) policy.Transporter {
	return answers(func(asked) bool { return true }, func(r *reply) {
		r.header = r.header.Clone()
		for name, values := range r.header {
			if name != "Content-Type" && name != "Client-Request-Id" {
				values[0] += " " + mark
			}
		}
		for _, name := range []string{"X-Marker", "Deprecation", "Sunset", "Location"} {
			r.header.Set(name, mark)
		}
		if r.body == nil {
			return
		}
		r.body[mark+"Key"] = mark
		for _, row := range r.rows() {
			row[mark+"Key"] = mark
		}
		if e, ok := r.body["error"].(map[string]any); ok {
			markError(e)
		}
	})(tenant)
}

func markError(e record) {
	e["code"] = e.text("code") + mark
	message := "The device '" + mark + "' of " + mark + "@" + mark + ".example at https://" + mark + ".example/" + mark + " was not found"
	if strings.HasPrefix(e.text("message"), "{") {
		message = string(encode(map[string]any{"_version": 3, "Message": message}))
	}
	e["message"] = message
}

// markedAnswer answers everything alike, with markers.
func markedAnswer(status int) change {
	return answers(func(asked) bool { return true }, func(r *reply) {
		r.status = status
		e := record{"code": mark, "message": "{}"}
		markError(e)
		r.body = record{"error": map[string]any(e), mark: mark}
	})
}

var anyGUID = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// anyHash is a replaced value, whose random digits may spell the beginning of a serial number.
var anyHash = regexp.MustCompile(`\b(id|link|address|host|text)-[0-9a-f]{8}\b`)

// ownAddress is a word of the program's own that looks like an address.
var ownAddress = regexp.MustCompile(`^(https://(learn\.microsoft|github)\.com/.*|'?conformance@invalid'?)$`)

// leaks looks in a report for what is the tenant's own.
func leaks(t *testing.T, report string) {
	t.Helper()
	for line := range strings.Lines(report) {
		text := strings.ReplaceAll(line, nobody, "") // the program's own
		for _, forbidden := range []string{
			mark, "eyJ", "contoso", "fabrikam", "desktop-", "phone-", "5cd0", "teamviewer.com/", "graph.microsoft.com",
			"manage.microsoft.com", homeOfToken,
		} {
			if strings.Contains(strings.ToLower(anyHash.ReplaceAllString(text, "")), strings.ToLower(forbidden)) {
				t.Errorf("%q is in: %s", forbidden, line)
			}
		}
		if found := anyGUID.FindString(text); found != "" {
			t.Errorf("the id %s is in: %s", found, line)
		}
		for word := range strings.FieldsSeq(text) {
			if ownAddress.MatchString(word) {
				continue
			}
			if strings.Contains(word, "://") || strings.Contains(strings.ReplaceAll(word, "@odata.", ""), "@") {
				t.Errorf("the address %s is in: %s", word, line)
			}
		}
	}
}

// homeOfToken is the tenant of the kit's own tokens.
const homeOfToken = "0c1f4c6e"

func TestReportHoldsNothingOfTheTenant(t *testing.T) {
	t.Parallel()
	cases := map[string]demo{"markers": marked(), "demo": {devices: 8}}
	// Those that show texts of the service. TestOneFactChanged looks at all of them, without the markers.
	texts := regexp.MustCompile("^(properties|error|user|connector|audit-event|action|session|again)")
	for i, f := range allFacts() {
		id := string(f.id)
		d := changes()[id]
		if !texts.MatchString(id) || i%smaller != 0 {
			continue
		}
		m := marked()
		change := d.change
		switch {
		case change != nil:
			m.change = func(tenant policy.Transporter) policy.Transporter { return change(markAnswers(tenant)) }
		default:
			m.options = d.options
		}
		cases["changed "+id] = m
	}
	for _, code := range []int{200, 302, 400, 401, 403, 404, 405, 429, 500, 503} {
		m := marked()
		m.change = markedAnswer(code)
		cases[fmt.Sprint("all answers ", code)] = m
	}
	m := marked()
	m.change = func(policy.Transporter) policy.Transporter {
		return transport(func(req *http.Request) (*http.Response, error) {
			return nil, errors.New("dial tcp " + mark + ".example: " + req.URL.String() + ": connection refused")
		})
	}
	cases["no answers"] = m
	for name, d := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, out, errs := conformance(t, d, allFlags...)
			if found := verdicts(t, out); len(found) != len(allFacts()) {
				t.Errorf("%d verdicts for %d facts; on stderr: %s", len(found), len(allFacts()), errs)
			}
			if strings.Contains(out, "%!") {
				t.Error("a format does not fit its values")
			}
			leaks(t, out+errs)
		})
	}
}

// TestMarkersAreSeen keeps the test above honest: the markers do reach the program.
func TestMarkersAreSeen(t *testing.T) {
	t.Parallel()
	at, err := marked().place(t.Context(), options{device: demoDevice, app: demoApp, cloud: intune.CloudPublic})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{
		devicesPath + "?" + sampleQuery, plainDevice, plainDevice + sessionQuery, devicePath(nobody), appsPath, partnersPath, auditPath,
	} {
		a := at.wire.get(t.Context(), address)
		if !strings.Contains(string(a.body), mark) || !strings.Contains(a.header.Get("x-ms-ags-diagnostic"), mark) {
			t.Errorf("%s: no marker in HTTP %d, %s", address, a.status, a.body)
		}
	}
	if !strings.Contains(strings.Join(permissions(at.token), " "), mark) {
		t.Error("no marker in the token's permissions")
	}
}

var hashForm = regexp.MustCompile(`(id|link|address|host|text)-[0-9a-f]{8}`)

// TestHashesLastForOneReport reads the hash of the first device from two reports.
func TestHashesLastForOneReport(t *testing.T) {
	t.Parallel()
	var hashes []string
	for range 2 {
		_, out, _ := conformance(t, demo{devices: 8}, "-demo")
		found := hashForm.FindAllString(section(out, "page-skip"), -1)
		if len(found) != 2 || found[0] != found[1] {
			t.Fatalf("one device, hashes %v", found)
		}
		if other := hashForm.FindString(section(out, "page-orderby")); other != found[0] {
			t.Errorf("one device, hashes %s and %s", found[0], other)
		}
		hashes = append(hashes, found[0])
	}
	if hashes[0] == hashes[1] {
		t.Errorf("two reports have the same hash %s", hashes[0])
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	r := newRedactor()
	id := r.hash("705c034c-034c-705c-4c03-5c704c035c70")
	for text, want := range map[string]plain{
		"": "(blank)",
		"Resource not found for the segment 'detectedApps'.": "Resource not found for the segment 'detectedApps'.",
		"An error has occurred":                              "An error has occurred",
		"device 705C034C-034C-705C-4C03-5C704C035C70 was":    "device " + id + " was",
		"'Anna'":      r.hash("Anna"),
		"device=Anna": r.hash("device=Anna"),
		"<device>":    "<device>",
		"''":          r.hash("''"),
	} {
		if got := r.text(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for value, kind := range map[string]string{
		"705c034c-034c-705c-4c03-5c704c035c70": "id", "https://a.example/b": "link", "anna@contoso.com": "address",
		"fef.msud01.manage.microsoft.com": "host", "DESKTOP": "text",
	} {
		if got := r.hash(value); !strings.HasPrefix(string(got), kind+"-") {
			t.Errorf("%s: %s, want kind %s", value, got, kind)
		}
	}
}

func TestHashesTellValuesApart(t *testing.T) {
	t.Parallel()
	r := newRedactor()
	seen := map[plain]string{}
	for _, value := range []string{"Anna", "Anne", "DESKTOP-1", "DESKTOP-2", "0123456789abcdef", "0123456789abcdee"} {
		hash := r.hash(value)
		if other, ok := seen[hash]; ok {
			t.Errorf("%s and %s have the hash %s", value, other, hash)
		}
		seen[hash] = value
	}
	if !strings.HasPrefix(string(r.hash("0123456789abcdef")), "id-") {
		t.Error("the id of a detected app is no id")
	}
}

func TestSay(t *testing.T) {
	t.Parallel()
	r := newRedactor()
	got := r.say("%d %d %t %s %s | %s | %s | %s | %s", 1, int64(2), true, plain("own"), 1234*time.Millisecond,
		"Anna", []string{"onboarded", "Anna"}, errors.New("connection to Anna"), struct{ Name string }{"Anna"})
	anna := string(r.hash("Anna"))
	want := "1 2 true own 1.2s | " + anna + " | onboarded, " + anna + " | connection to " + anna + " | " + anna
	if string(got) != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}

func TestLongText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("device ", maxWords+5)
	if got := newRedactor().text(long); string(got) != strings.Repeat("device ", maxWords)+"…" {
		t.Errorf("%s", got)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	word := strings.Repeat("é", 10)
	line := strings.TrimSuffix(strings.Repeat(word+" ", 9), " ")
	// Nine words have 98 characters, ten 109: with an indent of one that is as long as a line may be.
	for indent, want := range map[string]string{
		" ":  " " + line + " " + word + "\n " + word,
		"  ": "  " + line + "\n  " + word + " " + word,
	} {
		if got := wrap(plain(line+" "+word+"\n "+word), indent); got != want {
			t.Errorf("indent %d:\n%q, want\n%q", len(indent), got, want)
		}
	}
	if got := wrap("", " "); got != "" {
		t.Errorf("%q", got)
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{
		"An error has occurred", "device 'Anna' (at https://a.example)", "\u00a0\u200bAnna\u2028.", "{\"Message\":\"Anna\"}",
	} {
		f.Add(seed)
	}
	r := newRedactor()
	f.Fuzz(func(t *testing.T, text string) {
		for word := range strings.FieldsSeq(string(r.text(text))) {
			core := strings.ToLower(strings.Trim(word, margin))
			if word == "…" || word == "(blank)" {
				continue // it stands for what is not shown
			}
			if hashForm.FindString(word) != word && !vocabulary[core] {
				t.Errorf("%q shows %q", text, word)
			}
		}
	})
}
