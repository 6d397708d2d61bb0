package readiness_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

var _ readiness.Client = (*intune.Client)(nil)

func TestCheck_AllIsWell(t *testing.T) {
	t.Parallel()
	w := newWorld()
	found, results := w.check(t)
	for name, result := range results {
		want := readiness.StatusPass
		if name == readiness.NameConnector {
			want = readiness.StatusWarn // it will not be there for ever
		}
		if result.Status != want {
			t.Errorf("%+v", result)
		}
	}
	if !found.OK() {
		t.Errorf("%v", found)
	}
	if !strings.Contains(results["connector"].Detail, "April 2027") {
		t.Errorf("%v", found)
	}
	if got := reads(w.tenant); !slices.Equal(got, []string{deviceEnd[1:], partnersEnd[1:]}) {
		t.Errorf("read %q", got)
	}
	for _, request := range w.tenant.Requests() {
		query := request.RawQuery
		if !strings.HasSuffix(request.Path, deviceEnd) {
			continue
		}
		if !strings.HasPrefix(query, "$select=id,remoteAssistanceSessionUrl,remoteAssistanceSessionErrorDetails,") {
			t.Errorf("the device was read with %q", query)
		}
		if strings.Contains(query, "deviceName") {
			t.Errorf("the device was read with %q", query)
		}
	}
}

// A caller who read the connector already causes one read.
func TestCheck_OneReadWithAConnectorThatWasRead(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.options = &readiness.Options{Connector: intune.ConnectorStateOnboarded}
	if found, _ := w.check(t); !found.OK() {
		t.Errorf("%v", found)
	}
	if got := reads(w.tenant); !slices.Equal(got, []string{deviceEnd[1:]}) {
		t.Errorf("read %q", got)
	}
}

// Neither read is answered before the other has arrived. One after the other, they would wait for ever, which ends the bubble
// with a panic. Each has the span of its method, which azcore did not make for two calls at the same time.
func TestCheck_ReadsAtTheSameTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		ref := w.tenant.AddDevice(w.device)
		arrived, answers := make(chan struct{}), make(chan struct{})
		go func() {
			<-arrived
			<-arrived
			close(answers)
		}()
		collected := &graphtest.Spans{}
		client := w.client(t, func(o *intune.ClientOptions) {
			o.TracingProvider = collected.Provider()
			o.Transport = graphtest.Transport(func(req *http.Request) (*http.Response, error) {
				arrived <- struct{}{}
				<-answers
				return w.tenant.RoundTrip(req)
			})
		})
		found, err := readiness.Check(t.Context(), client, ref, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !found.OK() {
			t.Errorf("%v", found)
		}
		if got := w.tenant.RequestCount(); got != 2 {
			t.Errorf("requests %v", w.tenant.Requests())
		}
		var spans []string
		for _, span := range collected.List {
			spans = append(spans, span.Parent+"/"+span.Name)
		}
		slices.Sort(spans)
		const device, connector = "Client.GetDevice", "Client.RemoteAssistanceConnector"
		want := []string{"/" + device, "/" + connector, device + "/HTTP GET", connector + "/HTTP GET"}
		if !slices.Equal(spans, want) {
			t.Errorf("spans %q", spans)
		}
	})
}

// A slow connector costs what it takes and not the sum.
func TestCheck_TakesAsLongAsTheSlowerRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.fault(partnersEnd, intunetest.Fault{Delay: 5 * time.Second})
		w.fault(deviceEnd, intunetest.Fault{Delay: 4 * time.Second})
		begin := time.Now()
		w.check(t)
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// The service answers 400 to reads below a detected app.
func TestCheck_ReadsAtThePlainAddress(t *testing.T) {
	t.Parallel()
	w := newWorld()
	below("a1b2c3")(w)
	_, results := w.check(t)
	for _, name := range []string{"platform", "session"} {
		if results[name].Status != "pass" {
			t.Errorf("%+v", results[name])
		}
	}
	want := []string{"detectedApps/a1b2c3" + deviceEnd, deviceEnd[1:], partnersEnd[1:]}
	if got := reads(w.tenant); !slices.Equal(got, want) {
		t.Errorf("read %q", got)
	}
}

func TestCheck_RefusesArguments(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ref, client := w.tenant.AddDevice(w.device), w.client(t)
	for says, f := range map[string]func() (readiness.Report, error){
		"device is the zero DeviceRef; make one with intune.Device": func() (readiness.Report, error) {
			return readiness.Check(t.Context(), client, intune.DeviceRef{}, nil)
		},
		"device id holds a slash": func() (readiness.Report, error) {
			return readiness.Check(t.Context(), client, intune.Device("a/b"), nil)
		},
		"options.MaxSyncAge is negative; use 0 for 24 hours": func() (readiness.Report, error) {
			return readiness.Check(t.Context(), client, ref, &readiness.Options{MaxSyncAge: -1})
		},
		"options.Connector is no state; use what RemoteAssistanceConnector returned": func() (readiness.Report, error) {
			return readiness.Check(t.Context(), client, ref, &readiness.Options{Connector: "on"})
		},
		"ctx is nil; pass context.Background()": func() (readiness.Report, error) {
			return readiness.Check(nil, client, ref, nil) //nolint:staticcheck // the mistake in question
		},
		"ctx is nil": func() (readiness.Report, error) {
			return readiness.Check(nil, &fake{}, ref, nil) //nolint:staticcheck // the mistake in question
		},
		"client was not made by": func() (readiness.Report, error) {
			return readiness.Check(t.Context(), new(intune.Client), ref, nil)
		},
		"client was not made by intune.NewClient": func() (readiness.Report, error) {
			return readiness.Check(t.Context(), (*intune.Client)(nil), ref, nil)
		},
		"client is nil; pass one that was made by intune.NewClient": func() (readiness.Report, error) {
			return readiness.Check(t.Context(), nil, ref, nil)
		},
	} {
		found, err := f()
		if !errors.Is(err, intune.ErrInvalidArgument) {
			t.Errorf("%s: error %v", says, err)
		} else if !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one that says %q", err, says)
		}
		if !reflect.ValueOf(found).IsZero() {
			t.Errorf("%s: %v", says, found)
		}
	}
	if w.tenant.RequestCount() > 0 {
		t.Errorf("requests %v", w.tenant.Requests())
	}
}

// fake is a client without a service. Its methods answer what the fields say, and their names are kept.
type fake struct {
	endpoint  string
	scopes    []string
	token     intune.TokenInfo
	tokenErr  error
	connector intune.ConnectorState
	device    intune.GetDeviceResponse
	err       error

	mu     sync.Mutex
	called map[string]int
}

func (f *fake) call(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.called == nil {
		f.called = map[string]int{}
	}
	f.called[name]++
}

func (f *fake) Endpoint() string {
	f.call("Endpoint")
	return f.endpoint
}

func (f *fake) TokenRequestOptions() policy.TokenRequestOptions {
	f.call("TokenRequestOptions")
	return policy.TokenRequestOptions{Scopes: f.scopes}
}

func (f *fake) TokenInfo(context.Context) (intune.TokenInfo, error) {
	f.call("TokenInfo")
	return f.token, f.tokenErr
}

func (f *fake) RemoteAssistanceConnector(context.Context, *intune.RemoteAssistanceConnectorOptions) (intune.ConnectorState, error) {
	f.call("RemoteAssistanceConnector")
	return f.connector, nil
}

func (f *fake) GetDevice(context.Context, intune.DeviceRef, *intune.GetDeviceOptions) (intune.GetDeviceResponse, error) {
	f.call("GetDevice")
	return f.device, f.err
}

// A Client needs no service behind it, and has no method that Check does not call.
func TestCheck_AnyClient(t *testing.T) {
	t.Parallel()
	f := &fake{
		endpoint: "https://graph.microsoft.com", connector: intune.ConnectorStateOnboarded,
		token:  intune.TokenInfo{Kind: intune.TokenKindApplication, Roles: []string{manageDevices}, Audience: "https://graph.microsoft.com"},
		scopes: []string{"https://graph.microsoft.com/.default"},
		device: intune.GetDeviceResponse{ManagedDevice: newWorld().device},
	}
	f.device.RemoteAssistanceSessionErrorDetails = "away"
	found, err := readiness.Check(t.Context(), f, intune.Device("1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	results := resultsOf(t, found)
	for name, result := range results {
		want := readiness.StatusPass
		if name == "connector" || name == "session" {
			want = readiness.StatusWarn
		}
		if result.Status != want {
			t.Errorf("%+v", result)
		}
	}
	if want := "the last was 3 hours ago"; results["sync"].Detail != want { // on this machine's clock
		t.Errorf("%+v", results["sync"])
	}
	var methods []string
	for method := range reflect.TypeFor[readiness.Client]().Methods() {
		methods = append(methods, method.Name)
	}
	if called := slices.Sorted(maps.Keys(f.called)); !slices.Equal(called, methods) {
		t.Errorf("called %v, want %q", f.called, methods)
	}
	if n := f.called["GetDevice"]; n != 1 {
		t.Errorf("read the device %d times", n)
	}
}

// What a Client answers may be anything, such as nothing.
func TestCheck_ClientThatSaysNothing(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fake{
		"zero":         {},
		"bad endpoint": {endpoint: "https://[::1"},
		"no scopes":    {token: intune.TokenInfo{Kind: intune.TokenKindDelegated, Audience: "api://x"}},
		"device error": {err: errors.New("no")},
	} {
		found, err := readiness.Check(t.Context(), f, intune.Device("1"), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		results := resultsOf(t, found)
		if results["cloud"].Status != "unknown" {
			t.Errorf("%s: %+v", name, results["cloud"])
		}
		if results["token"].Status != "unknown" && name != "no scopes" {
			t.Errorf("%s: %+v", name, results["token"])
		}
	}
}

// A token that a Client cannot get is told in the words of the error.
func TestCheck_ClientWithoutAToken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("no"), "there is none: no"},
		{&intune.Error{Message: "no"}, "there is none: call Microsoft Graph: no"},
	} {
		found, err := readiness.Check(t.Context(), &fake{tokenErr: c.err}, intune.Device("1"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := resultsOf(t, found)["token"].Detail; got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// credentialOf counts how often it is asked.
type credentialOf struct {
	asked atomic.Int32
	get   func(context.Context) (azcore.AccessToken, error)
}

func (c *credentialOf) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.asked.Add(1)
	return c.get(ctx)
}

// A credential that fails may have asked its user already. It is not asked again for each read.
func TestCheck_WithoutAToken(t *testing.T) {
	t.Parallel()
	for state, connector := range map[intune.ConnectorState]string{
		"":                                "not looked at without a token",
		intune.ConnectorStateNotOnboarded: "the tenant has no active TeamViewer connector",
		intune.ConnectorStateUnknown:      "it was read before, and its state is unknown",
	} {
		credential := &credentialOf{get: func(context.Context) (azcore.AccessToken, error) {
			return azcore.AccessToken{}, errors.New("the user closed the window at https://login.example.com/authorize?code=secret")
		}}
		w := newWorld()
		w.token = credential
		w.options = &readiness.Options{Connector: state}
		found, results := w.check(t)
		token := results["token"]
		if token.Status != "fail" {
			t.Errorf("%+v", token)
		}
		if !strings.HasPrefix(token.Detail, "there is none: the user closed the window") {
			t.Errorf("%+v", token)
		}
		if strings.Contains(token.Detail, "secret") {
			t.Errorf("%+v", token)
		}
		const noDevice = "the device was not read"
		for name, detail := range map[string]string{
			"device":     "not looked at without a token",
			"management": noDevice, "platform": noDevice, "sync": noDevice, "user": noDevice, "session": noDevice,
		} {
			if results[name].Status != "unknown" {
				t.Errorf("%+v", results[name])
			}
			if results[name].Detail != detail {
				t.Errorf("%+v", results[name])
			}
		}
		if results["connector"].Detail != connector {
			t.Errorf("%+v", results["connector"])
		}
		if remedy := results["device"].Remedy; remedy != "get a token first, and check again" {
			t.Error(remedy)
		}
		if found.OK() {
			t.Errorf("%v", found)
		}
		if n := credential.asked.Load(); n != 1 {
			t.Errorf("asked for a token %d times", n)
		}
		if w.tenant.RequestCount() != 0 {
			t.Errorf("requests %v", w.tenant.Requests())
		}
	}
}

// Of what a credential of azidentity says, the report shows Entra's sentence whole, and the ids that support asks for.
func TestCheck_QuotesEntraWhole(t *testing.T) {
	t.Parallel()
	const said = "AADSTS700024: Client assertion is not within its valid time range. Current time: 2026-05-04T10:00:00.0000000Z, " +
		"assertion valid from 2026-05-01T18:00:00.0000000Z, expiry time of assertion 2026-05-01T19:00:00.0000000Z. " +
		"Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials . " +
		"Trace ID: 00000000-1111-4222-8333-444444444444 Correlation ID: 00000000-1111-4222-8333-444444444445 Timestamp: 2026-05-04 10:00:00Z"
	body := `{"error":"invalid_client","error_description":"` + said + `","error_codes":[700024],"timestamp":"2026-05-04 10:00:00Z",` +
		`"trace_id":"00000000-1111-4222-8333-444444444444","correlation_id":"00000000-1111-4222-8333-444444444445"}`
	w := newWorld()
	w.token = &credentialOf{get: func(ctx context.Context) (azcore.AccessToken, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://login.microsoftonline.com/tenant/oauth2/v2.0/token", http.NoBody)
		if err != nil {
			return azcore.AccessToken{}, err
		}
		answer := graphtest.Answer(req, http.StatusUnauthorized, nil, body)
		failed := &azidentity.AuthenticationFailedError{RawResponse: answer}
		return azcore.AccessToken{}, fmt.Errorf("the help desk's credential, a federated one for the pod in which it runs: %w", failed)
	}}
	found, results := w.check(t)
	if detail := results["token"].Detail; !strings.Contains(detail, "invalid_client: "+said) {
		t.Errorf("the token: %q", detail)
	}
	shown := found.String()
	if strings.Contains(shown, "----") {
		t.Errorf("there are rules in\n%s", shown)
	}
	for _, id := range []string{"AADSTS700024", "00000000-1111-4222-8333-444444444444", "00000000-1111-4222-8333-444444444445"} {
		if !strings.Contains(shown, id) {
			t.Errorf("no %s in\n%s", id, shown)
		}
	}
}

func TestCheck_TheContextEnds(t *testing.T) {
	t.Parallel()
	const second = time.Second
	slowToken := &credentialOf{get: func(ctx context.Context) (azcore.AccessToken, error) {
		<-ctx.Done()
		return azcore.AccessToken{}, errors.New("gave up") // which hides the context's error
	}}
	late := intunetest.Fault{Delay: 2 * second}
	for name, c := range map[string]struct {
		change func(*world)
		during string
	}{
		"during the sign-in":   {func(w *world) { w.token = slowToken }, "token"},
		"during the connector": {withFault(partnersEnd, late), "connector"},
		"during the device":    {withFault(deviceEnd, late), "device"},
		"during a wait for a repeat": {
			withFault(deviceEnd, intunetest.Fault{Status: 503, Delay: 2 * second / 3}), "device",
		},
		"during the second read of a device": {func(w *world) {
			withLink("javascript:old-secret")(w)
			w.fault(deviceEnd, intunetest.Fault{Delay: 2 * second / 3})
		}, "device"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				c.change(w)
				ref := w.tenant.AddDevice(w.device)
				ctx, cancel := context.WithTimeout(t.Context(), second)
				defer cancel()
				found, err := readiness.Check(ctx, w.client(t), ref, nil)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("error %v, %v", err, found)
				}
				if !reflect.ValueOf(found).IsZero() {
					t.Errorf("%v", found)
				}
				const subject = "check readiness on device " + graphtest.DeviceID
				if err.Error() != subject+": the context ended during the check of the "+c.during+": context deadline exceeded" {
					t.Errorf("error %v", err)
				}
				e, ok := errors.AsType[*intune.Error](err)
				if !ok {
					t.Fatalf("error %#v", err)
				}
				if e.Op != "check readiness" {
					t.Errorf("op %q", e.Op)
				}
				if e.Device != ref {
					t.Errorf("device %v", e.Device)
				}
				if e.StatusCode != 0 {
					t.Errorf("status code %d", e.StatusCode)
				}
				if errors.Is(err, intune.ErrUnauthenticated) {
					t.Error("a caller would sign in again")
				}
			})
		})
	}
}

func TestCheck_TheContextIsCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.fault(deviceEnd, intunetest.Fault{Delay: time.Hour})
		ref := w.tenant.AddDevice(w.device)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		if _, err := readiness.Check(ctx, w.client(t), ref, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// A deadline of the transport's own is a failed read like any other.
func TestCheck_TheTransportsTimeIsUp(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.tenant.AddDevice(w.device)
	client := newClient(t, graphtest.Transport(func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, deviceEnd) {
			return nil, context.DeadlineExceeded
		}
		return w.tenant.RoundTrip(req)
	}))
	found, err := readiness.Check(t.Context(), client, intune.Device(graphtest.DeviceID), nil)
	if err != nil {
		t.Fatal(err)
	}
	device := resultsOf(t, found)["device"]
	if device.Status != "unknown" {
		t.Errorf("%+v", device)
	}
	if !strings.Contains(device.Detail, "deadline exceeded") {
		t.Errorf("%+v", device)
	}
}

// When both answers are there, it does not matter that the context has ended in the meantime.
func TestCheck_CountsAnswersThatCame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := newClient(t, graphtest.Transport(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, deviceEnd) {
				return graphtest.Answer(req, http.StatusNotFound, nil, ""), nil
			}
			<-time.After(time.Second) // by when the other read is done
			cancel()
			return graphtest.Answer(req, http.StatusOK, nil, `{"value":[{"id":"1","onboardingStatus":"onboarded"}]}`), nil
		}))
		found, err := readiness.Check(ctx, client, intune.Device(graphtest.DeviceID), nil)
		if err != nil {
			t.Fatal(err)
		}
		results := resultsOf(t, found)
		if results["connector"].Status != "warn" {
			t.Errorf("%+v", results["connector"])
		}
		if results["device"].Status != "fail" {
			t.Errorf("%+v", results["device"])
		}
	})
}

// The refusal of the user's address is not taken for the answer at the plain one, even if the context ends as that comes.
func TestCheck_CountsAnAnswerAtThePlainAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := newClient(t, graphtest.Transport(func(req *http.Request) (*http.Response, error) {
			switch {
			case strings.Contains(req.URL.Path, "/users/"):
				return graphtest.Answer(req, http.StatusBadRequest, nil, `{"error":{"code":"BadRequest"}}`), nil
			case strings.HasSuffix(req.URL.Path, deviceEnd):
				<-time.After(time.Second)
				cancel()
				const session = `"remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":"away"`
				return graphtest.Answer(req, http.StatusOK, nil, `{"id":"`+graphtest.DeviceID+`",`+session+`}`), nil
			}
			return graphtest.Answer(req, http.StatusOK, nil, `{"value":[]}`), nil
		}))
		found, err := readiness.Check(ctx, client, intune.UserDevice("anna@contoso.com", graphtest.DeviceID), nil)
		if err != nil {
			t.Fatal(err)
		}
		if session := resultsOf(t, found)["session"]; session.Detail != "an error text is on the record already: away" {
			t.Errorf("%+v", session)
		}
	})
}

// Two reads at the same time do not write to the one response that the caller asked for.
func TestCheck_CapturesNoResponse(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ref, client := w.tenant.AddDevice(w.device), w.client(t)
	var captured *http.Response
	found, err := readiness.Check(policy.WithCaptureResponse(t.Context(), &captured), client, ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !found.OK() {
		t.Errorf("%v", found)
	}
	if captured != nil {
		t.Errorf("captured the answer to %s", captured.Request.URL.Path)
	}
}

// What a transport panics with reaches the caller, who may recover from it, also where it was called in a goroutine.
func TestCheck_PassesAPanicOn(t *testing.T) {
	t.Parallel()
	for _, path := range []string{partnersEnd, deviceEnd} {
		w := newWorld()
		ref := w.tenant.AddDevice(w.device)
		client := w.through(t, func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, path) {
				panic("a transport's own")
			}
			return w.tenant.RoundTrip(req)
		})
		func() {
			defer func() {
				if recovered := recover(); recovered != "a transport's own" {
					t.Errorf("%s: recovered %v", path, recovered)
				}
			}()
			_, _ = readiness.Check(t.Context(), client, ref, nil)
		}()
	}
}

// Neither is the other read left alone then.
func TestCheck_EndsTheOtherReadOnAPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // which waits for every goroutine
		client := newClient(t, graphtest.Transport(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, deviceEnd) {
				panic("a transport's own")
			}
			<-req.Context().Done()
			return nil, req.Context().Err()
		}))
		defer func() {
			if recovered := recover(); recovered != "a transport's own" {
				t.Errorf("recovered %v", recovered)
			}
		}()
		_, _ = readiness.Check(context.WithoutCancel(t.Context()), client, intune.Device(graphtest.DeviceID), nil)
	})
}

// Everything that comes of the checks, good and bad, is searched for the link, the token, the user and what the service
// quoted of them.
func TestCheck_HoldsNoSecret(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	text := graphtest.CaptureLog(t)
	const upn, dollar = "anna.user-secret@contoso.com", "$anna'user-secret@contoso.com"
	quoting := func(user string) intunetest.Fault {
		body := `{"error":{"code":"Forbidden","message":"` + user + ` may not open ` + graphtest.NewLink + `"}}`
		return intunetest.Fault{Status: http.StatusForbidden, Body: body}
	}
	noRecord := func(user string) func(*world) {
		return func(w *world) {
			w.fault(partnersEnd, quoting(user))
			w.fault(deviceEnd, intunetest.Fault{Status: http.StatusNotFound})
		}
	}
	for name, c := range map[string]struct {
		user   string
		change func(*world)
	}{
		"link":      {upn, withLink(graphtest.NewLink)},
		"http link": {upn, withLink("http://new-secret")},
		"error text": {upn, withRecord(func(d *intune.ManagedDevice) {
			d.RemoteAssistanceSessionErrorDetails = upn + ": try " + graphtest.NewLink
		})},
		"odd record": {upn, withRecord(func(d *intune.ManagedDevice) {
			d.OperatingSystem, d.ManagementState = "see "+graphtest.NewLink, "see "+graphtest.NewLink
		})},
		"device":                    {upn, withFault(deviceEnd, quoting(upn))},
		"connector":                 {upn, withFault(partnersEnd, quoting(upn))},
		"user of the record alone":  {"8b1c", withFault(partnersEnd, quoting(upn))},
		"user of the address alone": {upn, noRecord(upn)},
		"user of the address alone, with a dollar sign": {dollar, noRecord(dollar)},
		"token": {upn, func(w *world) { w.token = intune.StaticToken("opaque-token-secret") }},
	} {
		collected := &graphtest.Spans{}
		w := newWorld()
		w.device.UserPrincipalName = upn
		w.claims = map[string]any{"scp": manageDevices + " " + readConnector, "upn": upn, "name": "name-secret"}
		c.change(w)
		ref := intune.UserDevice(c.user, w.tenant.AddDevice(w.device).DeviceID())
		client := w.client(t, func(o *intune.ClientOptions) {
			o.TracingProvider = collected.Provider()
			o.Logging.IncludeBody = true
		})
		found, err := readiness.Check(t.Context(), client, ref, nil)
		if err != nil {
			t.Fatal(err)
		}
		// The address as JSON is whole, and azcore logs the path; DeviceRef says so.
		text.WriteString(found.String())
		slog.New(slog.NewJSONHandler(text, nil)).Info("checked", "readiness", found)
		text.WriteString(graphtest.Renderings(found.Results))
		for _, made := range collected.List {
			text.WriteString(graphtest.Renderings(made.Name, made.Status, made.Events))
		}
		for _, secret := range []string{"new-secret", "token-secret", "name-secret", "eyJ"} {
			if strings.Contains(text.String(), secret) {
				t.Errorf("%s: %q is in\n%s", name, secret, text)
			}
		}
		if shown := found.String() + graphtest.Renderings(found.Results); strings.Contains(shown, "user-secret") {
			t.Errorf("%s: the user is in\n%s", name, found)
		}
		text.Reset()
	}
}

// A text is cut after the names in it are hidden, or a part of one would remain.
func TestCheck_HidesANameThatACutWouldSplit(t *testing.T) {
	t.Parallel()
	const user = "anna.schmidt@contoso.com"
	for before := 560; before <= 600; before += 8 {
		said := strings.Repeat("x", before) + " " + user
		for name, change := range map[string]func(*world){
			"session": withRecord(func(d *intune.ManagedDevice) {
				d.UserPrincipalName, d.RemoteAssistanceSessionErrorDetails = user, said
			}),
			"connector": func(w *world) {
				withRecord(func(d *intune.ManagedDevice) { d.UserPrincipalName = user })(w)
				w.fault(partnersEnd, intunetest.Fault{Status: http.StatusNotFound, Body: `{"error":{"code":"X","message":"` + said + `"}}`})
			},
			"connector details": func(w *world) {
				withRecord(func(d *intune.ManagedDevice) { d.UserPrincipalName = user })(w)
				w.fault(partnersEnd, intunetest.Fault{
					Status: http.StatusNotFound, Body: `{"error":{"code":"X","details":[{"code":"Y","message":"` + said[400:] + `"}]}}`,
				})
			},
			"platform": withRecord(func(d *intune.ManagedDevice) { d.UserPrincipalName, d.OperatingSystem = user, said[520:] }),
		} {
			w := newWorld()
			change(w)
			_, results := w.check(t)
			if detail := results[strings.Fields(name)[0]].Detail; strings.Contains(detail, "anna") || !strings.Contains(detail, "xxxx") {
				t.Errorf("%s, %d: %s", name, before, detail)
			}
		}
	}
}

// Without a token nothing is known of the user but the address.
func TestCheck_HidesTheUserInAFailedSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.address = func(ref intune.DeviceRef) intune.DeviceRef {
		return intune.UserDevice("anna@contoso.com", ref.DeviceID())
	}
	w.token = failedSignIn("anna@contoso.com has to sign in")
	_, results := w.check(t)
	if detail := results["token"].Detail; !strings.Contains(detail, "there is none: ") || strings.Contains(detail, "anna@") {
		t.Error(detail)
	}
}

// failedSignIn is a credential that has this error.
type failedSignIn string

func (f failedSignIn) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, errors.New(string(f))
}

// A text of the service may name the user in other ways than by the user principal name.
func TestCheck_HidesEveryNameOfTheUser(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.device.UserDisplayName, w.device.EmailAddress = "Anna Schmidt", "a.schmidt@mail.example"
	const said = "no answer of Anna Schmidt <a.schmidt@mail.example> (ANNA@contoso.com)"
	w.device.RemoteAssistanceSessionErrorDetails = said
	w.device.OperatingSystem = said
	w.fault(partnersEnd, intunetest.Fault{Status: http.StatusNotFound, Body: `{"error":{"code":"X","message":"failed",
		"details":[{"code":"Y","message":"` + said + `","target":"` + said + `"}]}}`})
	_, results := w.check(t)
	for _, name := range []string{"session", "connector", "platform"} {
		detail := results[name].Detail
		if want := "no answer of REDACTED <REDACTED> (REDACTED)"; !strings.Contains(detail, want) {
			t.Errorf("%s: %q lacks %q", name, detail, want)
		}
	}
}
