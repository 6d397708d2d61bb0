package intune_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// memory is a journal that keeps what it is told. A func that is set decides.
type memory struct {
	onAsking, onAsked, onEnded func(context.Context, intune.JournalEntry) error

	mu                   sync.Mutex
	asking, asked, ended []intune.JournalEntry
}

func (m *memory) Asking(ctx context.Context, entry intune.JournalEntry) error {
	m.mu.Lock()
	m.asking = append(m.asking, entry)
	m.mu.Unlock()
	if m.onAsking != nil {
		return m.onAsking(ctx, entry)
	}
	return nil
}

func (m *memory) Asked(ctx context.Context, entry intune.JournalEntry) error {
	m.mu.Lock()
	m.asked = append(m.asked, entry)
	m.mu.Unlock()
	if m.onAsked != nil {
		return m.onAsked(ctx, entry)
	}
	return nil
}

func (m *memory) Ended(ctx context.Context, entry intune.JournalEntry) error {
	m.mu.Lock()
	m.ended = append(m.ended, entry)
	m.mu.Unlock()
	if m.onEnded != nil {
		return m.onEnded(ctx, entry)
	}
	return nil
}

func (m *memory) option(o *intune.ClientOptions) { o.Journal = m }

// pair is the entries of Asking and Asked of the only call.
func (m *memory) pair(tb testing.TB) (asking, asked intune.JournalEntry) {
	tb.Helper()
	if len(m.asking) != 1 || len(m.asked) != 1 {
		tb.Fatalf("entries %+v and %+v, want one of each", m.asking, m.asked)
	}
	return m.asking[0], m.asked[0]
}

// journaled is a tenant's client with a journal.
func journaled(tb testing.TB, tenant *intunetest.Tenant, journal intune.Journal) *intune.Client {
	tb.Helper()
	options := tenant.ClientOptions()
	options.Journal = journal
	client, err := intune.NewClient(tenant.CredentialWith(map[string]any{"oid": "caller-1", "appid": "app-1", "tid": "tenant-1"}), options)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// requested are the methods that ask. Open does not wait.
func requested(ctx context.Context, client *intune.Client, device intune.DeviceRef) map[string]func() error {
	return map[string]func() error{
		"Request": func() error { _, err := client.RequestRemoteAssistance(ctx, device, nil); return err },
		"Begin":   func() error { _, err := client.BeginRemoteAssistance(ctx, device, nil); return err },
		"Open": func() error {
			options := &intune.OpenRemoteAssistanceOptions{MaxWait: time.Nanosecond, Frequency: time.Nanosecond}
			_, err := client.OpenRemoteAssistance(ctx, device, options)
			return err
		},
	}
}

// nothing wants neither an entry nor a request.
func (m *memory) nothing(tb testing.TB, what string, service *script) {
	tb.Helper()
	if len(m.asking)+len(m.asked) != 0 {
		tb.Errorf("%s: entries %+v and %+v, want none", what, m.asking, m.asked)
	}
	if n := service.calls.Load(); n != 0 {
		tb.Errorf("%s: sent %d times", what, n)
	}
}

// One pair for each call, whatever becomes of its tries.
func TestJournal_OnePairForEachCall(t *testing.T) {
	t.Parallel()
	unreachable := intunetest.Fault{Drop: intunetest.DropConnect, Times: -1}
	for name, c := range map[string]struct {
		faults  []intunetest.Fault // of the action
		outcome intune.Outcome
		status  int
		tries   int
	}{
		"accepted":                    {nil, intune.OutcomeAccepted, 204, 1},
		"accepted at the third try":   {[]intunetest.Fault{{Status: 429}, {Status: 503}}, intune.OutcomeAccepted, 204, 3},
		"refused":                     {[]intunetest.Fault{{Status: 403, Code: "Forbidden"}}, intune.OutcomeRejected, 403, 1},
		"throttled to the end":        {[]intunetest.Fault{{Status: 429, Times: -1}}, intune.OutcomeRejected, 429, 4},
		"no connection":               {[]intunetest.Fault{unreachable}, intune.OutcomeNotSent, 0, 4},
		"refused, then no connection": {[]intunetest.Fault{{Status: 503}, unreachable}, intune.OutcomeRejected, 0, 4},
		"broken after it was sent":    {[]intunetest.Fault{{Drop: intunetest.DropAfter}}, intune.OutcomeUnknown, 0, 1},
		"a gateway's timeout":         {[]intunetest.Fault{{Status: 504}}, intune.OutcomeUnknown, 504, 1},
		"not the answer expected":     {[]intunetest.Fault{{Status: 200, Body: "<html>sign in</html>"}}, intune.OutcomeUnknown, 200, 1},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			for _, method := range []string{"Request", "Begin", "Open"} {
				device := waiting(tenant, intune.ManagedDevice{})
				tenant.ClearFaults()
				tenant.ResetRequests()
				for _, fault := range c.faults {
					fault.Method = http.MethodPost
					tenant.Inject(fault)
				}
				journal := &memory{}
				err := requested(t.Context(), journaled(t, tenant, journal), device)[method]()
				asking, asked := journal.pair(t)
				id, sent := asking.ClientRequestID, 0
				for _, request := range tenant.Requests() {
					if request.Method != http.MethodPost {
						continue
					}
					sent++
					if got := request.Header.Get("Client-Request-Id"); got != id {
						t.Errorf("%s: try %d has the id %q, the journal %q", method, sent, got, id)
					}
				}
				if id == "" || sent > c.tries {
					t.Errorf("%s: sent %d times with the id %q, want an id and at most %d", method, sent, id, c.tries)
				}

				want := intune.JournalEntry{
					Time: asking.Time, Device: device, ClientRequestID: id, ResumeToken: asking.ResumeToken, Waits: method == "Open",
				}
				if asking != want {
					t.Errorf("%s: Asking was told %+v, want %+v", method, asking, want)
				}
				if (asking.ResumeToken == "") != (method == "Request") {
					t.Errorf("%s: Asking was told the token %q", method, asking.ResumeToken)
				}
				if asking.Time.IsZero() || asking.Time.Location() != time.UTC {
					t.Errorf("%s: Asking was told the time %v", method, asking.Time)
				}

				want = intune.JournalEntry{
					Time: asked.Time, Device: device, ClientRequestID: id, ResumeToken: asked.ResumeToken,
					Outcome: c.outcome, StatusCode: c.status, RequestID: asked.RequestID,
					Error: asked.Error, CallerID: "caller-1", AppID: "app-1", TenantID: "tenant-1",
				}
				if asked != want {
					t.Errorf("%s: Asked was told %+v, want %+v", method, asked, want)
				}
				mayWait := method != "Request" && (c.outcome == intune.OutcomeAccepted || c.outcome == intune.OutcomeUnknown)
				if (asked.ResumeToken != "") != mayWait {
					t.Errorf("%s: Asked was told the token %q", method, asked.ResumeToken)
				}
				if asked.Time.Before(asking.Time) || asked.Time.Location() != time.UTC {
					t.Errorf("%s: Asked was told the time %v, Asking %v", method, asked.Time, asking.Time)
				}
				if (asked.Error == "") != (c.outcome == intune.OutcomeAccepted) {
					t.Errorf("%s: Asked was told the error %q", method, asked.Error)
				}
				if (asked.RequestID == "") != (c.status == 0) {
					t.Errorf("%s: Asked was told the request id %q", method, asked.RequestID)
				}
				if failed, ok := errors.AsType[*intune.Error](err); ok {
					told := [...]string{asked.Error, asked.ClientRequestID, asked.RequestID}
					if want := [...]string{failed.Error(), failed.ClientRequestID, failed.RequestID}; told != want {
						t.Errorf("%s: Asked was told error and ids %q, the caller %q", method, told, want)
					}
				}
			}
		})
	}
}

// No record, no prompt: nothing is sent, whatever the retry options and the policies are, and the error says so.
func TestJournal_FailureStopsTheRequest(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left, see https://get.teamviewer.com/v15/secret")
	for name, option := range map[string]func(*intune.ClientOptions){
		"plain":                              func(*intune.ClientOptions) {},
		"all retries":                        insists,
		"a policy that repeats, per call":    placed(again{})["per call"],
		"a policy that repeats, per try":     placed(again{})["per retry"],
		"a policy that replaces the context": placed(forgets)["per retry"],
	} {
		for _, method := range []string{"Request", "Begin", "Open"} {
			t.Run(name+", "+method, func(t *testing.T) {
				t.Parallel()
				tenant := intunetest.NewTenant(nil)
				device := tenant.AddDevice(intune.ManagedDevice{})
				journal := &memory{onAsking: func(context.Context, intune.JournalEntry) error { return full }}
				client := newClient(t, tenant, journal.option, option)
				err := requested(t.Context(), client, device)[method]()
				failed := asError(t, err)
				if got := [...]int{len(journal.asking), len(journal.asked), tenant.Prompts(device)}; got != [...]int{1, 0, 0} {
					t.Fatalf("Asking, Asked and prompts %v times, want Asking once", got)
				}
				checkKinds(t, err)
				checkSays(t, err, "nobody was asked by this call, for the journal did not accept the request: no space left")
				if !errors.Is(err, full) || strings.Contains(err.Error(), "secret") {
					t.Errorf("got %v, want the journal's own error without the link", err)
				}
				if id := journal.asking[0].ClientRequestID; failed.StatusCode != 0 || failed.ClientRequestID != id {
					t.Errorf("status %d and id %q, want none and %q", failed.StatusCode, failed.ClientRequestID, id)
				}
				for _, request := range tenant.Requests() {
					if request.Method != http.MethodGet {
						t.Errorf("%s %s was sent", request.Method, request.Path)
					}
				}
			})
		}
	}
}

// The context may end while the journal is at work: nothing is sent then, and the journal is told.
func TestJournal_ContextEndsWhileItWrites(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]error{"written": nil, "given up": context.Canceled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			journal := &memory{onAsking: func(context.Context, intune.JournalEntry) error { cancel(); return fails }}
			service := newScript(status(204))
			_, err := newClient(t, service, journal.option).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
			checkKinds(t, err, context.Canceled)
			if told := strings.Contains(fmt.Sprint(err), "journal"); told != (fails != nil) {
				t.Errorf("the error names the journal: %v, want %v: %v", told, fails != nil, err)
			}
			if n := service.calls.Load(); n != 0 {
				t.Errorf("sent %d times", n)
			}
			if fails != nil {
				if len(journal.asked) != 0 {
					t.Errorf("Asked was told %+v", journal.asked)
				}
				return
			}
			if _, asked := journal.pair(t); asked.Outcome != intune.OutcomeNotSent {
				t.Errorf("Asked was told %+v", asked)
			}
		})
	}
}

type contextKey struct{}

var (
	askingEntry = intune.JournalEntry{
		Time: time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC), Device: intune.UserDevice("anna@contoso.com", "1"), ClientRequestID: "id-1",
		ResumeToken: `{"type":"RemoteAssistanceSession"}`, Actor: "bert",
	}
	askedEntry = intune.JournalEntry{
		Time: time.Date(2026, 3, 4, 5, 6, 8, 0, time.UTC), Device: intune.UserDevice("anna@contoso.com", "1"), ClientRequestID: "id-1",
		Outcome: intune.OutcomeRejected, StatusCode: 403, RequestID: "r1", Error: "not allowed <&>",
		Actor: "bert", CallerID: "c", AppID: "a", TenantID: "t",
	}
)

// Asked is told although the caller has gone, with the values of its context. What it returns changes nothing.
func TestJournal_LaterFailureChangesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "kept"))
	full := errors.New("write: no space left, see https://get.teamviewer.com/v15/secret")
	var given context.Context
	journal := &memory{onAsked: func(ctx context.Context, _ intune.JournalEntry) error {
		if given = ctx; ctx.Err() != nil || ctx.Value(contextKey{}) != "kept" {
			t.Errorf("the context has ended with %v, and holds %v", ctx.Err(), ctx.Value(contextKey{}))
		}
		return full
	}}
	collected := &graphtest.Spans{}
	service := transportFunc(func(req *http.Request) (*http.Response, error) {
		cancel()
		return answer(req, http.StatusNoContent, http.Header{"Request-Id": {"r1"}}, ""), nil
	})
	client := newClient(t, service, journal.option, func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() })
	response, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if given.Err() == nil {
		t.Error("the journal's context outlives the call, with its timer")
	}
	asking, asked := journal.pair(t)
	if asking.ClientRequestID != response.ClientRequestID {
		t.Errorf("Asking was told the id %q, the caller %q", asking.ClientRequestID, response.ClientRequestID)
	}
	if asked.Outcome != intune.OutcomeAccepted || asked.RequestID != "r1" {
		t.Errorf("Asked was told %+v, want it accepted as r1", asked)
	}
	span := collected.List[0]
	if span.Name != "Client.RequestRemoteAssistance" {
		t.Errorf("the first span is %s", span.Name)
	}
	want := "intune.journalError[{error.message write: no space left, see https://get.teamviewer.com/REDACTED}]"
	if event := strings.Join(span.Events, "\n"); event != want {
		t.Errorf("the span has the event %q, want %q", event, want)
	}
}

// What ends before a request is ready to leave has asked nobody, and makes no entry.
func TestJournal_NoEntryWithoutARequest(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	elsewhere := rewrite(func(r *http.Request) { r.URL.Host = "graph.example" })
	refuses := policyFunc(func(*policy.Request) (*http.Response, error) { return nil, errors.New("no") })
	for name, c := range map[string]struct {
		ctx    context.Context //nolint:containedctx // a case
		device intune.DeviceRef
		option func(*intune.ClientOptions)
	}{
		"no device":         {t.Context(), intune.DeviceRef{}, noRetries},
		"the context ended": {ended, intune.Device("1"), noRetries},
		"another host":      {t.Context(), intune.Device("1"), placed(elsewhere)["per retry"]},
		"a policy refuses":  {t.Context(), intune.Device("1"), placed(refuses)["per retry"]},
		"a blank token":     {t.Context(), intune.Device("1"), nil},
	} {
		journal, service := &memory{}, newScript(status(204))
		client := newClient(t, service, journal.option, func(o *intune.ClientOptions) {
			if c.option != nil {
				c.option(o)
			}
		})
		if c.option == nil {
			options := &intune.ClientOptions{Journal: journal}
			options.Transport = service
			var err error
			if client, err = intune.NewClient(intune.StaticToken(" "), options); err != nil {
				t.Fatal(err)
			}
		}
		_, err := client.RequestRemoteAssistance(c.ctx, c.device, nil)
		if failed, ok := errors.AsType[*intune.Error](err); ok && failed.ClientRequestID == "" {
			t.Errorf("%s: the error has no client request id", name)
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		journal.nothing(t, name, service)
	}
}

// Reads and the other writes are not in the journal.
func TestJournal_HearsOfRequestsOnly(t *testing.T) {
	t.Parallel()
	requests := []string{
		"RequestRemoteAssistance", "BeginRemoteAssistance", "OpenRemoteAssistance", "RequestRemoteAssistanceMany", "OpenRemoteAssistanceMany",
	}
	for name, call := range spanned {
		if slices.Contains(requests, name) {
			continue
		}
		journal := &memory{}
		err := call(t.Context(), newClient(t, always(http.StatusNotFound, ""), journal.option))
		if err == nil || len(journal.asking)+len(journal.asked) != 0 {
			t.Errorf("%s: entries %+v and %+v, error %v", name, journal.asking, journal.asked, err)
		}
	}
}

// A transport that panics leaves the outcome open, and no Asking without its Asked.
func TestJournal_HearsOfAPanic(t *testing.T) {
	t.Parallel()
	journal := &memory{}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		panics := transportFunc(func(*http.Request) (*http.Response, error) { panic("boom") })
		_ = act(t, newClient(t, panics, journal.option))
	}()
	if _, asked := journal.pair(t); asked.Outcome != intune.OutcomeUnknown {
		t.Errorf("Asked was told %+v", asked)
	}
}

// A policy may return and send the request later. By then the call has failed as not sent, and that holds.
func TestJournal_RequestThatAPolicyLeavesBehind(t *testing.T) {
	t.Parallel()
	for place, option := range map[string]func(policy.Policy) func(*intune.ClientOptions){
		"per call":  func(p policy.Policy) func(*intune.ClientOptions) { return placed(p)["per call"] },
		"per retry": func(p policy.Policy) func(*intune.ClientOptions) { return placed(p)["per retry"] },
	} {
		var late *policy.Request
		leaves := policyFunc(func(req *policy.Request) (*http.Response, error) {
			late = req
			return nil, errors.New("gave up")
		})
		journal, service := &memory{}, newScript(status(204))
		_, err := newClient(t, service, journal.option, noRetries, option(leaves)).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if err == nil || errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("%s: %v", place, err)
		}
		if _, err := late.Next(); err == nil {
			t.Errorf("%s: the request that was left behind is sent", place)
		}
		journal.nothing(t, place, service)
	}
}

// A policy may return while the request is just about to be sent. The journal then hears of both its ends or of none. Many runs,
// since it takes one in a hundred to find the moment.
func TestJournal_PairOfARequestThatAPolicyLeavesAsItStarts(t *testing.T) {
	t.Parallel()
	for range 1000 {
		starts, ended := make(chan struct{}), make(chan struct{})
		leaves := policyFunc(func(req *policy.Request) (*http.Response, error) {
			go func() {
				defer close(ended)
				_, _ = req.Next()
			}()
			<-starts
			return nil, errors.New("gave up")
		})
		tells := policyFunc(func(req *policy.Request) (*http.Response, error) {
			close(starts)
			return req.Next()
		})
		journal, service := &memory{}, newScript(status(204))
		client := newClient(t, service, journal.option, noRetries, func(o *intune.ClientOptions) {
			o.PerRetryPolicies = []policy.Policy{leaves, tells}
		})
		_, _ = client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil) // accepted, if the answer was faster
		<-ended
		if len(journal.asking) != len(journal.asked) {
			t.Fatalf("entries %+v and %+v", journal.asking, journal.asked)
		}
		if n := int(service.calls.Load()); n > len(journal.asked) {
			t.Fatalf("%d requests, %d entries", n, len(journal.asked))
		}
	}
}

func TestNewClient_TypedNilJournal(t *testing.T) {
	t.Parallel()
	var none *memory
	_, err := intune.NewClient(intune.StaticToken("x"), &intune.ClientOptions{Journal: none})
	if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "options.Journal is a nil *intune_test.memory") {
		t.Errorf("got %v", err)
	}
}

// A log shows an entry without the resume token and the user.
func TestJournalEntry_InALog(t *testing.T) {
	t.Parallel()
	const device = `entry.device="device 1 (user address)" `
	for name, c := range map[string]struct {
		entry intune.JournalEntry
		want  string
	}{
		"asking": {askingEntry, "entry.time=2026-03-04T05:06:07.000Z " + device + "entry.actor=bert entry.client_request_id=id-1\n"},
		"asked": {
			askedEntry, "entry.time=2026-03-04T05:06:08.000Z " + device +
				`entry.outcome=rejected entry.status=403 entry.error="not allowed <&>" entry.actor=bert ` +
				"entry.caller_id=c entry.app_id=a entry.tenant_id=t entry.request_id=r1 entry.client_request_id=id-1\n",
		},
		"ended": {
			endedEntry, "entry.time=2026-03-04T05:07:08.000Z " + device +
				`entry.session=failed entry.error="the device is offline" entry.request_id=r2 entry.client_request_id=id-1` + "\n",
		},
		"with a reference": {
			intune.JournalEntry{Time: askingEntry.Time, Device: askingEntry.Device, Waits: true, Reference: "ticket 4711"},
			"entry.time=2026-03-04T05:06:07.000Z " + device + `entry.reference="ticket 4711"` + "\n",
		},
	} {
		var b strings.Builder
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "entry", c.entry)
		if _, got, _ := strings.Cut(b.String(), "msg=x "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestPossibleOutcomeValues_AreAllThereAre(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(intune.PossibleOutcomeValues())
	if want := `["accepted","rejected","unknown","notSent"]`; err != nil || string(text) != want {
		t.Errorf("got %s, want %s; error %v", text, want, err)
	}
}

func TestPossibleSessionOutcomeValues_AreAllThereAre(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(intune.PossibleSessionOutcomeValues())
	if want := `["ready","failed","left","superseded"]`; err != nil || string(text) != want {
		t.Errorf("got %s, want %s; error %v", text, want, err)
	}
}

// setID is a policy that gives each request that passes an id of its own.
func setID(header string) policy.Policy {
	n := 0
	return policyFunc(func(req *policy.Request) (*http.Response, error) {
		n++
		req.Raw().Header[header] = []string{"own-" + strconv.Itoa(n)}
		return req.Next()
	})
}

// Whoever chooses the id, it is one in both entries, on the wire at every try, and in what the caller gets.
func TestJournal_KnowsTheIDOnTheWire(t *testing.T) {
	t.Parallel()
	const body = `{"error":{"code":"Forbidden","message":"no","innerError":{"request-id":"r9","client-request-id":"of-the-body"}}}`
	fresh := func(place, header string) func() func(*intune.ClientOptions) {
		return func() func(*intune.ClientOptions) { return placed(setID(header))[place] }
	}
	plain := func() func(*intune.ClientOptions) { return func(*intune.ClientOptions) {} }
	for name, c := range map[string]struct {
		option func() func(*intune.ClientOptions)
		own    string
		want   string // "" is any
	}{
		"the library":        {plain, "", ""},
		"WithHTTPHeader":     {plain, "from-the-context", "from-the-context"},
		"a per-call policy":  {fresh("per call", "Client-Request-Id"), "", "own-1"},
		"a per-retry policy": {fresh("per retry", "Client-Request-Id"), "", "own-1"},
		"a careless policy":  {fresh("per retry", "client-request-id"), "from-the-context", "from-the-context"},
		"a policy that takes it away": {func() func(*intune.ClientOptions) {
			return placed(rewrite(func(r *http.Request) { r.Header.Del("Client-Request-Id") }))["per retry"]
		}, "", ""},
	} {
		for _, last := range []int{http.StatusNoContent, http.StatusForbidden} {
			t.Run(name+" "+strconv.Itoa(last), func(t *testing.T) {
				t.Parallel()
				var wire []string
				service := transportFunc(func(req *http.Request) (*http.Response, error) {
					for header, values := range req.Header {
						if strings.EqualFold(header, "client-request-id") {
							wire = append(wire, values...)
						}
					}
					switch {
					case len(wire) < 3:
						return unavailable(req), nil
					case last == http.StatusForbidden:
						return answer(req, last, nil, body), nil
					}
					return answer(req, last, http.Header{"Client-Request-Id": {"of-the-answer"}}, ""), nil
				})
				ctx, journal := t.Context(), &memory{}
				if c.own != "" {
					ctx = policy.WithHTTPHeader(ctx, http.Header{"client-request-id": {c.own}})
				}
				response, err := newClient(t, service, journal.option, c.option()).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
				got := response.ClientRequestID
				if err != nil {
					got = asError(t, err).ClientRequestID
				}
				if (err == nil) != (last == http.StatusNoContent) {
					t.Errorf("got %v", err)
				}
				if got == "" || got != cmp.Or(c.want, got) {
					t.Errorf("reported %q, want %q", got, c.want)
				}
				asking, asked := journal.pair(t)
				if asking.ClientRequestID != got || asked.ClientRequestID != got {
					t.Errorf("the entries have %q and %q, reported %q", asking.ClientRequestID, asked.ClientRequestID, got)
				}
				if !slices.Equal(wire, []string{got, got, got}) {
					t.Errorf("sent %q, reported %q", wire, got)
				}
			})
		}
	}
}

// Without a journal, a policy that gives each try an id of its own does so.
func TestRequestRemoteAssistance_IDsWithoutAJournal(t *testing.T) {
	t.Parallel()
	var wire []string
	service := transportFunc(func(req *http.Request) (*http.Response, error) {
		wire = append(wire, req.Header.Get("Client-Request-Id"))
		return unavailable(req), nil
	})
	err := act(t, newClient(t, service, placed(setID("Client-Request-Id"))["per retry"]))
	if last := asError(t, err).ClientRequestID; strings.Join(wire, " ") != "own-1 own-2 own-3 own-4" || last != "own-4" {
		t.Errorf("sent %v, reported %q", wire, last)
	}
}

// An id that no record may show is no id; nothing is sent with it.
func TestJournal_IDThatIsASecretIsRefused(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{
		"a link":    "https://get.teamviewer.com/v15/secret",
		"the token": "opaque-token",
		"the user":  "for anna@contoso.com",
		"too long":  strings.Repeat("x", 201),
		"two lines": "a\nb",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			journal, service := &memory{}, newScript(status(204))
			ctx := policy.WithHTTPHeader(t.Context(), http.Header{"Client-Request-Id": {id}})
			_, err := newClient(t, service, journal.option).RequestRemoteAssistance(ctx, intune.UserDevice("anna@contoso.com", "1"), nil)
			checkRefused(t, err, "client-request-id")
			if text := fmt.Sprint(err); strings.Contains(text, "secret") || strings.Contains(text, "anna") {
				t.Errorf("the error shows it: %s", text)
			}
			journal.nothing(t, "the call", service)
		})
	}
}

// The claims are those of the token that was sent; a token that cannot be read has none.
func TestJournal_NamesTheCaller(t *testing.T) {
	t.Parallel()
	const site = "https://get.teamviewer.com/"
	callerOf := func(entry intune.JournalEntry) [3]string {
		return [...]string{entry.CallerID, entry.AppID, entry.TenantID}
	}
	for name, c := range map[string]struct {
		claims map[string]any
		want   [3]string // caller, app and tenant
	}{
		"version 1": {map[string]any{"oid": "o", "appid": "a", "tid": "t"}, [...]string{"o", "a", "t"}},
		"version 2": {map[string]any{"oid": "o", "appid": nil, "azp": "z", "tid": "t"}, [...]string{"o", "z", "t"}},
		"none":      {map[string]any{"appid": nil, "tid": nil}, [3]string{}},
		"hostile":   {map[string]any{"oid": "a\nb " + site + "secret", "appid": 7, "tid": "t"}, [...]string{"a b " + site + "REDACTED", "", "t"}},
	} {
		tenant, journal := intunetest.NewTenant(nil), &memory{}
		device := tenant.AddDevice(intune.ManagedDevice{})
		options := tenant.ClientOptions()
		options.Journal = journal
		client, err := intune.NewClient(tenant.CredentialWith(c.claims), options)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.RequestRemoteAssistance(t.Context(), device, nil); err != nil {
			t.Fatal(err)
		}
		if _, asked := journal.pair(t); callerOf(asked) != c.want {
			t.Errorf("%s: caller, app and tenant are %q, want %q", name, callerOf(asked), c.want)
		}
	}
	journal := &memory{}
	if err := act(t, newClient(t, always(http.StatusNoContent, ""), journal.option)); err != nil {
		t.Fatal(err)
	}
	if _, asked := journal.pair(t); callerOf(asked) != [3]string{} {
		t.Errorf("opaque token: caller, app and tenant are %q", callerOf(asked))
	}
}

// The token of Asking goes on with the wait in another process, whatever became of the first, and asks nobody.
func TestJournal_TokenGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   intunetest.Fault
		stopped bool
		prompts int
	}{
		"crashed after the answer":   {prompts: 1},
		"crashed before the answer":  {fault: intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter}, prompts: 1},
		"crashed before it was sent": {stopped: true},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			left := intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}
			device := waiting(tenant, left, intunetest.SessionScript{URL: newLink, After: time.Hour})
			tenant.Inject(c.fault)
			journal := &memory{}
			if c.stopped {
				journal.onAsking = func(context.Context, intune.JournalEntry) error { return errors.New("crash") }
			}
			_, _ = journaled(t, tenant, journal).BeginRemoteAssistance(t.Context(), device, nil)
			asking := journal.asking[0]
			var token struct {
				Token struct {
					ClientRequestID string `json:"clientRequestId"`
					Unconfirmed     bool   `json:"unconfirmed"`
				} `json:"token"`
			}
			if err := json.Unmarshal([]byte(asking.ResumeToken), &token); err != nil {
				t.Fatalf("token %s: %v", asking.ResumeToken, err)
			}
			if token.Token.ClientRequestID != asking.ClientRequestID || !token.Token.Unconfirmed {
				t.Errorf("token %s, want the id %q and unconfirmed", asking.ResumeToken, asking.ClientRequestID)
			}
			time.Sleep(3 * time.Hour) //nolint:forbidigo // the bubble's clock
			start := time.Now()
			session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), asking.ResumeToken, nil)
			id := session.ClientRequestID
			if c.stopped {
				pending, ok := errors.AsType[*intune.PendingError](err)
				if !ok {
					t.Fatalf("got %v, want a *PendingError", err)
				}
				id = pending.ClientRequestID
				checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown)
				if strings.Contains(err.Error(), "the request was accepted") {
					t.Errorf("nobody knows: %v", err)
				}
				if waited := time.Since(start); waited != 2*time.Minute {
					t.Errorf("waited %v", waited)
				}
			} else if err != nil || session.URL.Reveal() != newLink {
				t.Errorf("got %v, %v", session, err)
			}
			if id != asking.ClientRequestID {
				t.Errorf("the wait is for the request %q, want %q", id, asking.ClientRequestID)
			}
			if n := tenant.Prompts(device); n != c.prompts {
				t.Errorf("%d prompts", n)
			}
		})
	}
}

// Entries hold no link and no access token, though the answers do.
func TestJournal_HoldsNoSecrets(t *testing.T) {
	t.Parallel()
	journal := &memory{}
	service := transportFunc(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet {
			return answer(req, http.StatusOK, nil, sessionOf(oldLink, "see "+oldLink)), nil
		}
		header := http.Header{"Request-Id": {oldLink}, "Location": {oldLink}}
		return answer(req, http.StatusForbidden, header, `{"error":{"code":"Forbidden","message":"`+oldLink+` and opaque-token"}}`), nil
	})
	_, err := newClient(t, service, journal.option).BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
	if err == nil || len(journal.asked) != 1 {
		t.Fatalf("error %v, entries %+v", err, journal.asked)
	}
	text, err := json.Marshal([]any{journal.asking, journal.asked})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"old-secret", "opaque-token", "Bearer"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
}

// A database's error quotes the entry that it could not write.
func TestRequestRemoteAssistance_SpanHidesTheUserInAnErrorOfTheJournal(t *testing.T) {
	t.Parallel()
	journal := &memory{onAsked: func(_ context.Context, entry intune.JournalEntry) error {
		return fmt.Errorf("key (device)=(%s) exists already", entry.Device)
	}}
	collected := &graphtest.Spans{}
	traced := func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() }
	client := newClient(t, always(http.StatusNoContent, ""), journal.option, traced)
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.UserDevice("anna@contoso.com", "1"), nil); err != nil {
		t.Fatal(err)
	}
	want := "intune.journalError[{error.message key (device)=(/users/REDACTED/managedDevices/1) exists already}]"
	if got := collected.List[0].Events; !slices.Equal(got, []string{want}) {
		t.Errorf("events %q, want %q", got, want)
	}
}

// truth is what a program is told of a request, by Open or by WaitFor after a restart.
type truth struct {
	link            string
	reused, unknown bool
	pending, failed bool
	details, id     string
}

func truthOf(session intune.RemoteAssistanceSession, err error) truth {
	told := truth{
		link: session.URL.Reveal(), reused: session.Reused, id: session.ClientRequestID, unknown: errors.Is(err, intune.ErrOutcomeUnknown),
	}
	if pending, ok := errors.AsType[*intune.PendingError](err); ok {
		told.pending, told.id = true, pending.ClientRequestID
	}
	if failed, ok := errors.AsType[*intune.SessionError](err); ok {
		told.failed, told.id, told.details = true, failed.ClientRequestID, failed.Details
	}
	return told
}

// Once Asked is durable, a program that starts again is told what it would have been told without a crash.
func TestJournal_SameTruthAfterARestart(t *testing.T) {
	t.Parallel()
	drop := func(mode intunetest.DropMode) *intunetest.Fault {
		return &intunetest.Fault{Method: http.MethodPost, Drop: mode}
	}
	link := func(after time.Duration) intunetest.SessionScript {
		return intunetest.SessionScript{After: after, URL: "https://a/new"}
	}
	for name, c := range map[string]struct {
		fault  *intunetest.Fault
		script intunetest.SessionScript
		accept time.Duration // AcceptExistingAfter
		want   truth
	}{
		"accepted, a link soon":  {nil, link(10 * time.Second), 0, truth{link: "https://a/new"}},
		"accepted, a link later": {nil, link(5 * time.Minute), 0, truth{link: "https://a/new"}},
		"accepted, an error text later": {
			nil, intunetest.SessionScript{After: 5 * time.Minute, ErrorDetails: "no license"}, 0, truth{failed: true, details: "no license"},
		},
		"accepted, nothing":        {nil, intunetest.SessionScript{Never: true}, 0, truth{pending: true}},
		"accepted, the old link":   {nil, intunetest.SessionScript{Never: true}, 4 * time.Minute, truth{link: "https://a/old", reused: true}},
		"carried out, a link":      {drop(intunetest.DropAfter), link(time.Minute), 0, truth{link: "https://a/new"}},
		"carried out, and no sign": {drop(intunetest.DropAfter), intunetest.SessionScript{Never: true}, 0, truth{pending: true, unknown: true}},
		"lost":                     {drop(intunetest.DropBefore), link(time.Minute), 0, truth{pending: true, unknown: true}},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			for _, crash := range []bool{false, true} {
				device := waiting(tenant, intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL("https://a/old")}, c.script)
				if c.fault != nil {
					tenant.Inject(*c.fault)
				}
				ctx, die := context.WithCancel(t.Context())
				defer die()
				journal, options := &memory{}, &intune.OpenRemoteAssistanceOptions{AcceptExistingAfter: c.accept}
				var requested intune.Requested
				options.OnRequested = func(r intune.Requested) {
					if requested = r; crash {
						die()
					}
				}
				session, err := journaled(t, tenant, journal).OpenRemoteAssistance(ctx, device, options)
				asking, asked := journal.pair(t)
				if crash {
					session, err = journaled(t, tenant, &memory{}).WaitForRemoteAssistance(t.Context(), asked.ResumeToken, nil)
				}
				want := c.want
				want.id = asking.ClientRequestID
				if got := truthOf(session, err); got != want {
					t.Errorf("crash: %v: told %+v, want %+v; error %v", crash, got, want, err)
				}
				if requested.ResumeToken != asked.ResumeToken || requested.Outcome != asked.Outcome {
					t.Errorf("OnRequested was told %+v, Asked %+v", requested, asked)
				}
				if n, most := tenant.Prompts(device), 1; n > most {
					t.Errorf("crash: %v: %d prompts", crash, n)
				}
			}
		})
	}
}

// The token of Asking knows nothing yet. A wait that goes on from it never says that the request was accepted.
func TestJournal_TokenOfAskingIsUnconfirmed(t *testing.T) {
	t.Parallel()
	bubble(t, "no sign", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		journal := &memory{}
		_, err := journaled(t, tenant, journal).BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		asking, _ := journal.pair(t)
		begun := time.Now()
		_, err = journaled(t, tenant, journal).WaitForRemoteAssistance(t.Context(), asking.ResumeToken, nil)
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown)
		if waited := time.Since(begun); waited != 2*time.Minute {
			t.Errorf("looked for a sign for %v", waited)
		}
	})
}

// Ended is called once for each wait that stops, whoever waits, before the caller has the result.
func TestJournal_EndedOnce(t *testing.T) {
	t.Parallel()
	refuse := intunetest.Fault{Method: http.MethodGet, Status: 403, Code: "Forbidden", Times: -1}
	for name, c := range map[string]struct {
		script  intunetest.SessionScript
		options intune.OpenRemoteAssistanceOptions
		lost    bool              // the request
		later   *intunetest.Fault // once the request was made
		cancels bool              // the caller
		want    intune.SessionOutcome
		poller  intune.SessionOutcome
	}{
		"ready": {script: intunetest.SessionScript{After: time.Minute}, want: intune.SessionReady, poller: intune.SessionReady},
		"reused": {
			script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{AcceptExistingAfter: time.Minute},
			want: intune.SessionReady, poller: intune.SessionReady,
		},
		"failed": {
			script: intunetest.SessionScript{After: time.Minute, ErrorDetails: "no"}, want: intune.SessionFailed, poller: intune.SessionFailed,
		},
		"a link that must not be opened": {
			script: intunetest.SessionScript{After: time.Minute, URL: "http://a/1"}, want: intune.SessionFailed, poller: intune.SessionFailed,
		},
		"MaxWait": {
			script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{MaxWait: time.Minute},
			want: intune.SessionLeft,
		},
		"no sign":              {script: intunetest.SessionScript{Never: true}, lost: true, want: intune.SessionLeft},
		"a read is refused":    {script: intunetest.SessionScript{Never: true}, later: &refuse, want: intune.SessionLeft},
		"the end of a context": {script: intunetest.SessionScript{Never: true}, cancels: true, want: intune.SessionLeft},
	} {
		for _, method := range []string{"Open", "WaitFor", "Poll"} {
			bubble(t, name+", "+method, func(t *testing.T, tenant *intunetest.Tenant) {
				old := intune.NewSessionURL("https://a/old")
				device := waiting(tenant, intune.ManagedDevice{RemoteAssistanceSessionURL: old}, c.script)
				if c.lost {
					tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropBefore})
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				journal := &memory{}
				client, options := journaled(t, tenant, journal), c.options
				requested := func(intune.Requested) {
					if c.later != nil {
						tenant.Inject(*c.later)
					}
					if c.cancels {
						time.AfterFunc(time.Minute, cancel)
					}
				}
				var err error
				want := c.want
				if method == "Open" {
					options.OnRequested = requested
					_, err = client.OpenRemoteAssistance(ctx, device, &options)
				} else {
					poller, failed := client.BeginRemoteAssistance(ctx, device, &intune.BeginRemoteAssistanceOptions{
						AcceptExistingAfter: c.options.AcceptExistingAfter,
					})
					if failed != nil {
						t.Fatal(failed)
					}
					requested(intune.Requested{})
					if method == "WaitFor" {
						_, asked := journal.pair(t)
						_, err = client.WaitForRemoteAssistance(ctx, asked.ResumeToken, &intune.WaitForRemoteAssistanceOptions{MaxWait: c.options.MaxWait})
					} else {
						ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
						defer cancel()
						want = c.poller
						_, err = poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: time.Second})
					}
				}
				asking, asked := journal.pair(t)
				if asking.Waits != (method == "Open") {
					t.Errorf("Asking was told that this process waits: %v", asking.Waits)
				}
				if want == "" {
					if len(journal.ended) > 0 {
						t.Errorf("Ended was told %+v", journal.ended)
					}
					return
				}
				if len(journal.ended) != 1 {
					t.Fatalf("Ended was told %+v, want one", journal.ended)
				}
				ended := intune.JournalEntry{
					Time: journal.ended[0].Time, Device: device, ClientRequestID: asking.ClientRequestID, RequestID: asked.RequestID, Session: want,
				}
				if err != nil {
					ended.Error = err.Error()
				}
				if journal.ended[0] != ended {
					t.Errorf("Ended was told %+v, want %+v", journal.ended[0], ended)
				}
				if ended.Time.Before(asked.Time) || ended.Time.Location() != time.UTC {
					t.Errorf("Ended was told the time %v, Asked %v", ended.Time, asked.Time)
				}
			})
		}
	}
}

// A request that asked nobody has no wait, and so no end.
func TestJournal_NoEndedWithoutAWait(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]intunetest.Fault{
		"rejected": {Method: http.MethodPost, Status: 403, Code: "Forbidden"},
		"not sent": {Method: http.MethodPost, Drop: intunetest.DropConnect, Times: -1},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device, journal := waiting(tenant, intune.ManagedDevice{}), &memory{}
			tenant.Inject(fault)
			if _, err := journaled(t, tenant, journal).OpenRemoteAssistance(t.Context(), device, nil); err == nil {
				t.Error("no error")
			}
			if _, asked := journal.pair(t); asked.ResumeToken != "" {
				t.Errorf("Asked was told the token %q", asked.ResumeToken)
			}
			if len(journal.ended) > 0 {
				t.Errorf("Ended was told %+v", journal.ended)
			}
		})
	}
}

// A panic in the wait ends it too, and so does one of OnRequested.
func TestJournal_EndedAfterAPanic(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"OnRequested", "a read", "a read of WaitFor"} {
		bubble(t, place, func(t *testing.T, tenant *intunetest.Tenant) {
			device, journal, asked := waiting(tenant, intune.ManagedDevice{}), &memory{}, false
			options := tenant.ClientOptions()
			options.Journal = journal
			options.Transport = transportFunc(func(req *http.Request) (*http.Response, error) {
				if asked && place != "OnRequested" {
					panic("boom")
				}
				return tenant.Do(req)
			})
			client, err := intune.NewClient(tenant.Credential(), options)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
				if len(journal.ended) != 1 || journal.ended[0].Session != intune.SessionLeft {
					t.Errorf("Ended was told %+v, want that the wait was left", journal.ended)
				}
			}()
			if place == "a read of WaitFor" {
				if _, err := client.BeginRemoteAssistance(t.Context(), device, nil); err != nil {
					t.Fatal(err)
				}
				asked = true
				_, _ = client.WaitForRemoteAssistance(t.Context(), journal.asked[0].ResumeToken, nil)
				return
			}
			_, _ = client.OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{OnRequested: func(intune.Requested) {
				if asked = true; place == "OnRequested" {
					panic("boom")
				}
			}})
		})
	}
}

// A wait that is no longer the caller's gives no link, and neither does its error.
func TestErrSuperseded_WithholdsTheLink(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Open", "WaitFor", "Poll"} {
		bubble(t, method, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{After: time.Minute, URL: "https://get.teamviewer.com/secret"})
			device = intune.UserDevice("anna@contoso.com", device.DeviceID())
			journal := &memory{onEnded: func(_ context.Context, entry intune.JournalEntry) error {
				return fmt.Errorf("row 7 of %s: %w, see https://get.teamviewer.com/secret", entry.Device, intune.ErrSuperseded)
			}}
			client := journaled(t, tenant, journal)
			var session intune.RemoteAssistanceSession
			var err error
			if method == "Open" {
				session, err = client.OpenRemoteAssistance(t.Context(), device, nil)
			} else {
				poller, failed := client.BeginRemoteAssistance(t.Context(), device, nil)
				if failed != nil {
					t.Fatal(failed)
				}
				if method == "Poll" {
					session, err = poller.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Second})
				} else {
					_, asked := journal.pair(t)
					session, err = client.WaitForRemoteAssistance(t.Context(), asked.ResumeToken, nil)
				}
			}
			if session != (intune.RemoteAssistanceSession{}) {
				t.Errorf("the session is %+v with the link %q", session, session.URL.Reveal())
			}
			checkKinds(t, err, intune.ErrSessionPending, intune.ErrSuperseded)
			checkSays(t, err, "the link is withheld", "row 7 of /users/REDACTED/managedDevices/", ": superseded", "do not ask again")
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "secret") {
				t.Errorf("the link is in the error: %s", text)
			}
			if len(journal.ended) != 1 {
				t.Errorf("Ended was told %+v", journal.ended)
			}
		})
	}
}

// What the error of Ended says of another request is not said of this one, which was accepted and did not fail.
func TestErrSuperseded_BesideTheVerdictOfAnotherCall(t *testing.T) {
	t.Parallel()
	for name, another := range map[string]error{
		"failed":  &intune.SessionError{Device: intune.Device("2"), Details: "declined"},
		"pending": &intune.PendingError{Device: intune.Device("2"), ResumeToken: "another's", OutcomeUnknown: true},
		"unknown": &intune.Error{OutcomeUnknown: true},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{})
			client := journaled(t, tenant, &memory{onEnded: func(context.Context, intune.JournalEntry) error {
				return fmt.Errorf("%w by %w", intune.ErrSuperseded, another)
			}})
			_, opened := client.OpenRemoteAssistance(t.Context(), device, nil)
			var last intune.Progress
			results := collectOpened(client.OpenRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{device}),
				&intune.OpenRemoteAssistanceManyOptions{OnProgress: func(p intune.Progress) { last = p }}))
			for method, err := range map[string]error{"Open": opened, "OpenMany": results[0].Err} {
				pending, ok := errors.AsType[*intune.PendingError](err)
				if !ok || pending.Device != device {
					t.Errorf("%s: got %v", method, err)
				}
				if !errors.Is(err, intune.ErrSuperseded) {
					t.Errorf("%s: not superseded: %v", method, err)
				}
				if errors.Is(err, intune.ErrOutcomeUnknown) {
					t.Errorf("%s: the outcome is unknown: %v", method, err)
				}
				if failed, ok := errors.AsType[*intune.SessionError](err); ok {
					t.Errorf("%s: the failure of another request: %v", method, failed)
				}
			}
			if last.Failed != 0 {
				t.Errorf("%d counted as failed", last.Failed)
			}
		})
	}
}

// Any other error of Ended is no reason to keep a link from whoever waits for it.
func TestJournal_ErrorOfEndedHidesNothing(t *testing.T) {
	t.Parallel()
	bubble(t, "a full disk", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{})
		full := errors.New("no space left")
		journal := &memory{onEnded: func(context.Context, intune.JournalEntry) error { return full }}
		collected, options := &graphtest.Spans{}, tenant.ClientOptions()
		options.Journal, options.TracingProvider = journal, collected.Provider()
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		session, err := client.OpenRemoteAssistance(t.Context(), device, nil)
		if err != nil || session.URL.IsZero() {
			t.Errorf("got %+v, error %v", session, err)
		}
		want := []string{"intune.journalError[{error.message no space left}]"}
		if got := collected.List[0].Events; !slices.Equal(got, want) {
			t.Errorf("%s has the events %q, want %q", collected.List[0].Name, got, want)
		}
	})
}

// A link or an error text that comes between the first look and the request is somebody else's, and nothing is sent. With a
// journal, which may take its time, the client looks again right before each try.
func TestJournal_SomebodyElsesSession(t *testing.T) {
	t.Parallel()
	ask := func(t *testing.T, tenant *intunetest.Tenant, device intune.DeviceRef) {
		t.Helper()
		if _, err := tenant.Client().RequestRemoteAssistance(t.Context(), device, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock
	}
	for name, c := range map[string]struct {
		script  intunetest.SessionScript // of the other's request, which is the first
		left    string                   // the link of before
		sent    bool
		prompts int
	}{
		"a link":           {intunetest.SessionScript{After: 1, URL: "https://a/theirs"}, "", false, 1},
		"another link":     {intunetest.SessionScript{After: 1, URL: "https://a/theirs"}, "https://a/old", false, 1},
		"an error text":    {intunetest.SessionScript{After: 1, ErrorDetails: "no"}, "https://a/old", false, 1},
		"a link that goes": {intunetest.SessionScript{Never: true, ClearOld: true}, "https://a/old", true, 2},
		"nothing new":      {intunetest.SessionScript{Never: true}, "https://a/old", true, 2},
	} {
		for _, when := range []string{"while Asking runs", "while the service throttles"} {
			bubble(t, name+" "+when, func(t *testing.T, tenant *intunetest.Tenant) {
				left := intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(c.left)}
				device := waiting(tenant, left, c.script, intunetest.SessionScript{URL: "https://a/ours"})
				journal := &memory{}
				throttled := when != "while Asking runs"
				if throttled {
					ours := func(intunetest.RecordedRequest) bool { return len(journal.asking) > 0 }
					tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: 429, Match: ours})
				}
				client := journaled(t, tenant, journal)
				journal.onAsking = func(context.Context, intune.JournalEntry) error {
					if !throttled {
						ask(t, tenant, device)
					}
					return nil
				}
				other := sync.OnceFunc(func() { ask(t, tenant, device) })
				if throttled {
					options := tenant.ClientOptions()
					options.Journal = journal
					options.PerRetryPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) {
						resp, err := req.Next()
						if err == nil && resp.StatusCode == http.StatusTooManyRequests {
							other()
						}
						return resp, err
					})}
					client, _ = intune.NewClient(tenant.Credential(), options)
				}
				session, err := client.OpenRemoteAssistance(t.Context(), device, nil)
				if n := tenant.Prompts(device); n != c.prompts {
					t.Errorf("%d prompts, want %d", n, c.prompts)
				}
				_, asked := journal.pair(t)
				if c.sent {
					if err != nil || session.URL.Reveal() != "https://a/ours" {
						t.Errorf("got %q, error %v", session.URL.Reveal(), err)
					}
					return
				}
				checkKinds(t, err, intune.ErrConflict)
				checkSays(t, err, "somebody else's")
				want := intune.OutcomeNotSent
				if throttled {
					want = intune.OutcomeRejected
				}
				if asked.Outcome != want || asked.ResumeToken != "" {
					t.Errorf("Asked was told %q with the token %q, want %q without", asked.Outcome, asked.ResumeToken, want)
				}
			})
		}
	}
}

// If the second look fails, nobody knows whose link comes next, and nothing is sent.
func TestJournal_NoSecondLookNoRequest(t *testing.T) {
	t.Parallel()
	bubble(t, "refused", func(t *testing.T, tenant *intunetest.Tenant) {
		device, journal := waiting(tenant, intune.ManagedDevice{}), &memory{}
		journal.onAsking = func(context.Context, intune.JournalEntry) error {
			tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: 403, Code: "Forbidden", Times: -1})
			return nil
		}
		_, err := journaled(t, tenant, journal).OpenRemoteAssistance(t.Context(), device, nil)
		checkKinds(t, err, intune.ErrForbidden)
		checkSays(t, err, "not sent, for the device's session could not be read once more")
		if n := tenant.Prompts(device); n != 0 {
			t.Errorf("%d prompts", n)
		}
		if _, asked := journal.pair(t); asked.Outcome != intune.OutcomeNotSent {
			t.Errorf("Asked was told %q", asked.Outcome)
		}
	})
}

// One read before the request without a journal, two with one; a request without a wait has none.
func TestJournal_LooksAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		journal intune.Journal
		method  string
		want    int
	}{
		"no journal": {nil, "Begin", 1}, "a journal": {&memory{}, "Begin", 2}, "no wait": {&memory{}, "Request", 0},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{})
			if err := requested(t.Context(), journaled(t, tenant, c.journal), device)[c.method](); err != nil {
				t.Fatal(err)
			}
			list := tenant.Requests()
			if n := len(list) - 1; n != c.want || list[n].Method != http.MethodPost {
				t.Errorf("%d requests, the last is %s; want %d reads and the POST", len(list), list[n].Method, c.want)
			}
		})
	}
}

// No try starts more than ten minutes after its Asking, whatever the service asks for and however slow the journal is.
func TestJournal_TenMinutes(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Request", "Open", "Many"} {
		bubble(t, method+", throttled", func(t *testing.T, tenant *intunetest.Tenant) {
			device, journal := waiting(tenant, intune.ManagedDevice{}), &memory{}
			tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: 429, Header: http.Header{"Retry-After": {"130"}}, Times: -1})
			client := journaledSlowly(t, tenant, journal)
			var err error
			if method == "Many" {
				for result := range client.RequestRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{device}), nil) {
					err = result.Err
				}
			} else {
				err = requested(t.Context(), client, device)[method]()
			}
			checkSays(t, err, "more than ten minutes have passed since the journal recorded the request")
			asking, asked := journal.pair(t)
			if asked.Outcome != intune.OutcomeRejected {
				t.Errorf("Asked was told %q", asked.Outcome)
			}
			var tries []time.Duration
			for _, request := range tenant.Requests() {
				if request.Method == http.MethodPost {
					tries = append(tries, request.Time.Sub(asking.Time).Round(time.Second))
				}
			}
			want := []time.Duration{0, 130 * time.Second, 260 * time.Second, 390 * time.Second, 520 * time.Second}
			if !slices.Equal(tries, want) {
				t.Errorf("tries after %v, want %v", tries, want)
			}
		})
		for _, late := range []time.Duration{0, 1} {
			bubble(t, fmt.Sprintf("%s, a journal that takes ten minutes and %v", method, late), func(t *testing.T, tenant *intunetest.Tenant) {
				device := waiting(tenant, intune.ManagedDevice{})
				journal := &memory{onAsking: func(context.Context, intune.JournalEntry) error {
					time.Sleep(10*time.Minute + late) //nolint:forbidigo // the bubble's clock
					return nil
				}}
				client := journaledSlowly(t, tenant, journal)
				if method == "Many" {
					for range client.RequestRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{device}), nil) {
					}
				} else {
					err := requested(t.Context(), client, device)[method]()
					if sent := err == nil || errors.Is(err, intune.ErrSessionPending); sent != (late == 0) {
						t.Errorf("got %v", err)
					}
				}
				prompts, outcome := 1, intune.OutcomeAccepted
				if late > 0 {
					prompts, outcome = 0, intune.OutcomeNotSent
				}
				if n := tenant.Prompts(device); n != prompts {
					t.Errorf("%d prompts, want %d", n, prompts)
				}
				if _, asked := journal.pair(t); asked.Outcome != outcome {
					t.Errorf("Asked was told %q, want %q", asked.Outcome, outcome)
				}
			})
		}
	}
}

// journaledSlowly is a client with a journal that truly waits, twenty times if it has to.
func journaledSlowly(t *testing.T, tenant *intunetest.Tenant, journal intune.Journal) *intune.Client {
	t.Helper()
	options := tenant.ClientOptions()
	options.Journal, options.PerRetryPolicies, options.Retry = journal, nil, policy.RetryOptions{MaxRetries: 20}
	client, err := intune.NewClient(tenant.Credential(), options)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// A store that is slow holds up a call for ten seconds at most, whatever became of the caller's context.
func TestJournal_TenSecondsForWhatHasHappened(t *testing.T) {
	t.Parallel()
	bubble(t, "a store that hangs", func(t *testing.T, tenant *intunetest.Tenant) {
		type key struct{}
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
		defer cancel()
		hangs := func(ctx context.Context, _ intune.JournalEntry) error {
			if ctx.Value(key{}) != "kept" {
				t.Error("the values of the context are gone")
			}
			cancel() // the caller goes
			begun := time.Now()
			<-ctx.Done()
			if took := time.Since(begun); took != 10*time.Second {
				t.Errorf("the context lasted %v", took)
			}
			return ctx.Err()
		}
		journal := &memory{onAsked: hangs, onEnded: hangs}
		begun := time.Now()
		_, err := journaled(t, tenant, journal).OpenRemoteAssistance(ctx, device, nil)
		checkKinds(t, err, intune.ErrSessionPending, context.Canceled)
		if took := time.Since(begun); took != 20*time.Second {
			t.Errorf("took %v", took)
		}
		if len(journal.ended) != 1 {
			t.Errorf("Ended was told %+v", journal.ended)
		}
	})
}

// A journal that refuses is heard: nobody was asked by this call, and its own error is below.
func TestJournal_RefusesInItsOwnWords(t *testing.T) {
	t.Parallel()
	busy := &intune.DeviceBusyError{Device: intune.Device("1"), Actor: "bert", Reference: "INC-1", Since: time.Now()}
	earlier := intune.JournalEntry{ClientRequestID: "id-1", ResumeToken: "secret"}
	again := &intune.AlreadyAskedError{Request: intune.JournalRequest{Asking: earlier}}
	for name, refusal := range map[string]error{"busy": busy, "asked before": again} {
		for _, method := range []string{"Request", "Begin", "Open"} {
			tenant := intunetest.NewTenant(nil)
			device := tenant.AddDevice(intune.ManagedDevice{})
			journal := &memory{onAsking: func(context.Context, intune.JournalEntry) error { return refusal }}
			err := requested(t.Context(), journaled(t, tenant, journal), device)[method]()
			if !errors.Is(err, refusal) {
				t.Errorf("%s, %s: the journal's error is not below %v", name, method, err)
			}
			checkKinds(t, err)
			checkSays(t, err, "nobody was asked by this call", refusal.Error())
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), "secret") {
				t.Errorf("%s, %s: the token is in the error %v", name, method, err)
			}
			if n := tenant.Prompts(device); n != 0 {
				t.Errorf("%s, %s: %d prompts", name, method, n)
			}
		}
	}
}

// The caller's own key is the id of the request in every try, in the entries and in what the caller gets, in lower case. The
// reads have ids of their own. The reference is in the entry, and nowhere on the wire.
func TestJournal_KeyAndReferenceOfTheCaller(t *testing.T) {
	t.Parallel()
	const key = "3F2504E0-4F89-41D3-9A0C-0305E82C3301"
	reference := "INC-1234: Größe" + strings.Repeat(".", 256-len("INC-1234: Größe"))
	for _, method := range []string{"Request", "Begin", "Open"} {
		bubble(t, method, func(t *testing.T, tenant *intunetest.Tenant) {
			device, journal := waiting(tenant, intune.ManagedDevice{}), &memory{}
			tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: 429, Times: 2})
			ctx := policy.WithHTTPHeader(t.Context(), http.Header{"client-request-id": {"of-the-context"}})
			client := journaled(t, tenant, journal)
			var err error
			var got string
			switch method {
			case "Request":
				var response intune.RequestRemoteAssistanceResponse
				response, err = client.RequestRemoteAssistance(ctx, device,
					&intune.RequestRemoteAssistanceOptions{Reference: reference, ClientRequestID: key})
				got = response.ClientRequestID
			case "Begin":
				_, err = client.BeginRemoteAssistance(ctx, device, &intune.BeginRemoteAssistanceOptions{Reference: reference, ClientRequestID: key})
				got = strings.ToLower(key)
			case "Open":
				var session intune.RemoteAssistanceSession
				session, err = client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{Reference: reference, ClientRequestID: key})
				got = session.ClientRequestID
			}
			if err != nil {
				t.Fatal(err)
			}
			asking, asked := journal.pair(t)
			ids := []string{got, asking.ClientRequestID, asked.ClientRequestID}
			for _, request := range tenant.Requests() {
				id := request.Header.Get("Client-Request-Id")
				if request.Method == http.MethodPost {
					ids = append(ids, id)
				} else if id == strings.ToLower(key) {
					t.Error("a read has the id of the request")
				}
				if strings.Contains(fmt.Sprint(request), "INC-1234") {
					t.Errorf("the reference is on the wire: %+v", request)
				}
			}
			if want := slices.Repeat([]string{strings.ToLower(key)}, 6); !slices.Equal(ids, want) {
				t.Errorf("the ids are %q, want %q", ids, want)
			}
			if asking.Reference != reference {
				t.Errorf("Asking was told the reference %q", asking.Reference)
			}
		})
	}
}

func TestJournal_KeysAndReferencesThatAreRefused(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{})
	journal := &memory{}
	client := journaled(t, tenant, journal)
	for name, c := range map[string]struct{ reference, key, want string }{
		"a long reference":      {strings.Repeat("é", 129), "", "options.Reference has 258 bytes; use at most 256"},
		"a line break":          {"INC-1\nINC-2", "", "options.Reference holds a control character"},
		"a DEL":                 {"INC-1\x7f", "", "options.Reference holds a control character"},
		"no UTF-8":              {"INC-\xff", "", "options.Reference holds a control character or is not UTF-8"},
		"no GUID":               {"", "ticket-1", "options.ClientRequestID is not a GUID of 36 characters"},
		"braces":                {"", "{3f2504e0-4f89-41d3-9a0c-0305e82c3301}", "options.ClientRequestID is not a GUID"},
		"no hex digits":         {"", "zf2504e0-4f89-41d3-9a0c-0305e82c3301", "options.ClientRequestID is not a GUID"},
		"without dashes":        {"", "3f2504e04f8941d39a0c0305e82c3301", "options.ClientRequestID is not a GUID"},
		"white space around it": {"", " 3f2504e0-4f89-41d3-9a0c-0305e82c330", "options.ClientRequestID is not a GUID"},
		"all zeros":             {"", "00000000-0000-0000-0000-000000000000", "is not a GUID of 36 characters, or is all zeros"},
	} {
		for method, call := range map[string]func() error{
			"Request": func() error {
				_, err := client.RequestRemoteAssistance(t.Context(), device,
					&intune.RequestRemoteAssistanceOptions{Reference: c.reference, ClientRequestID: c.key})
				return err
			},
			"Begin": func() error {
				_, err := client.BeginRemoteAssistance(t.Context(), device,
					&intune.BeginRemoteAssistanceOptions{Reference: c.reference, ClientRequestID: c.key})
				return err
			},
			"Open": func() error {
				_, err := client.OpenRemoteAssistance(t.Context(), device,
					&intune.OpenRemoteAssistanceOptions{Reference: c.reference, ClientRequestID: c.key})
				return err
			},
			"Many": func() error {
				for result := range client.RequestRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{device}),
					&intune.RequestRemoteAssistanceManyOptions{Reference: c.reference}) {
					return result.Err
				}
				return nil
			},
		} {
			if method == "Many" && c.key != "" {
				continue
			}
			err := call()
			if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: got %v, want %q", name, method, err, c.want)
			}
		}
	}
	if n := tenant.RequestCount(); n != 0 || len(journal.asking) != 0 {
		t.Errorf("%d requests and %d entries", n, len(journal.asking))
	}
}

// OnRequested says whether the user was asked.
func TestOpenRemoteAssistance_OnRequestedKnowsTheOutcome(t *testing.T) {
	t.Parallel()
	for want, fault := range map[intune.Outcome]intunetest.Fault{
		intune.OutcomeAccepted: {Method: http.MethodPost, Delay: time.Second},
		intune.OutcomeUnknown:  {Method: http.MethodPost, Status: 504},
	} {
		bubble(t, string(want), func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{After: time.Minute})
			if want == intune.OutcomeUnknown {
				fault.Effect = true
			}
			tenant.Inject(fault)
			var told []intune.Requested
			session, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{
				OnRequested: func(r intune.Requested) { told = append(told, r) },
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(told) != 1 {
				t.Fatalf("told %+v, want once", told)
			}
			got := told[0]
			if got.ResumeToken == "" || got.RequestID == "" {
				t.Errorf("told the token %q and the request id %q", got.ResumeToken, got.RequestID)
			}
			if expected := (intune.Requested{
				Device: device, Outcome: want, ResumeToken: got.ResumeToken, RequestID: got.RequestID, ClientRequestID: session.ClientRequestID,
			}); got != expected {
				t.Errorf("told %+v, want %+v", got, expected)
			}
		})
	}
}

// What panics while a request is made, or ends its goroutine, ends the wait that was to follow. Its journal was told that
// the wait would end.
func TestJournal_EndedWithoutABeginning(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"transport", "Asked"} {
		for _, method := range []string{"Open", "OpenMany"} {
			bubble(t, place+" of "+method, func(t *testing.T, tenant *intunetest.Tenant) {
				device, journal := waiting(tenant, intune.ManagedDevice{}), &memory{}
				options := tenant.ClientOptions()
				options.Journal = journal
				options.Transport = transportFunc(func(req *http.Request) (*http.Response, error) {
					if req.Method == http.MethodPost && place == "transport" {
						panic("boom")
					}
					return tenant.Do(req)
				})
				journal.onAsked = func(context.Context, intune.JournalEntry) error {
					if place == "Asked" {
						panic("boom")
					}
					return nil
				}
				client, err := intune.NewClient(tenant.Credential(), options)
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
					asking, asked := journal.pair(t)
					if len(journal.ended) != 1 {
						t.Fatalf("Ended was told %+v, want one end", journal.ended)
					}
					if ended := journal.ended[0]; ended.Session != intune.SessionLeft || ended.ClientRequestID != asking.ClientRequestID {
						t.Errorf("Ended was told %+v, want that the wait of %s was left", ended, asking.ClientRequestID)
					}
					if asked.ResumeToken == "" {
						t.Error("Asked has no token, although the wait can go on")
					}
				}()
				if method == "Open" {
					_, _ = client.OpenRemoteAssistance(t.Context(), device, nil)
					return
				}
				_ = collectOpened(client.OpenRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{device}), nil))
			})
		}
	}
}

// Nobody is waited for whose user was not asked.
func TestJournal_NoEndedAfterAPanicBeforeTheRequest(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"Asking", "Asked of a refusal"} {
		tenant := intunetest.NewTenant(nil)
		device, journal := waiting(tenant, intune.ManagedDevice{}), &memory{}
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: http.StatusForbidden})
		panics := func(context.Context, intune.JournalEntry) error { panic("boom") }
		if place == "Asking" {
			journal.onAsking = panics
		} else {
			journal.onAsked = panics
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", place)
				}
			}()
			_, _ = journaled(t, tenant, journal).OpenRemoteAssistance(t.Context(), device, nil)
		}()
		if len(journal.ended) != 0 {
			t.Errorf("%s: Ended was told %+v", place, journal.ended)
		}
	}
}

// A journal that ends its goroutine, as FailNow of a test does, takes no device's result with it.
func TestJournal_ExitsInALoopOverMany(t *testing.T) {
	t.Parallel()
	exit := func(context.Context, intune.JournalEntry) error { goruntime.Goexit(); return nil }
	for name, test := range map[string]struct {
		fail      func(*memory)
		requested intune.Outcome
		opened    string
		counts    [3]int // of Asked, Ended and prompts
	}{
		"Asking": {func(m *memory) { m.onAsking = exit }, intune.OutcomeNotSent, "d1 not asked", [3]int{0, 0, 0}},
		"Asked":  {func(m *memory) { m.onAsked = exit }, intune.OutcomeAccepted, "d1 ready", [3]int{1, 1, 1}},
		"Ended":  {func(m *memory) { m.onEnded = exit }, intune.OutcomeAccepted, "d1 pending", [3]int{1, 1, 1}},
	} {
		bubble(t, name+" of Request", func(t *testing.T, tenant *intunetest.Tenant) {
			devices, journal := slices.Values([]intune.DeviceRef{waiting(tenant, intune.ManagedDevice{})}), &memory{}
			test.fail(journal)
			results := slices.Collect(journaled(t, tenant, journal).RequestRemoteAssistanceMany(t.Context(), devices, nil))
			if len(results) != 1 {
				t.Fatalf("%d results, want one", len(results))
			}
			if results[0].Outcome != test.requested {
				t.Errorf("got %+v, want %s", results[0], test.requested)
			}
		})
		bubble(t, name+" of Open", func(t *testing.T, tenant *intunetest.Tenant) {
			device, journal := waiting(tenant, intune.ManagedDevice{ID: "d1"}), &memory{}
			test.fail(journal)
			got := openSummaries(journaled(t, tenant, journal).OpenRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{device}), nil))
			if want := []string{test.opened}; !slices.Equal(got, want) {
				t.Errorf("results %q, want %q", got, want)
			}
			if got := [3]int{len(journal.asked), len(journal.ended), tenant.Prompts(device)}; got != test.counts {
				t.Errorf("Asked, Ended, prompts: %v, want %v", got, test.counts)
			}
		})
	}
}

// A request that a policy leaves behind while Asking runs is never sent, and nobody is waited for, even if Asking does not
// return.
func TestJournal_LeftBehindWhileAskingRuns(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	device, journal := waiting(tenant, intune.ManagedDevice{}), &memory{}
	journal.onAsking = func(context.Context, intune.JournalEntry) error { goruntime.Goexit(); return nil }
	options := tenant.ClientOptions()
	options.Journal = journal
	options.PerCallPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) {
		if req.Raw().Method != http.MethodPost {
			return req.Next()
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = req.Next()
		}()
		<-ended
		return nil, errors.New("gave up")
	})}
	client, err := intune.NewClient(tenant.Credential(), options)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.OpenRemoteAssistance(t.Context(), device, nil)
	if err == nil || errors.Is(err, intune.ErrOutcomeUnknown) {
		t.Errorf("error %v, want one that says that nobody was asked", err)
	}
	if entries := len(journal.asked) + len(journal.ended); entries != 0 {
		t.Errorf("%d entries for a request that the journal did not accept: %+v %+v", entries, journal.asked, journal.ended)
	}
}

// A log shows neither the resume token nor the user.
func TestRequested_InALog(t *testing.T) {
	t.Parallel()
	requested := intune.Requested{
		Device: intune.UserDevice("anna@contoso.com", "1"), Outcome: intune.OutcomeUnknown, ResumeToken: "secret",
		RequestID: "r1", ClientRequestID: "id-1",
	}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "asked", requested)
	const want = `asked.device="device 1 (user address)" asked.outcome=unknown asked.request_id=r1 asked.client_request_id=id-1` + "\n"
	if _, got, _ := strings.Cut(b.String(), "msg=x "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
