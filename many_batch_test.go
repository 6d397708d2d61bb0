package intune_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/log"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// batches answers each $batch with what a function makes of its items, and accepts what comes alone.
type batches struct {
	answer func(n int, items []batchItem) (status int, header http.Header, body string)

	mu      sync.Mutex
	batches [][]batchItem
	at      []time.Time
	singles []string
	bodies  []string
}

type batchItem struct {
	ID, Method, URL string
	Headers         map[string]string
	Body            json.RawMessage
}

func (b *batches) Do(req *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !strings.HasSuffix(req.URL.Path, "/$batch") {
		b.singles = append(b.singles, lastDevice(req.URL.EscapedPath()))
		return answer(req, http.StatusNoContent, nil, ""), nil
	}
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var envelope struct{ Requests []batchItem }
	if err := json.Unmarshal(data, &envelope); err != nil {
		return nil, err
	}
	b.batches, b.at, b.bodies = append(b.batches, envelope.Requests), append(b.at, time.Now()), append(b.bodies, string(data))
	status, header, body := b.answer(len(b.batches), envelope.Requests)
	if status == 0 {
		return nil, io.EOF
	}
	return answer(req, status, header, body), nil
}

// accept is the answer for items that the service accepts.
func accept(items []batchItem) (int, http.Header, string) {
	var rows []string
	for _, item := range items {
		rows = append(rows, fmt.Sprintf(`{"id":%q,"status":204,"headers":{"request-id":"r-%s"}}`, item.ID, lastDevice(item.URL)))
	}
	slices.Reverse(rows)
	return http.StatusOK, nil, `{"responses":[` + strings.Join(rows, ",") + `]}`
}

// C§7.3: what is sent in a batch, of how many devices.
func TestManyBatchOnTheWire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(&intunetest.TenantOptions{Strict: true})
		var refs []intune.DeviceRef
		for i := range 45 {
			refs = append(refs, tenant.AddDevice(intune.ManagedDevice{ID: fmt.Sprintf("d-%02d", i), UserID: "user"}))
		}
		tenant.AddUser("user", "o'hara+x@contoso.com")
		refs[7] = intune.UserDevice("o'hara+x@contoso.com", "d-07")
		results := collect(tenant.Client().RequestRemoteAssistanceMany(t.Context(), slices.Values(refs), &intune.RequestManyOptions{BatchSize: 20}))
		for _, r := range results {
			if r.Outcome != intune.OutcomeAccepted || r.Err != nil || r.RequestID == "" || r.Attempts != 1 || tenant.Prompts(r.Device) != 1 {
				t.Errorf("%+v, %d prompts", r, tenant.Prompts(r.Device))
			}
		}
		var sizes []int
		requests := tenant.Requests()
		items := map[string]intunetest.RecordedRequest{}
		for _, r := range requests {
			if r.BatchID != "" {
				items[r.Path] = r
				continue
			}
			var envelope struct{ Requests []batchItem }
			if err := json.Unmarshal(r.Body, &envelope); err != nil || r.Method != http.MethodPost || r.Path != "/v1.0/$batch" || r.RawQuery != "" ||
				r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("sent %v: %s", r, r.Body)
			}
			sizes = append(sizes, len(envelope.Requests))
			for _, item := range envelope.Requests {
				if item.Method != http.MethodPost || string(item.Body) != "{}" || item.Headers["Content-Type"] != "application/json" {
					t.Errorf("item %+v", item)
				}
			}
		}
		slices.Sort(sizes)
		if len(results) != 45 || !slices.Equal(sizes, []int{5, 20, 20}) || len(items) != 45 {
			t.Errorf("%d results, %d items in batches of %v", len(results), len(items), sizes)
		}
		for _, r := range results {
			item, ok := items["/v1.0"+r.Device.String()+"/requestRemoteAssistance"]
			if !ok || item.Header.Get("Client-Request-Id") != r.ClientRequestID {
				t.Errorf("%v: the wire has %q, the result %q", r.Device, item.Header.Get("Client-Request-Id"), r.ClientRequestID)
			}
		}
	})
}

// C§7.1: the allowance counts items and not batches.
func TestManyBatchPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &batches{answer: func(_ int, items []batchItem) (int, http.Header, string) { return accept(items) }}
		got := collect(newClient(t, b).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(60)...), &intune.RequestManyOptions{BatchSize: 20}))
		if len(got) != 60 || len(b.at) != 3 || b.at[1].Sub(b.at[0]) != 4*time.Second || b.at[2].Sub(b.at[1]) != 4*time.Second {
			t.Errorf("%d results, batches at %v", len(got), b.at)
		}
	})
}

// Each answer to a batch of the devices a, b and c, and what it means for them.
func TestManyBatchAnswers(t *testing.T) {
	t.Parallel()
	const ok = `{"id":"1","status":204}`
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string // @a, @b and @c are the ids
		want   string
		is     map[string]error
	}{
		"numbers as ids":        {200, nil, `{"responses":[{"id":3,"status":204},{"id":1,"status":204},{"id":2,"status":204}]}`, "a accepted 1, b accepted 1, c accepted 1", nil},
		"null body":             {200, nil, `{"responses":[{"id":"1","status":204,"body":null},{"id":"2","status":200,"body":""},{"id":"3","status":200,"headers":null}]}`, "a accepted 1, b accepted 1, c accepted 1", nil},
		"one is missing":        {200, nil, `{"responses":[` + ok + `,{"id":"3","status":204}]}`, "a accepted 1, b unknown 1, c accepted 1", map[string]error{"b": intune.ErrOutcomeUnknown}},
		"one is there twice":    {200, nil, `{"responses":[` + ok + `,{"id":"2","status":404},{"id":"2","status":204},{"id":"2","status":204}]}`, "a accepted 1, b unknown 1, c unknown 1", map[string]error{"b": intune.ErrOutcomeUnknown}},
		"strangers":             {200, nil, `{"responses":[{"id":"17","status":204},{"status":204},{"id":null,"status":204},` + ok + `]}`, "a accepted 1, b unknown 1, c unknown 1", nil},
		"no status":             {200, nil, `{"responses":[{"id":"1"},{"id":"2","status":0},{"id":"3","status":99999}]}`, "a unknown 1, b unknown 1, c unknown 1", nil},
		"200 with a page":       {200, nil, `{"responses":[` + ok + `,{"id":"2","status":200,"body":{"html":true}},{"id":"3","status":200,"body":"PGh0bWw+"}]}`, "a accepted 1, b unknown 1, c unknown 1", nil},
		"server error":          {200, nil, `{"responses":[` + ok + `,{"id":"2","status":500},{"id":"3","status":504}]}`, "a accepted 1, b unknown 1, c unknown 1", map[string]error{"b": intune.ErrServer, "c": intune.ErrUnavailable}},
		"a proxy lost it":       {200, nil, `{"responses":[` + ok + `,{"id":"2","status":503,"body":"upstream connect error or disconnect/reset before headers"},{"id":"3","status":499}]}`, "a accepted 1, b unknown 1, c unknown 1", map[string]error{"b": intune.ErrUnavailable}},
		"a proxy lost them all": {503, nil, "upstream connect error or disconnect/reset before headers. reset reason: connection termination", "a unknown 1, b unknown 1, c unknown 1", map[string]error{"a": intune.ErrOutcomeUnknown}},
		"redirect":              {200, nil, `{"responses":[` + ok + `,{"id":"2","status":302},{"id":"3","status":307}]}`, "a accepted 1, b unknown 1, c rejected 1", nil},
		"refused":               {200, nil, `{"responses":[` + ok + `,{"id":"2","status":404,"body":{"error":{"code":"ResourceNotFound","message":"gone"}}},{"id":"3","status":403,"body":"bm90IEpTT04="}]}`, "a accepted 1, b rejected 1, c rejected 1", map[string]error{"b": intune.ErrNotFound, "c": intune.ErrForbidden}},
		"empty list":            {200, nil, `{"responses":[]}`, "a unknown 1, b unknown 1, c unknown 1", nil},
		"no list":               {200, nil, `{}`, "a unknown 1, b unknown 1, c unknown 1", nil},
		"not JSON":              {200, nil, `<html>`, "a unknown 1, b unknown 1, c unknown 1", nil},
		"broken off":            {200, nil, `{"responses":[` + ok + `,{"id":"2","status":204}`, "a unknown 1, b unknown 1, c unknown 1", map[string]error{"a": io.ErrUnexpectedEOF}},
		"nothing":               {204, nil, ``, "a unknown 1, b unknown 1, c unknown 1", nil},
		"connection breaks":     {0, nil, ``, "a unknown 1, b unknown 1, c unknown 1", map[string]error{"a": io.EOF}},
		"500":                   {500, nil, ``, "a unknown 1, b unknown 1, c unknown 1", map[string]error{"a": intune.ErrServer}},
		"502":                   {502, nil, `<html>`, "a unknown 1, b unknown 1, c unknown 1", map[string]error{"a": intune.ErrUnavailable}},
		"401":                   {401, nil, ``, "a rejected 1, b rejected 1, c rejected 1", map[string]error{"c": intune.ErrUnauthenticated}},
		"403":                   {403, nil, ``, "a rejected 1, b rejected 1, c rejected 1", map[string]error{"c": intune.ErrForbidden}},
		"424 with items":        {424, nil, `{"responses":[` + ok + `,{"id":"2","status":404},{"id":"3","status":204}]}`, "a accepted 1, b rejected 1, c accepted 1", map[string]error{"b": intune.ErrNotFound}},
		"424 alone":             {424, nil, `{"error":{"code":"FailedDependency"}}`, "a unknown 1, b unknown 1, c unknown 1", map[string]error{"a": intune.ErrOutcomeUnknown}},
		"400":                   {400, nil, `{"error":{"code":"BadRequest","message":"Write request id : 2 does not contain Content-Type header or body."}}`, "a accepted 2, b accepted 2, c accepted 2", nil},
		"404":                   {404, nil, ``, "a accepted 2, b accepted 2, c accepted 2", nil},
		"405":                   {405, nil, ``, "a accepted 2, b accepted 2, c accepted 2", nil},
		"413":                   {413, nil, ``, "a accepted 2, b accepted 2, c accepted 2", nil},
		"501":                   {501, nil, ``, "a accepted 2, b accepted 2, c accepted 2", nil},
		"a throttled 400":       {400, nil, `{"error":{"code":"TooManyRequests"}}`, "a rejected 1, b rejected 1, c rejected 1", map[string]error{"a": intune.ErrThrottled}},
		"429 of the whole":      {429, nil, ``, "a rejected 1, b rejected 1, c rejected 1", map[string]error{"a": intune.ErrThrottled}},
		"a list, and much else": {200, nil, "\xef\xbb\xbf" + `{"@odata.context":"x","responses":[{"ID":"1","Status":204,"extra":[1]},{"id":"2","status":204},{"id":"3","status":204}]}`, "a accepted 1, b accepted 1, c accepted 1", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &batches{answer: func(int, []batchItem) (int, http.Header, string) { return c.status, c.header, c.body }}
			results := collect(newClient(t, b, noRetries).RequestRemoteAssistanceMany(t.Context(), devicesNamed("a", "b", "c"), &intune.RequestManyOptions{PerSecond: -1, BatchSize: 3}))
			var got []string
			for _, r := range results {
				got = append(got, summary(r))
				name := lastDevice(r.Device.String())
				if want := c.is[name]; want != nil && !errors.Is(r.Err, want) {
					t.Errorf("%s: %v, want %v", name, r.Err, want)
				}
				if r.Err == nil {
					continue
				}
				e := asError(t, r.Err)
				if e.Device != r.Device || e.Op != "request remote assistance" || e.ClientRequestID != r.ClientRequestID || errors.Is(e, intune.ErrOutcomeUnknown) != (r.Outcome == intune.OutcomeUnknown) {
					t.Errorf("%s: %+v, result %+v", name, e, r)
				}
			}
			if len(b.batches) != 1 || strings.Join(got, ", ") != c.want {
				t.Errorf("got %v after %d batches, want %s", got, len(b.batches), c.want)
			}
		})
	}
}

// C§7.3: only what was throttled goes again, in a new batch after the longest wait; the headers come in any case.
func TestManyBatchThrottling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &batches{answer: func(n int, items []batchItem) (int, http.Header, string) {
			switch n {
			case 1:
				return http.StatusOK, nil, `{"responses":[{"id":"4","status":204},{"id":"1","status":429,"headers":{"retry-after":"0.124"}},
					{"id":"3","status":429,"headers":{"Retry-After":7.5}},{"id":"2","status":424},{"id":"5","status":503}]}`
			case 2:
				return http.StatusTooManyRequests, http.Header{"Retry-After": {"20"}}, ``
			default:
				return accept(items)
			}
		}}
		got := summaries(newClient(t, b).RequestRemoteAssistanceMany(t.Context(), devicesNamed("a", "b", "c", "d", "e"), &intune.RequestManyOptions{PerSecond: -1, BatchSize: 5}))
		if want := []string{"a accepted 3", "b accepted 3", "c accepted 3", "d accepted 1", "e accepted 3"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if len(b.batches) != 3 || len(b.batches[1]) != 4 || b.at[1].Sub(b.at[0]) != 7500*time.Millisecond || b.at[2].Sub(b.at[1]) != 20*time.Second {
			t.Errorf("batches %v at %v", b.batches, b.at)
		}
	})
}

// After the service has not taken one batch, none is sent any more.
func TestManyBatchIsNotTaken(t *testing.T) {
	t.Parallel()
	b := &batches{answer: func(int, []batchItem) (int, http.Header, string) { return http.StatusBadRequest, nil, "" }}
	got := collect(newClient(t, b).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(40)...), &intune.RequestManyOptions{PerSecond: -1, BatchSize: 10, Concurrency: 1}))
	if len(got) != 40 || len(b.batches) != 1 || len(b.singles) != 40 {
		t.Errorf("%d results, %d batches, %d single requests", len(got), len(b.batches), len(b.singles))
	}
	for _, r := range got {
		if r.Outcome != intune.OutcomeAccepted || r.Err != nil {
			t.Errorf("%+v", r)
		}
	}
}

// What is left of the input is a batch too, however little it is.
func TestManyBatchOfWhatIsLeft(t *testing.T) {
	t.Parallel()
	for devices, want := range map[int][2]int{20: {1, 0}, 21: {1, 1}, 22: {2, 0}, 39: {2, 0}} { // batches, single requests
		b := &batches{answer: func(_ int, items []batchItem) (int, http.Header, string) { return accept(items) }}
		results := collect(newClient(t, b).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(devices)...), &intune.RequestManyOptions{PerSecond: -1, BatchSize: 20}))
		if len(results) != devices || len(b.batches) != want[0] || len(b.singles) != want[1] {
			t.Errorf("%d devices: %d results, %d batches, %d single requests", devices, len(results), len(b.batches), len(b.singles))
		}
	}
}

func TestManyLoopIsLeftBeforeTheLastBatch(t *testing.T) {
	t.Parallel()
	b := &batches{answer: func(_ int, items []batchItem) (int, http.Header, string) { return accept(items) }}
	for range newClient(t, b).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(25)...), &intune.RequestManyOptions{PerSecond: -1, BatchSize: 20, Concurrency: 1}) {
		break
	}
	if len(b.batches) != 1 {
		t.Errorf("%d batches", len(b.batches))
	}
}

// A context that ends after the service has not taken a batch: nobody was asked.
func TestManyContextEndsAfterABatchThatWasNotTaken(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := &batches{answer: func(int, []batchItem) (int, http.Header, string) {
		cancel()
		return http.StatusNotFound, nil, ""
	}}
	for _, r := range collect(newClient(t, b).RequestRemoteAssistanceMany(ctx, devicesNamed("a", "b"), &intune.RequestManyOptions{BatchSize: 2})) {
		if !errors.Is(r.Err, context.Canceled) || errors.Is(r.Err, intune.ErrNotFound) || errors.Is(r.Err, intune.ErrOutcomeUnknown) {
			t.Errorf("%+v", r)
		}
	}
}

// The ids in the body of an answer win over its headers', but for the id under which the journal has the request.
func TestManyIDs(t *testing.T) {
	t.Parallel()
	journal := &memory{}
	client := newClient(t, transportFunc(says(http.StatusForbidden,
		`{"error":{"code":"Forbidden","innerError":{"request-id":"of the body","client-request-id":"of the body"}}}`, "Request-Id", "of the header")), journal.option)
	results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("a"), nil))
	failed, _ := errors.AsType[*intune.Error](results[0].Err)
	if asking, _ := journal.pair(t); results[0].RequestID != "of the body" || failed.ClientRequestID != asking.ClientRequestID || results[0].ClientRequestID != asking.ClientRequestID {
		t.Errorf("result %+v, error %+v", results[0], failed)
	}
}

// The users of a batch are in its body, and an answer or a log may quote it.
func TestManyBatchShowsNoUser(t *testing.T) { //nolint:paralleltest // azcore's log is one for the process
	b := &batches{}
	b.answer = func(n int, _ []batchItem) (int, http.Header, string) {
		return http.StatusForbidden, nil, fmt.Sprintf(`{"error":{"code":"Forbidden","message":%q}}`, "not for "+b.bodies[n-1]+" of MARKER-7@contoso.com")
	}
	var logged bytes.Buffer
	var mu sync.Mutex
	log.SetListener(func(_ log.Event, text string) {
		mu.Lock()
		defer mu.Unlock()
		logged.WriteString(text)
	})
	defer log.SetListener(nil)
	var refs []intune.DeviceRef
	for i := range 20 {
		refs = append(refs, intune.UserDevice(fmt.Sprintf("marker-%d@contoso.com", i), "d"))
	}
	client := newClient(t, b, func(o *intune.ClientOptions) { o.Logging.IncludeBody = true })
	count := 0
	for r := range client.RequestRemoteAssistanceMany(t.Context(), slices.Values(refs), &intune.RequestManyOptions{PerSecond: -1, BatchSize: 20}) {
		count++
		e := asError(t, r.Err)
		if text := fmt.Sprint(e, e.Message, e.Hint, e.Details); strings.Contains(strings.ToLower(text), "marker") {
			t.Fatalf("the error shows a user: %s", text)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if count != 20 || logged.Len() == 0 || strings.Contains(strings.ToLower(logged.String()), "marker") {
		t.Errorf("%d results; the log: %s", count, logged.String())
	}
}

// Whatever a service answers to a batch, each device has one result, and none is accepted without an answer that says so.
func FuzzManyBatchAnswer(f *testing.F) {
	f.Add(200, []byte(`{"responses":[{"id":"1","status":204,"headers":{"Request-Id":"r"}},{"id":2,"status":429,"headers":{"retry-after":"1"},"body":{"error":{}}}]}`))
	f.Add(424, []byte(`{"responses":[{"id":"2","status":404,"body":"bm8="}]}`))
	f.Add(400, []byte(`{"error":{"code":"BadRequest"}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 || 300 <= status && status < 400 {
			return
		}
		b := &batches{answer: func(int, []batchItem) (int, http.Header, string) { return status, nil, string(body) }}
		seen, accepted := map[intune.DeviceRef]bool{}, false
		for r := range newClient(t, b, noRetries).RequestRemoteAssistanceMany(t.Context(), devicesNamed("a", "b"), &intune.RequestManyOptions{PerSecond: -1, BatchSize: 2}) {
			if seen[r.Device] || r.Err == nil != (r.Outcome == intune.OutcomeAccepted) {
				t.Errorf("%+v", r)
			}
			seen[r.Device] = true
			accepted = accepted || r.Outcome == intune.OutcomeAccepted
		}
		if accepted && len(b.singles) == 0 && !bytes.Contains(body, []byte("20")) {
			t.Errorf("accepted by %q", body)
		}
		if len(seen) != 2 || len(b.batches) != 1 {
			t.Errorf("%d results, %d batches", len(seen), len(b.batches))
		}
	})
}

func TestManyResultInLogs(t *testing.T) {
	t.Parallel()
	b := &batches{answer: func(int, []batchItem) (int, http.Header, string) {
		return http.StatusOK, nil, `{"responses":[{"id":"1","status":404,"headers":{"request-id":"r-1"}}]}`
	}}
	var logged bytes.Buffer
	for r := range newClient(t, b).RequestRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{
		intune.UserDevice("marker@contoso.com", "d1"), intune.UserDevice("marker@contoso.com", "d2"), {},
	}), &intune.RequestManyOptions{PerSecond: -1, BatchSize: 2}) {
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("asked", "result", r)
	}
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("asked", "result", intune.RequestResult{Outcome: intune.OutcomeAccepted, Attempts: 1})
	text := logged.String()
	for _, part := range []string{
		`"outcome":"accepted","attempts":1}`,
		`"outcome":"rejected","attempts":1,"error":{`, `"request_id":"r-1"`, `"outcome":"unknown"`, `"outcome":"notSent","attempts":0,"error":"`, `"device":"device d1 (user address)"`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	if strings.Contains(text, "marker") {
		t.Errorf("the log shows the user: %s", text)
	}
}
