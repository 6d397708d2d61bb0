package intune_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// manyOptions has a shorter name here.
type manyOptions = intune.RequestRemoteAssistanceManyOptions

// manyScript answers the requests to each path in turn: statuses, or -1 for a connection that cannot be made, or -2 for one
// that breaks. The last of them answers all that follow; a path without a script is accepted.
type manyScript struct {
	mu       sync.Mutex
	answers  map[string][]int
	header   http.Header
	delay    time.Duration
	requests []sentRequest
	inFlight int
	most     int // in flight at a time
}

// ofGateway stands for a 503 that does not come from the service.
const ofGateway = -503

type sentRequest struct {
	path, id string
	at       time.Time
}

func (s *manyScript) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	path := req.URL.EscapedPath()
	s.requests = append(s.requests, sentRequest{path, req.Header.Get("Client-Request-Id"), time.Now()})
	s.inFlight++
	s.most = max(s.most, s.inFlight)
	status := http.StatusNoContent
	if answers := s.answers[lastDevice(path)]; len(answers) > 0 {
		status = answers[0]
		if len(answers) > 1 {
			s.answers[lastDevice(path)] = answers[1:]
		}
	}
	s.mu.Unlock()
	timer := time.NewTimer(s.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		status = -2
	}
	s.mu.Lock()
	s.inFlight--
	s.mu.Unlock()
	switch status {
	case -1:
		return nil, errRefused
	case -2:
		return nil, errors.New("broken")
	case http.StatusServiceUnavailable:
		resp := unavailable(req)
		maps.Copy(resp.Header, s.header)
		return resp, nil
	case ofGateway:
		status = http.StatusServiceUnavailable
	}
	return answer(req, status, s.header, ""), nil
}

// NotSent says that nothing was sent where no connection could be made.
func (*manyScript) NotSent(err error) bool { return err == error(errRefused) } //nolint:errorlint // its very own

func lastDevice(path string) string {
	path = strings.TrimSuffix(path, "/requestRemoteAssistance")
	return path[strings.LastIndex(path, "/")+1:]
}

func (s *manyScript) sentTo(device string) (at []time.Time) {
	for _, r := range s.requests {
		if lastDevice(r.path) == device {
			at = append(at, r.at)
		}
	}
	return at
}

// client has azcore's own delays between tries.
func (s *manyScript) client(tb testing.TB, change ...func(*intune.ClientOptions)) *intune.Client {
	return newClient(tb, s, append([]func(*intune.ClientOptions){func(o *intune.ClientOptions) { o.Retry.RetryDelay = 0 }}, change...)...)
}

func (s *manyScript) Do(req *http.Request) (*http.Response, error) { return s.RoundTrip(req) }

func devicesNamed(names ...string) iter.Seq[intune.DeviceRef] {
	return func(yield func(intune.DeviceRef) bool) {
		for _, name := range names {
			if !yield(intune.Device(name)) {
				return
			}
		}
	}
}

func numbered(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("d%d", i))
	}
	return names
}

// summary is a result in short.
func summary(r intune.RequestResult) string {
	return fmt.Sprint(lastDevice(r.Device.String()), " ", r.Outcome, " ", r.Attempts)
}

func collect(results iter.Seq[intune.RequestResult]) (list []intune.RequestResult) {
	for r := range results {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b intune.RequestResult) int { return strings.Compare(a.Device.String(), b.Device.String()) })
	return list
}

func summaries(results iter.Seq[intune.RequestResult]) (list []string) {
	for _, r := range collect(results) {
		list = append(list, summary(r))
	}
	return list
}

func TestRequestRemoteAssistanceMany_AsksEachDeviceOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		a := tenant.AddDevice(intune.ManagedDevice{ID: "a", UserID: "anna"})
		tenant.AddUser("anna", "anna@contoso.com")
		input := []intune.DeviceRef{a, intune.UserDevice("bob@contoso.com", "b"), a, intune.Device(""), {}, intune.Device("a/b"), {}, a}
		results := collect(tenant.Client().RequestRemoteAssistanceMany(t.Context(), slices.Values(input), nil))
		var got []string
		for _, r := range results {
			got = append(got, summary(r))
			sent := r.Attempts > 0
			if sent != (r.ClientRequestID != "") || sent != (r.RequestID != "") {
				t.Errorf("%s: ids %q and %q", summary(r), r.ClientRequestID, r.RequestID)
			}
			if sent == errors.Is(r.Err, intune.ErrInvalidArgument) {
				t.Errorf("%s: error %v", summary(r), r.Err)
			}
		}
		if want := []string{" notSent 0", " notSent 0", "a accepted 1", "a%2Fb notSent 0", "b rejected 1"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		requests := tenant.Requests()
		if len(requests) != 2 || tenant.Prompts(a) != 1 {
			t.Fatalf("sent %v", requests)
		}
		for _, r := range requests {
			if len(r.Body) != 0 || r.Method != http.MethodPost {
				t.Errorf("sent %v with body %q", r, r.Body)
			}
			i := slices.IndexFunc(results, func(x intune.RequestResult) bool {
				return "/v1.0"+x.Device.String()+"/requestRemoteAssistance" == r.Path
			})
			if i < 0 {
				t.Errorf("sent %v, which is no request to one of the devices", r)
				continue
			}
			if got, want := r.Header.Get("Client-Request-Id"), results[i].ClientRequestID; got != want {
				t.Errorf("%v has the id %q, the result %q", r, got, want)
			}
		}
		e := asError(t, results[4].Err)
		checkKinds(t, e, intune.ErrNotFound)
		if e.Device != input[1] || e.RequestID != results[4].RequestID {
			t.Errorf("the error is of %v and %q, want %v and %q", e.Device, e.RequestID, input[1], results[4].RequestID)
		}
	})
}

// Lists come from several sources, which write GUIDs in either case.
func TestRequestRemoteAssistanceMany_SameGUIDInBothCases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{ID: upperGUID, UserID: "anna"})
		var parsed intune.DeviceRef
		if err := parsed.UnmarshalText([]byte("/deviceManagement/managedDevices/" + upperGUID)); err != nil {
			t.Fatal(err)
		}
		input := []intune.DeviceRef{intune.Device(upperGUID), intune.Device(lowerGUID), parsed, device, intune.ManagedDevice{ID: upperGUID}.Ref()}
		results := summaries(tenant.Client().RequestRemoteAssistanceMany(t.Context(), slices.Values(input), nil))
		if want := []string{lowerGUID + " accepted 1"}; !slices.Equal(results, want) {
			t.Errorf("got %q, want %q", results, want)
		}
		if n := tenant.Prompts(device); n != 1 {
			t.Errorf("%d prompts", n)
		}
	})
}

// Two forms are two addresses, as the documentation says: the library does not choose one of them.
func TestRequestRemoteAssistanceMany_TwoFormsOfOneDevice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{ID: lowerGUID, UserID: "anna"})
		input := []intune.DeviceRef{device, intune.UserDevice("anna", upperGUID), intune.UserDevice("anna", lowerGUID)}
		results := collect(tenant.Client().RequestRemoteAssistanceMany(t.Context(), slices.Values(input), nil))
		if len(results) != 2 || tenant.Prompts(device) != 2 {
			t.Errorf("%d prompts, results %v", tenant.Prompts(device), results)
		}
	})
}

func TestRequestRemoteAssistanceMany_Refuses(t *testing.T) {
	t.Parallel()
	sent := &manyScript{}
	client := sent.client(t)
	two := devicesNamed("a", "b", "a")
	for name, c := range map[string]struct {
		results iter.Seq[intune.RequestResult]
		names   string
		count   int
	}{
		"no pace":         {client.RequestRemoteAssistanceMany(t.Context(), two, &manyOptions{PerSecond: math.NaN()}), "options.PerSecond", 2},
		"concurrency":     {client.RequestRemoteAssistanceMany(t.Context(), two, &manyOptions{Concurrency: -1}), "options.Concurrency", 2},
		"nil devices":     {client.RequestRemoteAssistanceMany(t.Context(), nil, nil), "devices", 1},
		"nil context":     {client.RequestRemoteAssistanceMany(nil, two, nil), "ctx", 2}, //nolint:staticcheck // what is tested
		"zero client":     {(&intune.Client{}).RequestRemoteAssistanceMany(t.Context(), two, nil), "client", 2},
		"nil client":      {(*intune.Client)(nil).RequestRemoteAssistanceMany(t.Context(), two, nil), "client", 2},
		"zero and no ctx": {(&intune.Client{}).RequestRemoteAssistanceMany(nil, nil, nil), "devices", 1}, //nolint:staticcheck // what is tested
	} {
		results := collect(c.results)
		if len(results) != c.count {
			t.Errorf("%s: %d results", name, len(results))
		}
		for i, r := range results {
			if c.count == 2 && r.Device != intune.Device([]string{"a", "b"}[i]) {
				t.Errorf("%s: a result for %v", name, r.Device)
			}
			if r.Outcome != intune.OutcomeNotSent || r.Attempts != 0 {
				t.Errorf("%s: %s", name, summary(r))
			}
			if !errors.Is(r.Err, intune.ErrInvalidArgument) || !strings.Contains(r.Err.Error(), c.names) {
				t.Errorf("%s: error %v, want ErrInvalidArgument that names %s", name, r.Err, c.names)
			}
		}
		for range c.results {
			break // which must not go on
		}
	}
	if len(sent.requests) != 0 {
		t.Errorf("sent %v", sent.requests)
	}
}

// The users would be prompted twice.
func TestRequestRemoteAssistanceMany_CanBeRangedOverOnce(t *testing.T) {
	t.Parallel()
	sent := &manyScript{}
	results := sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed("a", "b"), &manyOptions{PerSecond: -1})
	if got := summaries(results); !slices.Equal(got, []string{"a accepted 1", "b accepted 1"}) {
		t.Errorf("got %q", got)
	}
	for _, r := range collect(results) {
		if r.Outcome != intune.OutcomeNotSent || !errors.Is(r.Err, intune.ErrInvalidArgument) {
			t.Errorf("the second time: %+v", r)
		}
	}
	if len(sent.requests) != 2 {
		t.Errorf("sent %v", sent.requests)
	}
}

func TestRequestRemoteAssistanceMany_Pace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options manyOptions
		delay   time.Duration
		took    time.Duration
		most    int // at a time
	}{
		"default":            {took: 11 * time.Second / 5, most: 1},
		"two a second":       {options: manyOptions{PerSecond: 2}, took: 11 * time.Second / 2, most: 1},
		"no pacing":          {options: manyOptions{PerSecond: -1}, delay: time.Second, took: 3 * time.Second, most: 4},
		"one at a time":      {options: manyOptions{PerSecond: -1, Concurrency: 1}, delay: time.Second, took: 12 * time.Second, most: 1},
		"twelve at a time":   {options: manyOptions{PerSecond: -1, Concurrency: 50}, delay: time.Second, took: time.Second, most: 12},
		"no limit":           {options: manyOptions{PerSecond: -1, Concurrency: math.MaxInt}, delay: time.Second, took: time.Second, most: 12},
		"slower than it may": {options: manyOptions{PerSecond: 1000, Concurrency: 2}, delay: time.Second, took: 6 * time.Second, most: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sent := &manyScript{delay: c.delay}
				start := time.Now()
				results := collect(sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(12)...), &c.options))
				if took := time.Since(start); (took - c.took).Abs() > 20*time.Millisecond {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if len(results) != 12 || sent.most != c.most {
					t.Errorf("%d results with %d at a time, want 12 with %d", len(results), sent.most, c.most)
				}
			})
		})
	}
}

// What goes again, when, and how often (C§7.2).
func TestRequestRemoteAssistanceMany_TriesAgain(t *testing.T) {
	t.Parallel()
	seconds := func(s ...float64) (d []time.Duration) {
		for _, x := range s {
			d = append(d, time.Duration(x*float64(time.Second)))
		}
		return d
	}
	for name, c := range map[string]struct {
		answers []int
		header  http.Header
		retries int32
		waits   []time.Duration // between the tries
		want    string
		is      error
	}{
		"accepted":  {answers: []int{204}, want: "x accepted 1"},
		"throttled": {answers: []int{429, 429, 204}, waits: seconds(3, 12), want: "x accepted 3"},
		"throttled with a header": {
			answers: []int{429, 204}, header: http.Header{"Retry-After": {"0.75"}}, waits: seconds(.75), want: "x accepted 2",
		},
		"throttled for ever": {
			answers: []int{429}, waits: seconds(3, 12, 27, 48, 75, 108, 147, 180, 180), want: "x rejected 10", is: intune.ErrThrottled,
		},
		"throttled without retries": {answers: []int{429}, retries: -1, want: "x rejected 1", is: intune.ErrThrottled},
		"unavailable":               {answers: []int{503, 503, 503, 204}, waits: seconds(.8, 1.6, 3.2), want: "x accepted 4"},
		"unavailable for ever":      {answers: []int{503}, waits: seconds(.8, 1.6, 3.2), want: "x rejected 4", is: intune.ErrUnavailable},
		"unavailable, five retries": {
			answers: []int{503}, retries: 5, waits: seconds(.8, 1.6, 3.2, 6.4, 12.8), want: "x rejected 6", is: intune.ErrUnavailable,
		},
		"unavailable, a long wait": {
			answers: []int{503, 204}, header: http.Header{"Retry-After": {"20"}}, waits: seconds(20), want: "x accepted 2",
		},
		"unavailable, no retries":   {answers: []int{503, 204}, retries: -1, want: "x rejected 1", is: intune.ErrUnavailable},
		"no connection":             {answers: []int{-1, 503, -1, 204}, waits: seconds(.8, 1.6, 3.2), want: "x accepted 4"},
		"never a connection":        {answers: []int{-1}, waits: seconds(.8, 1.6, 3.2), want: "x notSent 4"},
		"refused, then none":        {answers: []int{429, -1}, waits: seconds(3, 1.6, 3.2), want: "x rejected 4"},
		"broken":                    {answers: []int{-2, 204}, want: "x unknown 1", is: intune.ErrOutcomeUnknown},
		"server error":              {answers: []int{500, 204}, want: "x unknown 1", is: intune.ErrOutcomeUnknown},
		"gateway":                   {answers: []int{504, 204}, want: "x unknown 1", is: intune.ErrOutcomeUnknown},
		"gateway, unavailable":      {answers: []int{ofGateway, 204}, want: "x unknown 1", is: intune.ErrOutcomeUnknown},
		"unavailable, then gateway": {answers: []int{503, ofGateway, 204}, waits: seconds(.8), want: "x unknown 2", is: intune.ErrOutcomeUnknown},
		"throttled, then broken":    {answers: []int{429, -2}, waits: seconds(3), want: "x unknown 2", is: intune.ErrOutcomeUnknown},
		"not found":                 {answers: []int{404, 204}, want: "x rejected 1", is: intune.ErrNotFound},
		"another success":           {answers: []int{201, 204}, want: "x unknown 1", is: intune.ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sent := &manyScript{answers: map[string][]int{"x": c.answers}, header: c.header}
				client := sent.client(t, func(o *intune.ClientOptions) { o.Retry.MaxRetries = c.retries })
				results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), &manyOptions{PerSecond: -1}))
				if len(results) != 1 || summary(results[0]) != c.want {
					t.Fatalf("got %+v, want %s", results, c.want)
				}
				err := results[0].Err
				if (err == nil) != strings.Contains(c.want, "accepted") {
					t.Errorf("%s: error %v", c.want, err)
				}
				if c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("got %v, want %v", err, c.is)
				}
				tries := sent.sentTo("x")
				if len(tries) != len(c.waits)+1 {
					t.Fatalf("%d tries, want %d", len(tries), len(c.waits)+1)
				}
				for i, wait := range c.waits {
					if got := tries[i+1].Sub(tries[i]); got != wait {
						t.Errorf("wait %d is %v, want %v", i, got, wait)
					}
				}
				for _, r := range sent.requests {
					if r.id != results[0].ClientRequestID {
						t.Errorf("the id changed from %q to %q", results[0].ClientRequestID, r.id)
					}
				}
			})
		})
	}
}

// What each answer to one of the devices means for it, and for it alone.
func TestRequestRemoteAssistanceMany_OutcomeOfEachAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int // 0 for a connection that breaks
		body    string
		outcome intune.Outcome
		is      error
	}{
		"204":                    {204, "", intune.OutcomeAccepted, nil},
		"200 without a body":     {200, "", intune.OutcomeAccepted, nil},
		"200 with a page":        {200, "<html>", intune.OutcomeUnknown, intune.ErrOutcomeUnknown},
		"200 with JSON":          {200, `{"html":true}`, intune.OutcomeUnknown, intune.ErrOutcomeUnknown},
		"302":                    {302, "", intune.OutcomeUnknown, intune.ErrOutcomeUnknown},
		"307":                    {307, "", intune.OutcomeRejected, nil},
		"401":                    {401, "", intune.OutcomeRejected, intune.ErrUnauthenticated},
		"403":                    {403, "bm90IEpTT04=", intune.OutcomeRejected, intune.ErrForbidden},
		"404":                    {404, `{"error":{"code":"ResourceNotFound","message":"gone"}}`, intune.OutcomeRejected, intune.ErrNotFound},
		"429":                    {429, "", intune.OutcomeRejected, intune.ErrThrottled},
		"400 that is throttling": {400, `{"error":{"code":"TooManyRequests"}}`, intune.OutcomeRejected, intune.ErrThrottled},
		"499":                    {499, "", intune.OutcomeUnknown, intune.ErrOutcomeUnknown},
		"500":                    {500, "", intune.OutcomeUnknown, intune.ErrServer},
		"502":                    {502, "<html>", intune.OutcomeUnknown, intune.ErrUnavailable},
		"503 of a proxy": {
			503, "upstream connect error or disconnect/reset before headers", intune.OutcomeUnknown, intune.ErrUnavailable,
		},
		"504":                 {504, "", intune.OutcomeUnknown, intune.ErrUnavailable},
		"a broken connection": {0, "", intune.OutcomeUnknown, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					switch {
					case lastDevice(req.URL.EscapedPath()) == "other":
						return answer(req, http.StatusNoContent, nil, ""), nil
					case c.status == 0:
						return nil, io.EOF
					}
					return answer(req, c.status, nil, c.body), nil
				}), noRetries)
				results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("a", "other"), nil))
				if got := summary(results[1]); got != "other accepted 1" {
					t.Errorf("got %q", got)
				}
				r := results[0]
				if got, want := summary(r), fmt.Sprint("a ", c.outcome, " 1"); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if c.outcome == intune.OutcomeAccepted {
					if r.Err != nil {
						t.Errorf("error %v", r.Err)
					}
					return
				}
				e := asError(t, r.Err)
				if c.is != nil && !errors.Is(e, c.is) {
					t.Errorf("%v is not %v", e, c.is)
				}
				if e.Device != r.Device {
					t.Errorf("the error of %v is of %v", r.Device, e.Device)
				}
				if e.Op != "request remote assistance" {
					t.Errorf("Op %q", e.Op)
				}
				if e.ClientRequestID != r.ClientRequestID {
					t.Errorf("the error has ClientRequestID %q, the result %q", e.ClientRequestID, r.ClientRequestID)
				}
				if unknown := errors.Is(e, intune.ErrOutcomeUnknown); unknown != (r.Outcome == intune.OutcomeUnknown) {
					t.Errorf("outcome %s, ErrOutcomeUnknown is %v", r.Outcome, unknown)
				}
			})
		})
	}
}

// However long a wait the service asks for, the loop pauses no longer than MaxRetryDelay says.
func TestRequestRemoteAssistanceMany_PauseIsBounded(t *testing.T) {
	t.Parallel()
	const year = 8760 * time.Hour
	for name, c := range map[string]struct {
		most  time.Duration
		after string
		want  time.Duration
	}{
		"a year":                {0, "31536000", 3 * time.Minute},
		"a year, in a fraction": {0, "31536000.5", 3 * time.Minute},
		"above the default":     {0, "181", 3 * time.Minute},
		"the default":           {0, "180", 3 * time.Minute},
		"below the default":     {0, "179", 179 * time.Second},
		"above the given":       {time.Second, "2", time.Second},
		"no header":             {time.Second, "", time.Second},
		"no limit":              {-1, "31536000", year},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sent := &manyScript{answers: map[string][]int{"d0": {429, 204}}, header: http.Header{"Retry-After": {c.after}}}
				client := sent.client(t, func(o *intune.ClientOptions) { o.Retry.MaxRetryDelay = c.most })
				start, paused := time.Now(), time.Duration(0)
				options := intune.RequestRemoteAssistanceManyOptions{
					PerSecond: -1, Concurrency: 1, OnProgress: func(p intune.Progress) { paused = max(paused, p.PausedUntil.Sub(start)) },
				}
				got := summaries(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(3)...), &options))
				if want := []string{"d0 accepted 2", "d1 accepted 1", "d2 accepted 1"}; !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
				if took := time.Since(start); took != c.want || paused != c.want {
					t.Errorf("took %v, paused for %v, want %v", took, paused, c.want)
				}
			})
		})
	}
}

// When one is throttled, nothing is sent to the others until the wait is over, and then at half the pace.
func TestRequestRemoteAssistanceMany_ThrottlingHoldsAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := &manyScript{answers: map[string][]int{"d3": {429, 204}}, header: http.Header{"Retry-After": {"10"}}, delay: 10 * time.Millisecond}
		var paces []float64
		var paused time.Time
		got := collect(sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(8)...), &manyOptions{
			Concurrency: 1, // or nobody knows who is the fourth
			OnProgress: func(p intune.Progress) {
				paces = append(paces, p.PerSecond)
				paused = p.PausedUntil
				if p.Done()+p.Pending > 8 || p.Rejected+p.Unknown+p.NotSent != 0 {
					t.Errorf("progress %+v", p)
				}
			},
		}))
		if len(got) != 8 || len(sent.requests) != 9 {
			t.Fatalf("%d results of %d requests", len(got), len(sent.requests))
		}
		start := sent.requests[0].at
		for i, r := range sent.requests {
			switch at := r.at.Sub(start); {
			case i <= 3 && at != time.Duration(i)*200*time.Millisecond:
				t.Errorf("request %d after %v, not at the pace of five a second", i, at)
			case i == 4 && at < 10*time.Second:
				t.Errorf("request %d after %v, during the wait", i, at)
			case i > 4 && r.at.Sub(sent.requests[i-1].at) < 300*time.Millisecond:
				t.Errorf("request %d is %v after the one before, too soon for half the pace", i, r.at.Sub(sent.requests[i-1].at))
			}
		}
		if len(paces) != 9 || paces[2] != 5 {
			t.Fatalf("paces %v, want nine, and 5 before the throttling", paces)
		}
		if slowest, last := slices.Min(paces), paces[8]; slowest != 2.5 || last <= slowest {
			t.Errorf("pace %v at the lowest, %v at the end, want 2.5 and more", slowest, last)
		}
		if paused.Sub(start) < 10*time.Second || paused.After(time.Now()) {
			t.Errorf("paused until %v after the start", paused.Sub(start))
		}
	})
}

func TestRequestRemoteAssistanceMany_ContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1100*time.Millisecond)
		defer cancel()
		sent := &manyScript{delay: time.Second}
		outcomes := map[intune.Outcome]int{}
		for r := range sent.client(t).RequestRemoteAssistanceMany(ctx, devicesNamed(numbered(30)...), nil) {
			outcomes[r.Outcome]++
			if tried := r.Attempts != 0 || r.ClientRequestID != ""; tried && r.Outcome == intune.OutcomeNotSent {
				t.Errorf("%s with the id %q", summary(r), r.ClientRequestID)
			}
			over := errors.Is(r.Err, context.DeadlineExceeded) || errors.Is(r.Err, intune.ErrOutcomeUnknown)
			if !over && r.Outcome != intune.OutcomeAccepted {
				t.Errorf("%s: error %v", summary(r), r.Err)
			}
		}
		if outcomes[intune.OutcomeNotSent] < 20 || outcomes[intune.OutcomeUnknown] == 0 {
			t.Errorf("outcomes %v, want 20 or more not sent and some unknown", outcomes)
		}
		if n := outcomes[intune.OutcomeNotSent] + outcomes[intune.OutcomeUnknown] + outcomes[intune.OutcomeAccepted]; n != 30 {
			t.Errorf("outcomes %v, want 30 that are not sent, unknown or accepted", outcomes)
		}
	})
}

func TestRequestRemoteAssistanceMany_ContextHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sent := &manyScript{}
	for _, r := range collect(sent.client(t).RequestRemoteAssistanceMany(ctx, devicesNamed("a", "b"), nil)) {
		if r.Outcome != intune.OutcomeNotSent || asError(t, r.Err).Device != r.Device {
			t.Errorf("%+v", r)
		}
		checkKinds(t, r.Err, context.Canceled)
	}
	if len(sent.requests) != 0 {
		t.Errorf("sent %v", sent.requests)
	}
}

// The bubble fails if a goroutine is left.
func TestRequestRemoteAssistanceMany_LoopIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := &manyScript{delay: time.Second}
		start := time.Now()
		for r := range sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(100)...), nil) {
			if r.Outcome != intune.OutcomeAccepted {
				t.Errorf("%+v", r)
			}
			break
		}
		if took := time.Since(start); took != time.Second || sent.inFlight != 0 {
			t.Errorf("took %v, %d are in flight", took, sent.inFlight)
		}
		count := len(sent.requests)
		time.Sleep(time.Minute) //nolint:forbidigo // fake time
		if len(sent.requests) != count || count > 6 {
			t.Errorf("%d requests, and then %d", count, len(sent.requests))
		}
	})
}

// The input may take its time, as the pages of a list do. A result is yielded as soon as it is there.
func TestRequestRemoteAssistanceMany_SlowInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := &manyScript{delay: time.Second}
		var got, want []time.Duration
		start := time.Now()
		slow := func(yield func(intune.DeviceRef) bool) {
			for _, name := range numbered(9) {
				pass(time.Minute)
				if !yield(intune.Device(name)) {
					return
				}
			}
		}
		for range sent.client(t).RequestRemoteAssistanceMany(t.Context(), slow, nil) {
			got = append(got, time.Since(start))
			want = append(want, time.Duration(len(got))*time.Minute+time.Second)
		}
		if len(got) != 9 || !slices.Equal(got, want) {
			t.Errorf("results after %v, want %v", got, want)
		}
	})
}

// pass is how long some time of the bubble's clock takes.
func pass(d time.Duration) { <-time.After(d) }

// The input may wait for results: here for that of each device before it gives the next, whatever becomes of the device.
func TestRequestRemoteAssistanceMany_InputThatWaitsForResults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options  intune.RequestRemoteAssistanceManyOptions
		accepted int
	}{
		"asked":          {intune.RequestRemoteAssistanceManyOptions{}, 10},
		"one at a time":  {intune.RequestRemoteAssistanceManyOptions{Concurrency: 1}, 10},
		"without a pace": {intune.RequestRemoteAssistanceManyOptions{PerSecond: -1}, 10},
		"bad argument":   {intune.RequestRemoteAssistanceManyOptions{Concurrency: -1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				results := make(chan intune.RequestResult)
				input := func(yield func(intune.DeviceRef) bool) {
					for _, name := range append(numbered(9), "a/b", "last") { // one of them can't be asked
						if !yield(intune.Device(name)) {
							t.Error("the loop was left")
						}
						if r := <-results; r.Device != intune.Device(name) {
							t.Errorf("a result for %v, want one for %s", r.Device, name)
						}
					}
				}
				got := map[intune.Outcome]int{}
				for r := range (&manyScript{}).client(t).RequestRemoteAssistanceMany(t.Context(), input, &c.options) {
					got[r.Outcome]++
					results <- r
				}
				if got[intune.OutcomeAccepted] != c.accepted || got[intune.OutcomeNotSent] != 11-c.accepted {
					t.Errorf("outcomes %v, want %d accepted and the rest not sent", got, c.accepted)
				}
			})
		})
	}
}

// The input is at most one device ahead of what can go out.
func TestRequestRemoteAssistanceMany_TakesOneDeviceAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := &manyScript{delay: time.Second}
		var begun atomic.Int32
		input := func(yield func(intune.DeviceRef) bool) {
			for _, name := range numbered(100) {
				begun.Add(1)
				if !yield(intune.Device(name)) {
					return
				}
			}
		}
		options := intune.RequestRemoteAssistanceManyOptions{PerSecond: -1, Concurrency: 3}
		results, done := sent.client(t).RequestRemoteAssistanceMany(t.Context(), input, &options), 0
		if begun.Load() != 0 {
			t.Error("the input was read before the loop began")
		}
		for range results {
			done++
			synctest.Wait()
			if got := int(begun.Load()); got > done+3 {
				t.Fatalf("%d devices were taken, %d have a result", got, done)
			}
		}
		if done != 100 {
			t.Errorf("%d results", done)
		}
	})
}

// A loop that is left does not wait for an input that blocks, and sends nothing more. The input ends when it yields.
func TestRequestRemoteAssistanceMany_LoopIsLeftWhileTheInputBlocks(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(){"break": func() {}, "panic": func() { panic("of the body") }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sent, unblock, ended := &manyScript{}, make(chan struct{}), make(chan bool)
				input := func(yield func(intune.DeviceRef) bool) {
					yield(intune.Device("a"))
					<-unblock
					ended <- yield(intune.Device("b"))
					yield(intune.Device("c")) // which is one too many, and hurts nobody
				}
				func() {
					defer func() { _ = recover() }()
					for range sent.client(t).RequestRemoteAssistanceMany(t.Context(), input, nil) {
						leave()
						break
					}
				}()
				close(unblock)
				if <-ended {
					t.Error("the input was told to go on")
				}
				if len(sent.requests) != 1 {
					t.Errorf("sent %v", sent.requests)
				}
			}) // which fails if a goroutine is left
		})
	}
}

// The end of the context ends requests, but not the input: what it still gives was not sent.
func TestRequestRemoteAssistanceMany_ContextEndsBeforeTheInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		sent := &manyScript{}
		input := func(yield func(intune.DeviceRef) bool) {
			for _, name := range numbered(4) {
				pass(time.Minute)
				if !yield(intune.Device(name)) {
					t.Error("the loop was left")
				}
			}
		}
		got := summaries(sent.client(t).RequestRemoteAssistanceMany(ctx, input, nil))
		if want := []string{"d0 accepted 1", "d1 notSent 0", "d2 notSent 0", "d3 notSent 0"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if len(sent.requests) != 1 {
			t.Errorf("sent %v", sent.requests)
		}
	})
}

// A panic of the input is one of the loop, and an input that ends its goroutine ends the loop's, as it would without one of
// its own. Requests in flight end before that.
func TestRequestRemoteAssistanceMany_InputDoesNotReturn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail    func()
		options intune.RequestRemoteAssistanceManyOptions
		want    any // recovered
	}{
		"panic": {func() { panic("of the input") }, intune.RequestRemoteAssistanceManyOptions{}, "of the input"},
		"panic, with a bad argument": {
			func() { panic("of the input") }, intune.RequestRemoteAssistanceManyOptions{Concurrency: -1}, "of the input",
		},
		"exit":                      {runtime.Goexit, intune.RequestRemoteAssistanceManyOptions{}, nil},
		"exit, with a bad argument": {runtime.Goexit, intune.RequestRemoteAssistanceManyOptions{Concurrency: -1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sent := &manyScript{delay: time.Minute}
				input := func(yield func(intune.DeviceRef) bool) {
					yield(intune.Device("a"))
					pass(time.Second)
					c.fail()
				}
				recovered, returned := make(chan any, 1), false
				go func() {
					defer func() { recovered <- recover() }()
					for range sent.client(t).RequestRemoteAssistanceMany(t.Context(), input, &c.options) {
					}
					returned = true
				}()
				if got := <-recovered; got != c.want {
					t.Errorf("recovered %v, want %v", got, c.want)
				}
				if returned {
					t.Error("the loop went on")
				}
				if sent.inFlight != 0 {
					t.Errorf("%d requests in flight", sent.inFlight)
				}
			})
		})
	}
}

// Nothing goes again whose outcome is unknown, whatever the error says of throttling or of the network.
func TestRequestRemoteAssistanceMany_UnknownIsFinal(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]transportFunc{
		"500 that speaks of throttling": always(http.StatusInternalServerError, `{"error":{"code":"TooManyRequests"}}`),
		"a connection that broke": func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					sent++
					return send(req)
				}))
				results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
				for _, r := range results {
					if summary(r) != "x unknown 1" || !errors.Is(r.Err, intune.ErrOutcomeUnknown) {
						t.Errorf("%s, %v", summary(r), r.Err)
					}
				}
				if len(results) != 1 || sent != 1 {
					t.Errorf("%d results of %d requests", len(results), sent)
				}
			})
		})
	}
}

// What never left for another reason than the network does not get better by itself.
func TestRequestRemoteAssistanceMany_NotSentForAnotherReason(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for name, change := range map[string]func(*intune.ClientOptions){
		"the journal": func(o *intune.ClientOptions) {
			o.Journal = &memory{onAsking: func(context.Context, intune.JournalEntry) error { return dial }}
		},
		"a policy": func(o *intune.ClientOptions) {
			o.PerCallPolicies = []policy.Policy{policyFunc(func(*policy.Request) (*http.Response, error) { return nil, errors.New("not today") })}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := &manyScript{}
			results := collect(sent.client(t, change).RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
			if len(sent.requests) != 0 {
				t.Errorf("sent %v", sent.requests)
			}
			if summary(results[0]) != "x notSent 1" || results[0].Err == nil {
				t.Errorf("got %+v", results)
			}
		})
	}
	t.Run("the credential", func(t *testing.T) {
		t.Parallel()
		asked := 0
		client, err := intune.NewClient(credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			asked++
			return azcore.AccessToken{}, dial
		}), nil)
		if err != nil {
			t.Fatal(err)
		}
		results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		if summary(results[0]) != "x notSent 1" || !errors.Is(results[0].Err, dial) {
			t.Errorf("got %+v", results)
		}
	})
}

// The delays are those of azcore's options.
func TestRequestRemoteAssistanceMany_TriesAsManyTimesAsTheOptionsSay(t *testing.T) {
	t.Parallel()
	for retries, tries := range map[int32]int{-1: 1, 0: 4, 1: 2, 2: 3} {
		synctest.Test(t, func(t *testing.T) {
			sent := &manyScript{answers: map[string][]int{"x": {503}}}
			client := sent.client(t, func(o *intune.ClientOptions) { o.Retry.MaxRetries = retries })
			_ = collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
			if got := len(sent.sentTo("x")); got != tries {
				t.Errorf("MaxRetries %d: %d tries, want %d", retries, got, tries)
			}
		})
	}
}

func TestRequestRemoteAssistanceMany_RetryDelays(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, c := range map[string]struct {
		delay, most time.Duration
		want        []time.Duration
	}{
		"growing":     {2 * s, 0, []time.Duration{2 * s, 4 * s, 8 * s, 16 * s}},
		"limited":     {2 * s, 5 * s, []time.Duration{2 * s, 4 * s, 5 * s, 5 * s}},
		"limited all": {9 * s, 5 * s, []time.Duration{5 * s, 5 * s, 5 * s, 5 * s}},
		"no delay":    {-1, 0, []time.Duration{0, 0, 0, 0}},
		"no limit":    {2 * time.Minute, -1, []time.Duration{120 * s, 240 * s, 480 * s, 960 * s}},
		"a day":       {23 * time.Hour, -1, []time.Duration{23 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour}},
	} {
		synctest.Test(t, func(t *testing.T) {
			sent := &manyScript{answers: map[string][]int{"x": {503}}}
			client := sent.client(t, func(o *intune.ClientOptions) {
				o.Retry.MaxRetries, o.Retry.RetryDelay, o.Retry.MaxRetryDelay = 4, c.delay, c.most
			})
			_ = collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), &manyOptions{PerSecond: -1}))
			var got []time.Duration
			at := sent.sentTo("x")
			for i := range at[1:] {
				got = append(got, at[i+1].Sub(at[i]))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: waits %v, want %v", name, got, c.want)
			}
		})
	}
}

// A wait above MaxRetryDelay is the caller's to make, as azcore has it; a negative one is no limit.
func TestRequestRemoteAssistanceMany_WaitBeyondTheLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		most  time.Duration
		after string
		took  time.Duration
		want  string
	}{
		"the default limit": {0, "180", 3 * time.Minute, "x accepted 2"},
		"above the default": {0, "180.001", 0, "x rejected 1"},
		"above the given":   {time.Second, "2", 0, "x rejected 1"},
		"no limit":          {-1, "172800", 48 * time.Hour, "x accepted 2"},
	} {
		synctest.Test(t, func(t *testing.T) {
			sent := &manyScript{answers: map[string][]int{"x": {503, 204}}, header: http.Header{"Retry-After": {c.after}}}
			client := sent.client(t, func(o *intune.ClientOptions) { o.Retry.MaxRetryDelay = c.most })
			start := time.Now()
			results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
			if took := time.Since(start); summary(results[0]) != c.want || took != c.took {
				t.Errorf("%s: %+v after %v", name, results, took)
			}
			if e, ok := errors.AsType[*intune.Error](results[0].Err); ok && e.RetryAfter == 0 {
				t.Errorf("%s: the error does not say how long to wait: %v", name, e)
			}
		})
	}
}

// When the context ends before a device goes again, its result is the answer that it had.
func TestRequestRemoteAssistanceMany_ContextEndsBeforeAnotherTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		journal := &memory{}
		sent := &manyScript{answers: map[string][]int{"x": {429}, "y": {503}}}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		client := sent.client(t, journal.option)
		results := collect(client.RequestRemoteAssistanceMany(ctx, devicesNamed("x", "y", "z"), &manyOptions{PerSecond: 5, Concurrency: 1}))
		var got []string
		for _, r := range results {
			got = append(got, summary(r))
		}
		if want := []string{"x rejected 1", "y notSent 0", "z notSent 0"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		checkKinds(t, results[0].Err, intune.ErrThrottled)
		checkKinds(t, results[1].Err, context.DeadlineExceeded)
		checkSays(t, results[1].Err, "not sent")
		if _, asked := journal.pair(t); asked.Outcome != intune.OutcomeRejected || asked.StatusCode != http.StatusTooManyRequests {
			t.Errorf("entry %+v", asked)
		}
	})
}

// An answer that comes as the context ends is the last one.
func TestRequestRemoteAssistanceMany_ContextEndsWithAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			cancel()
			return answer(req, http.StatusTooManyRequests, nil, ""), nil
		}))
		start := time.Now()
		results := collect(client.RequestRemoteAssistanceMany(ctx, devicesNamed("x"), nil))
		checkTook(t, start, 0)
		if summary(results[0]) != "x rejected 1" || !errors.Is(results[0].Err, intune.ErrThrottled) {
			t.Errorf("got %+v", results)
		}
	})
}

// The journal's last word on a device that was refused and then could not leave is that it was refused.
func TestRequestRemoteAssistanceMany_JournalRemembersThatItLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		journal := &memory{}
		sent := &manyScript{answers: map[string][]int{"x": {503, -1}}}
		results := collect(sent.client(t, journal.option).RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
		if _, asked := journal.pair(t); asked.Outcome != intune.OutcomeRejected || results[0].Outcome != intune.OutcomeRejected {
			t.Errorf("entry %+v, result %+v", asked, results[0])
		}
	})
}

// When the context ends while the journal refuses some devices, those it has recorded are not sent either.
func TestRequestRemoteAssistanceMany_ContextEndsWhileTheJournalRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var all sync.WaitGroup
		all.Add(3)
		refusals := map[intune.DeviceRef]error{intune.Device("b"): errors.New("no room for b"), intune.Device("c"): errors.New("no room for c")}
		journal := &memory{onAsking: func(_ context.Context, e intune.JournalEntry) error {
			all.Done()
			all.Wait()
			cancel()
			return refusals[e.Device]
		}}
		sent := &manyScript{}
		results := collect(sent.client(t, journal.option).RequestRemoteAssistanceMany(ctx, devicesNamed("a", "b", "c"), nil))
		for i, want := range []string{"context canceled", "no room for b", "no room for c"} {
			r := results[i]
			if r.Outcome != intune.OutcomeNotSent {
				t.Errorf("outcome of %+v", r)
			}
			if text, _, _ := strings.Cut(fmt.Sprint(r.Err), ";"); !strings.HasSuffix(text, want) {
				t.Errorf("%v, want %s", r.Err, want)
			}
		}
		if len(sent.requests) != 0 {
			t.Errorf("sent %v", sent.requests)
		}
		if len(journal.asking) != 3 {
			t.Errorf("asking %+v", journal.asking)
		}
		if len(journal.asked) != 1 || journal.asked[0].Outcome != intune.OutcomeNotSent {
			t.Errorf("asked %+v", journal.asked)
		}
	})
}

func TestProgress_OfRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := &manyScript{answers: map[string][]int{"a": {204}, "b": {404}, "c": {404}, "d": {500}, "e": {500}, "f": {500}, "g": {-1}}}
		client := sent.client(t, noRetries)
		var got []string
		var last intune.Progress
		for range client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("a", "b", "c", "d", "e", "f", "g", "", "b"), &manyOptions{
			Concurrency: 1,
			OnProgress: func(p intune.Progress) {
				last = p
				got = append(got, fmt.Sprint(p.Done(), p.Pending >= 0 && p.Pending <= 2))
			},
		}) {
			if last.Done() != len(got) {
				t.Errorf("%d done at the %d. result", last.Done(), len(got))
			}
		}
		if want := (intune.Progress{Accepted: 1, Rejected: 2, Unknown: 3, NotSent: 2, PerSecond: 5}); last != want {
			t.Errorf("progress %+v, want %+v", last, want)
		}
		for i, text := range got {
			if text != fmt.Sprint(i+1, true) {
				t.Errorf("step %d: %s", i, text)
			}
		}
	})
}

// The pace halves each time, and recovers with what the service accepts, and not with what it refuses.
func TestRequestRemoteAssistanceMany_PaceRecoversWithAcceptedRequests(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]float64{http.StatusNotFound: 1.25, http.StatusNoContent: 1.4} {
		synctest.Test(t, func(t *testing.T) {
			answers := map[string][]int{"d0": {429, 429, 404}}
			for _, name := range numbered(4)[1:] {
				answers[name] = []int{status}
			}
			sent, last := &manyScript{answers: answers}, 0.
			_ = collect(sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(4)...), &manyOptions{
				Concurrency: 1, OnProgress: func(p intune.Progress) { last = p.PerSecond },
			}))
			if last < want-.001 || last > want+.001 {
				t.Errorf("after %d: %v a second, want %v", status, last, want)
			}
		})
	}
}

// Leaving the loop at a device that cannot be asked leaves it too.
func TestRequestRemoteAssistanceMany_LoopIsLeftAtABadDevice(t *testing.T) {
	t.Parallel()
	sent := &manyScript{}
	count := 0
	for range sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed("", "a", "b"), nil) {
		count++
		break
	}
	if count != 1 || len(sent.requests) != 0 {
		t.Errorf("%d results, sent %v", count, sent.requests)
	}
}

// Each device has one pair of entries, however often it was tried, with the id that is on the wire.
func TestRequestRemoteAssistanceMany_OnePairOfEntriesForEachDevice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		for _, name := range numbered(6) {
			tenant.AddDevice(intune.ManagedDevice{ID: name})
		}
		one := func(device string) func(intunetest.RecordedRequest) bool {
			return func(r intunetest.RecordedRequest) bool { return lastDevice(r.Path) == device }
		}
		tenant.Inject(intunetest.Fault{Match: one("d1"), Status: http.StatusTooManyRequests, Times: 2})
		tenant.Inject(intunetest.Fault{Match: one("d2"), Drop: intunetest.DropAfter})
		tenant.Inject(intunetest.Fault{Match: one("d3"), Status: http.StatusServiceUnavailable})
		journal := &memory{}
		options := tenant.ClientOptions()
		options.Journal = journal
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed(append(numbered(6), "gone", "")...), nil))
		if got, want := [...]int{len(results), len(journal.asking), len(journal.asked)}, [...]int{8, 7, 7}; got != want {
			t.Fatalf("results and entries of both kinds: %v, want %v", got, want)
		}
		for _, r := range results[1:] {
			is := func(e intune.JournalEntry) bool {
				return e.Device == r.Device && e.ClientRequestID == r.ClientRequestID
			}
			i, j := slices.IndexFunc(journal.asking, is), slices.IndexFunc(journal.asked, is)
			if i < 0 || j < 0 {
				t.Errorf("no pair for %+v", r)
				continue
			}
			asked := journal.asked[j]
			if asked.Outcome != r.Outcome || asked.RequestID != r.RequestID {
				t.Errorf("result %+v, entry %+v", r, asked)
			}
			if (asked.Error == "") != (r.Err == nil) {
				t.Errorf("the result's error is %v, the entry's %q", r.Err, asked.Error)
			}
			if asked.AppID == "" {
				t.Errorf("the entry of %s has no app", summary(r))
			}
		}
		for _, r := range tenant.Requests() {
			if !strings.HasSuffix(r.Path, "/requestRemoteAssistance") {
				continue
			}
			if !slices.ContainsFunc(journal.asking, func(e intune.JournalEntry) bool {
				return e.ClientRequestID == r.Header.Get("Client-Request-Id") && strings.HasPrefix(r.Path, "/v1.0"+e.Device.String())
			}) {
				t.Errorf("%v went out without an entry", r)
			}
		}
	})
}

// No record, no prompt: a device that the journal cannot record is not asked, and the others are.
func TestRequestRemoteAssistanceMany_JournalRefuses(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		for _, name := range numbered(6) {
			tenant.AddDevice(intune.ManagedDevice{ID: name})
		}
		journal := &memory{onAsking: func(_ context.Context, e intune.JournalEntry) error {
			if e.Device == intune.Device("d1") || e.Device == intune.Device("d4") {
				return full
			}
			return nil
		}}
		options := tenant.ClientOptions()
		options.Journal = journal
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(6)...), nil))
		for i, r := range results {
			refused := i == 1 || i == 4
			if r.Attempts != 1 || errors.Is(r.Err, full) != refused {
				t.Errorf("%+v", r)
			}
			prompts, outcome := 1, intune.OutcomeAccepted
			if refused {
				prompts, outcome = 0, intune.OutcomeNotSent
			}
			if got := tenant.Prompts(r.Device); got != prompts || r.Outcome != outcome {
				t.Errorf("%d prompts, outcome %s, want %d and %s", got, r.Outcome, prompts, outcome)
			}
			if e, ok := errors.AsType[*intune.Error](r.Err); ok {
				checkSays(t, e, "journal")
				if e.Device != r.Device {
					t.Errorf("the error of %v is of %v", r.Device, e.Device)
				}
			}
		}
		if got, want := [...]int{len(results), len(journal.asking), len(journal.asked)}, [...]int{6, 6, 4}; got != want {
			t.Errorf("results and entries of both kinds: %v, want %v", got, want)
		}
	})
}

// A policy may give every request an id of its own; the entry and all tries of a device keep the first.
func TestRequestRemoteAssistanceMany_JournalKeepsThePolicysID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		journal, count := &memory{}, 0
		sent := &manyScript{answers: map[string][]int{"x": {429, 503, 404}}}
		client := sent.client(t, journal.option, func(o *intune.ClientOptions) {
			o.PerCallPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) {
				count++
				req.Raw().Header.Set("Client-Request-Id", fmt.Sprintf("mine-%d", count))
				return req.Next()
			})}
		})
		results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
		asking, asked := journal.pair(t)
		if len(sent.requests) != 3 || count != 3 {
			t.Fatalf("%d requests, and the policy was called %d times", len(sent.requests), count)
		}
		for where, id := range map[string]string{
			"the first entry": asking.ClientRequestID, "the second entry": asked.ClientRequestID,
			"the result": results[0].ClientRequestID, "the error": asError(t, results[0].Err).ClientRequestID,
			"the first try": sent.requests[0].id, "the second try": sent.requests[1].id, "the third try": sent.requests[2].id,
		} {
			if id != "mine-1" {
				t.Errorf("%s has the id %q", where, id)
			}
		}
	})
}

// What is in flight when the loop is left is in the journal alone.
func TestRequestRemoteAssistanceMany_JournalOfALoopThatIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		journal := &memory{onAsked: func(context.Context, intune.JournalEntry) error { pass(time.Second); return nil }}
		sent := &manyScript{answers: map[string][]int{"d0": {204}}, delay: 1e9}
		for range sent.client(t, journal.option).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(50)...), nil) {
			break
		}
		if len(journal.asking) == 0 || len(journal.asked) != len(journal.asking) {
			t.Fatalf("%d and %d entries", len(journal.asking), len(journal.asked))
		}
		if !slices.ContainsFunc(journal.asked, func(e intune.JournalEntry) bool { return e.Outcome == intune.OutcomeUnknown }) {
			t.Errorf("entries %+v", journal.asked)
		}
	})
}

// The ids in the body of an answer win over its headers', but for the id under which the journal has the request.
func TestRequestRemoteAssistanceMany_IDsOfTheBody(t *testing.T) {
	t.Parallel()
	journal := &memory{}
	const body = `{"error":{"code":"Forbidden","innerError":{"request-id":"of the body","client-request-id":"of the body"}}}`
	client := newClient(t, transportFunc(says(http.StatusForbidden, body, "Request-Id", "of the header")), journal.option)
	result := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("a"), nil))[0]
	if result.RequestID != "of the body" {
		t.Errorf("RequestID %q", result.RequestID)
	}
	asking, _ := journal.pair(t)
	if result.ClientRequestID != asking.ClientRequestID {
		t.Errorf("the result has ClientRequestID %q, the entry %q", result.ClientRequestID, asking.ClientRequestID)
	}
	if e := asError(t, result.Err); e.ClientRequestID != asking.ClientRequestID {
		t.Errorf("the error has ClientRequestID %q, the entry %q", e.ClientRequestID, asking.ClientRequestID)
	}
}

// The raw answer to each device can be looked at, as that to a single request.
func TestRequestRemoteAssistanceMany_AnswerOfEachDevice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		journal := &memory{}
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			if lastDevice(req.URL.EscapedPath()) == "a" {
				return answer(req, http.StatusNotFound, http.Header{"X-Test": {"1"}}, `{"error":{"code":"Gone"}}`), nil
			}
			return answer(req, http.StatusOK, nil, `{"a":1}`), nil
		}), journal.option)
		results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("a", "b"), nil))
		failed, ok := errors.AsType[*azcore.ResponseError](results[0].Err)
		if !ok {
			t.Fatalf("got %v", results[0].Err)
		}
		if failed.StatusCode != http.StatusNotFound {
			t.Errorf("StatusCode %d", failed.StatusCode)
		}
		if failed.ErrorCode != "Gone" {
			t.Errorf("ErrorCode %q", failed.ErrorCode)
		}
		if header := failed.RawResponse.Header.Get("X-Test"); header != "1" {
			t.Errorf("X-Test %q", header)
		}
		checkSays(t, failed, "POST https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/a/requestRemoteAssistance",
			"RESPONSE 404: Not Found", `"code": "Gone"`)
		i := slices.IndexFunc(journal.asked, func(e intune.JournalEntry) bool { return e.Device == intune.Device("b") })
		if len(journal.asked) != 2 || i < 0 {
			t.Fatalf("entries %+v", journal.asked)
		}
		if asked := journal.asked[i]; asked.Outcome != intune.OutcomeUnknown || asked.StatusCode != http.StatusOK {
			t.Errorf("entry %+v", asked)
		}
	})
}

func TestRequestResult_InLogs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			if lastDevice(req.URL.EscapedPath()) == "d1" {
				return answer(req, http.StatusNotFound, http.Header{"Request-Id": {"r-1"}}, ""), nil
			}
			return answer(req, http.StatusInternalServerError, nil, ""), nil
		}))
		results := collect(client.RequestRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{
			intune.UserDevice("marker@contoso.com", "d1"), intune.UserDevice("marker@contoso.com", "d2"), {},
		}), nil))
		var logged bytes.Buffer
		for _, result := range append(results, intune.RequestResult{Outcome: intune.OutcomeAccepted, Attempts: 1}) {
			slog.New(slog.NewJSONHandler(&logged, nil)).Info("asked", "result", result)
		}
		text := logged.String()
		for _, part := range []string{
			`"outcome":"accepted","attempts":1}`, `"outcome":"rejected","attempts":1,"error":{`, `"request_id":"r-1"`,
			`"outcome":"unknown"`, `"outcome":"notSent","attempts":0,"error":"`, `"device":"device d1 (user address)"`,
		} {
			if !strings.Contains(text, part) {
				t.Errorf("no %s in %s", part, text)
			}
		}
		if strings.Contains(text, "marker") {
			t.Errorf("the log shows the user: %s", text)
		}
	})
}

// A panic of the caller's code is one of the loop, and the devices it concerns are unknown.
func TestRequestRemoteAssistanceMany_TransportPanics(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(){"panic": func() { panic("of the transport") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ends := func(req *http.Request) (*http.Response, error) {
				end()
				return answer(req, http.StatusForbidden, nil, ""), nil
			}
			run := func(option func(*intune.ClientOptions)) (recovered any) {
				unknown := 0
				defer func() {
					if recovered = recover(); unknown != 1 {
						t.Errorf("%d unknown", unknown)
					}
				}()
				client := newClient(t, transportFunc(ends), option)
				for r := range client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil) {
					if summary(r) == "x unknown 1" && errors.Is(r.Err, intune.ErrOutcomeUnknown) {
						unknown++
					}
					if id := asError(t, r.Err).ClientRequestID; id == "" || id != r.ClientRequestID {
						t.Errorf("the id is %q in the error and %q in the result", id, r.ClientRequestID)
					}
				}
				return nil
			}
			var want any
			if name == "panic" {
				want = "of the transport"
			}
			journal := &memory{}
			for with, option := range map[string]func(*intune.ClientOptions){"no journal": noRetries, "a journal": journal.option} {
				if recovered := run(option); recovered != want {
					t.Errorf("with %s: recovered %v, want %v", with, recovered, want)
				}
			}
			if _, asked := journal.pair(t); asked.Outcome != intune.OutcomeUnknown {
				t.Errorf("entry %+v", asked)
			}
			recovered := run(func(o *intune.ClientOptions) { o.Journal = panicking{} })
			if want = cmp.Or(want, any("of the journal")); recovered != want {
				t.Errorf("with a journal that panics too: recovered %v, want %v", recovered, want)
			}
		})
	}
}

// A panic of the journal is one of the loop too, and not of a worker's goroutine, where nobody can recover.
func TestRequestRemoteAssistanceMany_JournalPanics(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusForbidden, ""), func(o *intune.ClientOptions) { o.Journal = panicking{} })
	func() {
		defer func() {
			if recovered := recover(); recovered != "of the journal" {
				t.Errorf("recovered %v", recovered)
			}
		}()
		for r := range client.RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(3)...), nil) {
			if r.Outcome != intune.OutcomeRejected { // a result that comes before the panic is true
				t.Errorf("%+v", r)
			}
		}
	}()
}

type panicking struct{}

func (panicking) Asking(context.Context, intune.JournalEntry) error { return nil }

func (panicking) Asked(context.Context, intune.JournalEntry) error { panic("of the journal") }

func (panicking) Ended(context.Context, intune.JournalEntry) error { panic("of the journal") }

// Requests at the same time do not write to the one response that the caller asked for.
func TestRequestRemoteAssistanceMany_CapturesNoResponse(t *testing.T) {
	t.Parallel()
	var captured *http.Response
	ctx := policy.WithCaptureResponse(t.Context(), &captured)
	options := intune.RequestRemoteAssistanceManyOptions{PerSecond: -1}
	got := summaries((&manyScript{}).client(t).RequestRemoteAssistanceMany(ctx, devicesNamed(numbered(20)...), &options))
	if len(got) != 20 {
		t.Errorf("got %q", got)
	}
	if captured != nil {
		t.Errorf("captured the answer to %s", captured.Request.URL.Path)
	}
}

// A panic of the loop's body leaves nothing behind.
func TestRequestRemoteAssistanceMany_BodyPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := &manyScript{delay: 1e9}
		defer func() {
			if recover() == nil || sent.inFlight != 0 {
				t.Errorf("%d in flight", sent.inFlight)
			}
		}()
		for range sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(20)...), nil) {
			panic("of the body")
		}
	})
}

// simulation is a tenant with the published limits (C§7.1) on a bad network, in the fake time of a bubble.
type simulation struct {
	tenant  *intunetest.Tenant
	devices []intune.DeviceRef

	mu      sync.Mutex
	dropped map[string]bool // paths of requests whose connection broke after they went out
	refused int             // with 429
	posts   int
	last    time.Time
}

func newSimulation(devices int) *simulation {
	s := &simulation{
		tenant:  intunetest.NewTenant(&intunetest.TenantOptions{ThrottleLimits: true, KeepRequests: -1}),
		dropped: map[string]bool{},
	}
	for i := range devices {
		s.devices = append(s.devices, s.tenant.AddDevice(intune.ManagedDevice{ID: fmt.Sprintf("device-%06d", i)}))
	}
	dice := rand.New(rand.NewPCG(1, uint64(devices)))
	oneIn := func(n int, drops bool) func(intunetest.RecordedRequest) bool {
		return func(r intunetest.RecordedRequest) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			hit := dice.IntN(n) == 0
			if hit && drops {
				s.dropped[r.Path] = true
			}
			return hit
		}
	}
	const action = "/requestRemoteAssistance"
	s.tenant.Inject(intunetest.Fault{PathSuffix: action, Match: oneIn(50, true), Drop: intunetest.DropBefore, Times: -1})
	s.tenant.Inject(intunetest.Fault{PathSuffix: action, Match: oneIn(50, true), Drop: intunetest.DropAfter, Times: -1})
	s.tenant.Inject(intunetest.Fault{PathSuffix: action, Match: oneIn(50, false), Status: http.StatusServiceUnavailable, Times: -1})
	return s
}

// client sends with a delay, so that answers come in another order than requests.
func (s *simulation) client(tb testing.TB) *intune.Client {
	options := s.tenant.ClientOptions()
	options.Transport = transportFunc(func(req *http.Request) (*http.Response, error) {
		s.mu.Lock()
		s.posts, s.last = s.posts+1, time.Now()
		s.mu.Unlock()
		time.Sleep(time.Duration(50+rand.IntN(350)) * time.Millisecond) //nolint:forbidigo // fake time
		resp, err := s.tenant.RoundTrip(req)
		if err == nil && resp.StatusCode == http.StatusTooManyRequests {
			s.mu.Lock()
			s.refused++
			s.mu.Unlock()
		}
		return resp, err
	})
	client, err := intune.NewClient(s.tenant.Credential(), options)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// run asks and checks that every result is true.
func (s *simulation) run(t *testing.T, results iter.Seq[intune.RequestResult]) (tries int) {
	t.Helper()
	seen := map[intune.DeviceRef]bool{}
	outcomes := map[intune.Outcome]int{}
	for r := range results {
		if seen[r.Device] {
			t.Errorf("%v: a second result", r.Device)
		}
		seen[r.Device] = true
		outcomes[r.Outcome]++
		tries += r.Attempts
		s.mu.Lock()
		prompts, broke := s.tenant.Prompts(r.Device), s.dropped["/v1.0"+r.Device.String()+"/requestRemoteAssistance"]
		s.mu.Unlock()
		switch r.Outcome {
		case intune.OutcomeAccepted:
			if prompts != 1 || r.RequestID == "" {
				t.Errorf("%v: accepted with %d prompts, request id %q", r.Device, prompts, r.RequestID)
			}
			if r.Err != nil {
				t.Errorf("%v: accepted with %v", r.Device, r.Err)
			}
		case intune.OutcomeUnknown:
			if !broke || prompts > 1 {
				t.Errorf("%v: unknown with %d prompts, broken %t", r.Device, prompts, broke)
			}
			if !errors.Is(r.Err, intune.ErrOutcomeUnknown) {
				t.Errorf("%v: unknown with %v", r.Device, r.Err)
			}
		default:
			t.Errorf("%v: %s, %v", r.Device, r.Outcome, r.Err)
		}
	}
	if len(seen) != len(s.devices) {
		t.Errorf("%d results for %d devices", len(seen), len(s.devices))
	}
	if n := len(s.devices); outcomes[intune.OutcomeUnknown] < n/50 || outcomes[intune.OutcomeUnknown] > n/12 {
		t.Errorf("outcomes %v", outcomes)
	}
	return tries
}

// simulated is how many devices a simulation has: a thousand, or with SOAK=1 a hundred thousand.
func simulated() int {
	if os.Getenv("SOAK") != "" {
		return 100_000
	}
	if graphtest.Smaller > 1 {
		return 400
	}
	return 1000
}

// C§7.1: at the default pace a thousand devices take as long as they must, and hardly anything is throttled.
func TestRequestRemoteAssistanceMany_Simulation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSimulation(simulated())
		start := time.Now()
		tries := s.run(t, s.client(t).RequestRemoteAssistanceMany(t.Context(), slices.Values(s.devices), nil))
		took, least := time.Since(start), time.Duration(len(s.devices)-1)*time.Second/5
		t.Logf("%v for %d tries, %v at least; %d refused", took, tries, least, s.refused)
		if took > least*105/100 || took < least {
			t.Errorf("took %v, want %v and at most 5%% more", took, least)
		}
		if s.refused*100 >= tries {
			t.Errorf("%d of %d tries were throttled", s.refused, tries)
		}
	})
}

// C§7.1: other apps use up the tenant's allowance for a while. The pace drops and recovers.
func TestRequestRemoteAssistanceMany_SimulationOfACrowdedTenant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSimulation(1000)
		const crowded = 45 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), crowded)
		defer cancel()
		for _, app := range []string{"app-1", "app-2"} {
			go s.crowd(ctx, t, app, 7)
		}
		start, slowest, final := time.Now(), 10., 0.
		s.run(t, s.client(t).RequestRemoteAssistanceMany(t.Context(), slices.Values(s.devices), &manyOptions{
			PerSecond: 8,
			OnProgress: func(p intune.Progress) {
				final, slowest = p.PerSecond, min(slowest, p.PerSecond)
				if time.Since(start) < crowded/2 && p.Done() > 700 {
					t.Errorf("%d results after %v", p.Done(), time.Since(start))
				}
			},
		}))
		t.Logf("%v, %d of %d refused, pace %.2f at the lowest", time.Since(start), s.refused, s.posts, slowest)
		if slowest > 4 || final < 6 {
			t.Errorf("pace %v at the lowest, %v at the end, want at most 4 and 6 or more", slowest, final)
		}
		<-ctx.Done()
	})
}

// crowd sends writes of another app until the context ends.
func (s *simulation) crowd(ctx context.Context, t *testing.T, app string, perSecond int) {
	options := s.tenant.ClientOptions()
	options.Retry.MaxRetries = -1
	client, err := intune.NewClient(s.tenant.CredentialWith(map[string]any{"appid": app}), options)
	if err != nil {
		t.Error(err)
		return
	}
	for ctx.Err() == nil {
		_, _ = client.RequestRemoteAssistance(ctx, intune.Device("of "+app), nil)
		time.Sleep(time.Second / time.Duration(perSecond)) //nolint:forbidigo // fake time
	}
}

// Nothing grows with the input but the addresses seen: what is taken from the input and has no result yet is bounded.
func TestRequestRemoteAssistanceMany_Memory(t *testing.T) { //nolint:paralleltest // it measures the heap
	const devices = 5_000
	client := newClient(t, always(http.StatusNoContent, ""))
	input := func(yield func(intune.DeviceRef) bool) {
		for i := range devices {
			if !yield(intune.Device(fmt.Sprintf("705c034c-034c-705c-4c03-%012d", i))) {
				return
			}
		}
	}
	before, grown, done, most := heap(), 0, 0, 0
	for r := range client.RequestRemoteAssistanceMany(t.Context(), input, &manyOptions{
		PerSecond: -1, Concurrency: 1,
		OnProgress: func(p intune.Progress) { most = max(most, p.Pending) },
	}) {
		if done++; r.Outcome == intune.OutcomeAccepted && done == devices-100 {
			grown = heap() - before
		}
	}
	if done != devices {
		t.Errorf("%d results, want %d", done, devices)
	}
	if most > 4 {
		t.Errorf("%d pending at most, want 4", most)
	}
	// An address of 36 letters takes 48 bytes, and its place in the map some 80.
	if grown < devices*32 || grown > devices*200 {
		t.Errorf("%d bytes for an address", grown/devices)
	}
}

// A journal that ends its goroutine, as a test's does with FailNow, leaves no device without a result.
func TestRequestRemoteAssistanceMany_JournalEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusForbidden, ""), func(o *intune.ClientOptions) {
		o.Journal = &memory{onAsked: func(context.Context, intune.JournalEntry) error {
			runtime.Goexit()
			return nil
		}}
	})
	got := summaries(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("a", "b"), nil))
	if want := []string{"a rejected 1", "b rejected 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
