package intunetest_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const own = "839dee69-b769-4c08-911d-a9c8ba8d164c" // a client-request-id

const sessionPath = graph + "/v1.0/deviceManagement/managedDevices/" + deviceID

func TestResponders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		responder httpmock.Responder
		status    int
		check     func(*testing.T, reply)
	}{
		{"NoContent", intunetest.NoContent(), 204, func(t *testing.T, r reply) {
			if r.body != "" || r.header.Get("Content-Type") != "" {
				t.Errorf("%v %q", r.header, r.body)
			}
		}},
		{"GraphError", intunetest.GraphError(409, "Conflict", "Try later."), 409, func(t *testing.T, r reply) {
			if got, want := r.refusal(t), (refusal{409, "Conflict", "Try later."}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got, want := r.envelope(t).Error.InnerError.RequestID, r.header.Get("request-id"); got != want {
				t.Errorf("request-id %s in the body, %s in the header", got, want)
			}
		}},
		{"IntuneError", intunetest.IntuneError(401, "Forbidden", "An error has occurred"), 401, checkDouble},
		{"Throttled", intunetest.Throttled(2128 * time.Millisecond), 429, func(t *testing.T, r reply) {
			if got := r.header.Get("Retry-After"); got != "2.128" {
				t.Errorf("Retry-After %q", got)
			}
			if r.envelope(t).Error.Code != "TooManyRequests" || !trailer.MatchString(r.nested(t)) {
				t.Errorf("got %s", r.body)
			}
		}},
		{"Throttled in silence", intunetest.Throttled(0), 429, func(t *testing.T, r reply) {
			if _, ok := r.header["Retry-After"]; ok {
				t.Errorf("%v", r.header)
			}
		}},
		{"Session", intunetest.Session("https://get.teamviewer.com/a&b"), 200, func(t *testing.T, r reply) {
			o := r.json(t)
			expectMembers(t, "session", o, map[string]any{
				"id": deviceID, "remoteAssistanceSessionUrl": "https://get.teamviewer.com/a&b", "remoteAssistanceSessionErrorDetails": "",
			})
			expectLen(t, "session", o, 4)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mock := httpmock.NewMockTransport()
			mock.RegisterResponder(http.MethodGet, sessionPath, c.responder)
			var group sync.WaitGroup
			for range 4 { // under the race detector: bodies are fresh, counters are not torn
				group.Go(func() {
					for range 5 {
						r := send(t, &http.Client{Transport: mock}, http.MethodGet, sessionPath, "", header("client-request-id", own))
						if r.status != c.status {
							t.Errorf("status %d, want %d", r.status, c.status)
						}
						if r.header.Get("client-request-id") != own || !guid.MatchString(r.header.Get("request-id")) {
							t.Errorf("ids in %v", r.header)
						}
						c.check(t, r)
						if r.status == http.StatusNoContent {
							continue
						}
						if !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") || !json.Valid([]byte(r.body)) {
							t.Errorf("%v %q", r.header, r.body)
						}
					}
				})
			}
			group.Wait()
		})
	}
	key := sessionPath[:strings.LastIndex(sessionPath, "/")] + "('" + deviceID + "')"
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder(http.MethodGet, key, intunetest.Session(""))
	if o := get(t, &http.Client{Transport: mock}, key); o["id"] != deviceID || o["remoteAssistanceSessionUrl"] != "" {
		t.Errorf("%v", o)
	}
}

// The library reads what the responders say.
func TestRespondersForLibrary(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		responder httpmock.Responder
		want      error
	}{
		{intunetest.NoContent(), nil},
		{intunetest.GraphError(400, "BadRequest", "No."), intune.ErrBadRequest},
		{intunetest.IntuneError(401, "Forbidden", "An error has occurred"), intune.ErrForbidden},
		{intunetest.IntuneError(404, "ResourceNotFound", "An error has occurred"), intune.ErrNotFound},
		{intunetest.Throttled(time.Hour), intune.ErrThrottled},
	} {
		mock := httpmock.NewMockTransport()
		mock.RegisterResponder(http.MethodPost, sessionPath+action, c.responder)
		tenant := intunetest.NewTenant(nil)
		options := tenant.ClientOptions()
		options.Transport = &http.Client{Transport: mock}
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.RequestRemoteAssistance(t.Context(), intune.Device(deviceID), nil)
		if !errors.Is(err, c.want) { // nil is nil alone
			t.Errorf("got %v, want %v", err, c.want)
		}
		e, ok := errors.AsType[*intune.Error](err)
		if ok != (c.want != nil) {
			t.Errorf("an Error: %v", ok)
		}
		if ok && e.RequestID == "" {
			t.Errorf("no request id in %+v", e)
		}
		if ok && strings.Contains(e.Message, "Operation ID") {
			t.Errorf("message %q", e.Message)
		}
	}
}

// Exact registrations win over the tenant, before and after it, and other hosts and schemes.
func TestRegister(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := populate(tenant)
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder(http.MethodPost, sessionPath+action, intunetest.IntuneError(403, "Forbidden", "no"))
	tenant.Register(mock)
	mock.RegisterResponder(http.MethodGet, sessionPath, intunetest.Session("https://x"))
	client := &http.Client{Transport: mock}
	if r := send(t, client, http.MethodPost, sessionPath+action, ""); r.status != 403 || tenant.Prompts(ref) != 0 {
		t.Errorf("%d, %d prompts", r.status, tenant.Prompts(ref))
	}
	if o := get(t, client, sessionPath+"?$select=id"); o["remoteAssistanceSessionUrl"] != "https://x" {
		t.Errorf("%v", o)
	}
	r := send(t, client, http.MethodPost, "https://graph.microsoft.us/v1.0"+ref.String()+action, "")
	if r.status != 204 || tenant.Prompts(ref) != 1 {
		t.Errorf("%d, %d prompts", r.status, tenant.Prompts(ref))
	}
	if r, err := try(t, client, http.MethodGet, "http://graph.microsoft.com/v1.0"+ref.String(), ""); err == nil {
		t.Errorf("answered over http: %d", r.status)
	}
}
