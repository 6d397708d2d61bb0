package intune_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// Every method that gives an answer of the service says which request it belongs to.
func TestClient_EveryResponseHasTheIDsOfItsRequest(t *testing.T) {
	t.Parallel()
	body := `{"id":"1","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`
	status := func(status int, body string) transportFunc {
		return func(req *http.Request) (*http.Response, error) {
			return answer(req, status, http.Header{"Request-Id": {"at-microsoft-" + req.Header.Get("Client-Request-Id")}}, body), nil
		}
	}
	read := newClient(t, status(http.StatusOK, body))
	list := newClient(t, status(http.StatusOK, `{"value":[]}`))
	act := newClient(t, status(http.StatusNoContent, ""))
	ctx, device := t.Context(), intune.Device("1")
	type outcome struct {
		response any
		err      error
	}
	of := func(response any, err error) outcome { return outcome{response, err} }
	outcomes := map[string]outcome{
		"RequestRemoteAssistance":              of(act.RequestRemoteAssistance(ctx, device, nil)),
		"GetRemoteAssistanceSession":           of(read.GetRemoteAssistanceSession(ctx, device, nil)),
		"GetDevice":                            of(read.GetDevice(ctx, device, nil)),
		"NewListDevicesPager":                  of(list.NewListDevicesPager(intune.AllDevices(), nil).NextPage(ctx)),
		"NewListDetectedAppsPager":             of(list.NewListDetectedAppsPager(nil).NextPage(ctx)),
		"NewListRemoteAssistancePartnersPager": of(list.NewListRemoteAssistancePartnersPager(nil).NextPage(ctx)),
		"NewListAuditEventsPager":              of(list.NewListAuditEventsPager(nil).NextPage(ctx)),
	}
	for method := range reflect.TypeFor[*intune.Client]().Methods() {
		result := method.Type.Out(0).String()
		answers := strings.HasSuffix(result, "Response") || strings.HasPrefix(result, "*runtime.Pager[")
		if _, ok := outcomes[method.Name]; answers && !ok {
			t.Errorf("method %s has no case here", method.Name)
		}
	}
	for name, got := range outcomes {
		if got.err != nil {
			t.Errorf("%s: %v", name, got.err)
			continue
		}
		response := reflect.ValueOf(got.response)
		request, client := response.FieldByName("RequestID").String(), response.FieldByName("ClientRequestID").String()
		if len(client) != 36 || request != "at-microsoft-"+client {
			t.Errorf("%s: ids %q and %q", name, request, client)
		}
	}
}

// TestRequestRemoteAssistance_AnswerOfAPolicyIsNoSuccess: what a caller's policy answers by itself did not come from the service.
func TestRequestRemoteAssistance_AnswerOfAPolicyIsNoSuccess(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{
		"no content": http.StatusNoContent, "an empty 200": http.StatusOK, "refused": http.StatusForbidden,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(func(*http.Request) (*http.Response, error) {
				t.Error("a request was sent")
				return nil, errors.New("no")
			}), func(o *intune.ClientOptions) {
				o.PerCallPolicies = []policy.Policy{policyFunc(func(*policy.Request) (*http.Response, error) {
					made := answer(nil, status, http.Header{"Client-Request-Id": {"of the policy"}}, "")
					return made, nil
				})}
			})
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if e := asError(t, err); e.StatusCode != status || e.ClientRequestID != "of the policy" {
				t.Errorf("status %d, client request id %q", e.StatusCode, e.ClientRequestID)
			}
			if errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("nothing was sent, and the outcome is unknown: %v", err)
			}
		})
	}
}

// TestGetDevice_AnswerThatArrivedWinsOverTheContext: azcore looks at the context before the result. An answer that was read to its end
// counts all the same; one that broke off does not.
func TestGetDevice_AnswerThatArrivedWinsOverTheContext(t *testing.T) {
	t.Parallel()
	own := errors.New("policy's own")
	for name, c := range map[string]struct {
		err error
		id  string
	}{
		"context ends":       {nil, "1"},
		"policy's own error": {own, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			client := newClient(t, always(http.StatusOK, `{"id":"1"}`), func(o *intune.ClientOptions) {
				o.PerRetryPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) {
					resp, err := req.Next()
					if c.err != nil {
						return nil, c.err
					}
					cancel()
					return resp, err
				})}
				o.Retry.MaxRetries = -1
			})
			device, err := client.GetDevice(ctx, intune.Device("1"), nil)
			if !errors.Is(err, c.err) || device.ID != c.id {
				t.Errorf("got %q, %v, want %q, %v", device.ID, err, c.id, c.err)
			}
			cancel()
		})
	}
}

func TestGetDevice_AnswerThatBreaksOffAtTheEndOfTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, http.StatusOK, nil, "")
		resp.ContentLength = -1
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"id":"1"}`), readerFunc(func([]byte) (int, error) {
			cancel()
			return 0, req.Context().Err()
		})))
		return resp, nil
	}))
	device, err := client.GetDevice(ctx, intune.Device("1"), nil)
	if !errors.Is(err, context.Canceled) || device.ID != "" {
		t.Errorf("got %v, %v", device.ID, err)
	}
}

// TestError_NamesWhatCouldNotBeRead: the library says which part of an answer it could not read.
func TestError_NamesWhatCouldNotBeRead(t *testing.T) {
	t.Parallel()
	const foreign = `{"value":[],"@odata.nextLink":"https://graph.example.com/v1.0/deviceManagement/managedDevices?$skiptoken=x"}`
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	read := func(ctx context.Context, c *intune.Client) error {
		_, err := c.GetDevice(ctx, intune.Device("1"), nil)
		return err
	}
	list := func(ctx context.Context, c *intune.Client) error {
		for _, err := range c.Devices(ctx, intune.AllDevices(), nil) {
			if err != nil {
				return err
			}
		}
		return nil
	}
	for name, c := range map[string]struct {
		body string
		ctx  context.Context
		call func(context.Context, *intune.Client) error
		want []string
	}{
		"device": {
			`{"id":"1","physicalMemoryInBytes":"x"}`, t.Context(), read,
			[]string{"read device on device 1", "the answer is not a device", "physicalMemoryInBytes is not an integer"},
		},
		"page": {
			`{"value":[{"id":"1","physicalMemoryInBytes":"x"}]}`, t.Context(), list,
			[]string{"list devices", "the page could not be read", "physicalMemoryInBytes is not an integer"},
		},
		"foreign link":    {foreign, t.Context(), list, []string{"list devices", "a next link that is not followed", "another host"}},
		"context is over": {foreign, ended, list, []string{"list devices", "not sent", "context canceled"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkSays(t, c.call(c.ctx, newClient(t, always(http.StatusOK, c.body))), c.want...)
		})
	}
}

func TestClientOptions_TransportMovesTheClock(t *testing.T) {
	t.Parallel()
	fake := &clockedTransport{}
	reads := 0
	fake.transportFunc = func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost {
			return answer(req, http.StatusNoContent, nil, ""), nil
		}
		if reads++; reads == 3 {
			fake.ahead = time.Hour
		}
		return answer(req, http.StatusOK, nil, sessionOf("", "")), nil
	}
	_, err := newClient(t, fake).OpenRemoteAssistance(t.Context(), intune.Device("d1"), &intune.OpenRemoteAssistanceOptions{
		Frequency: time.Millisecond,
	})
	if !errors.Is(err, intune.ErrSessionPending) || reads != 3 {
		t.Errorf("%d reads, error %v", reads, err)
	}
}

// pacedTransport is a fake of the service that sets the pace of waits.
type pacedTransport struct {
	transportFunc

	pace time.Duration
}

func (p pacedTransport) LookAgainAfter() time.Duration { return p.pace }

// The pace of a fake replaces the client's own and that of the caller, but not what the service asks for.
func TestClientOptions_TransportSetsThePace(t *testing.T) {
	t.Parallel()
	const never, minute = time.Duration(0), time.Minute
	for name, c := range map[string]struct {
		pace, frequency time.Duration
		retryAfter      string
		least, most     time.Duration // of the first gap after the request
	}{
		"the fake's":                       {10 * minute, never, "", 10 * minute, 10 * minute},
		"the fake's, and not the caller's": {time.Millisecond, minute, "", time.Millisecond, time.Millisecond},
		"the service asks for more":        {time.Millisecond, minute, "7", 7 * time.Second, 7 * time.Second},
		"the service asks for less":        {10 * minute, minute, "7", 10 * minute, 10 * minute},
		"none, so the caller's":            {never, minute, "", minute, minute},
		"none, so the client's":            {never, never, "", 1900 * time.Millisecond, 2100 * time.Millisecond},
		"less than none, so the caller's":  {-1, minute, "", minute, minute},
		"less than none, so the client's":  {-minute, never, "", 1900 * time.Millisecond, 2100 * time.Millisecond},
		"the shortest":                     {1, never, "", 1, 1},
	} {
		for _, wrapped := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", in an http.Client: ", wrapped), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var requested, read time.Time
					fake := pacedTransport{pace: c.pace, transportFunc: func(req *http.Request) (*http.Response, error) {
						switch {
						case req.Method == http.MethodPost:
							requested = time.Now()
							return answer(req, http.StatusNoContent, nil, ""), nil
						case requested.IsZero():
							return says(200, sessionOf("", ""), "Retry-After", c.retryAfter)(req)
						}
						read = time.Now()
						return says(200, sessionOf(newLink, ""))(req)
					}}
					var transport policy.Transporter = fake
					if wrapped {
						transport = &http.Client{Transport: fake}
					}
					_, err := newClient(t, transport).OpenRemoteAssistance(t.Context(), intune.Device("d1"), &intune.OpenRemoteAssistanceOptions{
						Frequency: c.frequency, MaxWait: time.Hour,
					})
					if err != nil {
						t.Fatal(err)
					}
					if gap := read.Sub(requested); gap < c.least || gap > c.most {
						t.Errorf("reads after %v, want %v to %v", gap, c.least, c.most)
					}
				})
			})
		}
	}
}

// What cannot be sent cannot go wrong: of all methods four write, and all that they write is the action, without a body.
func TestClient_TheActionIsTheOnlyWrite(t *testing.T) {
	t.Parallel()
	device := intune.Device("1")
	everyAddress := []intune.DeviceRef{device, intune.UserDevice("anna@contoso.com", "1"), intune.DetectedAppDevice("app", "1")}
	often := time.Millisecond
	calls := maps.Clone(spanned)
	calls["RequestRemoteAssistance"] = func(ctx context.Context, c *intune.Client) (failed error) {
		for _, at := range everyAddress {
			_, err := c.RequestRemoteAssistance(ctx, at, nil)
			failed = errors.Join(failed, err)
		}
		return failed
	}
	calls["RequestRemoteAssistanceMany"] = func(ctx context.Context, c *intune.Client) (failed error) {
		options := &manyOptions{PerSecond: -1}
		for r := range c.RequestRemoteAssistanceMany(ctx, slices.Values(everyAddress), options) {
			failed = errors.Join(failed, r.Err)
		}
		return failed
	}
	calls["OpenRemoteAssistance"] = func(ctx context.Context, c *intune.Client) error {
		_, err := c.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{Frequency: often})
		return err
	}
	calls["OpenRemoteAssistanceMany"] = func(ctx context.Context, c *intune.Client) (failed error) {
		options := &openOptions{PerSecond: -1, MaxWait: often}
		for r := range c.OpenRemoteAssistanceMany(ctx, slices.Values(everyAddress), options) {
			if !errors.Is(r.Err, intune.ErrSessionPending) {
				failed = errors.Join(failed, r.Err)
			}
		}
		return failed
	}
	writes := map[string]int{
		"RequestRemoteAssistance": 3, "RequestRemoteAssistanceMany": 3,
		"BeginRemoteAssistance": 1, "OpenRemoteAssistance": 1, "OpenRemoteAssistanceMany": 3,
	}
	for method := range reflect.TypeFor[*intune.Client]().Methods() {
		if unspanned[method.Name] {
			continue // which send nothing to Graph
		}
		t.Run(method.Name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(nil)
			tenant.AddDetectedApp(intune.DetectedApp{ID: "app"}, tenant.AddDevice(intune.ManagedDevice{
				ID: "1", DeviceName: "PC-1", UserPrincipalName: "anna@contoso.com",
			}))
			// Over a connection, since only there is a Content-Length.
			client := newServerClient(t, newServer(t, tenant.ServeHTTP, false))
			poller, err := client.BeginRemoteAssistance(t.Context(), device, nil)
			if err != nil {
				t.Fatal(err)
			}
			token, err := poller.ResumeToken()
			if err != nil {
				t.Fatal(err)
			}
			tenant.ResetRequests()
			switch call := calls[method.Name]; {
			case call == nil:
				t.Fatal("the method has no case here")
			case method.Name == "ResumeRemoteAssistance":
				if poller, err = client.ResumeRemoteAssistance(t.Context(), token, nil); err == nil {
					_, err = poller.Poll(t.Context())
				}
			case method.Name == "WaitForRemoteAssistance":
				_, err = client.WaitForRemoteAssistance(t.Context(), token, &intune.WaitForRemoteAssistanceOptions{Frequency: often})
			default:
				err = call(t.Context(), client)
			}
			if err != nil {
				t.Error(err)
			}
			written := 0
			for _, sent := range tenant.Requests() {
				length := sent.Header.Get("Content-Length")
				switch action := strings.HasSuffix(sent.Path, "/managedDevices/1/requestRemoteAssistance"); {
				case sent.Method == http.MethodPost && action:
					if written++; length != "0" {
						t.Errorf("%v with the length %q", sent, length)
					}
				case sent.Method != http.MethodGet || action:
					t.Errorf("%v is neither a read nor the action", sent)
				case length != "":
					t.Errorf("%v with the length %q", sent, length)
				}
				if len(sent.Body) > 0 || sent.Header["Content-Type"] != nil {
					t.Errorf("%v with the body %q of type %q", sent, sent.Body, sent.Header["Content-Type"])
				}
			}
			if written != writes[method.Name] {
				t.Errorf("it writes %d times, want %d", written, writes[method.Name])
			}
			if tenant.RequestCount() == 0 {
				t.Error("it sends nothing")
			}
		})
	}
}

// Over HTTP/2 a stream can stay open behind an answer that has no body. The answer has arrived all the same.
func TestRequestRemoteAssistance_StreamThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	reset := make(chan struct{})
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done() // when the client closes the stream
		close(reset)
	}, true)
	client := newServerClient(t, server)
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
		t.Error(err)
	}
	<-reset
}

// A header without values is one that is not set, and a response that is nowhere to be kept is not kept. azcore panics at
// both.
func TestClient_ContextWithNothingInIt(t *testing.T) {
	t.Parallel()
	given := http.Header{"X-None": nil, "X-Empty": {}, "X-Blank": {""}, "x-two": {"1", "2"}}
	adds := policyFunc(func(req *policy.Request) (*http.Response, error) {
		ctx := policy.WithHTTPHeader(req.Raw().Context(), given)
		return req.WithContext(policy.WithCaptureResponse(ctx, nil)).Next()
	})
	ofCaller := policy.WithCaptureResponse(policy.WithHTTPHeader(t.Context(), given), nil)
	for name, c := range map[string]struct {
		ctx    context.Context //nolint:containedctx // of one case
		change func(*intune.ClientOptions)
	}{
		"of the caller":                 {ofCaller, func(*intune.ClientOptions) {}},
		"of the caller, with a timeout": {ofCaller, func(o *intune.ClientOptions) { o.Retry.TryTimeout = time.Minute }},
		"of a policy, per call":         {t.Context(), placed(adds)["per call"]},
		"of a policy, per try":          {t.Context(), placed(adds)["per retry"]},
	} {
		var seen http.Header
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			seen = req.Header
			return answer(req, http.StatusNoContent, nil, ""), nil
		}), c.change)
		if _, err := client.RequestRemoteAssistance(c.ctx, intune.Device("1"), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for header, want := range map[string][]string{"X-None": nil, "X-Empty": nil, "X-Blank": {""}, "X-Two": {"1", "2"}} {
			if got := seen.Values(header); !slices.Equal(got, want) {
				t.Errorf("%s: sent %s %q, want %q", name, header, got, want)
			}
		}
		if _, kept := seen["X-None"]; kept {
			t.Errorf("%s: sent an empty header", name)
		}
	}
	if _, kept := given["X-None"]; !kept || len(given) != 4 {
		t.Errorf("the caller's header is %v now", given)
	}
}

// retries is a transport that sends a request up to three times.
func retries(inner http.RoundTripper, _ time.Duration) http.RoundTripper {
	return transportFunc(func(req *http.Request) (resp *http.Response, err error) {
		for range 3 {
			if resp, err = inner.RoundTrip(req); err == nil {
				break
			}
		}
		return resp, err
	})
}

// hedges is a transport that sends a request once more if the answer takes longer than half of the usual time.
func hedges(inner http.RoundTripper, usual time.Duration) http.RoundTripper {
	type result struct {
		resp *http.Response
		err  error
	}
	return transportFunc(func(req *http.Request) (*http.Response, error) {
		results := make(chan result, 2) // their answers have no body to close
		send := func() {
			resp, err := inner.RoundTrip(req.Clone(req.Context()))
			results <- result{resp, err}
		}
		go send()
		timer := time.NewTimer(usual / 2)
		defer timer.Stop()
		select {
		case <-timer.C:
			go send()
		case first := <-results:
			return first.resp, first.err
		}
		first := <-results
		return first.resp, first.err
	})
}

// closing is a body that says whether it was closed.
type closing struct {
	io.Reader

	closed *atomic.Bool
}

func (c closing) Close() error { c.closed.Store(true); return nil }

func TestClient_BodiesAreClosed(t *testing.T) {
	t.Parallel()
	elsewhere, err := http.NewRequest(http.MethodGet, "https://elsewhere.example/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*http.Response)
		err    error
	}{
		"success":             {func(*http.Response) {}, nil},
		"error":               {func(r *http.Response) { r.StatusCode = 400 }, nil},
		"answer to another":   {func(r *http.Response) { r.Request = elsewhere }, nil},
		"switching protocols": {func(r *http.Response) { r.StatusCode = 101 }, nil},
		"answer and error":    {func(*http.Response) {}, errors.New("and an error")},
	} {
		for method, call := range map[string]func(*intune.Client) error{
			"write": func(client *intune.Client) error { return act(t, client) },
			"read": func(client *intune.Client) error {
				_, err := client.GetDevice(t.Context(), intune.Device("1"), nil)
				return err
			},
		} {
			var closed atomic.Bool
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				resp := answer(req, http.StatusOK, nil, "")
				resp.Body = closing{strings.NewReader(""), &closed}
				c.change(resp)
				return resp, c.err
			}), noRetries)
			_ = call(client)
			if !closed.Load() {
				t.Errorf("%s, %s: the body was not closed", name, method)
			}
		}
	}
}

// Responders of httpmock give the same header map to every request.
func TestGetDevice_AnswersMayShareTheirHeader(t *testing.T) {
	t.Parallel()
	header := http.Header{"Content-Type": {"application/json"}, "Retry-After": {"0.001"}}
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		return answer(req, http.StatusTooManyRequests, header, "{}"), nil
	}))
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 20 {
				_, _ = client.GetDevice(t.Context(), intune.Device("1"), nil)
			}
		}()
	}
	for range 8 {
		<-done
	}
	if len(header) != 2 || header.Get("Content-Type") != "application/json" {
		t.Errorf("the shared header became %v", header)
	}
}

// Unlike the action, a read is repeated, on every page.
func TestDevices_ReadsAreRetried(t *testing.T) {
	t.Parallel()
	const next = graphLists + "managedDevices?$skiptoken=2"
	fails := status(http.StatusInternalServerError)
	page := func(body string) func(*http.Request) (*http.Response, error) { return always(http.StatusOK, body) }
	service := newScript(fails, page(pageOf(next, deviceRow("1", "A"))), fails, broken(errRefused), page(pageOf("", deviceRow("2", "B"))))
	tried := func(want int32) {
		t.Helper()
		if n := service.calls.Load(); n != want {
			t.Errorf("%d requests, want %d", n, want)
		}
	}
	if got, err := ids(t, newClient(t, service).Devices(t.Context(), intune.AllDevices(), nil)); got != "1 2" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	tried(5)
	service = newScript(fails, fails, page(deviceRow("1", "A")))
	if device, err := newClient(t, service).GetDevice(t.Context(), intune.Device("1"), nil); err != nil || device.DeviceName != "A" {
		t.Errorf("got %v, %v", device, err)
	}
	tried(3)
	service = newScript(fails)
	thrice := func(o *intune.ClientOptions) { o.Retry = policy.RetryOptions{MaxRetries: 2, RetryDelay: 1} }
	got, err := ids(t, newClient(t, service, thrice).Devices(t.Context(), intune.AllDevices(), nil))
	checkKinds(t, err, intune.ErrServer)
	if e := asError(t, err); e.StatusCode != http.StatusInternalServerError || e.Op != "list devices" {
		t.Errorf("status %d, operation %q", e.StatusCode, e.Op)
	}
	if got != "" {
		t.Errorf("got %q", got)
	}
	tried(3)
}

// The credential is not to blame for a context that had ended before the call.
func TestError_SaysNothingOfATokenIfTheContextWasOver(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client := newClient(t, always(http.StatusNoContent, ""))
	for op, call := range map[string]func() error{
		"request remote assistance": func() error {
			_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
			return err
		},
		"read the remote-assistance session": func() error {
			_, err := client.OpenRemoteAssistance(ctx, intune.Device("1"), nil)
			return err
		},
	} {
		err := call()
		checkKinds(t, err, context.Canceled)
		if got, want := err.Error(), op+" on device 1: not sent: context canceled; client request id "; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A sign-in page of a network answers a read with 200.
func TestError_HintsAtAProxyIfAReadGotAPage(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusOK, "\r\n<!DOCTYPE html><html><body>Please sign in</body></html>"))
	_, get := client.GetDevice(t.Context(), intune.Device("1"), nil)
	_, find := client.FindDevice(t.Context(), intune.DeviceFilter{SerialNumber: "S"}, nil)
	_, open := client.OpenRemoteAssistance(t.Context(), intune.Device("1"), nil)
	for name, err := range map[string]error{"GetDevice": get, "FindDevice": find, "OpenRemoteAssistance": open} {
		const want = "a proxy, firewall or sign-in page between here and Graph answered; requests must reach the Graph endpoint directly"
		if got := asError(t, err).Hint; got != want {
			t.Errorf("%s: hint %q, want %q", name, got, want)
		}
	}
}

// Success is an answer to a POST, whatever a policy makes of it.
func TestClientOptions_PolicyThatChangesTheMethod(t *testing.T) {
	t.Parallel()
	service := newScript(status(http.StatusNoContent))
	err := act(t, newClient(t, service, func(o *intune.ClientOptions) {
		o.PerRetryPolicies = []policy.Policy{rewrite(func(r *http.Request) { r.Method = http.MethodGet })}
	}))
	checkKinds(t, err, intune.ErrOutcomeUnknown)
	if n := service.calls.Load(); n != 1 {
		t.Errorf("sent %d times", n)
	}
}
