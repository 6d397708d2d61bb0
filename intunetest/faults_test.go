package intunetest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// What a faulty answer looks like, and whether the service acted.
func TestFaultAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fault   intunetest.Fault
		status  int
		prompts int
		check   func(*testing.T, reply)
	}{
		{"nothing but a status", intunetest.Fault{Status: 503}, 503, 0, func(t *testing.T, r reply) {
			if r.body != "" || r.header.Get("Content-Type") != "" {
				t.Errorf("%v %q", r.header, r.body)
			}
			if r.header.Get("request-id") == "" {
				t.Errorf("no request-id in %v", r.header)
			}
		}},
		{"Graph's envelope", intunetest.Fault{
			Status: 403, Code: "Authorization_RequestDenied", Message: "Insufficient privileges <now>.",
		}, 403, 0, func(t *testing.T, r reply) {
			want := refusal{403, "Authorization_RequestDenied", "Insufficient privileges <now>."}
			if got := r.refusal(t); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got, want := r.envelope(t).Error.InnerError.RequestID, r.header.Get("request-id"); got != want {
				t.Errorf("request-id %s in the body, %s in the header", got, want)
			}
			if !strings.Contains(r.body, "<now>") {
				t.Error("escaped for HTML, as Graph does not")
			}
		}},
		{"single", intunetest.Fault{
			Status: 400, Code: "InternalError", Message: "An error has occurred", Nested: true,
		}, 400, 0, func(t *testing.T, r reply) {
			const want = "{\r\n  \"_version\": 3,\r\n  \"Message\": \"An error"
			if e := r.envelope(t).Error; e.Code != "InternalError" || !strings.HasPrefix(e.Message, want) {
				t.Errorf("%+v", e)
			}
			if s := r.nested(t); !trailer.MatchString(s) || !strings.Contains(s, "Activity ID: "+r.header.Get("client-request-id")) {
				t.Errorf("%q", s)
			}
		}},
		{"double", intunetest.Fault{Status: 401, Code: "Forbidden", Message: "An error has occurred", Double: true}, 401, 0, checkDouble},
		{"verbatim", intunetest.Fault{Status: 502, Body: "<html>Bad gateway</html>"}, 502, 0, func(t *testing.T, r reply) {
			if r.body != "<html>Bad gateway</html>" || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
				t.Errorf("%v %q", r.header, r.body)
			}
		}},
		{"verbatim JSON", intunetest.Fault{Status: 400, Body: ` {"error":{}}`}, 400, 0, func(t *testing.T, r reply) {
			if r.body != ` {"error":{}}` || r.header.Get("Content-Type") != "application/json" {
				t.Errorf("%v %q", r.header, r.body)
			}
		}},
		{"headers", intunetest.Fault{
			Status: 429, Header: http.Header{"retry-after": {"0.249"}, "Request-Id": nil, "X": {"1", "2"}},
		}, 429, 0, func(t *testing.T, r reply) {
			for name, want := range map[string][]string{"Retry-After": {"0.249"}, "Request-Id": nil, "X": {"1", "2"}} {
				if got := r.header[name]; !slices.Equal(got, want) {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		}},
		{"headers that a server adds", intunetest.Fault{
			Status: 502, Body: "<html>", Header: http.Header{"Content-Type": nil, "Date": nil},
		}, 502, 0, func(t *testing.T, r reply) {
			if r.body != "<html>" {
				t.Errorf("body %q", r.body)
			}
			if r.header["Content-Type"] != nil || r.header["Date"] != nil {
				t.Errorf("%v", r.header)
			}
		}},
		{"effect", intunetest.Fault{Status: 504, Effect: true}, 504, 1, nil},
		{"a proxy that rewrites 204", intunetest.Fault{Status: 200, Effect: true}, 200, 1, func(t *testing.T, r reply) {
			if r.body != "" {
				t.Errorf("%q", r.body)
			}
		}},
		{"own answer with a header", intunetest.Fault{Header: http.Header{"Sunset": {"soon"}}}, 204, 1, func(t *testing.T, r reply) {
			if r.header.Get("Sunset") != "soon" || r.header.Get("request-id") == "" {
				t.Errorf("%v", r.header)
			}
		}},
		{"nothing at all", intunetest.Fault{}, 204, 1, nil},
		{"of another method", intunetest.Fault{Method: "get", Status: 500}, 204, 1, nil},
		{"of this method", intunetest.Fault{Method: "post", Status: 500}, 500, 0, nil},
		{"of another path", intunetest.Fault{PathSuffix: "/managedDevices", Status: 500}, 204, 1, nil},
		{"of this path", intunetest.Fault{PathSuffix: "/REQUESTremoteassistance", Status: 500}, 500, 0, nil},
		{
			"that does not match",
			intunetest.Fault{Match: func(r intunetest.RecordedRequest) bool { return r.Header.Get("Authorization") == "" }, Status: 500},
			204, 1, nil,
		},
		{
			"that matches",
			intunetest.Fault{Match: func(r intunetest.RecordedRequest) bool { return r.Host != "" && r.Method == "POST" }, Status: 500},
			500, 0, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
				ref := populate(tenant)
				tenant.Inject(c.fault)
				r := send(t, client, http.MethodPost, root+"/v1.0"+ref.String()+action, "")
				if r.status != c.status || tenant.Prompts(ref) != c.prompts {
					t.Errorf("status %d, want %d; %d prompts, want %d", r.status, c.status, tenant.Prompts(ref), c.prompts)
				}
				if c.check != nil {
					c.check(t, r)
				}
				if requests := tenant.Requests(); len(requests) != 1 || requests[0].Status != c.status {
					t.Errorf("recorded %v", requests)
				}
			})
		})
	}
}

// C§6.2: the double form, in the members and the order of recorded bodies.
func checkDouble(t *testing.T, r reply) {
	t.Helper()
	e := r.envelope(t).Error
	want := `{"ErrorCode":"Forbidden","Message":"{\r\n  \"_version\": 3,\r\n  \"Message\": \"An error has occurred - Operation ID`
	tail := `\r\n}","Target":null,"Details":null,"InnerError":null,"InstanceAnnotations":[]}`
	if e.Code != "UnknownError" || !strings.Contains(e.Message, "WWW-Authenticate") {
		t.Errorf("%+v", e)
	}
	if !strings.HasPrefix(e.Message, want) || !strings.HasSuffix(e.Message, tail) {
		t.Errorf("message %s, want %s…%s", e.Message, want, tail)
	}
}

// What a client sees when the connection breaks, and what the service has done by then.
func TestDrops(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		drop          intunetest.DropMode
		prompts       int
		recorded      int // in process
		inProcessOnly func(error) bool
	}{
		{"connect", intunetest.DropConnect, 0, 0, func(err error) bool {
			var op *net.OpError
			return errors.As(err, &op) && op.Op == "dial" && errors.Is(err, syscall.ECONNREFUSED)
		}},
		{"before", intunetest.DropBefore, 0, 1, func(err error) bool { return errors.Is(err, io.EOF) }},
		{"after", intunetest.DropAfter, 1, 1, func(err error) bool { return errors.Is(err, io.EOF) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
				ref := populate(tenant)
				// For ever, in case the transport tries again by itself.
				tenant.Inject(intunetest.Fault{Drop: c.drop, Times: -1})
				_, err := try(t, client, http.MethodPost, root+"/v1.0"+ref.String()+action, "")
				if err == nil {
					t.Fatal("answered")
				}
				requests := tenant.Requests()
				if root == graph && !c.inProcessOnly(err) {
					t.Errorf("got %v (%T)", err, errors.Unwrap(err))
				}
				if root == graph && len(requests) != c.recorded {
					t.Errorf("recorded %v, want %d", requests, c.recorded)
				}
				if len(requests) > 0 && requests[0].Status != 0 {
					t.Errorf("recorded %v", requests)
				}
				if n := tenant.Prompts(ref); n != c.prompts {
					t.Errorf("%d prompts, want %d", n, c.prompts)
				}
			})
		})
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant)
		for n, want := range map[int]string{5: `{"@od`, -1: ""} {
			tenant.Inject(intunetest.Fault{Truncate: n})
			r, err := try(t, client, http.MethodGet, root+"/v1.0"+ref.String(), "")
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut after %d: %v", n, err)
			}
			if r.body != want || r.status != http.StatusOK {
				t.Errorf("cut after %d: %d %q, want 200 %q", n, r.status, r.body, want)
			}
		}
		tenant.Inject(intunetest.Fault{Truncate: 1 << 20})
		if r := send(t, client, http.MethodGet, root+"/v1.0"+ref.String(), ""); !strings.HasSuffix(r.body, "}") {
			t.Errorf("cut although shorter: %q", r.body)
		}
		tenant.Inject(intunetest.Fault{Status: 500, Code: "X", Message: "Y", Truncate: 3})
		r, err := try(t, client, http.MethodPost, root+"/v1.0"+ref.String()+action, "")
		if !errors.Is(err, io.ErrUnexpectedEOF) || r.body != `{"e` {
			t.Errorf("%q, %v", r.body, err)
		}
		if n := tenant.TotalPrompts(); n != 0 {
			t.Errorf("%d prompts", n)
		}
	})
}

// Faults take turns in the order of injection, each as often as it says.
func TestFaultOrderAndTimes(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := populate(tenant)
	tenant.Inject(intunetest.Fault{Status: 429, Times: 2})
	tenant.Inject(intunetest.Fault{Status: 503, Method: "GET"})
	tenant.Inject(intunetest.Fault{Status: 500, Times: -1})
	var got []int
	for i := range 6 {
		if i == 5 {
			tenant.ClearFaults()
		}
		got = append(got, send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+ref.String()+action, "").status)
	}
	if want := []int{429, 429, 500, 500, 500, 204}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// within gives a request a deadline.
func within(t *testing.T, patience time.Duration) func(*http.Request) {
	t.Helper()
	return func(req *http.Request) {
		ctx, cancel := context.WithTimeout(req.Context(), patience)
		t.Cleanup(cancel)
		*req = *req.WithContext(ctx)
	}
}

// The delay is a timer on the request's context, and Effect decides whether the service acts before it.
func TestDelay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		fault            intunetest.Fault
		patience         time.Duration
		prompts, waiting int // in the end, and while it waits
		answered         bool
	}{
		{"late answer", intunetest.Fault{Delay: time.Minute}, time.Hour, 1, 0, true},
		{"late answer, early effect", intunetest.Fault{Delay: time.Minute, Effect: true}, time.Hour, 1, 1, true},
		{"impatient", intunetest.Fault{Delay: time.Hour}, time.Minute, 0, 0, false},
		{"impatient, early effect", intunetest.Fault{Delay: time.Hour, Effect: true}, time.Minute, 1, 1, false},
		{"late drop", intunetest.Fault{Delay: time.Minute, Drop: intunetest.DropAfter}, time.Hour, 1, 1, false},
		{"late refusal", intunetest.Fault{Delay: time.Minute, Drop: intunetest.DropConnect}, time.Hour, 0, 0, false},
		{"impatient dial", intunetest.Fault{Delay: time.Hour, Drop: intunetest.DropConnect}, time.Minute, 0, 0, false},
		{"late failure", intunetest.Fault{Delay: time.Minute, Status: 500}, time.Hour, 0, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tenant := intunetest.NewTenant(nil)
				ref := populate(tenant)
				tenant.Inject(c.fault)
				start := time.Now()
				done := make(chan error, 1)
				go func() {
					_, err := try(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+ref.String()+action, "", within(t, c.patience))
					done <- err
				}()
				synctest.Wait()
				if n := tenant.Prompts(ref); n != c.waiting {
					t.Errorf("%d prompts while it waits, want %d", n, c.waiting)
				}
				err := <-done
				if (err == nil) != c.answered || tenant.Prompts(ref) != c.prompts {
					t.Errorf("%v, %d prompts, want %d", err, tenant.Prompts(ref), c.prompts)
				}
				if c.patience < c.fault.Delay && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v is not the context's error", err)
				}
				if took := time.Since(start); took != min(c.patience, c.fault.Delay) {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// A context that has ended sends nothing.
func TestEndedContext(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := populate(tenant)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, graph+"/v1.0"+ref.String()+action, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tenant.RoundTrip(req); !errors.Is(err, context.Canceled) || len(tenant.Requests()) != 0 {
		t.Errorf("%v, recorded %v", err, tenant.Requests())
	}
	if _, err := tenant.Do(&http.Request{}); err == nil {
		t.Error("a request without a URL is answered")
	}
}

// The library meets the kit's faults as it meets the service's.
func TestLibraryMeetsFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fault   intunetest.Fault
		want    error
		prompts int
		sent    int
	}{
		{"refused twice", intunetest.Fault{Status: 503, Times: 2}, nil, 1, 3},
		{"refused twice, code", intunetest.Fault{
			Status: 503, Code: "serviceNotAvailable", Header: http.Header{"Request-Id": nil}, Times: 2,
		}, nil, 1, 3},
		{"gateway unavailable", intunetest.Fault{
			Status: 503, Body: "<title>503 first byte timeout</title>", Header: http.Header{"Request-Id": nil}, Effect: true, Times: -1,
		}, intune.ErrOutcomeUnknown, 1, 1},
		{"no connection", intunetest.Fault{Drop: intunetest.DropConnect}, nil, 1, 1},
		{"lost answer", intunetest.Fault{Drop: intunetest.DropAfter, Times: -1}, intune.ErrOutcomeUnknown, 1, 1},
		{"lost request", intunetest.Fault{Drop: intunetest.DropBefore, Times: -1}, intune.ErrOutcomeUnknown, 0, 1},
		{"gateway timeout", intunetest.Fault{Status: 504, Effect: true, Times: -1}, intune.ErrOutcomeUnknown, 1, 1},
		{
			"role missing",
			intunetest.Fault{Status: 401, Code: "Forbidden", Message: "An error has occurred", Double: true},
			intune.ErrForbidden, 0, 1,
		},
		{"proxy", intunetest.Fault{Status: 200, Effect: true}, nil, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(nil)
			ref := populate(tenant)
			tenant.Inject(c.fault)
			_, err := tenant.Client().RequestRemoteAssistance(t.Context(), ref, nil)
			if !errors.Is(err, c.want) { // nil is nil alone
				t.Errorf("got %v, want %v", err, c.want)
			}
			if n := tenant.Prompts(ref); n != c.prompts || len(tenant.Requests()) != c.sent {
				t.Errorf("%d prompts, want %d; recorded %v", n, c.prompts, tenant.Requests())
			}
		})
	}
}

// around is a transport around another.
type around struct{ http.RoundTripper }

// Only the tenant itself knows that nothing was sent: a transport around it may have sent something before.
func TestDropConnectIsKnownToTheTenant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wrap    func(*intunetest.Tenant) policy.Transporter
		unknown bool
	}{
		"the tenant":        {func(t *intunetest.Tenant) policy.Transporter { return t }, false},
		"in a client":       {func(t *intunetest.Tenant) policy.Transporter { return &http.Client{Transport: t} }, false},
		"another around it": {func(t *intunetest.Tenant) policy.Transporter { return &http.Client{Transport: around{t}} }, true},
		"through httpmock": {func(t *intunetest.Tenant) policy.Transporter {
			mock := httpmock.NewMockTransport()
			t.Register(mock)
			return &http.Client{Transport: mock}
		}, true},
	} {
		tenant := intunetest.NewTenant(nil)
		ref := populate(tenant)
		tenant.Inject(intunetest.Fault{Drop: intunetest.DropConnect, Times: -1})
		options := tenant.ClientOptions()
		options.Transport = c.wrap(tenant)
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = client.RequestRemoteAssistance(t.Context(), ref, nil); err == nil || errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown {
			t.Errorf("%s: %v", name, err)
		}
		for _, other := range []error{nil, io.EOF, errors.Join(io.EOF, err)} {
			if tenant.NotSent(other) {
				t.Errorf("%v counts as a connection that was refused", other)
			}
		}
	}
}

// A status that no server can send, or that is not the last of a request, is refused where it is arranged: after a 1xx
// of a handler, Go's server sends a 200.
func TestInjectRefusesImpossibleStatuses(t *testing.T) {
	t.Parallel()
	for status, refused := range map[int]bool{
		0: false, 200: false, 299: false, 999: false,
		-1: true, 1: true, 99: true, 100: true, 199: true, 1000: true,
	} {
		tenant := intunetest.NewTenant(nil)
		func() {
			defer func() {
				text, _ := recover().(string)
				if (text != "") != refused {
					t.Errorf("%d: %q, want a refusal: %v", status, text, refused)
				}
				for _, want := range []string{"Fault.Status is " + strconv.Itoa(status), "200 and 999"} {
					if refused && !strings.Contains(text, want) {
						t.Errorf("%d: %q does not say %q", status, text, want)
					}
				}
			}()
			tenant.Inject(intunetest.Fault{Status: status, Body: "{}"})
		}()
		if refused {
			get(t, inProcess(tenant), devicesURL) // the tenant goes on without it
		}
	}
}
