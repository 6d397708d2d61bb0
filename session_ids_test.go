package intune_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// The ids and the time of the request stay with the wait, from process to process.
func TestIDsOfTheRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault intunetest.Fault
		id    bool
	}{
		"accepted":     {intunetest.Fault{}, true},
		"open":         {intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter}, false},
		"open, a body": {intunetest.Fault{Method: http.MethodPost, Status: http.StatusGatewayTimeout, Effect: true}, true},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: time.Minute})
			if c.fault.Method != "" {
				tenant.Inject(c.fault)
			}
			start := time.Now()
			time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock
			_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{MaxWait: time.Second})
			pending, ok := errors.AsType[*intune.PendingError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			sent := ""
			for _, request := range tenant.Requests() {
				if request.Method == http.MethodPost {
					sent = request.Header.Get("client-request-id")
				}
			}
			session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), pending.ResumeToken, nil)
			if err != nil || session.URL.Reveal() != newLink || session.Device != device {
				t.Fatalf("got %v, %v", session, err)
			}
			if pending.ClientRequestID != sent || session.ClientRequestID != sent || sent == "" {
				t.Errorf("sent %q, PendingError has %q, the session %q", sent, pending.ClientRequestID, session.ClientRequestID)
			}
			if pending.RequestID != session.RequestID || (session.RequestID != "") != c.id {
				t.Errorf("PendingError has %q, the session %q", pending.RequestID, session.RequestID)
			}
			if want := start.Add(time.Second); !session.RequestedAt.Equal(want) || !pending.RequestedAt.Equal(want) {
				t.Errorf("requested at %v, %v, want %v", pending.RequestedAt, session.RequestedAt, want)
			}
		})
	}
	bubble(t, "session error", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{ErrorDetails: "trouble", AfterReads: 1})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		failed, ok := errors.AsType[*intune.SessionError](err)
		if !ok || failed.RequestID == "" || !guid.MatchString(failed.ClientRequestID) {
			t.Errorf("got %v", err)
		}
	})
}

// Throttled tries of the request may take minutes, which are not taken from the time to look for a sign.
func TestLimitsCountFromTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &sessionService{reads: []string{sessionOf("", "")}}
		tries := 0
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			if req.Method != http.MethodPost {
				return service.Do(req)
			}
			if tries++; tries == 1 {
				return answer(req, http.StatusTooManyRequests, http.Header{"Retry-After": {"170"}}, ""), nil
			}
			return answer(req, http.StatusGatewayTimeout, nil, ""), nil
		}))
		start := time.Now()
		_, err := client.OpenRemoteAssistance(t.Context(), intune.Device("d1"), nil)
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok || !errors.Is(err, intune.ErrOutcomeUnknown) || time.Since(start) != 170*time.Second+2*time.Minute || pending.RequestedAt.Sub(start) != 170*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// What a method of the wait says is a group of fields in structured logs.
func TestWaitIsLoggedAsGroups(t *testing.T) {
	t.Parallel()
	device, at := intune.UserDevice("anna-secret@contoso.com", "d1"), time.Date(2026, 8, 20, 7, 8, 9, 0, time.UTC)
	link := intune.NewSessionURL(newLink)
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"session": {
			intune.RemoteAssistanceSession{Device: device, URL: link, ErrorDetails: "e", Reused: true, RequestID: "r", ClientRequestID: "c", RequestedAt: at},
			`{"device":"device d1 (user address)","url":"REDACTED","error_details":"e","reused":true,"request_id":"r","client_request_id":"c","requested_at":"2026-08-20T07:08:09Z"}`,
		},
		"no session": {intune.RemoteAssistanceSession{Device: device}, `{"device":"device d1 (user address)","url":""}`},
		"session error": {
			&intune.SessionError{Device: device, Details: "d", Hint: "h", RequestID: "r", ClientRequestID: "c"},
			`{"device":"device d1 (user address)","details":"d","hint":"h","request_id":"r","client_request_id":"c"}`,
		},
		"pending": {
			&intune.PendingError{Device: device, RequestID: "r", ClientRequestID: "c", RequestedAt: at, ResumeToken: "token-secret"},
			`{"device":"device d1 (user address)","request_id":"r","client_request_id":"c","requested_at":"2026-08-20T07:08:09Z"}`,
		},
		"ambiguous": {
			&intune.AmbiguousDeviceError{Candidates: []intune.ManagedDevice{
				{ID: "1", DeviceName: "PC", SerialNumber: "S1", LastSyncDateTime: at, UserPrincipalName: "anna-secret@contoso.com"}, {ID: "2", DeviceName: "PC"},
			}},
			`{"count":2,"candidate_1":{"id":"1","name":"PC","serial":"S1","last_sync":"2026-08-20T07:08:09Z"},"candidate_2":{"id":"2","name":"PC"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "value", c.value)
			var line map[string]json.RawMessage
			if err := json.Unmarshal(b.Bytes(), &line); err != nil || string(line["value"]) != c.want {
				t.Errorf("got %s, %v\nwant %s", line["value"], err, c.want)
			}
		})
	}
	bubble(t, "a real one", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		var b bytes.Buffer
		slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "value", err)
		for _, part := range []string{`"outcome_unknown":true`, `"cause":"request remote assistance on device ` + device.DeviceID()} {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%s is missing from %s", part, b.String())
			}
		}
	})
}

// The span of a method that waits shows the ids of the request, and not those of its latest look.
func TestSpanOfAWait(t *testing.T) {
	t.Parallel()
	bubble(t, "Open and WaitFor", func(t *testing.T, tenant *intunetest.Tenant) {
		collected := &spans{}
		options := tenant.ClientOptions()
		options.TracingProvider = collected.provider()
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: time.Hour})
		_, err = client.OpenRemoteAssistance(t.Context(), device, nil)
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok {
			t.Fatal(err)
		}
		if _, err := client.WaitForRemoteAssistance(t.Context(), pending.ResumeToken, &intune.WaitForRemoteAssistanceOptions{MaxWait: -1}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.ResumeRemoteAssistance(t.Context(), pending.ResumeToken, nil); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, made := range collected.list {
			seen[made.name] = true
			if made.name != "Client.OpenRemoteAssistance" && made.name != "Client.WaitForRemoteAssistance" {
				continue
			}
			if made.attributes["az.service_request_id"] != pending.RequestID || made.attributes["az.client_request_id"] != pending.ClientRequestID {
				t.Errorf("%s has %v, want %s", made.name, made.attributes, pending.RequestID)
			}
		}
		if !seen["Client.OpenRemoteAssistance"] || !seen["Client.WaitForRemoteAssistance"] || !seen["Client.ResumeRemoteAssistance"] {
			t.Errorf("spans %v", collected.names())
		}
	})
}

// azcore's own spans of a poller appear beside the library's.
func TestSpanOfThePoller(t *testing.T) {
	t.Parallel()
	collected := &spans{}
	client := newClient(t, &sessionService{reads: []string{sessionOf("", ""), sessionOf(newLink, "")}}, func(o *intune.ClientOptions) { o.TracingProvider = collected.provider() })
	poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := len(collected.list)
	if _, err := poller.PollUntilDone(t.Context(), every); err != nil {
		t.Fatal(err)
	}
	if names := collected.names()[before:]; len(names) == 0 || !strings.HasPrefix(names[0], "Poller[") {
		t.Errorf("spans %v", names)
	}
}
