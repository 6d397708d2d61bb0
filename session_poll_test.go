package intune_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// reads answers the reads of d1 in turn, the last one for ever, and accepts every request.
func reads(answers ...func(*http.Request) (*http.Response, error)) transportFunc {
	read := -1
	return func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost {
			return answer(req, http.StatusNoContent, nil, ""), nil
		}
		read++
		return answers[min(read, len(answers)-1)](req)
	}
}

// says is one such answer.
func says(status int, body string, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		resp := answer(req, status, nil, body)
		for i := 0; i+1 < len(header); i += 2 {
			resp.Header.Set(header[i], header[i+1])
		}
		return resp, nil
	}
}

func noConnection(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") }

// What Poll returns can be used as any response, also when there was no answer.
func TestPollResponse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		read    func(*http.Request) (*http.Response, error)
		status  int
		headers string
		none    bool
	}{
		"an answer": {
			says(200, sessionOf("", ""), "Request-Id", "r1", "client-request-id", "c1", "Retry-After", "7", "Location", newLink),
			200, "map[Client-Request-Id:[c1] Request-Id:[r1] Retry-After:[7] Retry-After-Ms:[7000]]", false,
		},
		"a failure":     {says(503, "busy with "+newLink, "Request-Id", "r2", "Retry-After", "9"), 503, "map[Request-Id:[r2] Retry-After:[9] Retry-After-Ms:[9000]]", false},
		"half answered": {says(200, "{"), 200, "map[]", false},
		"no answer":     {noConnection, 0, "map[]", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, reads(says(200, sessionOf("", "")), c.read), noRetries)
			poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := poller.Poll(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(resp.Body); len(body) > 0 || err != nil || resp.Body.Close() != nil {
				t.Errorf("body %q, %v", body, err)
			}
			if resp.StatusCode != c.status || fmt.Sprint(resp.Header) != c.headers || resp.Header == nil || resp.Request != nil {
				t.Errorf("got %+v", resp)
			}
			if !c.none && (resp.Status != http.StatusText(c.status) || resp.Proto != "HTTP/1.1" || !resp.ProtoAtLeast(1, 1) || resp.ProtoAtLeast(2, 0)) {
				t.Errorf("status %q, protocol %q %d.%d", resp.Status, resp.Proto, resp.ProtoMajor, resp.ProtoMinor)
			}
		})
	}
}

// The service asks for a pause with one answer, and not for good.
func TestPauseThatTheLatestReadAsksFor(t *testing.T) {
	t.Parallel()
	none := sessionOf("", "")
	for name, c := range map[string]struct {
		second func(*http.Request) (*http.Response, error)
		took   time.Duration
	}{
		"no pause":             {says(200, none), 15 * time.Second},
		"with an answer":       {says(200, none, "Retry-After", "40"), 50 * time.Second},
		"with a throttled one": {says(429, "", "Retry-After", "40"), 50 * time.Second},
		"less than can be":     {says(200, none, "Retry-After-Ms", "0.000001"), 10*time.Second + time.Millisecond},
		"no answer":            {noConnection, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, reads(says(200, none, "Retry-After", "5"), c.second, says(200, none), says(200, sessionOf(newLink, ""))), noRetries)
				start := time.Now()
				_, err := client.OpenRemoteAssistance(t.Context(), intune.Device("d1"), &intune.OpenRemoteAssistanceOptions{Frequency: 5 * time.Second})
				if err != nil || time.Since(start) != c.took {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			})
		})
	}
}

// Which failed reads a wait passes over, and which end it.
func TestWhichReadsAreTriedAgain(t *testing.T) {
	t.Parallel()
	none := sessionOf("", "")
	for name, c := range map[string]struct {
		read   func(*http.Request) (*http.Response, error)
		passes bool
	}{
		"200, broken": {says(200, "{"), true},
		"300":         {says(300, ""), false},
		"302":         {says(302, "", "Location", "/x"), false},
		"400":         {says(400, ""), false},
		"401":         {says(401, ""), false},
		"403":         {says(403, ""), false},
		"404":         {says(404, ""), true},
		"408":         {says(408, ""), true},
		"410":         {says(410, ""), true},
		"422":         {says(422, ""), false},
		"429":         {says(429, ""), true},
		"498":         {says(498, ""), false},
		"499":         {says(499, ""), true},
		"500":         {says(500, ""), true},
		"501":         {says(501, ""), true},
		"no answer":   {noConnection, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, reads(says(200, none), c.read, says(200, sessionOf(newLink, ""))), noRetries)
				session, err := client.OpenRemoteAssistance(t.Context(), intune.Device("d1"), nil)
				if c.passes != (err == nil) || c.passes != (session.URL.Reveal() == newLink) || !c.passes && !errors.Is(err, intune.ErrSessionPending) {
					t.Errorf("got %v, %v", session, err)
				}
			})
		})
	}
}

// The service's text may be of any length, and an error stays in memory for long.
func TestLengthOfASessionErrorsDetails(t *testing.T) {
	t.Parallel()
	const most = 8 << 10
	for name, c := range map[string]struct{ given, kept int }{
		"as much as fits": {most, most},
		"one more":        {most + 1, most},
		"far more":        {3 * most, most},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, reads(says(200, sessionOf("", "")), says(200, sessionOf("", strings.Repeat("x", c.given)))))
			poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = poller.PollUntilDone(t.Context(), every)
			if failed, ok := errors.AsType[*intune.SessionError](err); !ok || len(failed.Details) != c.kept {
				t.Errorf("got %T with %d characters", err, len(failed.Details))
			}
		})
	}
}

// A look that sees a new link is not one that AcceptExistingAfter ends.
func TestNewLinkAsTheExistingOneIsAccepted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after time.Duration
		last  string
		link  string
		fails bool
	}{
		"a new link":  {10 * time.Second, sessionOf(newLink, ""), newLink, false},
		"a new error": {10 * time.Second, sessionOf(oldLink, "new trouble"), "", true},
		"at once":     {1, sessionOf(newLink, ""), oldLink, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				old := sessionOf(oldLink, "")
				client := newClient(t, &sessionService{reads: []string{old, old, old, c.last}})
				poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: c.after})
				if err != nil {
					t.Fatal(err)
				}
				session, err := poller.PollUntilDone(t.Context(), every)
				if _, failed := errors.AsType[*intune.SessionError](err); failed != c.fails || session.URL.Reveal() != c.link || session.Reused != (c.link == oldLink) {
					t.Errorf("got %q, reused %v, error %v", session.URL.Reveal(), session.Reused, err)
				}
			})
		})
	}
}

// A wait that goes on in another process knows no failure of the request; what its own reads say is the cause then.
func TestCauseOfAResumedWaitForASign(t *testing.T) {
	t.Parallel()
	bubble(t, "reads fail", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		token := begin(t, tenant, device, nil)
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusInternalServerError, Times: -1})
		_, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil)
		if !errors.Is(err, intune.ErrOutcomeUnknown) || !errors.Is(err, intune.ErrServer) {
			t.Errorf("got %v", err)
		}
	})
}
