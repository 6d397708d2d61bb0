package intune_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

func TestOpenRemoteAssistance_Errors(t *testing.T) {
	t.Parallel()
	bubble(t, "the context ends while the outcome is open", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := tenant.Client().OpenRemoteAssistance(ctx, device, nil)
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown, context.DeadlineExceeded)
		if strings.Contains(fmt.Sprint(err), "accepted") {
			t.Errorf("it says more than is known: %v", err)
		}
	})
	bubble(t, "the context ends in a read", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		client := tenant.Client()
		start := time.Now()
		later := func(intunetest.RecordedRequest) bool { return time.Since(start) > 0 }
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Delay: time.Hour, Times: -1, Match: later})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := client.OpenRemoteAssistance(ctx, device, nil)
		checkTook(t, start, time.Minute)
		checkKinds(t, err, intune.ErrSessionPending, context.DeadlineExceeded)
	})
	bubble(t, "a read is refused", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		start := time.Now()
		later := func(intunetest.RecordedRequest) bool { return time.Since(start) > 0 }
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden", Match: later})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrForbidden)
		if op := asError(t, err).Op; op != "read the remote-assistance session" {
			t.Errorf("Op %q", op)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// The cause of a wait that ends is what is wrong now, and not what was wrong for a while.
func TestWaitForRemoteAssistance_CauseIsWhatIsWrongNow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		times int
		cause error
	}{
		"reads fail for a while":  {8, nil},
		"reads fail to the end":   {-1, intune.ErrServer},
		"reads never fail at all": {0, nil},
	} {
		for _, open := range []bool{false, true} {
			bubble(t, name+map[bool]string{true: ", outcome open"}[open], func(t *testing.T, tenant *intunetest.Tenant) {
				device := waiting(tenant, intune.ManagedDevice{}, never)
				if open {
					tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
				}
				token := begin(t, tenant, device, nil)
				if c.times != 0 {
					tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusInternalServerError, Times: c.times})
				}
				_, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil)
				checkKinds(t, err, intune.ErrSessionPending, kindIf(open, intune.ErrOutcomeUnknown), c.cause)
				if cause := errors.Unwrap(err); (cause != nil) != (c.cause != nil) {
					t.Errorf("the cause is %v, want %v", cause, c.cause)
				}
			})
		}
	}
}

// What a method of the wait says is a group of fields in structured logs.
func TestRemoteAssistanceSession_LoggedAsAGroup(t *testing.T) {
	t.Parallel()
	device, at := intune.UserDevice("anna-secret@contoso.com", "d1"), time.Date(2026, 8, 20, 7, 8, 9, 0, time.UTC)
	link := intune.NewSessionURL(newLink)
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"session": {
			intune.RemoteAssistanceSession{
				Device: device, URL: link, ErrorDetails: "e", Reused: true, RequestID: "r", ClientRequestID: "c", RequestedAt: at,
			},
			`{"device":"device d1 (user address)","url":"REDACTED","error_details":"e","reused":true,` +
				`"request_id":"r","client_request_id":"c","requested_at":"2026-08-20T07:08:09Z"}`,
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
				{ID: "1", DeviceName: "PC", SerialNumber: "S1", LastSyncDateTime: at, UserPrincipalName: "anna-secret@contoso.com"},
				{ID: "2", DeviceName: "PC"},
			}},
			`{"count":2,"candidate_1":{"id":"1","name":"PC","serial":"S1","last_sync":"2026-08-20T07:08:09Z"},` +
				`"candidate_2":{"id":"2","name":"PC"}}`,
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
		device := waiting(tenant, intune.ManagedDevice{}, never)
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

// The end of every Open says whether the user was asked.
func TestOpenRemoteAssistance_SaysWhetherTheUserWasAsked(t *testing.T) {
	t.Parallel()
	type fault = intunetest.Fault
	post := func(f fault) fault { f.Method = http.MethodPost; return f }
	lost := post(fault{Drop: intunetest.DropAfter})
	refusedReads := fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden", Times: -1}
	failingReads := fault{Method: http.MethodGet, Status: http.StatusInternalServerError, Times: -1}
	hangingReads := fault{Method: http.MethodGet, Delay: 24 * time.Hour, Times: -1}
	overtime := context.DeadlineExceeded
	for name, c := range map[string]struct {
		fault           fault
		later           fault // from the first look on
		script          intunetest.SessionScript
		maxWait, accept time.Duration
		within          time.Duration
		pending         bool
		unknown         bool
		failed          bool
		cause           error
		after           time.Duration
	}{
		"refused":                {fault: post(fault{Status: http.StatusForbidden, Code: "Forbidden"}), cause: intune.ErrForbidden},
		"no connection":          {fault: post(fault{Drop: intunetest.DropConnect, Times: -1})},
		"baseline refused":       {fault: refusedReads, cause: intune.ErrForbidden},
		"ended before":           {fault: hangingReads, within: time.Minute, cause: overtime, after: time.Minute},
		"session error":          {script: intunetest.SessionScript{ErrorDetails: "trouble", AfterReads: 1}, failed: true},
		"MaxWait by itself":      {script: never, pending: true, after: 10 * time.Minute},
		"MaxWait given":          {script: never, maxWait: time.Hour, pending: true, after: time.Hour},
		"MaxWait below the pace": {script: never, maxWait: time.Second, pending: true, after: time.Second},
		"MaxWait never":          {script: never, maxWait: -1, within: 12 * time.Hour, pending: true, cause: overtime, after: 12 * time.Hour},
		"the context ends":       {script: never, within: time.Minute, pending: true, cause: overtime, after: time.Minute},
		"reads refused later":    {script: never, later: refusedReads, pending: true, cause: intune.ErrForbidden},
		"reads fail to the end":  {script: never, later: failingReads, pending: true, cause: intune.ErrServer, after: 10 * time.Minute},
		"reads hang to the end":  {script: never, later: hangingReads, pending: true, after: 10 * time.Minute},
		"open, no sign":          {fault: lost, script: never, pending: true, unknown: true, after: 2 * time.Minute},
		"open, a status": {
			fault: post(fault{Status: http.StatusGatewayTimeout}), script: never,
			pending: true, unknown: true, cause: intune.ErrUnavailable, after: 2 * time.Minute,
		},
		"open, Accept… later": {fault: lost, script: never, accept: time.Hour, pending: true, unknown: true, after: 2 * time.Minute},
		"open, MaxWait first": {fault: lost, script: never, maxWait: time.Minute, pending: true, unknown: true, after: time.Minute},
		"open, the context first": {
			fault: lost, script: never, within: time.Minute, pending: true, unknown: true, cause: overtime, after: time.Minute,
		},
		"the context ends in the ask": {
			fault: post(fault{Delay: time.Hour, Effect: true}), script: never, within: time.Minute,
			pending: true, unknown: true, cause: overtime, after: time.Minute,
		},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, c.script)
			tenant.Inject(c.fault)
			options := &intune.OpenRemoteAssistanceOptions{MaxWait: c.maxWait, AcceptExistingAfter: c.accept}
			if c.later.Method != "" {
				options.OnRequested = func(intune.Requested) { tenant.Inject(c.later) }
			}
			ctx := t.Context()
			if c.within > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.within)
				defer cancel()
			}
			start := time.Now()
			session, err := tenant.Client().OpenRemoteAssistance(ctx, device, options)
			took := time.Since(start).Truncate(time.Millisecond) // a try more costs a nanosecond
			pending, isPending := errors.AsType[*intune.PendingError](err)
			_, isFailed := errors.AsType[*intune.SessionError](err)
			if err == nil || !session.URL.IsZero() {
				t.Errorf("got %v, %v", session, err)
			}
			if isPending != c.pending || isFailed != c.failed {
				t.Errorf("a PendingError: %v, a SessionError: %v: %v", isPending, isFailed, err)
			}
			checkKinds(t, err, kindIf(c.pending, intune.ErrSessionPending), kindIf(c.unknown, intune.ErrOutcomeUnknown), c.cause)
			if c.after > 0 && took != c.after {
				t.Errorf("took %v, want %v", took, c.after)
			}
			asked, says := tenant.Prompts(device) > 0, isPending || isFailed
			if asked && !says {
				t.Errorf("the user was asked, and the error is %v", err)
			}
			if sure := isPending && !c.unknown; sure && !asked {
				t.Errorf("the user was not asked, and the error is %v", err)
			}
			if !isPending {
				return
			}
			if pending.Device != device {
				t.Errorf("the error is of %v, want %v", pending.Device, device)
			}
			if pending.RequestID == "" && !c.unknown {
				t.Error("the error has no request id")
			}
			if id, at := pending.ClientRequestID, pending.RequestedAt; !guid.MatchString(id) || at.IsZero() {
				t.Errorf("client request id %q, requested at %v", id, at)
			}
			checkSays(t, err, device.DeviceID(), "WaitForRemoteAssistance", "do not ask again")
			accepted, open := strings.Contains(err.Error(), "accepted"), strings.Contains(err.Error(), "outcome unknown: the request was sent")
			if accepted == c.unknown || open != c.unknown {
				t.Errorf("says %v", err)
			}
			prompts := tenant.Prompts(device)
			tenant.ClearFaults()
			_, err = tenant.Client().WaitForRemoteAssistance(t.Context(), pending.ResumeToken, nil)
			if !errors.Is(err, intune.ErrSessionPending) {
				t.Errorf("the wait goes on to %v", err)
			}
			checkPrompts(t, tenant, device, prompts)
		})
	}
}

// An error that Begin returns means that nobody was asked; the poller's own errors mean the opposite.
func TestBeginRemoteAssistance_PollerSaysThatTheUserWasAsked(t *testing.T) {
	t.Parallel()
	bubble(t, "a refused read", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden"})
		_, err = poller.Poll(t.Context())
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok || poller.Done() {
			t.Fatalf("done %v, error %v, want a PendingError", poller.Done(), err)
		}
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrForbidden)
		if token, err := poller.ResumeToken(); err != nil || token != pending.ResumeToken {
			t.Errorf("the tokens differ: %v", err)
		}
	})
	bubble(t, "no sign", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = poller.PollUntilDone(t.Context(), every)
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok || !poller.Done() {
			t.Fatalf("done %v, error %v, want a PendingError", poller.Done(), err)
		}
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown)
		if op := asError(t, err).Op; op != "request remote assistance" {
			t.Errorf("Op %q", op)
		}
		again, err := tenant.Client().ResumeRemoteAssistance(t.Context(), pending.ResumeToken, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = again.PollUntilDone(t.Context(), every)
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown)
		if cause := errors.Unwrap(err); cause != nil {
			t.Errorf("the cause is %v", cause)
		}
	})
	// azcore waits between two polls, and gives the context's error as it is.
	bubble(t, "the context ends in azcore", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second)
		defer cancel()
		_, err = poller.PollUntilDone(ctx, every)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, intune.ErrSessionPending) {
			t.Errorf("got %v, so the doc comment of BeginRemoteAssistance is out of date", err)
		}
		if _, err := poller.ResumeToken(); err != nil {
			t.Error(err)
		}
	})
}

// The texts and log values of the errors of a wait, made by hand.
func TestSessionError_Text(t *testing.T) {
	t.Parallel()
	device := intune.Device("1")
	const pending = "remote assistance on device 1: the request was accepted, but no link has come yet; the user may see a prompt already, " +
		"so do not ask again: go on with WaitForRemoteAssistance and this error's ResumeToken"
	for name, c := range map[string]struct {
		made error
		text string
	}{
		"pending":             {&intune.PendingError{Device: device}, pending},
		"pending, request id": {&intune.PendingError{Device: device, RequestID: "r", ClientRequestID: "c"}, pending + "; request id r"},
		"pending, client id":  {&intune.PendingError{Device: device, ClientRequestID: "c"}, pending + "; client request id c"},
		"failed": {
			&intune.SessionError{Device: device, Details: "a\nb", RequestID: "r"}, "remote assistance on device 1 failed: a b",
		},
		"failed, hint": {
			&intune.SessionError{Device: device, Details: "a", Hint: "h"}, "remote assistance on device 1 failed: a; hint: h",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.made.Error(); got != c.text {
				t.Errorf("got %q, want %q", got, c.text)
			}
		})
	}
}

func TestPendingError_CauseInTheText(t *testing.T) {
	t.Parallel()
	bubble(t, "outcome open, reads fail", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: http.StatusGatewayTimeout})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		const want = ": outcome unknown: the request was sent, or may have been, and there is no sign yet that it was carried out: " +
			"request remote assistance on device "
		checkSays(t, err, want, "504 Gateway Timeout")
	})
}

// The hints for the service's words about a session, and none for others.
func TestSessionError_Hints(t *testing.T) {
	t.Parallel()
	const (
		connector = "the TeamViewer connector of the tenant is not set up: an administrator connects it in the Intune admin center; " +
			"RemoteAssistanceConnector shows its state"
		platform = "remote assistance works on Windows"
		license  = "license with integration rights"
	)
	for details, hint := range map[string]string{
		"The tenant is not Onboarded": connector, "no connector": connector, "TeamViewer is not configured": connector,
		"TeamViewer was not set up": connector, "The TeamViewer account is gone": connector,
		"Not supported on this device": platform, "unsupported": platform, "wrong platform": platform, "the operating system is old": platform,
		"no license": license, "no licence": license, //nolint:misspell // the British spelling occurs too
		"the user said no": "",
	} {
		t.Run(details, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, reads(says(200, sessionOf("", "")), says(200, sessionOf("", details))))
			poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = poller.PollUntilDone(t.Context(), every)
			failed, ok := err.(*intune.SessionError) //nolint:errorlint // it comes as it is
			if !ok {
				t.Fatalf("got %T: %v", err, err)
			}
			if !strings.Contains(failed.Hint, hint) || (failed.Hint == "") != (hint == "") {
				t.Errorf("the hint is %q, want %q", failed.Hint, hint)
			}
			if strings.Contains(err.Error(), "hint") != (hint != "") {
				t.Errorf("the text is %v, and the hint %q", err, hint)
			}
		})
	}
}

// The service's text may be of any length, and an error stays in memory for long.
func TestSessionError_LengthOfDetails(t *testing.T) {
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
			failed, ok := errors.AsType[*intune.SessionError](err)
			if !ok {
				t.Fatalf("got %v, want a SessionError", err)
			}
			if n := len(failed.Details); n != c.kept {
				t.Errorf("%d characters, want %d", n, c.kept)
			}
		})
	}
}

// A wait that goes on in another process knows no failure of the request; what its own reads say is the cause then.
func TestWaitForRemoteAssistance_CauseOfAWaitForASign(t *testing.T) {
	t.Parallel()
	bubble(t, "reads fail", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		token := begin(t, tenant, device, nil)
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusInternalServerError, Times: -1})
		_, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil)
		if !errors.Is(err, intune.ErrOutcomeUnknown) || !errors.Is(err, intune.ErrServer) {
			t.Errorf("got %v", err)
		}
	})
}

// Each error of the README's table can be made as a program's test would make it: errors.Is and errors.As find in it
// what they find in the client's own, and nothing else.
func TestPendingError_EachErrorOfTheReadmeCanBeMade(t *testing.T) {
	t.Parallel()
	device := intune.Device(graphtest.DeviceID)
	pending := &intune.PendingError{Device: device, ResumeToken: "the token", RequestID: "r1", RequestedAt: time.Now()}
	made := map[string]struct {
		err   error
		kinds []error
		is    func(error) bool
	}{
		"`*PendingError` (`ErrSessionPending`)": {pending, []error{intune.ErrSessionPending}, holds[*intune.PendingError]},
		"`*PendingError` that is `ErrOutcomeUnknown`": {
			&intune.PendingError{Device: device, ResumeToken: "the token", OutcomeUnknown: true},
			[]error{intune.ErrSessionPending, intune.ErrOutcomeUnknown},
			holds[*intune.PendingError],
		},
		"`*PendingError` that is `ErrSuperseded`": {
			fmt.Errorf("%w: %w", pending, intune.ErrSuperseded),
			[]error{intune.ErrSessionPending, intune.ErrSuperseded},
			holds[*intune.PendingError],
		},
		"`*SessionError`": {&intune.SessionError{Device: device, Details: "declined"}, nil, holds[*intune.SessionError]},
		"`*Error` that holds a `*DeviceBusyError`": {
			fmt.Errorf("%w: %w", &intune.Error{Device: device}, &intune.DeviceBusyError{Device: device, Actor: "Ben", FreeAt: time.Now()}),
			nil,
			holds[*intune.DeviceBusyError],
		},
		"`*Error` that holds an `*AlreadyAskedError`": {
			fmt.Errorf("%w: %w", &intune.Error{Device: device}, &intune.AlreadyAskedError{Request: intune.JournalRequest{
				Asking: intune.JournalEntry{Device: device, ResumeToken: "the token"},
			}}),
			nil,
			func(err error) bool {
				failed, ok := errors.AsType[*intune.AlreadyAskedError](err)
				return ok && failed.Request.Waiting()
			},
		},
		"any other of `WaitForRemoteAssistance`": {
			fmt.Errorf("%w: the token is damaged", intune.ErrInvalidArgument), []error{intune.ErrInvalidArgument}, nil,
		},
		"any other of the methods that ask": {
			&intune.Error{Device: device, StatusCode: http.StatusForbidden}, []error{intune.ErrForbidden}, holds[*intune.Error],
		},
	}
	for name, c := range made {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkKinds(t, c.err, c.kinds...)
			if c.is != nil && !c.is(c.err) {
				t.Errorf("it is no such error: %v", c.err)
			}
			if superseded := slices.Contains(c.kinds, intune.ErrSuperseded); errors.Is(c.err, intune.ErrSuperseded) != superseded {
				t.Errorf("it is %q: %t: %v", intune.ErrSuperseded, !superseded, c.err)
			}
		})
	}
	// That of docs/sessions.md for the methods that do not wait.
	checkKinds(t, &intune.Error{StatusCode: http.StatusGatewayTimeout, OutcomeUnknown: true}, intune.ErrOutcomeUnknown, intune.ErrUnavailable)

	_, section, _ := strings.Cut(readText(t, "README.md"), "\n## Was the user asked?\n")
	table, _, _ := strings.Cut(section, "\n## ")
	rows := regexp.MustCompile(`(?m)^\| (.*?) \| .* \| .* \|$`).FindAllStringSubmatch(table, -1)
	if len(rows) != len(made)+2 { // with the head
		t.Errorf("the README's table has %d rows, want %d", len(rows)-2, len(made))
	}
	for _, row := range rows[2:] {
		if _, ok := made[row[1]]; !ok {
			t.Errorf("no error is made for the row %s", row[1])
		}
	}
}

// holds reports whether errors.As finds an E.
func holds[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
