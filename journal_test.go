package intune_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// memory is a journal that keeps what it is told. A func that is set decides.
type memory struct {
	onAsking, onAsked func(context.Context, intune.JournalEntry) error

	mu            sync.Mutex
	asking, asked []intune.JournalEntry
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

func (m *memory) option(o *intune.ClientOptions) { o.Journal = m }

// pair is the two entries of the only call.
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
			_, err := client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{MaxWait: time.Nanosecond, Frequency: time.Nanosecond})
			return err
		},
	}
}

// One pair for each call, whatever becomes of its tries.
func TestJournalPair(t *testing.T) {
	t.Parallel()
	post := func(f intunetest.Fault) intunetest.Fault { f.Method = http.MethodPost; return f }
	for name, c := range map[string]struct {
		faults  []intunetest.Fault
		outcome intune.Outcome
		status  int
		tries   int
	}{
		"accepted":                  {outcome: intune.OutcomeAccepted, status: 204, tries: 1},
		"accepted at the third try": {faults: []intunetest.Fault{post(intunetest.Fault{Status: 429}), post(intunetest.Fault{Status: 503})}, outcome: intune.OutcomeAccepted, status: 204, tries: 3},
		"refused":                   {faults: []intunetest.Fault{post(intunetest.Fault{Status: 403, Code: "Forbidden"})}, outcome: intune.OutcomeRejected, status: 403, tries: 1},
		"throttled to the end":      {faults: []intunetest.Fault{post(intunetest.Fault{Status: 429, Times: -1})}, outcome: intune.OutcomeRejected, status: 429, tries: 4},
		"no connection":             {faults: []intunetest.Fault{post(intunetest.Fault{Drop: intunetest.DropConnect, Times: -1})}, outcome: intune.OutcomeNotSent, tries: 4},
		"refused, then no connection": {
			faults:  []intunetest.Fault{post(intunetest.Fault{Status: 503}), post(intunetest.Fault{Drop: intunetest.DropConnect, Times: -1})},
			outcome: intune.OutcomeRejected, tries: 4,
		},
		"broken after it was sent": {faults: []intunetest.Fault{post(intunetest.Fault{Drop: intunetest.DropAfter})}, outcome: intune.OutcomeUnknown, tries: 1},
		"a gateway's timeout":      {faults: []intunetest.Fault{post(intunetest.Fault{Status: 504})}, outcome: intune.OutcomeUnknown, status: 504, tries: 1},
		"not the answer expected":  {faults: []intunetest.Fault{post(intunetest.Fault{Status: 200, Body: "<html>sign in</html>"})}, outcome: intune.OutcomeUnknown, status: 200, tries: 1},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{})
			for _, method := range []string{"Request", "Begin", "Open"} {
				tenant.ClearFaults()
				tenant.ResetRequests()
				for _, fault := range c.faults {
					tenant.Inject(fault)
				}
				journal := &memory{}
				err := requested(t.Context(), journaled(t, tenant, journal), device)[method]()
				asking, asked := journal.pair(t)
				var ids []string
				for _, request := range tenant.Requests() {
					if request.Method == http.MethodPost {
						ids = append(ids, request.Header.Get("Client-Request-Id"))
					}
				}
				if len(ids) > c.tries || len(slices.Compact(ids)) > 1 || len(ids) > 0 && ids[0] != asking.ClientRequestID || asking.ClientRequestID == "" || asked.ClientRequestID != asking.ClientRequestID {
					t.Errorf("%s: ids %v on the wire, %q and %q in the journal", method, ids, asking.ClientRequestID, asked.ClientRequestID)
				}
				if asking.Device != device || asking.Outcome != "" || asking.Error != "" || asking.CallerID != "" || (asking.ResumeToken == "") != (method == "Request") || asking.Time.IsZero() || asking.Time.Location() != time.UTC {
					t.Errorf("%s: Asking was told %+v", method, asking)
				}
				if asked.Device != device || asked.Outcome != c.outcome || asked.StatusCode != c.status || asked.ResumeToken != "" || asked.Time.Before(asking.Time) || asked.Time.Location() != time.UTC ||
					(asked.Error == "") != (c.outcome == intune.OutcomeAccepted) || (asked.RequestID == "") != (c.status == 0) ||
					asked.CallerID != "caller-1" || asked.AppID != "app-1" || asked.TenantID != "tenant-1" {
					t.Errorf("%s: Asked was told %+v", method, asked)
				}
				if failed, ok := errors.AsType[*intune.Error](err); ok && (failed.Error() != asked.Error || failed.ClientRequestID != asked.ClientRequestID || failed.RequestID != asked.RequestID) {
					t.Errorf("%s: error %v, entry %+v", method, err, asked)
				}
			}
		})
	}
}

// No record, no prompt: nothing is sent, whatever the retry options and the policies are, and the error says so.
func TestJournalThatFailsStopsTheRequest(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left, see https://get.teamviewer.com/v15/secret")
	for name, option := range map[string]func(*intune.ClientOptions){
		"plain":                              func(*intune.ClientOptions) {},
		"all retries":                        insists,
		"a policy that repeats, per call":    placed(again{})["per call"],
		"a policy that repeats, per try":     placed(again{})["per retry"],
		"a policy that replaces the context": placed(forgets)["per retry"],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{"Request", "Begin", "Open"} {
				tenant := intunetest.NewTenant(nil)
				device := tenant.AddDevice(intune.ManagedDevice{})
				journal := &memory{onAsking: func(context.Context, intune.JournalEntry) error { return full }}
				client := newClient(t, tenant, journal.option, option)
				err := requested(t.Context(), client, device)[method]()
				failed := asError(t, err)
				if !errors.Is(err, full) || errors.Is(err, intune.ErrOutcomeUnknown) || failed.StatusCode != 0 || failed.ClientRequestID != journal.asking[0].ClientRequestID ||
					!strings.Contains(err.Error(), "not sent, for the journal could not record the request: no space left") || strings.Contains(err.Error(), "secret") {
					t.Errorf("%s: %v", method, err)
				}
				if len(journal.asking) != 1 || len(journal.asked) != 0 || tenant.Prompts(device) != 0 {
					t.Errorf("%s: Asking %d times, Asked %d times, %d prompts", method, len(journal.asking), len(journal.asked), tenant.Prompts(device))
				}
				for _, request := range tenant.Requests() {
					if request.Method != http.MethodGet {
						t.Errorf("%s: %s %s was sent", method, request.Method, request.Path)
					}
				}
			}
		})
	}
}

// The context may end while the journal is at work: nothing is sent then, and the journal is told.
func TestContextEndsWhileTheJournalWrites(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]error{"written": nil, "given up": context.Canceled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			journal := &memory{onAsking: func(context.Context, intune.JournalEntry) error { cancel(); return fails }}
			service := newScript(status(204))
			_, err := newClient(t, service, journal.option).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
			if !errors.Is(err, context.Canceled) || errors.Is(err, intune.ErrOutcomeUnknown) || service.calls.Load() != 0 || strings.Contains(err.Error(), "journal") != (fails != nil) {
				t.Errorf("sent %d times, error %v", service.calls.Load(), err)
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
		Outcome: intune.OutcomeRejected, StatusCode: 403, RequestID: "r1", Error: "not allowed <&>", Actor: "bert", CallerID: "c", AppID: "a", TenantID: "t",
	}
)

// Asked is told although the caller has gone, with the values of its context. What it returns changes nothing.
func TestJournalThatFailsLater(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "kept"))
	full := errors.New("write: no space left, see https://get.teamviewer.com/v15/secret")
	journal := &memory{onAsked: func(ctx context.Context, _ intune.JournalEntry) error {
		if ctx.Err() != nil || ctx.Value(contextKey{}) != "kept" {
			t.Errorf("the context has ended with %v, and holds %v", ctx.Err(), ctx.Value(contextKey{}))
		}
		return full
	}}
	collected := &spans{}
	service := transportFunc(func(req *http.Request) (*http.Response, error) {
		cancel()
		return answer(req, http.StatusNoContent, http.Header{"Request-Id": {"r1"}}, ""), nil
	})
	client := newClient(t, service, journal.option, func(o *intune.ClientOptions) { o.TracingProvider = collected.provider() })
	response, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
	asking, asked := journal.pair(t)
	if err != nil || response.ClientRequestID != asking.ClientRequestID || asked.Outcome != intune.OutcomeAccepted || asked.RequestID != "r1" {
		t.Errorf("response %+v, error %v, Asked was told %+v", response, err, asked)
	}
	event := strings.Join(collected.list[0].events, "\n")
	if collected.list[0].name != "Client.RequestRemoteAssistance" || !strings.HasPrefix(event, "intune.journalError") || !strings.Contains(event, "error.message write: no space left") || strings.Contains(event, "secret") {
		t.Errorf("span %s has the event %q", collected.list[0].name, event)
	}
}

// What ends before a request is ready to leave has asked nobody, and makes no entry.
func TestNoEntryWithoutARequest(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context //nolint:containedctx // a case
		device intune.DeviceRef
		option func(*intune.ClientOptions)
	}{
		"no device":         {t.Context(), intune.DeviceRef{}, noRetries},
		"the context ended": {ended, intune.Device("1"), noRetries},
		"another host":      {t.Context(), intune.Device("1"), placed(rewrite(func(r *http.Request) { r.URL.Host = "graph.example" }))["per retry"]},
		"a policy refuses":  {t.Context(), intune.Device("1"), placed(policyFunc(func(*policy.Request) (*http.Response, error) { return nil, errors.New("no") }))["per retry"]},
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
		if err == nil || len(journal.asking)+len(journal.asked) != 0 || service.calls.Load() != 0 {
			t.Errorf("%s: error %v, entries %+v and %+v, sent %d times", name, err, journal.asking, journal.asked, service.calls.Load())
		}
	}
}

// Reads and the other writes are not in the journal.
func TestJournalHearsOfRequestsOnly(t *testing.T) {
	t.Parallel()
	for name, call := range spanned {
		if name == "RequestRemoteAssistance" || name == "BeginRemoteAssistance" || name == "OpenRemoteAssistance" || name == "RequestRemoteAssistanceMany" {
			continue
		}
		journal := &memory{}
		if err := call(t.Context(), newClient(t, always(http.StatusNotFound, ""), journal.option)); err == nil || len(journal.asking)+len(journal.asked) != 0 {
			t.Errorf("%s: entries %+v and %+v, error %v", name, journal.asking, journal.asked, err)
		}
	}
}

// A transport that panics leaves the outcome open, and no Asking without its Asked.
func TestJournalHearsOfAPanic(t *testing.T) {
	t.Parallel()
	journal := &memory{}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = newClient(t, transportFunc(func(*http.Request) (*http.Response, error) { panic("boom") }), journal.option).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	}()
	if _, asked := journal.pair(t); asked.Outcome != intune.OutcomeUnknown {
		t.Errorf("Asked was told %+v", asked)
	}
}

// A policy may return and send the request later. By then the call has failed as not sent, and that holds.
func TestRequestThatAPolicyLeavesBehind(t *testing.T) {
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
		if _, err := late.Next(); err == nil || service.calls.Load() != 0 || len(journal.asking)+len(journal.asked) != 0 {
			t.Errorf("%s: sent %d times, entries %+v and %+v, error %v", place, service.calls.Load(), journal.asking, journal.asked, err)
		}
	}
}

func TestTypedNilJournal(t *testing.T) {
	t.Parallel()
	var none *memory
	_, err := intune.NewClient(intune.StaticToken("x"), &intune.ClientOptions{Journal: none})
	if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "options.Journal is a nil *intune_test.memory") {
		t.Errorf("got %v", err)
	}
}

// A log shows an entry without the resume token and the user.
func TestJournalEntryInALog(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		entry intune.JournalEntry
		want  string
	}{
		"asking": {askingEntry, "entry.time=2026-03-04T05:06:07.000Z entry.device=\"device 1 (user address)\" entry.actor=bert entry.client_request_id=id-1\n"},
		"asked": {askedEntry, "entry.time=2026-03-04T05:06:08.000Z entry.device=\"device 1 (user address)\" entry.outcome=rejected entry.status=403 entry.error=\"not allowed <&>\" entry.actor=bert " +
			"entry.caller_id=c entry.app_id=a entry.tenant_id=t entry.request_id=r1 entry.client_request_id=id-1\n"},
	} {
		var b strings.Builder
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "entry", c.entry)
		if _, got, _ := strings.Cut(b.String(), "msg=x "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestPossibleOutcomeValues(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(intune.PossibleOutcomeValues())
	if want := `["accepted","rejected","unknown","notSent"]`; err != nil || string(text) != want {
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
func TestJournalKnowsTheIDOnTheWire(t *testing.T) {
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
						return answer(req, http.StatusServiceUnavailable, nil, ""), nil
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
				asking, asked := journal.pair(t)
				if c.want != "" && got != c.want || got == "" || asking.ClientRequestID != got || asked.ClientRequestID != got || (err == nil) != (last == http.StatusNoContent) {
					t.Errorf("got %q, want %q, entries have %q and %q, error %v", got, c.want, asking.ClientRequestID, asked.ClientRequestID, err)
				}
				if len(wire) != 3 || wire[0] != got || wire[1] != got || wire[2] != got {
					t.Errorf("sent %q, reported %q", wire, got)
				}
			})
		}
	}
}

// Without a journal, a policy that gives each try an id of its own does so.
func TestIDsWithoutAJournal(t *testing.T) {
	t.Parallel()
	var wire []string
	service := transportFunc(func(req *http.Request) (*http.Response, error) {
		wire = append(wire, req.Header.Get("Client-Request-Id"))
		return answer(req, http.StatusServiceUnavailable, nil, ""), nil
	})
	_, err := newClient(t, service, placed(setID("Client-Request-Id"))["per retry"]).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if last := asError(t, err).ClientRequestID; strings.Join(wire, " ") != "own-1 own-2 own-3 own-4" || last != "own-4" {
		t.Errorf("sent %v, reported %q", wire, last)
	}
}

// An id that no record may show is no id; nothing is sent with it.
func TestJournalRefusesAnIDThatIsASecret(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{
		"a link":      "https://get.teamviewer.com/v15/secret",
		"the token":   "opaque-token",
		"the user":    "for anna@contoso.com",
		"too long":    strings.Repeat("x", 201),
		"two lines":   "a\nb",
		"white space": " a",
	} {
		journal, service := &memory{}, newScript(status(204))
		ctx := policy.WithHTTPHeader(t.Context(), http.Header{"Client-Request-Id": {id}})
		_, err := newClient(t, service, journal.option).RequestRemoteAssistance(ctx, intune.UserDevice("anna@contoso.com", "1"), nil)
		if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "client-request-id") || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "anna") ||
			len(journal.asking) != 0 || service.calls.Load() != 0 {
			t.Errorf("%s: error %v, entries %v, sent %d times", name, err, journal.asking, service.calls.Load())
		}
	}
}

// The claims are those of the token that was sent; a token that cannot be read has none.
func TestJournalNamesTheCaller(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims              map[string]any
		caller, app, tenant string
	}{
		"version 1": {map[string]any{"oid": "o", "appid": "a", "tid": "t"}, "o", "a", "t"},
		"version 2": {map[string]any{"oid": "o", "appid": nil, "azp": "z", "tid": "t"}, "o", "z", "t"},
		"none":      {map[string]any{"appid": nil, "tid": nil}, "", "", ""},
		"hostile":   {map[string]any{"oid": "a\nb https://get.teamviewer.com/secret", "appid": 7, "tid": "t"}, "a b https://get.teamviewer.com/REDACTED", "", "t"},
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
		if _, asked := journal.pair(t); asked.CallerID != c.caller || asked.AppID != c.app || asked.TenantID != c.tenant {
			t.Errorf("%s: %+v", name, asked)
		}
	}
	journal := &memory{}
	if _, err := newClient(t, always(http.StatusNoContent, ""), journal.option).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
		t.Fatal(err)
	}
	if _, asked := journal.pair(t); asked.CallerID != "" || asked.AppID != "" || asked.TenantID != "" {
		t.Errorf("opaque token: %+v", asked)
	}
}

// The token of Asking goes on with the wait in another process, whatever became of the first, and asks nobody.
func TestJournalTokenGoesOn(t *testing.T) {
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
			if err := json.Unmarshal([]byte(asking.ResumeToken), &token); err != nil || token.Token.ClientRequestID != asking.ClientRequestID || !token.Token.Unconfirmed {
				t.Errorf("token %s, error %v", asking.ResumeToken, err)
			}
			time.Sleep(3 * time.Hour) //nolint:forbidigo // the bubble's clock
			start := time.Now()
			session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), asking.ResumeToken, nil)
			if c.stopped {
				pending, ok := errors.AsType[*intune.PendingError](err)
				if !ok || !errors.Is(err, intune.ErrOutcomeUnknown) || pending.ClientRequestID != asking.ClientRequestID || time.Since(start) != 2*time.Minute || strings.Contains(err.Error(), "the request was accepted") {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			} else if err != nil || session.URL.Reveal() != newLink || session.ClientRequestID != asking.ClientRequestID {
				t.Errorf("got %v, %v", session, err)
			}
			if n := tenant.Prompts(device); n != c.prompts {
				t.Errorf("%d prompts", n)
			}
		})
	}
}

// Entries hold no link and no access token, though the answers do.
func TestJournalHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	journal := &memory{}
	service := transportFunc(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet {
			return answer(req, http.StatusOK, nil, `{"id":"1","remoteAssistanceSessionUrl":"`+oldLink+`","remoteAssistanceSessionErrorDetails":"see `+oldLink+`"}`), nil
		}
		header := http.Header{"Request-Id": {oldLink}, "Location": {oldLink}}
		return answer(req, http.StatusForbidden, header, `{"error":{"code":"Forbidden","message":"`+oldLink+` and opaque-token"}}`), nil
	})
	_, err := newClient(t, service, journal.option).BeginRemoteAssistance(t.Context(), intune.Device("1"), nil)
	text, marshalErr := json.Marshal([]any{journal.asking, journal.asked})
	if err == nil || marshalErr != nil || len(journal.asked) != 1 {
		t.Fatalf("errors %v, %v, entries %s", err, marshalErr, text)
	}
	for _, secret := range []string{"old-secret", "opaque-token", "Bearer"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
}
