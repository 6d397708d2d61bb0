package intune_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// sessionService has the device d1. It accepts every request, and gives its reads in turn, the last one for ever.
type sessionService struct {
	reads []string

	mu            sync.Mutex
	looked, asked int
}

func (s *sessionService) Do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.Method == http.MethodPost {
		s.asked++
		return answer(req, http.StatusNoContent, nil, ""), nil
	}
	body := s.reads[min(s.looked, len(s.reads)-1)]
	s.looked++
	return answer(req, http.StatusOK, http.Header{"Request-Id": {"r1"}}, body), nil
}

// sessionOf is a read of d1 with these properties.
func sessionOf(link, details string) string {
	return `{"id":"d1","remoteAssistanceSessionUrl":` + quote(link) + `,"remoteAssistanceSessionErrorDetails":` + quote(details) + `}`
}

// noAnswers are bodies with status 200 that say nothing about the session of d1.
var noAnswers = map[string]string{
	"empty":                 ``,
	"null":                  `null`,
	"empty object":          `{}`,
	"a captive portal":      `{"status":"ok"}`,
	"a list":                `[]`,
	"text":                  `"ok"`,
	"a page":                `<html>Sign in</html>`,
	"no id":                 `{"remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"id null":               `{"id":null,"remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"id blank":              `{"id":"","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"another id":            `{"id":"d2","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"only the id":           `{"id":"d1"}`,
	"no link":               `{"id":"d1","remoteAssistanceSessionErrorDetails":null}`,
	"no error text":         `{"id":"d1","remoteAssistanceSessionUrl":null}`,
	"only the id, in value": `{"value":{"id":"d1"}}`,
	"no link, in value":     `{"value":{"id":"d1","remoteAssistanceSessionErrorDetails":null}}`,
	"no text, in value":     `{"value":{"id":"d1","remoteAssistanceSessionUrl":null}}`,
	"one here, one there":   `{"remoteAssistanceSessionUrl":null,"value":{"id":"d1","remoteAssistanceSessionErrorDetails":null}}`,
}

// sessionAnswers say that d1 has no session.
var sessionAnswers = map[string]string{
	"null":                   `{"id":"d1","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"blank":                  sessionOf("", ""),
	"white space":            sessionOf(" ", "\t"),
	"in value":               `{"value":` + sessionOf("", "") + `}`,
	"another case":           `{"ID":"D1","RemoteAssistanceSessionURL":"","REMOTEASSISTANCESESSIONERRORDETAILS":null}`,
	"with other members":     `{"@odata.context":"x","id":"d1","notes":"n","remoteAssistanceSessionUrl":"","remoteAssistanceSessionErrorDetails":null}`,
	"with a byte-order mark": "\ufeff" + sessionOf("", ""),
}

func TestBaselineIsTheDevicesOwn(t *testing.T) {
	t.Parallel()
	for name, body := range noAnswers {
		t.Run("refused: "+name, func(t *testing.T) {
			t.Parallel()
			service := &sessionService{reads: []string{body}}
			client := newClient(t, service, noRetries)
			poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
			if e := asError(t, err); poller != nil || e.Op != "read the remote-assistance session" || errors.Is(err, intune.ErrOutcomeUnknown) || service.asked != 0 {
				t.Errorf("got %v, %v; asked %d times", poller, err, service.asked)
			}
			if session, err := client.GetRemoteAssistanceSession(t.Context(), intune.Device("d1"), nil); err == nil {
				t.Errorf("read %v", session)
			}
		})
	}
	for name, body := range sessionAnswers {
		t.Run("accepted: "+name, func(t *testing.T) {
			t.Parallel()
			service := &sessionService{reads: []string{body}}
			client := newClient(t, service)
			if _, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil); err != nil || service.asked != 1 {
				t.Errorf("got %v; asked %d times", err, service.asked)
			}
			if session, err := client.GetRemoteAssistanceSession(t.Context(), intune.Device("d1"), nil); err != nil || !session.URL.IsZero() || session.ErrorDetails != "" {
				t.Errorf("read %v, %v", session, err)
			}
		})
	}
}

// What is no answer neither ends a wait nor counts as a sign.
func TestNoAnswerWhileWaiting(t *testing.T) {
	t.Parallel()
	for name, body := range noAnswers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &sessionService{reads: []string{sessionOf(oldLink, "old trouble"), body, sessionOf(oldLink, "old trouble"), body, sessionOf(newLink, "old trouble")}}
				poller, err := newClient(t, service, noRetries).BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
				if err != nil {
					t.Fatal(err)
				}
				session, err := poller.PollUntilDone(t.Context(), every)
				if err != nil || session.URL.Reveal() != newLink || service.looked != 5 || service.asked != 1 {
					t.Errorf("got %v, %v after %d looks", session, err, service.looked)
				}
			})
		})
	}
	t.Run("no sign of an open outcome", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			service := &sessionService{reads: []string{sessionOf(oldLink, ""), `{}`, `null`, `{"status":"ok"}`, `{"id":"d1"}`}}
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost {
					return answer(req, http.StatusGatewayTimeout, nil, ""), nil
				}
				return service.Do(req)
			}), noRetries)
			poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if _, err := poller.PollUntilDone(t.Context(), every); !errors.Is(err, intune.ErrOutcomeUnknown) || time.Since(start) != 2*time.Minute {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
	})
}

// The responder of the test kit is an answer at each of the addresses.
func TestSessionResponderIsAnAnswer(t *testing.T) {
	t.Parallel()
	for name, device := range map[string]intune.DeviceRef{
		"plain":        intune.Device("d1"),
		"user":         intune.UserDevice("anna@contoso.com", "d1"),
		"detected app": intune.DetectedAppDevice("a1", "d1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mock := httpmock.NewMockTransport()
			mock.RegisterResponder(http.MethodGet, `=~/managedDevices/d1$`, intunetest.Session(newLink))
			session, err := newClient(t, &http.Client{Transport: mock}).GetRemoteAssistanceSession(t.Context(), device, nil)
			if err != nil || session.URL.Reveal() != newLink {
				t.Errorf("got %v, %v", session, err)
			}
		})
	}
}

func TestGetRemoteAssistanceSession(t *testing.T) {
	t.Parallel()
	device := intune.UserDevice("anna@contoso.com", "d1")
	t.Run("what it gives", func(t *testing.T) {
		t.Parallel()
		client := newClient(t, &sessionService{reads: []string{sessionOf(" "+newLink+"\n", " see "+oldLink+" ")}})
		session, err := client.GetRemoteAssistanceSession(t.Context(), device, nil)
		if err != nil || session.URL.Reveal() != newLink || session.Device != device || session.RequestID != "r1" || session.Reused ||
			session.ErrorDetails != "see https://get.teamviewer.com/REDACTED" {
			t.Errorf("got %+v, %v", session, err)
		}
	})
	for name, link := range map[string]string{
		"http": "http://get.teamviewer.com/new-secret", "no URL": "new-secret", "opaque": "https:new-secret",
		"a user": "https://new-secret@get.teamviewer.com/", "a control character": "https://get.teamviewer.com/\x7fnew-secret",
		"no host": "https://:443/new-secret", "a space": "https://get.teamviewer.com/a new-secret", "a terminal's command": "https://get.teamviewer.com/\u009bnew-secret",
		"text from right to left": "https://get.teamviewer.com/\u202enew-secret", "an invisible space": "https://get.teamviewer.com/\u200bnew-secret",
	} {
		t.Run("link: "+name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, &sessionService{reads: []string{sessionOf(link, "")}})
			session, err := client.GetRemoteAssistanceSession(t.Context(), device, nil)
			if e := asError(t, err); !session.URL.IsZero() || e.Device != device || e.StatusCode != http.StatusOK || e.RequestID != "r1" || errors.Is(err, intune.ErrOutcomeUnknown) ||
				!strings.Contains(err.Error(), "withheld") || strings.Contains(err.Error(), "new-secret") {
				t.Errorf("got %v, %v", session, err)
			}
		})
	}
	for name, none := range map[string]intune.DeviceRef{"a slash": intune.Device("a/b"), "dots": intune.UserDevice("..", "d1"), "nothing": {}} {
		service := &sessionService{reads: []string{sessionOf("", "")}}
		_, err := newClient(t, service).GetRemoteAssistanceSession(t.Context(), none, nil)
		if !errors.Is(err, intune.ErrInvalidArgument) || service.looked != 0 {
			t.Errorf("%s: got %v after %d looks", name, err, service.looked)
		}
	}
}
