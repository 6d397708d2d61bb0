package readiness_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

// Everything that comes of the checks, good and bad, is searched for the link, the token, the user and what the service
// quoted of them.
func TestReadinessHoldsNoSecret(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	text := graphtest.CaptureLog(t)
	const upn = "anna.user-secret@contoso.com"
	quoting := intunetest.Fault{Status: http.StatusForbidden, Body: `{"error":{"code":"Forbidden","message":"` + upn + ` may not open https://get.teamviewer.com/new-secret"}}`}
	for name, change := range map[string]func(*readinessCase){
		"link": func(c *readinessCase) { c.device.RemoteAssistanceSessionURL = intune.NewSessionURL(graphtest.NewLink) },
		"http link": func(c *readinessCase) {
			c.device.RemoteAssistanceSessionURL = intune.NewSessionURL("http://new-secret")
		},
		"error text": func(c *readinessCase) {
			c.device.RemoteAssistanceSessionErrorDetails = upn + ": try " + graphtest.NewLink
		},
		"odd record": func(c *readinessCase) {
			c.device.OperatingSystem, c.device.ManagementState = "see "+graphtest.NewLink, "see "+graphtest.NewLink
		},
		"device":    func(c *readinessCase) { c.fault("/"+graphtest.DeviceID, quoting) },
		"connector": func(c *readinessCase) { c.fault("/remoteAssistancePartners", quoting) },
		"no record": func(c *readinessCase) {
			c.fault("/remoteAssistancePartners", quoting)
			c.fault("/"+graphtest.DeviceID, intunetest.Fault{Status: http.StatusNotFound})
		},
		"token": func(c *readinessCase) { c.token = intune.StaticToken("opaque-token-secret") },
	} {
		collected := &graphtest.Spans{}
		c := newReadinessCase()
		c.device.UserPrincipalName = upn
		c.claims = map[string]any{"scp": manageDevices + " " + readConnector, "upn": upn, "name": "name-secret"}
		change(c)
		ref := intune.UserDevice(upn, c.tenant.AddDevice(c.device).DeviceID())
		options := c.tenant.ClientOptions()
		options.TracingProvider = collected.Provider()
		options.Logging.IncludeBody = true
		credential := c.token
		if credential == nil {
			credential = c.tenant.CredentialWith(c.claims)
		}
		client, err := intune.NewClient(credential, options)
		if err != nil {
			t.Fatal(err)
		}
		found, err := readiness.Check(t.Context(), client, ref, nil)
		if err != nil {
			t.Fatal(err)
		}
		// The address as JSON is whole, and azcore logs the path; DeviceRef says so.
		text.WriteString(found.String())
		slog.New(slog.NewJSONHandler(text, nil)).Info("checked", "readiness", found)
		text.WriteString(graphtest.Renderings(found.Checks))
		for _, made := range collected.List {
			text.WriteString(graphtest.Renderings(made.Name, made.Status, made.Events))
		}
		for _, secret := range []string{"new-secret", "token-secret", "name-secret", "eyJ"} {
			if strings.Contains(text.String(), secret) {
				t.Errorf("%s: %q is in\n%s", name, secret, text)
			}
		}
		if shown := found.String() + graphtest.Renderings(found.Checks); strings.Contains(shown, "user-secret") {
			t.Errorf("%s: the user is in\n%s", name, shown)
		}
		text.Reset()
	}
}

func TestReadinessAsText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 9)
	for _, c := range []struct {
		readiness readiness.Report
		want      string
	}{
		{readiness.Report{}, "no device: not checked"},
		{readiness.Report{Device: intune.Device("1"), Checks: []readiness.Result{{"token", "pass", "a token", ""}}}, "device 1: ready\npass  token  a token"},
		{
			readiness.Report{Device: intune.UserDevice("anna@contoso.com", "1"), Checks: []readiness.Result{
				{"device", "unknown", "not\x1b[31m\nread " + long, "look " + long},
				{"user", "unknown", "not read", "look " + long}, // as above
				{"x", "warn", strings.Repeat("字", 30), "look"},
			}},
			`device 1 (user address): ready, as far as is known
unknown  device  not [31m read
                 01234567890123456789012345678901234567890123456789012
                 3456789012345678901234567890123456789
                 -> look
                    01234567890123456789012345678901234567890123456789
                    0123456789012345678901234567890123456789
unknown  user    not read
warn     x       字字字字字字字字字字字字字字字字字字字字字字字字字字
                 字字字字
                 -> look`,
		},
		{readiness.Report{Device: intune.Device(long), Checks: []readiness.Result{{"a", "fail", "b", "c"}}}, "device\n" + long[:70] + "\n" + long[70:] + ": not ready\nfail  a  b\n         -> c"},
	} {
		if got := c.readiness.String(); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}

// A web page reads the JSON; a log has a group for each check, whatever was found.
func TestReadinessAsData(t *testing.T) {
	t.Parallel()
	readiness := readiness.Report{Device: intune.Device("1"), Checks: []readiness.Result{
		{readiness.Cloud, readiness.Pass, "good", ""},
		{readiness.User, readiness.Fail, "none", "find one"},
	}}
	text, err := json.Marshal(readiness)
	const want = `{"Device":"/deviceManagement/managedDevices/1","Checks":[{"Name":"cloud","Status":"pass","Detail":"good"},` +
		`{"Name":"user","Status":"fail","Detail":"none","Remedy":"find one"}]}`
	if err != nil || string(text) != want {
		t.Errorf("%s, error %v", text, err)
	}
	var log strings.Builder
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}
	slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{ReplaceAttr: drop})).Info("checked", "readiness", readiness)
	const logged = `{"msg":"checked","readiness":{"device":"device 1","ok":false,"checks":{"cloud":{"status":"pass","detail":"good"},` +
		`"user":{"status":"fail","detail":"none","remedy":"find one"}}}}`
	if got := strings.TrimSpace(log.String()); got != logged {
		t.Errorf("logged %s", got)
	}
}
