package intune_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// The transport that a client has when it is given none.
func TestDefaultTransport(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	address := listen(t, func(conn net.Conn) {
		for readRequest(conn) != "" {
			arrived.Add(1)
			answer := "HTTP/1.1 204 No Content\r\n\r\n"
			if arrived.Load() > 1 {
				answer = "HTTP/1.1 302 Found\r\nLocation: /v1.0/elsewhere\r\nContent-Length: 0\r\n\r\n"
			}
			_, _ = io.WriteString(conn, answer)
		}
		_ = conn.Close()
	})
	client := newClient(t, nil, plainly("http://"+address))
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if e := asError(t, err); e.StatusCode != http.StatusFound || !errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("got %v", err)
		}
	}
	if arrived.Load() != 3 {
		t.Errorf("%d requests arrived", arrived.Load())
	}
}

// closing is a body that says whether it was closed.
type closing struct {
	io.Reader

	closed *atomic.Bool
}

func (c closing) Close() error { c.closed.Store(true); return nil }

func TestBodiesAreClosed(t *testing.T) {
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

// What a redirect that was followed says of the outcome: that of its worst hop.
func TestOutcomeOverSeveralHops(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hops    []int // the first first
		token   bool
		unknown bool
		status  int
	}{
		"one that did not act":    {[]int{307}, false, false, 307},
		"one that may have acted": {[]int{302}, false, true, 302},
		"then one that may":       {[]int{308, 303}, false, true, 308},
		"neither":                 {[]int{308, 307}, false, false, 308},
		"the token traveled":      {[]int{307}, true, true, 307},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				last := req
				for _, code := range c.hops {
					hop := answer(last, code, nil, "")
					last = &http.Request{Method: http.MethodPost, URL: mustParse("https://elsewhere.example/"), Header: http.Header{}, Response: hop}
				}
				if c.token {
					last.Header.Set("Authorization", "Bearer x")
				}
				return answer(last, http.StatusNoContent, nil, ""), nil
			}), noRetries)
			err := act(t, client)
			if e := asError(t, err); errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown || e.StatusCode != c.status {
				t.Errorf("status %d, error %v", e.StatusCode, err)
			}
			if _, err := client.GetDevice(t.Context(), intune.Device("1"), nil); err == nil || errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("a read: %v", err)
			}
		})
	}
}

// With body logging on, no body that can hold a secret is logged, in either direction.
func TestBodiesWithSecretsAreNotLogged(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	const secret = "s12-secret"
	text := captureLog(t)
	body := `{"id":"1","remoteAssistanceSessionUrl":"https://get.teamviewer.com/` + secret + `","remoteAssistanceSessionErrorDetails":null,` +
		`"onboardingUrl":"https://login.teamviewer.com/` + secret + `"}`
	page := `{"value":[` + body + `],"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=` + secret + `"}`
	challenged := false
	var contentTypes []string
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {"application/json"}}
		if req.Body != nil {
			contentTypes = append(contentTypes, req.Header.Get("Content-Type"))
			if !challenged { // azcore sends the request once more, past the log again
				challenged = true
				header.Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="e30="`)
				return answer(req, http.StatusUnauthorized, header, ""), nil
			}
		}
		if strings.HasSuffix(req.URL.Path, "s") {
			return answer(req, http.StatusOK, header, page), nil
		}
		return answer(req, http.StatusOK, header, body), nil
	}), func(o *intune.ClientOptions) {
		o.Logging.IncludeBody = true
		o.PerRetryPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) { return req.Next() })}
	})
	partner := intune.RemoteAssistancePartner{DisplayName: "x", OnboardingURL: intune.NewSecret("https://login.teamviewer.com/" + secret)}
	ctx := t.Context()
	_, _ = client.NewListDevicesPager(intune.AllDevices(), nil).NextPage(ctx)
	_, _ = client.NewListDetectedAppsPager(nil).NextPage(ctx)
	_, _ = client.NewListRemoteAssistancePartnersPager(nil).NextPage(ctx)
	if device, err := client.GetDevice(ctx, intune.Device("1"), nil); err != nil || device.RemoteAssistanceSessionURL.IsZero() {
		t.Error(device, err)
	}
	if session, err := client.GetRemoteAssistanceSession(ctx, intune.Device("1"), nil); err != nil || session.URL.IsZero() {
		t.Error(session, err)
	}
	_, _ = client.GetRemoteAssistancePartner(ctx, "1", nil)
	_, _ = client.UpdateRemoteAssistancePartner(ctx, "1", partner, nil)
	_, _ = client.CreateRemoteAssistancePartner(ctx, partner, nil)
	if !strings.Contains(text.String(), "[Response]") || strings.Contains(text.String(), secret) {
		t.Errorf("the log holds a body, or nothing:\n%s", text)
	}
	if len(contentTypes) < 2 || strings.Count(strings.Join(contentTypes, ","), "application/json") != len(contentTypes) {
		t.Errorf("content types on the wire: %v", contentTypes)
	}
}

// The id that went out is the one reported, also when no answer came; without a request it is the library's own.
func TestRequestIDOfCallsWithoutAnswer(t *testing.T) {
	t.Parallel()
	ctx := policy.WithHTTPHeader(t.Context(), http.Header{"Client-Request-Id": {"of the caller"}})
	_, err := newClient(t, newScript(broken(io.ErrUnexpectedEOF)), noRetries).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
	if e := asError(t, err); e.ClientRequestID != "of the caller" {
		t.Errorf("got %q", e.ClientRequestID)
	}
	client, err := intune.NewClient(intune.StaticToken(""), nil)
	if err != nil {
		t.Fatal(err)
	}
	if e := asError(t, act(t, client)); !guid.MatchString(e.ClientRequestID) {
		t.Errorf("got %q", e.ClientRequestID)
	}
}

// Go's own transport calls the hooks of what it sends: what it refuses before is proved not to have been sent.
func TestRequestThatGoRefusesIsNotSent(t *testing.T) {
	t.Parallel()
	ctx := policy.WithHTTPHeader(t.Context(), http.Header{"X-Own": {"a\nb"}})
	for name, transport := range map[string]policy.Transporter{
		"default": nil, "client": &http.Client{}, "transport": &http.Client{Transport: &http.Transport{}},
	} {
		_, err := newClient(t, transport, noRetries).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
		if err == nil || errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
