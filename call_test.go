package intune_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// A user's name may hold any character, and arrives as it is.
func TestEveryCharacterOfAnAddressArrives(t *testing.T) {
	t.Parallel()
	var sent *http.Request
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		sent = req
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	arrived := 0
	for c := rune(' '); c < 0x180; c++ {
		user := "x" + string(c) + "y"
		sent = nil
		_, err := client.RequestRemoteAssistance(t.Context(), intune.UserDevice(user, "d1"), nil)
		if errors.Is(err, intune.ErrInvalidArgument) && sent == nil {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		arrived++
		segments := strings.Split(sent.URL.EscapedPath(), "/")
		if len(segments) != 7 {
			t.Fatalf("%q went to %s", user, sent.URL)
		}
		if got, err := url.PathUnescape(segments[3]); err != nil || got != user {
			t.Errorf("%q went as %q, %v", user, got, err)
		}
		got := [...]string{sent.URL.Host, sent.URL.RawQuery, sent.URL.Fragment}
		if want := [...]string{"graph.microsoft.com", "", ""}; got != want {
			t.Errorf("%q went to host, query and fragment %q, want %q", user, got, want)
		}
	}
	if arrived < 200 {
		t.Errorf("%d characters arrived", arrived)
	}
}

// What a transport gets is a request as net/http makes it.
func TestRequestAsATransportGetsIt(t *testing.T) {
	t.Parallel()
	var sent *http.Request
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		sent = req
		return answer(req, http.StatusNoContent, nil, ""), nil
	}), func(o *intune.ClientOptions) { o.APIVersion = "v1.0" })
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("d1"), nil); err != nil {
		t.Fatal(err)
	}
	got := [...]any{sent.Proto, sent.ProtoMajor, sent.ProtoMinor, sent.Host}
	if want := [...]any{"HTTP/1.1", 1, 1, "graph.microsoft.com"}; got != want {
		t.Errorf("protocol and host are %v, want %v", got, want)
	}
	if got := sent.URL.String(); got != "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/d1/requestRemoteAssistance" {
		t.Errorf("sent to %s, with APIVersion given", got)
	}
}

// Microsoft's support finds a call by its id, which is a random GUID of version 4.
func TestClientRequestIDs(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	client := newClient(t, transportFunc(says(204, "")))
	seen := map[string]bool{}
	for range 64 {
		response, err := client.RequestRemoteAssistance(t.Context(), intune.Device("d1"), nil)
		id := response.ClientRequestID
		if err != nil || !form.MatchString(id) {
			t.Fatalf("id %q, error %v", id, err)
		}
		for _, part := range []string{id[:8], id[24:]} {
			if seen[part] {
				t.Errorf("the part %s came before", part)
			}
			seen[part] = true
		}
	}
}

// A policy may take the id away; the service then gives one of its own.
func TestClientRequestIDOfTheService(t *testing.T) {
	t.Parallel()
	for name, left := range map[string][]string{"no header": nil, "no value": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(says(204, "", "Client-Request-Id", "of the service")), func(o *intune.ClientOptions) {
				o.PerRetryPolicies = []policy.Policy{rewrite(func(req *http.Request) {
					delete(req.Header, "Client-Request-Id")
					if left != nil {
						req.Header["Client-Request-Id"] = left
					}
				})}
			})
			response, err := client.RequestRemoteAssistance(t.Context(), intune.Device("d1"), nil)
			if err != nil || response.ClientRequestID != "of the service" {
				t.Errorf("got %q, %v", response.ClientRequestID, err)
			}
		})
	}
}

// The list goes on under the service's own address of the user, which quotes the name.
func TestUserInANextLinkIsHidden(t *testing.T) {
	t.Parallel()
	const user = "o'brien@contoso.com"
	for name, at := range map[string]string{
		"quoted": "/users('o''brien@contoso.com')/managedDevices", "a segment": "/users/o%27brien@contoso.com/managedDevices",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, reads(
				says(200, `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0`+at+`?$skiptoken=x"}`),
				says(404, `{"error":{"code":"ResourceNotFound","message":"Resource '`+user+`' does not exist."}}`),
			), noRetries)
			failures := 0
			for _, err := range client.Devices(t.Context(), intune.UserDevices(user), nil) {
				e := asError(t, err)
				if e.StatusCode != 404 {
					t.Errorf("status %d", e.StatusCode)
				}
				for _, text := range []string{e.Error(), e.Message} {
					if strings.Contains(text, "brien") {
						t.Errorf("it shows the user: %s", text)
					}
				}
				failures++
			}
			if failures != 1 {
				t.Errorf("%d failures", failures)
			}
		})
	}
}

// Every method that gives an answer of the service says which request it belongs to.
func TestEveryResponseHasTheIDsOfItsRequest(t *testing.T) {
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

// TestAnswerOfAPolicyIsNoSuccess: what a caller's policy answers by itself did not come from the service.
func TestAnswerOfAPolicyIsNoSuccess(t *testing.T) {
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

// TestReadThatArrivedWinsOverTheContext: azcore looks at the context before the result. An answer that was read to its end
// counts all the same; one that broke off does not.
func TestReadThatArrivedWinsOverTheContext(t *testing.T) {
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

func TestReadThatBreaksOffAtTheEndOfTheContext(t *testing.T) {
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

// TestErrorOfAnAnswerNamesItsCause: the library says which part of an answer it could not read.
func TestErrorOfAnAnswerNamesItsCause(t *testing.T) {
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

// TestListEndsAtABrokenPage although that page has a next link.
func TestListEndsAtABrokenPage(t *testing.T) {
	t.Parallel()
	requests := 0
	const page = `{"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=2",` +
		`"value":[{"id":"1"},{"id":2`
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		requests++
		return answer(req, http.StatusOK, nil, page), nil
	}))
	var got []string
	for device, err := range client.Devices(t.Context(), intune.AllDevices(), nil) {
		if err != nil {
			got = append(got, "error")
			continue
		}
		got = append(got, device.ID)
	}
	if strings.Join(got, " ") != "1 error" || requests != 1 {
		t.Errorf("got %v after %d requests", got, requests)
	}
}

func TestLongPartsAreQuotedInPart(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusOK, `{}`))
	_, err := client.GetDevice(t.Context(), intune.Device(" "+strings.Repeat("x", 200)), nil)
	if err == nil || strings.Count(err.Error(), "x") != 79 {
		t.Errorf("got %v", err)
	}
	_, err = client.GetDevice(t.Context(), intune.Device("1"), &intune.GetDeviceOptions{Select: []string{strings.Repeat("z", 200)}})
	if err == nil || strings.Count(err.Error(), "z") != 64 {
		t.Errorf("got %v", err)
	}
}

// clockedTransport is a fake of the service that makes time pass.
type clockedTransport struct {
	transportFunc

	ahead time.Duration
}

func (c *clockedTransport) ClockAhead() time.Duration { return c.ahead }

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
	_, err := newClient(t, fake).OpenRemoteAssistance(t.Context(), intune.Device("d1"), &intune.OpenRemoteAssistanceOptions{Frequency: time.Millisecond})
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
		"none, so the client's":            {never, never, "", 3 * time.Second, 4 * time.Second},
		"less than none, so the caller's":  {-1, minute, "", minute, minute},
		"less than none, so the client's":  {-minute, never, "", 3 * time.Second, 4 * time.Second},
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

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// rawServer answers one request a connection with 204 and hands over what it read, byte for byte.
func rawServer(t *testing.T) (url string, transport *http.Client, requests <-chan string) {
	t.Helper()
	server := newServer(t, nil, false) // for its certificate
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	received := make(chan string, 8)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			received <- readRequest(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\nrequest-id: 11111111-0000-0000-0000-000000000000\r\nConnection: close\r\n\r\n")
			_ = conn.Close()
		}
	}()
	return "https://" + listener.Addr().String(), server.Client(), received
}

func readRequest(conn net.Conn) string {
	var text strings.Builder
	reader := bufio.NewReader(conn)
	for {
		line, err := reader.ReadString('\n')
		text.WriteString(line)
		if err != nil || line == "\r\n" {
			break
		}
	}
	rest, _ := reader.Peek(reader.Buffered())
	return text.String() + string(rest)
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
	writes := map[string]int{
		"RequestRemoteAssistance": 3, "RequestRemoteAssistanceMany": 3, "BeginRemoteAssistance": 1, "OpenRemoteAssistance": 1,
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

// C§7.4: without Content-Length: 0 the service answers 411; C§9.1: SdkVersion is not ours to send.
func TestWireOfTheAction(t *testing.T) { //nolint:paralleltest // the cases share a server that answers in turn
	url, transport, requests := rawServer(t)
	client := newClient(t, transport, func(o *intune.ClientOptions) { o.Cloud = graphAt(url) })
	for _, c := range addresses { //nolint:paralleltest // as above
		t.Run(c.name, func(t *testing.T) {
			response, err := client.RequestRemoteAssistance(t.Context(), c.ref, nil)
			if err != nil {
				t.Fatal(err)
			}
			head, body, _ := strings.Cut(<-requests, "\r\n\r\n")
			lines := strings.Split(head, "\r\n")
			if want := "POST /v1.0" + c.path + "/requestRemoteAssistance HTTP/1.1"; lines[0] != want {
				t.Errorf("got  %s\nwant %s", lines[0], want)
			}
			header := map[string]string{}
			for _, line := range lines[1:] {
				name, value, _ := strings.Cut(line, ": ")
				header[name] = value
			}
			names := slices.Sorted(maps.Keys(header))
			want := []string{"Accept", "Accept-Encoding", "Authorization", "Client-Request-Id", "Content-Length", "Host", "User-Agent"}
			if !slices.Equal(names, want) {
				t.Errorf("headers %v, want %v", names, want)
			}
			if header["Content-Length"] != "0" || body != "" {
				t.Errorf("Content-Length %q, body %q", header["Content-Length"], body)
			}
			if header["Accept"] != "application/json" || header["Authorization"] != "Bearer opaque-token" {
				t.Errorf("Accept %q, Authorization %q", header["Accept"], header["Authorization"])
			}
			if !strings.HasPrefix(header["User-Agent"], "azsdk-go-") || !strings.Contains(header["User-Agent"], "intune/v") {
				t.Errorf("User-Agent %q is not azcore's", header["User-Agent"])
			}
			if id := header["Client-Request-Id"]; !guid.MatchString(id) || id != response.ClientRequestID {
				t.Errorf("client-request-id %q, response has %q", id, response.ClientRequestID)
			}
			if response.RequestID != "11111111-0000-0000-0000-000000000000" {
				t.Errorf("RequestID %q", response.RequestID)
			}
		})
	}
}

// The same over HTTP/2, and without any transport of the test's making below the HTTP client.
func TestWireOfTheActionHTTP2(t *testing.T) {
	t.Parallel()
	const want = "HTTP/2.0 POST /v1.0/users/anna_fabrikam.com%23EXT%23@contoso.com/managedDevices/1/requestRemoteAssistance, 0 of 0 bytes"
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := fmt.Sprintf("%s %s %s, %d of %d bytes", r.Proto, r.Method, r.RequestURI, len(body), r.ContentLength)
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		w.WriteHeader(http.StatusNoContent)
	}, true)
	client := newServerClient(t, server)
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.UserDevice("anna_fabrikam.com#EXT#@contoso.com", "1"), nil); err != nil {
		t.Error(err)
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

func TestActionThroughHTTPMock(t *testing.T) {
	t.Parallel()
	for _, c := range addresses {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mock := httpmock.NewMockTransport()
			mock.RegisterNoResponder(func(req *http.Request) (*http.Response, error) {
				if req.URL.String() != "https://graph.microsoft.com/v1.0"+c.path+"/requestRemoteAssistance" || req.Method != http.MethodPost {
					return httpmock.NewStringResponse(http.StatusTeapot, req.URL.String()), nil
				}
				if req.Body != nil || req.ContentLength != 0 {
					return httpmock.NewStringResponse(http.StatusLengthRequired, ""), nil
				}
				return httpmock.NewStringResponse(http.StatusNoContent, ""), nil
			})
			client := newClient(t, &http.Client{Transport: mock})
			if _, err := client.RequestRemoteAssistance(t.Context(), c.ref, nil); err != nil {
				t.Error(err)
			}
			if n := mock.GetTotalCallCount(); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
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

// The id that is reported is the one that was sent: HTTP carries no white space around it.
func TestCallersRequestIDIsKeptAndReported(t *testing.T) {
	t.Parallel()
	const own = "aaaaaaaa-0000-4000-8000-000000000000"
	for name, given := range map[string]string{"plain": own, "white space": " \t" + own + "  "} {
		for _, status := range []int{http.StatusNoContent, http.StatusForbidden} {
			for _, journal := range []*memory{nil, {}} {
				var seen []string
				server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
					seen = append(seen, r.Header.Values("Client-Request-Id")...)
					w.WriteHeader(status)
				}, false)
				client := newServerClient(t, server, func(o *intune.ClientOptions) {
					if journal != nil {
						o.Journal = journal
					}
				})
				ctx := policy.WithHTTPHeader(t.Context(), http.Header{"client-request-id": {given}})
				response, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
				reported := response.ClientRequestID
				if err != nil {
					reported = asError(t, err).ClientRequestID
				}
				if reported != own || !slices.Equal(seen, []string{own}) {
					t.Errorf("%s, status %d: sent %q, reported %q", name, status, seen, reported)
				}
				if journal == nil {
					continue
				}
				if asking, asked := journal.pair(t); asking.ClientRequestID != own || asked.ClientRequestID != own {
					t.Errorf("%s, status %d: entries have %q and %q", name, status, asking.ClientRequestID, asked.ClientRequestID)
				}
			}
		}
	}
}

// A proxy can put any text into the id of a success, which ends up in logs and spans.
func TestRequestIDOfASuccessIsCleaned(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"r1": "r1", oldLink: "https://get.teamviewer.com/REDACTED", strings.Repeat("a", 600): strings.Repeat("a", 256), "a\xffb": "a\ufffdb",
	} {
		collected := &graphtest.Spans{}
		client := newClient(t, transportFunc(says(204, "", "Request-Id", id)), func(o *intune.ClientOptions) {
			o.TracingProvider = collected.Provider()
		})
		response, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if inSpan := collected.List[0].Attributes["az.service_request_id"]; response.RequestID != want || inSpan != want {
			t.Errorf("%q: got %q, the span has %q", id, response.RequestID, inSpan)
		}
	}
}

// The id stays the same over the tries of one call, so that Microsoft's support finds them all.
func TestRequestIDStaysOverTries(t *testing.T) {
	t.Parallel()
	var seen []string
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		seen = append(seen, req.Header.Get("client-request-id"))
		if len(seen) < 3 {
			return unavailable(req), nil
		}
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	for range 2 {
		if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 4 {
		t.Fatalf("%d tries, want 4", len(seen))
	}
	if seen[0] != seen[1] || seen[0] != seen[2] {
		t.Errorf("the tries of a call have different ids: %v", seen[:3])
	}
	if seen[2] == seen[3] {
		t.Errorf("two calls have the same id: %v", seen[3])
	}
}

// What the service says about the life of the action goes to the caller (C§5).
func TestHeadersOfAnAcceptedRequest(t *testing.T) {
	t.Parallel()
	const deprecation, sunset = "Tue, 01 Sep 2026 00:00:00 GMT", "Wed, 01 Sep 2027 00:00:00 GMT"
	client := newClient(t, transportFunc(says(204, "", "Deprecation", deprecation, "Sunset", sunset, "Request-Id", "r1")))
	got, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := intune.RequestRemoteAssistanceResponse{
		RequestID: "r1", ClientRequestID: got.ClientRequestID, Deprecation: deprecation, Sunset: sunset,
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"201, empty": says(201, ""), "200 with a body": says(200, "{}"),
	} {
		if _, err := newClient(t, transportFunc(answer)).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err == nil {
			t.Errorf("%s is a success", name)
		}
	}
}

// counts is a server that counts what arrives for each device.
type counts struct {
	arrived sync.Map // path: *atomic.Int32
}

func (c *counts) of(path string) *atomic.Int32 {
	n, _ := c.arrived.LoadOrStore(path, new(atomic.Int32))
	return n.(*atomic.Int32)
}

func (c *counts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.of(r.URL.Path).Add(1)
	w.WriteHeader(http.StatusNoContent)
}

func (c *counts) server(t *testing.T, http2 bool) *httptest.Server {
	t.Helper()
	return newServer(t, c.ServeHTTP, http2)
}

// Whatever the moment at which a context ends, the error agrees with what the server saw, and it saw nothing twice.
func TestRandomCancellations(t *testing.T) {
	t.Parallel()
	const (
		workers = 8
		calls   = 640 / graphtest.Smaller
	)
	for name, c := range map[string]struct {
		http2      bool
		tryTimeout bool
		repeats    func(http.RoundTripper, time.Duration) http.RoundTripper
	}{
		"HTTP/1.1":                          {false, false, nil},
		"HTTP/2":                            {true, false, nil},
		"HTTP/1.1, time limit for each try": {false, true, nil},
		"HTTP/2, time limit for each try":   {true, true, nil},
		"HTTP/1.1, retrying":                {false, false, retries},
		"HTTP/2, retrying":                  {true, false, retries},
		"HTTP/1.1, hedging":                 {false, false, hedges},
		"HTTP/2, hedging":                   {true, false, hedges},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := &counts{}
			server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				seen.ServeHTTP(w, r)
				if c.repeats != nil && !strings.Contains(r.URL.Path, "warm") && rand.IntN(4) == 0 {
					panic(http.ErrAbortHandler)
				}
			}, c.http2)
			var unknown, succeeded, notSent atomic.Int32
			var group sync.WaitGroup
			for worker := range workers {
				group.Go(func() {
					usual := usualTime(t, newServerClient(t, server), worker)
					client := newServerClient(t, server, insists, func(o *intune.ClientOptions) {
						if c.tryTimeout {
							o.Retry.TryTimeout = usual * time.Duration(worker+1) / workers
						}
						if c.repeats != nil {
							o.Transport = &http.Client{Transport: c.repeats(server.Client().Transport, usual)}
						}
					})
					for i := range calls / workers {
						device := intune.Device(fmt.Sprint(worker, "-", i))
						ctx, cancel := context.WithCancel(t.Context())
						if !c.tryTimeout {
							ctx, cancel = context.WithTimeout(t.Context(), rand.N(2*usual))
						}
						_, err := client.RequestRemoteAssistance(ctx, device, nil)
						cancel()
						arrived := seen.of("/v1.0" + device.String() + "/requestRemoteAssistance")
						switch {
						case err == nil:
							succeeded.Add(1)
							if n := arrived.Load(); n != 1 {
								t.Errorf("%s: success, and %d requests arrived", device, n)
							}
						case errors.Is(err, intune.ErrOutcomeUnknown):
							unknown.Add(1)
						default:
							notSent.Add(1)
							t.Cleanup(func() { // what was on its way has arrived by then
								if n := arrived.Load(); n != 0 {
									t.Errorf("%s: %v, and %d requests arrived", device, err, n)
								}
							})
						}
					}
				})
			}
			group.Wait()
			server.Close() // waits for what is on its way
			seen.arrived.Range(func(path, n any) bool {
				if n.(*atomic.Int32).Load() > 1 {
					t.Errorf("%s arrived %d times", path, n.(*atomic.Int32).Load())
				}
				return true
			})
			t.Logf("%d succeeded, %d unknown, %d not sent", succeeded.Load(), unknown.Load(), notSent.Load())
		})
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

// usualTime is how long a call takes on a connection that is there.
func usualTime(t *testing.T, client *intune.Client, worker int) time.Duration {
	t.Helper()
	const calls = 8
	var start time.Time
	for i := range calls + 1 {
		if i == 1 {
			start = time.Now()
		}
		if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device(fmt.Sprint("warm-", worker, "-", i)), nil); err != nil {
			t.Error(err)
		}
	}
	return max(time.Since(start)/calls, time.Microsecond)
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step    func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error)
		before  bool
		ok      bool
		unknown bool
		is      error
		calls   int32
	}{
		"before anything is sent": {
			step:   func(context.CancelFunc) func(*http.Request) (*http.Response, error) { return status(204) },
			before: true, is: context.Canceled, calls: 0,
		},
		"while the answer is awaited": {
			step: func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error) {
				return func(req *http.Request) (*http.Response, error) {
					cancel()
					<-req.Context().Done()
					return nil, req.Context().Err()
				}
			},
			unknown: true, is: context.Canceled, calls: 1,
		},
		"as a 204 arrives": {
			step: func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error) {
				return func(req *http.Request) (*http.Response, error) {
					cancel()
					return answer(req, http.StatusNoContent, nil, ""), nil
				}
			},
			ok: true, calls: 1,
		},
		"as a 403 arrives": {
			step: func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error) {
				return func(req *http.Request) (*http.Response, error) {
					cancel()
					return answer(req, http.StatusForbidden, nil, ""), nil
				}
			},
			is: intune.ErrForbidden, calls: 1,
		},
		"as a 504 arrives": {
			step: func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error) {
				return func(req *http.Request) (*http.Response, error) {
					cancel()
					return answer(req, http.StatusGatewayTimeout, nil, ""), nil
				}
			},
			unknown: true, is: intune.ErrUnavailable, calls: 1,
		},
		"while it waits to try again": {
			step: func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error) {
				return func(req *http.Request) (*http.Response, error) {
					time.AfterFunc(time.Second, cancel)
					return answer(req, http.StatusTooManyRequests, http.Header{"Retry-After": {"30"}}, ""), nil
				}
			},
			is: context.Canceled, calls: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.before {
					cancel()
				}
				service := newScript(c.step(cancel))
				_, err := newClient(t, service).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
				if (err == nil) != c.ok || errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown {
					t.Errorf("got %v, want success: %v, unknown: %v", err, c.ok, c.unknown)
				}
				if c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("got %v, want %v", err, c.is)
				}
				if n := service.calls.Load(); n != c.calls {
					t.Errorf("sent %d times, want %d", n, c.calls)
				}
			})
		})
	}
}

// TryTimeout ends a try, not the call; azcore would send again.
func TestTryTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newScript(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
		client := newClient(t, service, func(o *intune.ClientOptions) { o.Retry.TryTimeout = time.Second })
		_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		checkKinds(t, err, intune.ErrOutcomeUnknown, context.DeadlineExceeded)
		if n := service.calls.Load(); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}
