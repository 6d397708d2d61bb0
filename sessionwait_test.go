package intune_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// A wait looks when a limit is reached, whatever its pace.
func TestOpenRemoteAssistance_LooksAtTheLimits(t *testing.T) {
	t.Parallel()
	type options = intune.OpenRemoteAssistanceOptions
	for name, c := range map[string]struct {
		options options
		open    bool // the outcome
		after   time.Duration
		reused  bool
	}{
		"accept between two looks": {
			options{AcceptExistingAfter: 31 * time.Second, Frequency: 20 * time.Second}, false, 31 * time.Second, true,
		},
		"accept right after a look": {
			options{AcceptExistingAfter: 10 * time.Second, Frequency: 10*time.Second - 1}, false, 10 * time.Second, true,
		},
		"confirm between two looks": {
			options{ConfirmWithin: 31 * time.Second, Frequency: 20 * time.Second}, true, 31 * time.Second, false,
		},
		"confirm right after a look": {
			options{ConfirmWithin: 10 * time.Second, Frequency: 10*time.Second - 1}, true, 10 * time.Second, false,
		},
		"no time to wait": {options{MaxWait: 1}, false, 1, false},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, leftLink, intunetest.SessionScript{Never: true, KeepOld: true})
			if c.open {
				tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			start := time.Now()
			session, err := tenant.Client().OpenRemoteAssistance(ctx, device, &c.options)
			checkTook(t, start, c.after)
			checkAccepted(t, session, err, c.reused, kindIf(c.open, intune.ErrOutcomeUnknown))
		})
	}
}

// checkAccepted wants the old link to be accepted, or else the wait to end without one.
func checkAccepted(t *testing.T, session intune.RemoteAssistanceSession, err error, accepted bool, unknown error) {
	t.Helper()
	if accepted {
		checkWait(t, session, err, waited{link: oldLink, reused: true})
		return
	}
	checkKinds(t, err, intune.ErrSessionPending, unknown)
	if !session.URL.IsZero() || session.Reused {
		t.Errorf("got the link %q, reused %v", session.URL.Reveal(), session.Reused)
	}
}

// slow answers a read of d1 with a new link after a while, whatever its context says.
func slow(pause time.Duration, first func()) transportFunc {
	looked := false
	return func(req *http.Request) (*http.Response, error) {
		switch {
		case req.Method == http.MethodPost:
			return answer(req, http.StatusNoContent, nil, ""), nil
		case !looked:
			looked = true
			return answer(req, http.StatusOK, nil, sessionOf("", "")), nil
		}
		first()
		time.Sleep(pause) //nolint:forbidigo // the bubble's clock
		if pause == time.Minute && req.Context().Err() != nil {
			return nil, req.Context().Err()
		}
		return answer(req, http.StatusOK, nil, sessionOf(newLink, "")), nil
	}
}

// A link that has come is handed out, also when the time is over by then.
func TestOpenRemoteAssistance_LinkThatComesAsTheWaitEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pause, maxWait time.Duration
		cancel         bool
	}{
		"the context ends":      {0, -1, true},
		"MaxWait ends":          {11 * time.Second, time.Second, false},
		"there is no MaxWait":   {time.Minute, -1, false},
		"MaxWait is far enough": {time.Minute, 2 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				service := slow(c.pause, func() {
					if c.cancel {
						cancel()
					}
				})
				var latest context.Context
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					latest = req.Context()
					return service(req)
				}), noRetries)
				session, err := client.OpenRemoteAssistance(ctx, intune.Device("d1"), &intune.OpenRemoteAssistanceOptions{MaxWait: c.maxWait})
				if err != nil || session.URL.Reveal() != newLink {
					t.Errorf("got %v, %v", session, err)
				}
				if c.maxWait > 0 && latest.Err() == nil {
					t.Error("the limit of the read outlives it, with its timer")
				}
			})
		})
	}
}

// visits counts the requests that come by.
type visits int

func (v *visits) Do(req *policy.Request) (*http.Response, error) {
	*v++
	return req.Next()
}

func TestOpenRemoteAssistance_PauseThatItsContextEndsStartsNoRequest(t *testing.T) {
	t.Parallel()
	bubble(t, "Open", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		count, options := visits(0), tenant.ClientOptions()
		options.PerCallPolicies = append(options.PerCallPolicies, &count)
		client, err := intune.NewClient(intune.StaticToken("opaque-token"), options)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{OnRequested: func(intune.Requested) { cancel() }})
		checkKinds(t, err, intune.ErrSessionPending, context.Canceled)
		if count != 2 {
			t.Errorf("%d requests, want 2", count)
		}
	})
}

func TestWaitForRemoteAssistance_MaxAge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		maxAge, age time.Duration
		refused     bool
	}{
		"a day":             {0, 24 * time.Hour, false},
		"more than a day":   {0, 24*time.Hour + 1, true},
		"an hour":           {time.Hour, time.Hour, false},
		"more than an hour": {time.Hour, time.Hour + 1, true},
		"a week":            {7 * 24 * time.Hour, 7 * 24 * time.Hour, false},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
			token := begin(t, tenant, device, nil)
			sent := len(tenant.Requests())
			time.Sleep(c.age) //nolint:forbidigo // the bubble's clock
			session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, &intune.WaitForRemoteAssistanceOptions{MaxAge: c.maxAge})
			_, errResume := tenant.Client().ResumeRemoteAssistance(t.Context(), token, &intune.ResumeRemoteAssistanceOptions{MaxAge: c.maxAge})
			if !c.refused {
				checkWait(t, session, err, waited{link: newLink})
				if errResume != nil {
					t.Error(errResume)
				}
				return
			}
			for _, err := range []error{err, errResume} {
				checkKinds(t, err, intune.ErrInvalidArgument)
				checkSays(t, err, "options.MaxAge", "another session's")
			}
			if len(tenant.Requests()) != sent {
				t.Errorf("sent %v", tenant.Requests()[sent:])
			}
		})
	}
}

func TestOpenRemoteAssistance_FrequencyAndRetryAfter(t *testing.T) {
	t.Parallel()
	gaps := func(t *testing.T, tenant *intunetest.Tenant, from int) (list []time.Duration) {
		t.Helper()
		requests := tenant.Requests()[from:]
		for i := 1; i < len(requests); i++ {
			list = append(list, requests[i].Time.Sub(requests[i-1].Time))
		}
		return list
	}
	script := intunetest.SessionScript{URL: newLink, AfterReads: 5}
	bubble(t, "Open with a Frequency", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, script)
		options := &intune.OpenRemoteAssistanceOptions{Frequency: 7 * time.Second}
		if _, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, options); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(gaps(t, tenant, 1)); got != "[7s 7s 7s 7s 7s]" {
			t.Errorf("gaps %s", got)
		}
	})
	bubble(t, "WaitFor looks at once", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, script)
		token := begin(t, tenant, device, nil)
		options := &intune.WaitForRemoteAssistanceOptions{Frequency: 7 * time.Second}
		if _, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, options); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(gaps(t, tenant, 1)); got != "[0s 7s 7s 7s 7s]" {
			t.Errorf("gaps %s", got)
		}
	})
	bubble(t, "WaitFor after its context", func(t *testing.T, tenant *intunetest.Tenant) {
		token := begin(t, tenant, waiting(tenant, intune.ManagedDevice{}, script), nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		sent := len(tenant.Requests())
		_, err := tenant.Client().WaitForRemoteAssistance(ctx, token, nil)
		checkKinds(t, err, intune.ErrSessionPending, context.Canceled)
		if more := tenant.Requests()[sent:]; len(more) > 0 {
			t.Errorf("sent %v", more)
		}
	})
	bubble(t, "the service asks for another", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, script)
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Header: http.Header{"Retry-After": {"40"}}, Times: -1})
		if _, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(gaps(t, tenant, 1)); got != "[40s 40s 40s 40s 40s]" {
			t.Errorf("gaps %s", got)
		}
	})
}

// A Retry-After is a lower bound: throttling never makes a wait read faster than it would.
func TestOpenRemoteAssistance_RetryAfterIsALowerBound(t *testing.T) {
	t.Parallel()
	const maxWait = 2 * time.Minute
	for name, c := range map[string]struct {
		status     int
		retryAfter string
		frequency  time.Duration
		least      int // reads after the request
		most       int
	}{
		"throttled, for less than the pace":   {429, "0.249", 15 * time.Second, 8, 8},
		"throttled, for nothing":              {429, "", 15 * time.Second, 8, 8},
		"throttled, for the pace":             {429, "15", 15 * time.Second, 8, 8},
		"throttled, for more than the pace":   {429, "40", 15 * time.Second, 3, 3},      // after 15, 55 and 95 seconds
		"unavailable, for less than the pace": {503, "0.249", 15 * time.Second, 11, 11}, // after 15, 16, 17, 18 and 33 seconds, …
		"answers, with less than the pace":    {200, "0.249", 15 * time.Second, 8, 8},
		"throttled, at the library's pace":    {429, "0.249", 0, 57, 64},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				none, reads := sessionOf("", ""), -1
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					if req.Method == http.MethodPost {
						return answer(req, http.StatusNoContent, nil, ""), nil
					}
					if reads++; reads == 0 {
						return says(200, none)(req)
					}
					return says(c.status, none, "Retry-After", c.retryAfter)(req)
				}))
				start := time.Now()
				_, err := client.OpenRemoteAssistance(t.Context(), intune.Device("d1"), &intune.OpenRemoteAssistanceOptions{
					Frequency: c.frequency, MaxWait: maxWait,
				})
				if !errors.Is(err, intune.ErrSessionPending) {
					t.Errorf("got %v", err)
				}
				var most time.Duration
				if c.frequency == 0 {
					most = time.Second * 32 / 25 // until a budget that was throttled to the least has room for the last read
				}
				if late := time.Since(start) - maxWait; late < 0 || late > most {
					t.Errorf("took %v, want %v", maxWait+late, maxWait)
				}
				if reads < c.least || reads > c.most {
					t.Errorf("%d reads, want %d to %d", reads, c.least, c.most)
				}
			})
		})
	}
}

// A Retry-After that azcore would sleep on does not hide inside a read: the wait keeps its limits, and says what the matter is.
func TestOpenRemoteAssistance_ThrottledReadEndsAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request int // status of the answer to the request
		after   time.Duration
		cause   error
		unknown bool
	}{
		"MaxWait":       {204, time.Minute, intune.ErrThrottled, false},
		"ConfirmWithin": {502, 30 * time.Second, intune.ErrUnavailable, true},
	} {
		for form, throttled := range map[string]func(*http.Request) (*http.Response, error){
			"header": says(429, "", "Retry-After", "150"),
			"body":   says(429, `{"error":{"code":"TooManyRequests","innerError":{"retryAfter":"150"}}}`),
		} {
			t.Run(name+", "+form, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					reads := 0
					client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
						if req.Method == http.MethodPost {
							return answer(req, c.request, nil, ""), nil
						}
						if reads++; reads == 1 { // the read before the request
							return says(200, sessionOf("", ""))(req)
						}
						return throttled(req)
					}))
					start := time.Now()
					_, err := client.OpenRemoteAssistance(t.Context(), intune.Device("d1"), &intune.OpenRemoteAssistanceOptions{
						MaxWait: time.Minute, ConfirmWithin: 30 * time.Second,
					})
					if took := time.Since(start); took != c.after {
						t.Errorf("took %v, want %v", took, c.after)
					}
					if reads != 2 {
						t.Errorf("%d reads, want 2", reads)
					}
					checkKinds(t, err, intune.ErrSessionPending, c.cause, kindIf(c.unknown, intune.ErrOutcomeUnknown))
				})
			})
		}
	}
}

// A wait keeps its limits although the service wants no read by then, and makes none.
func TestOpenRemoteAssistance_EndsBeforeTheServiceAllowsARead(t *testing.T) {
	t.Parallel()
	old := sessionOf(oldLink, "")
	for name, c := range map[string]struct {
		options   intune.OpenRemoteAssistanceOptions
		request   int      // status of the answer to the request
		reads     []string // and then 429 with a Retry-After of an hour
		after     time.Duration
		link      string
		throttled bool // is the cause
		unknown   bool
	}{
		"MaxWait":       {intune.OpenRemoteAssistanceOptions{}, 204, []string{old}, 10 * time.Minute, "", true, false},
		"ConfirmWithin": {intune.OpenRemoteAssistanceOptions{}, 502, []string{old}, 2 * time.Minute, "", false, true},
		"AcceptExistingAfter": {
			intune.OpenRemoteAssistanceOptions{AcceptExistingAfter: time.Minute},
			204,
			[]string{old, old},
			time.Minute,
			oldLink, false, false,
		},
		"AcceptExistingAfter, nothing seen": {
			intune.OpenRemoteAssistanceOptions{AcceptExistingAfter: time.Minute}, 204, []string{old}, 10 * time.Minute, "", true, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				reads := 0
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					if req.Method == http.MethodPost {
						return answer(req, c.request, nil, ""), nil
					}
					if reads++; reads <= len(c.reads) {
						return says(200, c.reads[reads-1])(req)
					}
					return says(429, "", "Retry-After", "3600")(req)
				}))
				start := time.Now()
				session, err := client.OpenRemoteAssistance(t.Context(), intune.Device("d1"), &c.options)
				if took := time.Since(start); took != c.after {
					t.Errorf("took %v, want %v", took, c.after)
				}
				if session.URL.Reveal() != c.link {
					t.Errorf("link %q, want %q", session.URL.Reveal(), c.link)
				}
				if pending := c.link == ""; errors.Is(err, intune.ErrSessionPending) != pending {
					t.Errorf("got %v, want a pending session: %v", err, pending)
				}
				if errors.Is(err, intune.ErrThrottled) != c.throttled {
					t.Errorf("got %v, want throttling as the cause: %v", err, c.throttled)
				}
				if errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown {
					t.Errorf("got %v, want an unknown outcome: %v", err, c.unknown)
				}
				if want := len(c.reads) + 1; reads != want {
					t.Errorf("%d reads, want %d: none before the service allows it", reads, want)
				}
			})
		})
	}
}

// A limit that changes nothing does not bring the next read forward.
func TestOpenRemoteAssistance_LimitIsNoRead(t *testing.T) {
	t.Parallel()
	bubble(t, "nothing to accept", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Header: http.Header{"Retry-After": {"300"}}})
		start := time.Now()
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{AcceptExistingAfter: time.Minute})
		if took := time.Since(start); took != 5*time.Minute {
			t.Errorf("took %v, want the five minutes that the service asked for", took)
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// What Poll returns can be used as any response, also when there was no answer.
func TestBeginRemoteAssistance_PollResponse(t *testing.T) {
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
		"a failure": {
			says(503, "busy with "+newLink, "Request-Id", "r2", "Retry-After", "9"),
			503, "map[Request-Id:[r2] Retry-After:[9] Retry-After-Ms:[9000]]", false,
		},
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
			body, err := io.ReadAll(resp.Body)
			if err := errors.Join(err, resp.Body.Close()); err != nil || len(body) > 0 {
				t.Errorf("body %q, %v", body, err)
			}
			if headers := fmt.Sprint(resp.Header); resp.StatusCode != c.status || headers != c.headers {
				t.Errorf("got %d, %s, want %d, %s", resp.StatusCode, headers, c.status, c.headers)
			}
			if resp.Header == nil || resp.Request != nil {
				t.Errorf("the header is %#v, the request %v", resp.Header, resp.Request)
			}
			if c.none {
				return
			}
			got := [...]any{resp.Status, resp.Proto, resp.ProtoMajor, resp.ProtoMinor}
			if want := [...]any{http.StatusText(c.status), "HTTP/1.1", 1, 1}; got != want {
				t.Errorf("status and protocol are %v, want %v", got, want)
			}
		})
	}
}

// The service asks for a pause with one answer, and not for good.
func TestOpenRemoteAssistance_PauseThatTheLatestReadAsksFor(t *testing.T) {
	t.Parallel()
	none := sessionOf("", "")
	for name, c := range map[string]struct {
		second func(*http.Request) (*http.Response, error)
		took   time.Duration
	}{
		"no pause":             {says(200, none), 15 * time.Second},
		"with an answer":       {says(200, none, "Retry-After", "40"), 50 * time.Second},
		"with a throttled one": {says(429, "", "Retry-After", "40"), 50 * time.Second},
		"less than the pace":   {says(200, none, "Retry-After-Ms", "0.000001"), 15 * time.Second},
		"no answer":            {noConnection, 11 * time.Second}, // which goes again a second later
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				first, last := says(200, none, "Retry-After", "5"), says(200, sessionOf(newLink, ""))
				client := newClient(t, reads(first, c.second, says(200, none), last), noRetries)
				start := time.Now()
				options := &intune.OpenRemoteAssistanceOptions{Frequency: 5 * time.Second}
				_, err := client.OpenRemoteAssistance(t.Context(), intune.Device("d1"), options)
				if err != nil || time.Since(start) != c.took {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			})
		})
	}
}

// Which failed reads a wait passes over, and which end it.
func TestOpenRemoteAssistance_WhichReadsAreTriedAgain(t *testing.T) {
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
				if c.passes {
					checkWait(t, session, err, waited{link: newLink})
				} else if !errors.Is(err, intune.ErrSessionPending) || !session.URL.IsZero() {
					t.Errorf("got %v, %v, want a PendingError", session, err)
				}
			})
		})
	}
}

// A look that sees a new link is not one that AcceptExistingAfter ends.
func TestBeginRemoteAssistance_NewLinkAsTheExistingOneIsAccepted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after time.Duration
		last  string
		want  waited
	}{
		"a new link":  {10 * time.Second, sessionOf(newLink, ""), waited{link: newLink}},
		"a new error": {10 * time.Second, sessionOf(oldLink, "new trouble"), waited{fails: "new trouble"}},
		"at once":     {1, sessionOf(newLink, ""), waited{link: oldLink, reused: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				old := sessionOf(oldLink, "")
				client := newClient(t, &sessionService{reads: []string{old, old, old, c.last}})
				options := &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: c.after}
				poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), options)
				if err != nil {
					t.Fatal(err)
				}
				session, err := poller.PollUntilDone(t.Context(), every)
				checkWait(t, session, err, c.want)
			})
		})
	}
}

// begin asks for a session and gives the token of the wait.
func begin(t *testing.T, tenant *intunetest.Tenant, device intune.DeviceRef, options *intune.BeginRemoteAssistanceOptions) string {
	t.Helper()
	poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, options)
	if err != nil {
		t.Fatal(err)
	}
	token, err := poller.ResumeToken()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestResumeRemoteAssistance_InAnotherProcess(t *testing.T) {
	t.Parallel()
	left := leftLink
	left.RemoteAssistanceSessionErrorDetails = "old trouble"
	for name, script := range map[string]intunetest.SessionScript{
		"link":  {URL: newLink, After: time.Hour},
		"error": {ErrorDetails: "new trouble", After: time.Hour},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, left, script)
			token := begin(t, tenant, device, nil)
			for _, secret := range []string{oldLink, "old-secret", "old trouble", "teamviewer", "Bearer"} {
				if strings.Contains(token, secret) {
					t.Errorf("the token holds %q: %s", secret, token)
				}
			}
			time.Sleep(2 * time.Hour) //nolint:forbidigo // the bubble's clock
			for name, resume := range map[string]func() (intune.RemoteAssistanceSession, error){
				"WaitFor": func() (intune.RemoteAssistanceSession, error) {
					return tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil)
				},
				"Resume": func() (intune.RemoteAssistanceSession, error) {
					poller, err := tenant.Client().ResumeRemoteAssistance(t.Context(), token, nil)
					if err != nil {
						t.Fatal(err)
					}
					return poller.PollUntilDone(t.Context(), every)
				},
			} {
				session, err := resume()
				if got, want := resultOf(session, err), (waited{link: script.URL, fails: script.ErrorDetails}); got != want {
					t.Errorf("%s: got %+v, want %+v", name, got, want)
				}
				if err == nil && session.Device != device {
					t.Errorf("%s: the session is of %v, want %v", name, session.Device, device)
				}
			}
			checkPrompts(t, tenant, device, 1)
		})
	}
}

// What the first process did not know, the second still does not. It looks for a sign as long as the first would have,
// however late it comes; the other limits hold from the first start.
func TestResumeRemoteAssistance_KeepsTheLimits(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]time.Duration{"soon": 119 * time.Second, "hours later": 5 * time.Hour} {
		bubble(t, "unknown outcome, "+name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, never)
			tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
			token := begin(t, tenant, device, nil)
			time.Sleep(away) //nolint:forbidigo // the bubble's clock
			start := time.Now()
			poller, err := tenant.Client().ResumeRemoteAssistance(t.Context(), token, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = poller.PollUntilDone(t.Context(), every)
			checkTook(t, start, 2*time.Minute)
			checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown)
			start = time.Now()
			_, err = tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil)
			checkTook(t, start, 2*time.Minute)
			checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown)
		})
	}
	bubble(t, "accepting what was there", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, leftLink, never)
		token := begin(t, tenant, device, &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Minute})
		poller, err := tenant.Client().ResumeRemoteAssistance(t.Context(), token, nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		session, err := poller.PollUntilDone(t.Context(), every)
		checkTook(t, start, time.Minute)
		checkWait(t, session, err, waited{link: oldLink, reused: true})
	})
}

// The durations of the first wait hold unless they are given again.
func TestResumeRemoteAssistance_OtherDurations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first  intune.BeginRemoteAssistanceOptions
		second intune.ResumeRemoteAssistanceOptions
		left   intune.ManagedDevice
		after  time.Duration
	}{
		"ConfirmWithin kept": {
			first: intune.BeginRemoteAssistanceOptions{ConfirmWithin: 10 * time.Minute}, after: 10 * time.Minute,
		},
		"ConfirmWithin given again": {
			first:  intune.BeginRemoteAssistanceOptions{ConfirmWithin: 10 * time.Minute},
			second: intune.ResumeRemoteAssistanceOptions{ConfirmWithin: 20 * time.Minute}, after: 20 * time.Minute,
		},
		"AcceptExistingAfter kept": {
			first: intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Minute}, left: leftLink, after: time.Minute,
		},
		"AcceptExistingAfter given again": {
			first:  intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Minute},
			second: intune.ResumeRemoteAssistanceOptions{AcceptExistingAfter: 90 * time.Second}, left: leftLink, after: 90 * time.Second,
		},
		"AcceptExistingAfter given first on resume": {
			second: intune.ResumeRemoteAssistanceOptions{AcceptExistingAfter: time.Minute}, left: leftLink, after: time.Minute,
		},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, c.left, never)
			tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
			start := time.Now()
			token := begin(t, tenant, device, &c.first)
			poller, err := tenant.Client().ResumeRemoteAssistance(t.Context(), token, &c.second)
			if err != nil {
				t.Fatal(err)
			}
			session, err := poller.PollUntilDone(t.Context(), every)
			checkTook(t, start, c.after)
			checkAccepted(t, session, err, !c.left.RemoteAssistanceSessionURL.IsZero(), intune.ErrOutcomeUnknown)
		})
	}
}

func TestOpenRemoteAssistance_HandsOutItsToken(t *testing.T) {
	t.Parallel()
	bubble(t, "token", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: time.Minute})
		var tokens []string
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{
			OnRequested: func(r intune.Requested) { tokens = append(tokens, r.ResumeToken) },
		})
		if err != nil || len(tokens) != 1 {
			t.Fatalf("%d tokens, error %v", len(tokens), err)
		}
		session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), tokens[0], nil)
		checkWait(t, session, err, waited{link: newLink})
		checkPrompts(t, tenant, device, 1)
	})
}

// A token may come from anywhere. azcore's own reader panics on a null token, and follows a fakeURL with the bearer token.
func TestResumeRemoteAssistance_HostileTokens(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{ID: "d1"})
	good := begin(t, tenant, device, nil)
	change := func(member string, value any) string {
		var envelope map[string]any
		if err := json.Unmarshal([]byte(good), &envelope); err != nil {
			t.Fatal(err)
		}
		inner := envelope["token"].(map[string]any)
		if value == nil {
			delete(inner, member)
		} else {
			inner[member] = value
		}
		text, err := json.Marshal(envelope)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var sent atomic.Int32
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		sent.Add(1)
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	for name, c := range map[string]struct {
		token string
		says  string
	}{
		"null":              {"null", "not a token"},
		"null token":        {`{"type":"RemoteAssistanceSession","token":null}`, "not a token"},
		"no token":          {`{"type":"RemoteAssistanceSession"}`, "not a token"},
		"fake":              {`{"type":"RemoteAssistanceSession","token":{"type":"fake","fakeURL":"https://attacker.example/"}}`, "not a token"},
		"fake and good":     {change("fakeURL", "https://attacker.example/"), "unknown"},
		"type":              {strings.Replace(good, "RemoteAssistanceSession", "Other", 1), "not a token"},
		"text":              {"hello", "not a token"},
		"array":             {"[]", "not a token"},
		"truncated":         {good[:len(good)/2], "not a token"},
		"followed":          {good + good, "not a token"},
		"five megabytes":    {strings.Repeat(" ", 5<<20) + good, "too long"},
		"later version":     {change("version", 2), "another version"},
		"no version":        {change("version", nil), "not a token"},
		"version as text":   {change("version", "1"), "not a token"},
		"other cloud":       {change("graph", "https://graph.microsoft.us/v1.0"), "another cloud"},
		"other host":        {change("graph", "https://attacker.example/v1.0"), "another cloud"},
		"blank":             {"", "blank"},
		"white space":       {" \t\n", "blank"},
		"no device":         {change("device", nil), "changed or damaged"},
		"device escapes":    {change("device", "/deviceManagement/managedDevices/../../me"), "changed or damaged"},
		"device is a URL":   {change("device", "https://attacker.example/"), "changed or damaged"},
		"short salt":        {change("salt", "AAAA"), "hash"},
		"no link":           {change("link", nil), "hash"},
		"long details":      {change("details", strings.Repeat("AAAA", 100)), "hash"},
		"other link":        {change("link", strings.Repeat("A", 43)+"="), "changed or damaged"},
		"no checksum":       {change("sum", nil), "changed or damaged"},
		"not base64":        {change("link", "%"), "malformed"},
		"not started":       {change("requestedAt", nil), "not made in the past"},
		"started tomorrow":  {change("requestedAt", time.Now().Add(48*time.Hour).Format(time.RFC3339)), "not made in the past"},
		"negative duration": {change("confirmWithin", "-1s"), "confirmWithin"},
		"no duration":       {change("confirmWithin", "soon"), "confirmWithin"},
		"zero duration":     {change("confirmWithin", "0s"), "confirmWithin"},
		"negative accept":   {change("acceptExistingAfter", "-1s"), "acceptExistingAfter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			poller, err := client.ResumeRemoteAssistance(t.Context(), c.token, nil)
			if poller != nil {
				t.Error("got a poller")
			}
			checkKinds(t, err, intune.ErrInvalidArgument)
			checkSays(t, err, "resumeToken", c.says)
			if _, again := client.WaitForRemoteAssistance(t.Context(), c.token, nil); fmt.Sprint(again) != fmt.Sprint(err) {
				t.Errorf("WaitFor says %v, and Resume %v", again, err)
			}
			if err != nil && len(err.Error()) > 300 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
	t.Cleanup(func() {
		if n := sent.Load(); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
	})
}

// withDevice is a token for another device, with the checksum that fits, as anyone can compute it.
func withDevice(t *testing.T, token, device string) string {
	t.Helper()
	const before = `{"type":"RemoteAssistanceSession","token":`
	inner, _, sealed := strings.Cut(strings.TrimPrefix(token, before), `,"sum":`)
	from, rest, found := strings.Cut(inner, `"device":`)
	if !sealed || !found {
		t.Fatalf("a token of another form: %s", token)
	}
	_, rest, _ = strings.Cut(rest, `,`)
	text, err := json.Marshal(device)
	if err != nil {
		t.Fatal(err)
	}
	inner = from + `"device":` + string(text) + "," + rest
	sum := sha256.Sum256([]byte(inner + "}"))
	return before + inner + `,"sum":"` + base64.StdEncoding.EncodeToString(sum[:]) + `"}}`
}

// A token whose checksum is right may still lead to another address.
func TestResumeRemoteAssistance_DeviceOfASealedToken(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	client := tenant.Client()
	good := begin(t, tenant, tenant.AddDevice(intune.ManagedDevice{ID: "d1"}), nil)
	const plain = "/deviceManagement/managedDevices"
	for _, device := range []string{plain + "/d1", plain + "/d2", "/users/u1/managedDevices/d1"} {
		if _, err := client.ResumeRemoteAssistance(t.Context(), withDevice(t, good, device), nil); err != nil {
			t.Errorf("%s: %v", device, err)
		}
	}
	sent := len(tenant.Requests())
	ended, end := context.WithCancel(t.Context()) // so that a wait that begins by mistake is over at once
	end()
	for _, device := range []string{
		"", "/", "/me", plain, plain + "/../../me", plain + "/d1/wipe", plain + "/d1?$select=id",
		"https://attacker.example" + plain + "/d1", "/users/a/b/managedDevices/d1",
	} {
		token := withDevice(t, good, device)
		_, errResume := client.ResumeRemoteAssistance(t.Context(), token, nil)
		_, errWait := client.WaitForRemoteAssistance(ended, token, nil)
		for method, err := range map[string]error{"Resume": errResume, "WaitFor": errWait} {
			if !errors.Is(err, intune.ErrInvalidArgument) {
				t.Errorf("%s of %q: got %v, want ErrInvalidArgument", method, device, err)
				continue
			}
			const want = "resumeToken is not a token of a remote-assistance wait: it holds no device address"
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s of %q: got %v, want %q", method, device, err, want)
			}
			if len(device) > 1 && strings.Contains(err.Error(), device) {
				t.Errorf("%s quotes the device: %v", method, err)
			}
		}
	}
	if got := tenant.Requests()[sent:]; len(got) > 0 {
		t.Errorf("sent %v", got)
	}
}

func FuzzResumeRemoteAssistance_Token(f *testing.F) {
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{ID: "d1"})
	poller, err := tenant.Client().BeginRemoteAssistance(f.Context(), device, nil)
	if err != nil {
		f.Fatal(err)
	}
	good, err := poller.ResumeToken()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(`{"type":"RemoteAssistanceSession","token":null}`)
	f.Fuzz(func(t *testing.T, token string) {
		var hosts []string
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			hosts = append(hosts, req.URL.Scheme+"://"+req.URL.Host)
			return answer(req, http.StatusOK, nil, "{}"), nil
		}))
		poller, err := client.ResumeRemoteAssistance(t.Context(), token+" ", nil)
		if err != nil {
			if !errors.Is(err, intune.ErrInvalidArgument) {
				t.Fatal(err)
			}
			return
		}
		_, _ = poller.Poll(t.Context())
		for _, host := range hosts {
			if host != "https://graph.microsoft.com" {
				t.Fatalf("a request went to %s", host)
			}
		}
	})
}

// Every change of one byte is refused, or means the same as before: a token whose baseline is damaged would take the
// old link for a new one.
func TestResumeRemoteAssistance_DamagedTokens(t *testing.T) {
	t.Parallel()
	bubble(t, "every byte", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{
			RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink), RemoteAssistanceSessionErrorDetails: "old trouble",
		}, never)
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		client := tenant.Client()
		good := begin(t, tenant, device, &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Hour, ConfirmWithin: time.Hour})
		meaning := resumed(t, client, good)
		accepted := 0
		check := func(token string) {
			again := resumed(t, client, token)
			if again == "" {
				return
			}
			accepted++
			if again != meaning {
				t.Errorf("accepted with another meaning:\n%s", token)
			}
		}
		for at := 0; at < len(good); at += graphtest.Smaller {
			for _, flip := range []byte{0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80} {
				check(good[:at] + string([]byte{good[at] ^ flip}) + good[at+1:])
			}
			for _, other := range []byte(` "0A_=\,}`) {
				check(good[:at] + string([]byte{other}) + good[at+1:])
				check(good[:at] + string([]byte{other}) + good[at:])
			}
			check(good[:at] + good[at+1:])
		}
		if accepted == 0 {
			t.Error("white space is accepted nowhere, so that the test compares nothing")
		}
	})
}

// resumed is the token that a wait resumed from a token has itself, "" if that one is refused.
func resumed(t *testing.T, client *intune.Client, token string) string {
	t.Helper()
	poller, err := client.ResumeRemoteAssistance(t.Context(), token, nil)
	if err != nil {
		if !errors.Is(err, intune.ErrInvalidArgument) {
			t.Fatal(err)
		}
		return ""
	}
	again, err := poller.ResumeToken()
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// The checksum is of the members and not of their spelling, since a store may format JSON anew.
func TestResumeRemoteAssistance_ReformattedToken(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	client, token := tenant.Client(), begin(t, tenant, tenant.AddDevice(intune.ManagedDevice{}), nil)
	var members map[string]any
	if err := json.Unmarshal([]byte(token), &members); err != nil {
		t.Fatal(err)
	}
	formatted, err := json.MarshalIndent(members, "", "\t")
	if err != nil || strings.Count(string(formatted), "\n") < 10 {
		t.Fatalf("%v: %s", err, formatted)
	}
	if again := resumed(t, client, string(formatted)); again != token {
		t.Errorf("got %s\nwant %s", again, token)
	}
}

// Earlier versions wrote the device into the token as it was given.
func TestWaitForRemoteAssistance_OldTokenInUpperCase(t *testing.T) {
	t.Parallel()
	const old = `{"type":"RemoteAssistanceSession","token":{"version":1,"graph":"https://graph.microsoft.com/v1.0",` +
		`"device":"/deviceManagement/managedDevices/705C034C-034C-705C-4C03-5C704C035C70","requestedAt":"2026-11-30T05:27:47.541038401Z",` +
		`"requestId":"72006306-5e58-4d3c-b7b3-4b971fcc45a2","clientRequestId":"e94b9c55-8687-4902-b093-bf71b27f06ca","confirmWithin":"2m0s",` +
		`"salt":"66GqkPOL0W+rcKrLBnwJ9g==","link":"n36iG2ElAKzsOeYSSZKeru/1Cf64W6LjTWSPM6n22OE=",` +
		`"details":"n36iG2ElAKzsOeYSSZKeru/1Cf64W6LjTWSPM6n22OE=","sum":"46BiPyvGAlsBERrqXlP7s6YsO2aQQ7IxZ7U0gXQGwL8="}}`
	const id = "705c034c-034c-705c-4c03-5c704c035c70"
	options := intune.WaitForRemoteAssistanceOptions{MaxAge: math.MaxInt64}
	tenant := intunetest.NewTenant(nil)
	tenant.AddDevice(intune.ManagedDevice{ID: id, RemoteAssistanceSessionURL: intune.NewSessionURL(newLink)})
	session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), old, &options)
	if err != nil || session.Device != intune.Device(id) {
		t.Errorf("got a session on %v, error %v", session.Device, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = tenant.Client().WaitForRemoteAssistance(ended, old, &options)
	pending, ok := errors.AsType[*intune.PendingError](err)
	if !ok || pending.Device != intune.Device(id) {
		t.Fatalf("got %v", err)
	}
	session, err = tenant.Client().WaitForRemoteAssistance(t.Context(), pending.ResumeToken, &options)
	if err != nil || session.Device != intune.Device(id) {
		t.Errorf("from the token of the error: a session on %v, error %v", session.Device, err)
	}
}

// tokenMembers are those of a resume token.
func tokenMembers(tb testing.TB, token string) (envelope, inner map[string]any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(token), &envelope); err != nil {
		tb.Fatal(err)
	}
	return envelope, envelope["token"].(map[string]any)
}

// Without a salt of its own a token's hashes would tell which devices have the same link.
func TestResumeRemoteAssistance_SaltOfAToken(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := waiting(tenant, leftLink, never, never)
	_, one := tokenMembers(t, begin(t, tenant, device, nil))
	_, two := tokenMembers(t, begin(t, tenant, device, nil))
	for _, member := range []string{"salt", "link", "details"} {
		if one[member] == two[member] {
			t.Errorf("two tokens have the same %s: %v", member, one[member])
		}
	}
	if strings.Trim(one["salt"].(string), "A=") == "" {
		t.Errorf("the salt is %v", one["salt"])
	}
}

// What a token holds of AcceptExistingAfter, and what is taken of it.
func TestWaitForRemoteAssistance_AcceptExistingAfterInAToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, second time.Duration
		member        any
		after         time.Duration // of the wait, whose pace is an hour
	}{
		"none":                {0, 0, nil, 2 * time.Hour},
		"the shortest":        {1, 0, "1ns", 0},
		"the shortest, again": {time.Minute, 1, "1m0s", 0},
		"kept":                {time.Minute, 0, "1m0s", time.Minute},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, leftLink, never)
			token := begin(t, tenant, device, &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: c.first})
			if _, inner := tokenMembers(t, token); inner["acceptExistingAfter"] != c.member {
				t.Errorf("the token holds %v", inner["acceptExistingAfter"])
			}
			time.Sleep(time.Nanosecond) //nolint:forbidigo // the bubble's clock
			start := time.Now().Add(-1)
			_, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, &intune.WaitForRemoteAssistanceOptions{
				AcceptExistingAfter: c.second, Frequency: time.Hour, MaxWait: 2 * time.Hour,
			})
			if (err == nil) != (c.member != nil) || time.Since(start).Truncate(time.Second) != c.after {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
	}
}

// Where each limit of a token lies. What is within it is refused later, for its checksum.
func TestResumeRemoteAssistance_LimitsOfAToken(t *testing.T) {
	t.Parallel()
	const passes, most = "changed or damaged", 8 << 10
	for name, c := range map[string]struct {
		member string
		value  any
		says   string
	}{
		"short salt":              {"salt", "AAAAAAAAAAAAAAAAAAAA", "hash"},
		"short link":              {"link", "AAAAAAAAAAAAAAAAAAAAAAAA", "hash"},
		"short details":           {"details", "AAAAAAAAAAAAAAAAAAAAAAAA", "hash"},
		"long link":               {"link", strings.Repeat("AAAA", 11), "hash"},
		"a day ahead":             {"requestedAt", 24 * time.Hour, passes},
		"more than a day ahead":   {"requestedAt", 24*time.Hour + 1, "not made in the past"},
		"nothing to accept after": {"acceptExistingAfter", "0s", passes},
		"negative":                {"acceptExistingAfter", "-1ns", "acceptExistingAfter"},
		"version 1 and a text":    {"version", json.RawMessage(`1,"version":"x"`), "malformed"},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			token := begin(t, tenant, waiting(tenant, intune.ManagedDevice{}, never), nil)
			envelope, inner := tokenMembers(t, token)
			switch value := c.value.(type) {
			case time.Duration:
				inner[c.member] = time.Now().Add(value).UTC()
			case json.RawMessage:
				inner[c.member] = "HERE"
			default:
				inner[c.member] = value
			}
			changed, err := json.Marshal(envelope)
			if err != nil {
				t.Fatal(err)
			}
			text := string(changed)
			if raw, ok := c.value.(json.RawMessage); ok {
				text = strings.Replace(text, `"HERE"`, string(raw), 1)
			}
			_, err = tenant.Client().ResumeRemoteAssistance(t.Context(), text, nil)
			checkKinds(t, err, intune.ErrInvalidArgument)
			checkSays(t, err, c.says)
		})
	}
	bubble(t, "length", func(t *testing.T, tenant *intunetest.Tenant) {
		token := begin(t, tenant, waiting(tenant, intune.ManagedDevice{}, never), nil)
		token += strings.Repeat(" ", most-len(token))
		_, errMost := tenant.Client().ResumeRemoteAssistance(t.Context(), token, nil)
		_, errMore := tenant.Client().ResumeRemoteAssistance(t.Context(), token+" ", nil)
		if errMost != nil || !errors.Is(errMore, intune.ErrInvalidArgument) {
			t.Errorf("got %v and %v", errMost, errMore)
		}
	})
}

// The ids of the request come from outside. Whatever they are, the wait can continue, because asking again would prompt
// the user twice.
func TestResumeRemoteAssistance_TokenWithOddIDs(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{
		"not UTF-8": "a\xffb", "marked up": "<a&b>\u2028",
		"long": strings.Repeat("x", 9<<10), "long, of two bytes each": strings.Repeat("ü", 5<<10),
	} {
		for _, outcome := range []int{http.StatusNoContent, http.StatusGatewayTimeout} {
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					if req.Method == http.MethodGet {
						return says(200, sessionOf("", ""))(req)
					}
					return says(outcome, "", "Request-Id", id)(req)
				}))
				ctx := policy.WithHTTPHeader(t.Context(), http.Header{"Client-Request-Id": {id}})
				_, err := client.OpenRemoteAssistance(ctx, intune.Device("d1"), &intune.OpenRemoteAssistanceOptions{MaxWait: 1})
				pending, ok := errors.AsType[*intune.PendingError](err)
				if !ok {
					t.Fatalf("%s: %v", name, err)
				}
				if _, err := client.ResumeRemoteAssistance(t.Context(), pending.ResumeToken, nil); err != nil {
					t.Errorf("%s, status %d: %v", name, outcome, err)
				}
			})
		}
	}
}

func TestBeginRemoteAssistance_WaitForTheLink(t *testing.T) {
	t.Parallel()
	type script = intunetest.SessionScript
	leftError := intune.ManagedDevice{RemoteAssistanceSessionErrorDetails: "old trouble"}
	for name, c := range map[string]struct {
		left   intune.ManagedDevice
		script script
		accept time.Duration
		link   string
		reused bool
		fails  string
		after  time.Duration
	}{
		"nothing before, link at once": {script: script{URL: newLink, AfterReads: 1}, link: newLink},
		"link at the third look":       {script: script{URL: newLink, AfterReads: 3}, link: newLink, after: 10 * time.Second},
		"link after a minute":          {script: script{URL: newLink, After: time.Minute}, link: newLink, after: time.Minute},
		"an old link is not taken": {
			left: leftLink, script: script{URL: newLink, After: time.Minute}, link: newLink, after: time.Minute,
		},
		"an old link with AcceptExisting": {
			left: leftLink, script: script{KeepOld: true, AfterReads: 1}, accept: 30 * time.Second,
			link: oldLink, reused: true, after: 30 * time.Second,
		},
		"a new link beats AcceptExisting": {
			left: leftLink, script: script{URL: newLink, AfterReads: 2}, accept: 30 * time.Second, link: newLink, after: 5 * time.Second,
		},
		"an error": {script: script{ErrorDetails: "new trouble", AfterReads: 2}, fails: "new trouble", after: 5 * time.Second},
		"an old error is not taken": {
			left: leftError, script: script{URL: newLink, AfterReads: 2}, link: newLink, after: 5 * time.Second,
		},
		"an error after another": {
			left: leftError, script: script{ErrorDetails: "new trouble", AfterReads: 2}, fails: "new trouble", after: 5 * time.Second,
		},
		"link and error":        {script: script{URL: newLink, ErrorDetails: "but", AfterReads: 1}, link: newLink},
		"a link without https":  {script: script{URL: "http://get.teamviewer.com/new-secret", AfterReads: 1}, fails: "not https"},
		"a link to a program":   {script: script{URL: "javascript:alert(1)//new-secret", AfterReads: 1}, fails: "not a URL"},
		"a link that is no URL": {script: script{URL: "new-secret", AfterReads: 1}, fails: "not a URL"},
		"a link with a user":    {script: script{URL: "https://new-secret@get.teamviewer.com/", AfterReads: 1}, fails: "user name"},
		"an error with a link":  {script: script{ErrorDetails: "open " + newLink, AfterReads: 1}, fails: "REDACTED"},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			client, device := tenant.Client(), waiting(tenant, c.left, c.script)
			start := time.Now()
			options := &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: c.accept}
			poller, err := client.BeginRemoteAssistance(t.Context(), device, options)
			if err != nil {
				t.Fatal(err)
			}
			session, err := poller.PollUntilDone(t.Context(), every)
			checkTook(t, start, c.after)
			checkPrompts(t, tenant, device, 1)
			if c.fails == "" {
				checkWait(t, session, err, waited{link: c.link, reused: c.reused})
				if session.Device != device {
					t.Errorf("the session is of %v, want %v", session.Device, device)
				}
				return
			}
			failed, ok := errors.AsType[*intune.SessionError](err)
			if !ok {
				t.Fatalf("got %v, want a SessionError", err)
			}
			if failed.Device != device {
				t.Errorf("the error is of %v, want %v", failed.Device, device)
			}
			if !strings.Contains(failed.Details, c.fails) {
				t.Errorf("details %q, want %q in them", failed.Details, c.fails)
			}
			if strings.Contains(err.Error(), "new-secret") {
				t.Errorf("the text shows the link: %v", err)
			}
		})
	}
}

func TestBeginRemoteAssistance_ContextEnds(t *testing.T) {
	t.Parallel()
	bubble(t, "poller", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, leftLink, never)
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err = poller.PollUntilDone(ctx, every)
		if !errors.Is(err, context.DeadlineExceeded) || poller.Done() {
			t.Errorf("done %v, error %v", poller.Done(), err)
		}
		checkPrompts(t, tenant, device, 1)
	})
	bubble(t, "Open", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		session, err := tenant.Client().OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{MaxWait: -1})
		checkTook(t, start, time.Hour)
		checkKinds(t, err, intune.ErrSessionPending, context.DeadlineExceeded)
		checkSays(t, err, "accepted")
		checkPrompts(t, tenant, device, 1)
		if !session.URL.IsZero() {
			t.Errorf("got the link %q", session.URL.Reveal())
		}
	})
}

func TestBeginRemoteAssistance_FailsWhenNothingWasAsked(t *testing.T) {
	t.Parallel()
	action := intunetest.Fault{Method: http.MethodPost, Status: http.StatusForbidden, Code: "Forbidden", Message: "no", Nested: true}
	for name, c := range map[string]struct {
		fault   intunetest.Fault
		is      error
		actions int
	}{
		"the action is refused": {action, intune.ErrForbidden, 1},
		"the baseline is denied": {
			intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden"}, intune.ErrForbidden, 0,
		},
		"nobody can connect": {intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropConnect, Times: -1}, nil, 0},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{})
			tenant.Inject(c.fault)
			poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
			if poller != nil || err == nil {
				t.Errorf("got %v, %v", poller, err)
			}
			checkKinds(t, err, c.is)
			actions := 0
			for _, request := range tenant.Requests() {
				if request.Method == http.MethodPost {
					actions++
				}
			}
			if actions != c.actions || tenant.Prompts(device) != 0 {
				t.Errorf("%d actions, %d prompts", actions, tenant.Prompts(device))
			}
		})
	}
}

// An open outcome is settled by looking: a new link or text proves that the request went through.
func TestBeginRemoteAssistance_UnknownOutcomeIsSettledByLooking(t *testing.T) {
	t.Parallel()
	for _, drop := range []intunetest.DropMode{intunetest.DropBefore, intunetest.DropAfter} {
		for name, c := range map[string]struct {
			script  intunetest.SessionScript
			confirm time.Duration
			ok      bool
			fails   bool
			after   time.Duration
		}{
			"link":             {intunetest.SessionScript{URL: newLink, AfterReads: 3}, 0, true, false, 10 * time.Second},
			"error":            {intunetest.SessionScript{ErrorDetails: "trouble", AfterReads: 3}, 0, false, true, 10 * time.Second},
			"nothing":          {never, 0, false, false, 2 * time.Minute},
			"nothing, shorter": {never, 30 * time.Second, false, false, 30 * time.Second},
		} {
			bubble(t, fmt.Sprint(name, " ", drop), func(t *testing.T, tenant *intunetest.Tenant) {
				device := waiting(tenant, intune.ManagedDevice{}, c.script)
				tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: drop})
				start := time.Now()
				options := &intune.BeginRemoteAssistanceOptions{ConfirmWithin: c.confirm}
				poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, options)
				if err != nil {
					t.Fatal(err)
				}
				session, err := poller.PollUntilDone(t.Context(), every)
				acted := drop == intunetest.DropAfter
				_, failed := errors.AsType[*intune.SessionError](err)
				switch {
				case acted && c.ok:
					if err != nil || session.URL.Reveal() != newLink {
						t.Errorf("got %v, %v", session, err)
					}
				case acted && c.fails:
					if !failed {
						t.Errorf("got %v", err)
					}
				case !errors.Is(err, intune.ErrOutcomeUnknown) || !session.URL.IsZero():
					t.Errorf("got %v, %v", session, err)
				}
				want := c.after
				if !acted {
					want = max(c.confirm, 0)
					if want == 0 {
						want = 2 * time.Minute
					}
				}
				checkTook(t, start, want)
				if n := tenant.Prompts(device); n > 1 || (n == 1) != acted {
					t.Errorf("the user was asked %d times", n)
				}
			})
		}
	}
}

func TestBeginRemoteAssistance_PassingTroubleDoesNotLoseTheSession(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault intunetest.Fault
	}{
		"throttled for long":    {intunetest.Fault{Status: http.StatusTooManyRequests, Times: 40}},
		"unavailable":           {intunetest.Fault{Status: http.StatusServiceUnavailable, Times: 20}},
		"server errors":         {intunetest.Fault{Status: http.StatusInternalServerError, Times: 20}},
		"broken connections":    {intunetest.Fault{Drop: intunetest.DropBefore, Times: 20}},
		"no connections":        {intunetest.Fault{Drop: intunetest.DropConnect, Times: 20}},
		"not found for a while": {intunetest.Fault{Status: http.StatusNotFound, Code: "ResourceNotFound", Times: 5}},
		"half an answer":        {intunetest.Fault{Truncate: 20, Times: 9}},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
			client := tenant.Client()
			poller, err := client.BeginRemoteAssistance(t.Context(), device, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.fault.Method = http.MethodGet
			tenant.Inject(c.fault)
			session, err := poller.PollUntilDone(t.Context(), every)
			checkWait(t, session, err, waited{link: newLink})
			checkPrompts(t, tenant, device, 1)
		})
	}
}

// A refusal ends PollUntilDone, but not the poller, and the token still resumes the wait.
func TestBeginRemoteAssistance_PollerGoesOnAfterARefusal(t *testing.T) {
	t.Parallel()
	bubble(t, "403, then better", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 2})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden"})
		if _, err := poller.PollUntilDone(t.Context(), every); !errors.Is(err, intune.ErrForbidden) || poller.Done() {
			t.Fatalf("done %v, error %v", poller.Done(), err)
		}
		if token, err := poller.ResumeToken(); err != nil || token == "" {
			t.Errorf("no token: %v", err)
		}
		if session, err := poller.PollUntilDone(t.Context(), every); err != nil || session.URL.Reveal() != newLink {
			t.Errorf("got %v, %v", session, err)
		}
	})
	bubble(t, "gone for good", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		tenant.RemoveDevice(device)
		start := time.Now()
		if _, err := poller.PollUntilDone(t.Context(), every); !errors.Is(err, intune.ErrNotFound) || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestBeginRemoteAssistance_PollResponsesHoldNoLink(t *testing.T) {
	t.Parallel()
	bubble(t, "body", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := poller.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body != http.NoBody || resp.Request != nil {
			t.Errorf("body %v, request %v", resp.Body, resp.Request)
		}
		if id := resp.Header.Get("request-id"); resp.StatusCode != http.StatusOK || id == "" {
			t.Errorf("status %d, request id %q", resp.StatusCode, id)
		}
	})
}

func TestOpenRemoteAssistance_OptionsOfEveryWaitAreChecked(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	client, device := tenant.Client(), waiting(tenant, intune.ManagedDevice{})
	token := begin(t, tenant, device, nil)
	before := len(tenant.Requests())
	for name, o := range map[string]intune.WaitForRemoteAssistanceOptions{
		"AcceptExistingAfter": {AcceptExistingAfter: -1},
		"ConfirmWithin":       {ConfirmWithin: -time.Second},
		"Frequency":           {Frequency: -1},
		"MaxAge":              {MaxAge: -1},
	} {
		errs := map[string]error{}
		_, errs["WaitFor"] = client.WaitForRemoteAssistance(t.Context(), token, &o)
		if name != "Frequency" {
			_, errs["Resume"] = client.ResumeRemoteAssistance(t.Context(), token, &intune.ResumeRemoteAssistanceOptions{
				AcceptExistingAfter: o.AcceptExistingAfter, ConfirmWithin: o.ConfirmWithin, MaxAge: o.MaxAge,
			})
		}
		if name != "MaxAge" {
			_, errs["Open"] = client.OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{
				AcceptExistingAfter: o.AcceptExistingAfter, ConfirmWithin: o.ConfirmWithin, Frequency: o.Frequency,
			})
		}
		if name != "MaxAge" && name != "Frequency" {
			_, errs["Begin"] = client.BeginRemoteAssistance(t.Context(), device, &intune.BeginRemoteAssistanceOptions{
				AcceptExistingAfter: o.AcceptExistingAfter, ConfirmWithin: o.ConfirmWithin,
			})
		}
		for method, err := range errs {
			if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "options."+name+" is negative") {
				t.Errorf("%s: %s: got %v", method, name, err)
			}
		}
	}
	for _, device := range []intune.DeviceRef{{}, intune.Device("a/b"), intune.UserDevice("..", "d1")} {
		_, errBegin := client.BeginRemoteAssistance(t.Context(), device, nil)
		_, errOpen := client.OpenRemoteAssistance(t.Context(), device, nil)
		for _, err := range []error{errBegin, errOpen} {
			if !errors.Is(err, intune.ErrInvalidArgument) || strings.Contains(err.Error(), "request") {
				t.Errorf("got %v", err)
			}
		}
	}
	if len(tenant.Requests()) != before {
		t.Errorf("sent %v", tenant.Requests()[before:])
	}
}

// What is no answer neither ends a wait nor counts as a sign.
func TestBeginRemoteAssistance_NoAnswerWhileWaiting(t *testing.T) {
	t.Parallel()
	for name, body := range noAnswers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				had := sessionOf(oldLink, "old trouble")
				service := &sessionService{reads: []string{had, body, had, body, sessionOf(newLink, "old trouble")}}
				poller, err := newClient(t, service, noRetries).BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
				if err != nil {
					t.Fatal(err)
				}
				session, err := poller.PollUntilDone(t.Context(), every)
				checkWait(t, session, err, waited{link: newLink})
				if service.looked != 5 || service.asked != 1 {
					t.Errorf("looked %d times, want 5, and asked %d times, want once", service.looked, service.asked)
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

// What was there before the request is never new: one read of a stale replica is enough to make it go and come back.
func TestBeginRemoteAssistance_WhatWasThereIsNeverNew(t *testing.T) {
	t.Parallel()
	const oldError, newError = "old trouble", "new trouble"
	had, none, hadLink, hadError := sessionOf(oldLink, oldError), sessionOf("", ""), sessionOf(oldLink, ""), sessionOf("", oldError)
	for name, c := range map[string]struct {
		reads []string
		want  waited
		looks int
	}{
		"link, none, link":         {[]string{had, none, had, sessionOf(newLink, oldError)}, waited{link: newLink}, 3},
		"again and again":          {[]string{had, none, had, hadError, had, hadLink, had, sessionOf(newLink, "")}, waited{link: newLink}, 7},
		"error, none, error":       {[]string{hadError, none, hadError, sessionOf("", newError)}, waited{fails: newError}, 3},
		"the link alone":           {[]string{had, hadLink, sessionOf(oldLink, newError)}, waited{fails: newError}, 2},
		"the error alone":          {[]string{had, hadError, sessionOf(newLink, oldError)}, waited{link: newLink}, 2},
		"none before, then a link": {[]string{none, hadLink}, waited{link: oldLink}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &sessionService{reads: c.reads}
				poller, err := newClient(t, service).BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
				if err != nil {
					t.Fatal(err)
				}
				session, err := poller.PollUntilDone(t.Context(), every)
				checkWait(t, session, err, c.want)
				if service.looked-1 != c.looks {
					t.Errorf("over after %d looks, want %d", service.looked-1, c.looks)
				}
			})
		})
	}
}

// AcceptExistingAfter takes what was there, if it is there and fit to open, and only then.
func TestBeginRemoteAssistance_AcceptExistingAfter(t *testing.T) {
	t.Parallel()
	none, had, got := sessionOf("", ""), sessionOf(oldLink, ""), sessionOf(newLink, "")
	insecure := sessionOf("http://get.teamviewer.com/old-secret", "")
	for name, c := range map[string]struct {
		reads []string
		want  waited
		after time.Duration
	}{
		"no link at all":       {[]string{none, none, none, none, got}, waited{link: newLink}, 15 * time.Second},
		"gone when time is up": {[]string{had, had, had, none, got}, waited{link: newLink}, 15 * time.Second},
		"back when time is up": {[]string{had, none, had}, waited{link: oldLink, reused: true}, 10 * time.Second},
		"not https":            {[]string{insecure, insecure, insecure, insecure, got}, waited{link: newLink}, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, &sessionService{reads: c.reads})
				options := &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: 10 * time.Second}
				poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), options)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				session, err := poller.PollUntilDone(t.Context(), every)
				checkTook(t, start, c.after)
				checkWait(t, session, err, c.want)
			})
		})
	}
}

// A minute of 404 is a device that is being moved, counted from when it went missing last.
func TestBeginRemoteAssistance_NotFoundIsCountedFromTheLastSight(t *testing.T) {
	t.Parallel()
	bubble(t, "twice fifty seconds", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: 2 * time.Minute})
		start := time.Now()
		missing := func(intunetest.RecordedRequest) bool {
			at := time.Since(start)
			return at > 0 && at <= 50*time.Second || at > time.Minute && at <= 110*time.Second
		}
		tenant.Inject(intunetest.Fault{
			Method: http.MethodGet, Status: http.StatusNotFound, Code: "ResourceNotFound", Times: -1, Match: missing,
		})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		session, err := poller.PollUntilDone(t.Context(), every)
		checkWait(t, session, err, waited{link: newLink})
	})
}

// A wait that continues has read nothing before, so its first read is where a text that cannot be a token shows.
func TestWaitForRemoteAssistance_BadTokenEndsTheWait(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"blank": "", "two words": "a b"} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			token := begin(t, tenant, waiting(tenant, intune.ManagedDevice{}, never), nil)
			client, err := intune.NewClient(intune.StaticToken(text), tenant.ClientOptions())
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err = client.WaitForRemoteAssistance(t.Context(), token, nil)
			checkTook(t, start, 0)
			checkKinds(t, err, intune.ErrSessionPending, intune.ErrInvalidArgument)
		})
	}
}

// A wait that found out where reads are served stays there, in another process too.
func TestWaitForRemoteAssistance_StaysWhereReadsAreServed(t *testing.T) {
	t.Parallel()
	bubble(t, "detected app", func(t *testing.T, tenant *intunetest.Tenant) {
		plain := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 3})
		tenant.AddDetectedApp(intune.DetectedApp{ID: "app1"}, plain)
		device := intune.DetectedAppDevice("app1", plain.DeviceID())
		token := begin(t, tenant, device, nil)
		sent := len(tenant.Requests())
		session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil)
		if err != nil || session.Device != device {
			t.Fatalf("got %v, %v", session, err)
		}
		apps := 0
		for _, request := range tenant.Requests()[sent:] {
			if strings.Contains(request.Path, "/detectedApps/") {
				apps++
			}
		}
		if apps != 1 || len(tenant.Requests())-sent != 4 {
			t.Errorf("%d of %d reads at the app's address", apps, len(tenant.Requests())-sent)
		}
	})
}

// The ids and the time of the request stay with the wait, from process to process.
func TestOpenRemoteAssistance_IDsOfTheRequest(t *testing.T) {
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
			checkWait(t, session, err, waited{link: newLink})
			if session.Device != device {
				t.Errorf("the session is of %v, want %v", session.Device, device)
			}
			if sent == "" {
				t.Error("the request had no id")
			}
			if pending.ClientRequestID != sent || session.ClientRequestID != sent {
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
		if !ok {
			t.Fatalf("got %v, want a SessionError", err)
		}
		if failed.RequestID == "" || !guid.MatchString(failed.ClientRequestID) {
			t.Errorf("ids %q and %q", failed.RequestID, failed.ClientRequestID)
		}
	})
}

// Throttled tries of the request may take minutes, which are not taken from the time to look for a sign.
func TestOpenRemoteAssistance_LimitsCountFromTheRequest(t *testing.T) {
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
		checkTook(t, start, 170*time.Second+2*time.Minute)
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown, intune.ErrUnavailable)
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok {
			t.Fatalf("got %v, want a PendingError", err)
		}
		if after := pending.RequestedAt.Sub(start); after != 170*time.Second {
			t.Errorf("requested after %v", after)
		}
	})
}

// The span of a method that waits shows the ids of the request, and not those of its latest look.
func TestOpenRemoteAssistance_Span(t *testing.T) {
	t.Parallel()
	bubble(t, "Open and WaitFor", func(t *testing.T, tenant *intunetest.Tenant) {
		collected := &graphtest.Spans{}
		options := tenant.ClientOptions()
		options.TracingProvider = collected.Provider()
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
		forGood := &intune.WaitForRemoteAssistanceOptions{MaxWait: -1}
		if _, err := client.WaitForRemoteAssistance(t.Context(), pending.ResumeToken, forGood); err != nil {
			t.Fatal(err)
		}
		if _, err := client.ResumeRemoteAssistance(t.Context(), pending.ResumeToken, nil); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, made := range collected.List {
			seen[made.Name] = true
			if made.Name != "Client.OpenRemoteAssistance" && made.Name != "Client.WaitForRemoteAssistance" {
				continue
			}
			if made.Attributes["az.service_request_id"] != pending.RequestID || made.Attributes["az.client_request_id"] != pending.ClientRequestID {
				t.Errorf("%s has %v, want %s", made.Name, made.Attributes, pending.RequestID)
			}
		}
		for _, name := range []string{"Client.OpenRemoteAssistance", "Client.WaitForRemoteAssistance", "Client.ResumeRemoteAssistance"} {
			if !seen[name] {
				t.Errorf("no span %s among %v", name, collected.Names())
			}
		}
	})
}

// azcore's own spans of a poller appear beside the library's.
func TestBeginRemoteAssistance_Span(t *testing.T) {
	t.Parallel()
	collected := &graphtest.Spans{}
	service := &sessionService{reads: []string{sessionOf("", ""), sessionOf(newLink, "")}}
	client := newClient(t, service, func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() })
	poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := len(collected.List)
	if _, err := poller.PollUntilDone(t.Context(), every); err != nil {
		t.Fatal(err)
	}
	if names := collected.Names()[before:]; len(names) == 0 || !strings.HasPrefix(names[0], "Poller[") {
		t.Errorf("spans %v", names)
	}
}
