package intune_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// renderings shows a value in every way a program may log it.
func renderings(values ...any) string {
	var b bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&b, nil))
	structured := slog.New(slog.NewJSONHandler(&b, nil))
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10.5v"} {
			fmt.Fprintf(&b, verb+"\n", value)
			fmt.Fprintf(&b, verb+"\n", []any{value, &value, struct{ Field any }{value}, struct{ field any }{value}})
		}
		logger.Info("value", "value", value)
		structured.Info("value", "value", value)
		if text, err := json.Marshal(value); err == nil {
			b.Write(text)
		}
		if text, err := json.Marshal(map[string]any{"value": value}); err == nil {
			b.Write(text)
		}
	}
	return b.String()
}

func TestSessionURLIsASecret(t *testing.T) {
	t.Parallel()
	link := intune.NewSessionURL(newLink)
	session := intune.RemoteAssistanceSession{Device: intune.Device("1"), URL: link}
	text := renderings(link, &link, session, &session, intune.ManagedDevice{ID: "1", RemoteAssistanceSessionURL: link},
		intune.GetRemoteAssistanceSessionResponse{RemoteAssistanceSession: session},
		struct{ hidden intune.SessionURL }{link}, struct{ hidden *intune.SessionURL }{&link})
	// %x of a text is hexadecimal; a link in it would be too.
	for _, secret := range []string{"new-secret", fmt.Sprintf("%x", "new-secret"), fmt.Sprintf("%X", "new-secret")} {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows:\n%s", secret, text)
		}
	}
	marshaled, err := link.MarshalText()
	for _, shown := range []string{link.String(), link.GoString(), link.LogValue().String(), fmt.Sprint(link), fmt.Sprintf("%#v", link), string(marshaled)} {
		if shown != "REDACTED" || err != nil {
			t.Errorf("got %q, error %v", shown, err)
		}
	}
	if link.Reveal() != newLink || link.IsZero() || !link.Equal(intune.NewSessionURL(newLink)) || link.Equal(intune.NewSessionURL(oldLink)) {
		t.Error("Reveal, IsZero or Equal is wrong")
	}
}

func TestSessionURLFromJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{`"` + newLink + `"`: newLink, `""`: "", `null`: "", `"REDACTED"`: ""} {
		link := intune.NewSessionURL(oldLink)
		if err := json.Unmarshal([]byte(text), &link); err != nil || link.Reveal() != want || link.IsZero() != (want == "") {
			t.Errorf("%s: %q, %v", text, link.Reveal(), err)
		}
	}
	var link intune.SessionURL
	if err := json.Unmarshal([]byte(`{"new-secret":1}`), &link); err == nil || strings.Contains(err.Error(), "new-secret") {
		t.Errorf("got %v", err)
	}
}

// Everything that the library emits during whole sessions, good and bad, is searched for the link, the token and what was there before.
func TestNothingEmittedHoldsASecret(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	text := captureLog(t)
	collected := &spans{}
	const bodyOfErrors = `{"error":{"code":"x","message":"see https://get.teamviewer.com/new-secret"}}`
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		options := tenant.ClientOptions()
		options.TracingProvider = collected.provider()
		options.Logging.IncludeBody = true
		options.Logging.AllowedHeaders = []string{"Authorization", "Location"}
		const token = "token-secret-token-secret"
		client, err := intune.NewClient(intune.StaticToken(token), options)
		if err != nil {
			t.Fatal(err)
		}
		emit := func(values ...any) { text.WriteString(renderings(values...)) }
		emit(client, intune.StaticToken(token))
		left := intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}
		for _, script := range []intunetest.SessionScript{
			{URL: newLink, AfterReads: 2},
			{URL: "http://get.teamviewer.com/new-secret", AfterReads: 1},
			{ErrorDetails: "try " + newLink, AfterReads: 1},
			{KeepOld: true, AfterReads: 1},
		} {
			device := waiting(tenant, left, script)
			poller, err := client.BeginRemoteAssistance(t.Context(), device, &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			resumeToken, err := poller.ResumeToken()
			emit(poller, resumeToken, err)
			resp, err := poller.Poll(t.Context())
			emit(resp, err)
			session, err := poller.PollUntilDone(t.Context(), every)
			emit(session, err, poller)
			read, err := client.GetRemoteAssistanceSession(t.Context(), device, nil)
			emit(read, err)
		}
		device := waiting(tenant, left)
		for _, fault := range []intunetest.Fault{
			{Status: http.StatusForbidden, Body: bodyOfErrors, Header: http.Header{"Content-Type": {"application/json"}}},
			{Status: http.StatusOK, Body: `{"id":"1","remoteAssistanceSessionUrl":["new-secret"]}`, Header: http.Header{"Content-Type": {"application/json"}}},
			{Status: http.StatusOK, Body: `{"id":"other","remoteAssistanceSessionUrl":"` + newLink + `"}`, Header: http.Header{"Content-Type": {"application/json"}}},
			{Status: http.StatusFound, Header: http.Header{"Location": {newLink}}},
			{Drop: intunetest.DropBefore, Times: 4},
		} {
			tenant.Inject(fault)
			read, err := client.GetRemoteAssistanceSession(t.Context(), device, nil)
			if err == nil {
				t.Errorf("no error from %+v", fault)
			}
			failed, _ := errors.AsType[*intune.Error](err)
			emit(read, err)
			if failed != nil {
				emit(failed.Error(), failed.Message, failed.Hint)
			}
			tenant.ClearFaults()
		}
	})
	for _, made := range collected.list {
		fmt.Fprintf(text, "%+v\n", *made)
	}
	all := text.String()
	for _, secret := range []string{"new-secret", "old-secret", "token-secret", fmt.Sprintf("%x", "new-secret"), fmt.Sprintf("%x", "token-secret")} {
		if at := strings.Index(all, secret); at >= 0 {
			t.Errorf("%q was emitted: …%s…", secret, all[max(0, at-300):min(len(all), at+100)])
		}
	}
	for _, shown := range []string{"REDACTED", "requestRemoteAssistance", "Client.BeginRemoteAssistance", "[Response]"} {
		if !strings.Contains(all, shown) {
			t.Errorf("%q was not emitted, so the test collects too little", shown)
		}
	}
}

// Bodies of other calls are logged when the caller asks for it; only sessions are left out.
func TestBodiesOfOtherCallsAreLogged(t *testing.T) { //nolint:paralleltest // as above
	text := captureLog(t)
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		return answer(req, http.StatusForbidden, http.Header{"Content-Type": {"application/json"}}, `{"error":{"code":"visible"}}`), nil
	}), func(o *intune.ClientOptions) { o.Logging.IncludeBody = true })
	_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if !strings.Contains(text.String(), "visible") {
		t.Errorf("the body is not in the log; error %v", err)
	}
	_, err = client.GetRemoteAssistanceSession(t.Context(), intune.Device("1"), nil)
	if strings.Count(text.String(), "visible") != 1 {
		t.Errorf("the body of a session read is in the log")
	}
	if got := asError(t, err).Unwrap(); len(got) == 0 {
		t.Fatal("no response")
	}
}
