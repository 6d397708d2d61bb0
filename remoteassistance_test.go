package intune_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
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
)

// defaultDelays undoes the short delays of the other tests.
func defaultDelays(o *intune.ClientOptions) { o.Retry = policy.RetryOptions{} }

// C§7.2: fractions and dates occur, and azcore alone ignores the first.
func TestRequestRemoteAssistance_WaitsAsLongAsTheServiceAsks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header []string
		least  time.Duration
		most   time.Duration
	}{
		"whole seconds": {[]string{"Retry-After", "2"}, 2 * time.Second, 2 * time.Second},
		"fraction":      {[]string{"Retry-After", "0.249"}, 249 * time.Millisecond, 249 * time.Millisecond},
		"more fraction": {[]string{"Retry-After", "2.128"}, 2128 * time.Millisecond, 2128 * time.Millisecond},
		"padded":        {[]string{"Retry-After", " 7 "}, 7 * time.Second, 7 * time.Second},
		"two minutes":   {[]string{"Retry-After", "120"}, 2 * time.Minute, 2 * time.Minute},
		"RFC 1123":      {[]string{"Retry-After", "Sat, 01 Jan 2000 00:00:09 GMT"}, 9 * time.Second, 9 * time.Second},
		"RFC 850":       {[]string{"Retry-After", "Saturday, 01-Jan-00 00:00:09 GMT"}, 9 * time.Second, 9 * time.Second},
		"asctime":       {[]string{"Retry-After", "Sat Jan  1 00:00:09 2000"}, 9 * time.Second, 9 * time.Second},
		"own clock off": {
			[]string{"Retry-After", "Sat, 01 Jan 2000 05:00:09 GMT", "Date", "Sat, 01 Jan 2000 05:00:00 GMT"}, 9 * time.Second, 9 * time.Second,
		},
		"milliseconds": {[]string{"Retry-After-Ms", "1500"}, 1500 * time.Millisecond, 1500 * time.Millisecond},
		"both":         {[]string{"Retry-After-Ms", "1500", "Retry-After", "3"}, 3 * time.Second, 3 * time.Second},
		"none":         {nil, 640 * time.Millisecond, 1040 * time.Millisecond},
		"nonsense":     {[]string{"Retry-After", "soon"}, 640 * time.Millisecond, 1040 * time.Millisecond},
		"past date":    {[]string{"Retry-After", "Fri, 31 Dec 1999 00:00:00 GMT"}, 640 * time.Millisecond, 1040 * time.Millisecond},
	} {
		for _, code := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			t.Run(name+" "+http.StatusText(code), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					service := newScript(status(code, c.header...), status(http.StatusNoContent))
					client := newClient(t, service, defaultDelays)
					if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
						t.Fatal(err)
					}
					if n := service.calls.Load(); n != 2 {
						t.Fatalf("%d tries", n)
					}
					if waited := service.times[1] - service.times[0]; waited < c.least || waited > c.most {
						t.Errorf("waited %v, want %v to %v", waited, c.least, c.most)
					}
				})
			})
		}
	}
}

func TestRequestRemoteAssistance_BackOffGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newScript(status(http.StatusTooManyRequests))
		_, err := newClient(t, service, defaultDelays).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if !errors.Is(err, intune.ErrThrottled) || errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("got %v", err)
		}
		if len(service.times) != 4 {
			t.Fatalf("%d tries, want azcore's default of 4", len(service.times))
		}
		last := time.Duration(0)
		for i := 1; i < 4; i++ {
			gap := service.times[i] - service.times[i-1]
			if gap <= last {
				t.Errorf("gap %d is %v after %v", i, gap, last)
			}
			last = gap
		}
	})
}

// A wait that is longer than the caller allows is the caller's to make.
func TestRequestRemoteAssistance_WaitBeyondTheLimitIsReturned(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limit  time.Duration
		header string
		want   time.Duration
	}{
		"default of three minutes": {0, "181", 181 * time.Second},
		"caller's own":             {time.Second, "1.5", 1500 * time.Millisecond},
		"absurd":                   {0, "99999999999999999999", 365 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newScript(status(http.StatusTooManyRequests, "Retry-After", c.header))
				client := newClient(t, service, defaultDelays, func(o *intune.ClientOptions) { o.Retry.MaxRetryDelay = c.limit })
				_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
				if e := asError(t, err); e.RetryAfter != c.want || !errors.Is(err, intune.ErrThrottled) {
					t.Errorf("RetryAfter %v, want %v; error %v", e.RetryAfter, c.want, err)
				}
				if n := service.calls.Load(); n != 1 || time.Since(service.start) != 0 {
					t.Errorf("%d tries in %v", n, time.Since(service.start))
				}
			})
		})
	}
}

func TestRequestRemoteAssistance_OpenOutcomeIsNotRepeated(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*http.Request) (*http.Response, error){
		"500":              status(500),
		"502":              status(502),
		"504":              status(504),
		"408":              status(408),
		"504 with a wait":  status(504, "Retry-After", "1"),
		"503 of a gateway": says(503, "<title>503 Backend fetch failed</title>", "Retry-After", "1"),
		"503, compressed":  says(503, "\x1f\x8b\x08", "Content-Encoding", "gzip"),
		"503, JSON":        says(503, `{"message":"no healthy upstream"}`),
		"503, nothing":     says(503, ""),
		"520":              status(520),
		"end of file":      broken(io.EOF),
		"reset":            broken(&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}),
		"anything unknown": broken(errors.New("boom")),
		"answer broken off": func(req *http.Request) (*http.Response, error) {
			resp := answer(req, http.StatusOK, nil, "")
			resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("x"), failingReader{})), -1
			return resp, nil
		},
		"a page with status 200": func(req *http.Request) (*http.Response, error) {
			return answer(req, http.StatusOK, nil, "<html>Sign in</html>"), nil
		},
		"JSON with status 200": func(req *http.Request) (*http.Response, error) {
			return answer(req, http.StatusOK, nil, `{"status":"Sign in"}`), nil
		},
		"201": status(201),
		"202": status(202),
		"302": status(302, "Location", "https://login.example/"),
		"303": status(303, "Location", "https://login.example/"),
	}
	for name, step := range cases {
		for option, change := range map[string]func(*intune.ClientOptions){"": func(*intune.ClientOptions) {}, " insisted": insists} {
			t.Run(name+option, func(t *testing.T) {
				t.Parallel()
				service := newScript(step)
				_, err := newClient(t, service, change).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
				if e := asError(t, err); !errors.Is(err, intune.ErrOutcomeUnknown) || e.Hint == "" {
					t.Errorf("got %v, want ErrOutcomeUnknown with a hint", err)
				}
				checkSays(t, err, "outcome unknown")
				if strings.Contains(err.Error(), "Sign in") {
					t.Errorf("it quotes the page: %v", err)
				}
				if n := service.calls.Load(); n != 1 {
					t.Errorf("sent %d times", n)
				}
			})
		}
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRequestRemoteAssistance_CauseOfAnOpenOutcomeStaysVisible(t *testing.T) {
	t.Parallel()
	service := newScript(broken(&net.OpError{Op: "read", Err: io.ErrUnexpectedEOF}))
	_, err := newClient(t, service).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "read" {
		t.Errorf("got %v, want a failed read in it", err)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the cause is lost in %v", err)
	}
}

// A success is not repeated either, whatever the caller's options call for.
func TestRequestRemoteAssistance_SuccessIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusNoContent, http.StatusOK} {
		service := newScript(status(code))
		_, err := newClient(t, service, insists).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if n := service.calls.Load(); err != nil || n != 1 {
			t.Errorf("status %d: sent %d times, error %v", code, n, err)
		}
	}
}

func TestRequestRemoteAssistance_RefusalIsFinal(t *testing.T) {
	t.Parallel()
	for _, code := range []int{400, 401, 403, 404, 405, 409, 411, 412, 423, 424, 501, 507, 307, 308} {
		service := newScript(status(code))
		_, err := newClient(t, service).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if n := service.calls.Load(); n != 1 {
			t.Errorf("status %d: sent %d times", code, n)
		}
		if asError(t, err).StatusCode != code || errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("status %d: error %v", code, err)
		}
	}
}

func TestRequestRemoteAssistance_FailedConnectionIsRetried(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"refused":     errRefused,
		"name":        &net.DNSError{Err: "no such host", Name: "graph.microsoft.com", IsNotFound: true},
		"proxy":       &net.OpError{Op: "proxyconnect", Net: "tcp", Err: errors.New("refused")},
		"certificate": &tls.CertificateVerificationError{Err: errors.New("unknown authority")},
		"authority":   x509.UnknownAuthorityError{},
		"host name":   x509.HostnameError{Certificate: &x509.Certificate{}, Host: "graph.microsoft.com"},
		"not TLS":     tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, false)
			over := func(failing int32) (client *intune.Client, dials *atomic.Int32) {
				dials = new(atomic.Int32)
				transport := server.Client().Transport.(*http.Transport).Clone()
				transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					if dials.Add(1) <= failing {
						return nil, failure
					}
					return (&net.Dialer{}).DialContext(ctx, network, address)
				}
				client = newClient(t, &http.Client{Transport: transport}, func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) })
				return client, dials
			}
			client, dials := over(2)
			if err := act(t, client); err != nil || dials.Load() != 3 {
				t.Errorf("%d tries, error %v", dials.Load(), err)
			}
			client, dials = over(100)
			err := act(t, client)
			if n := dials.Load(); n != 4 {
				t.Errorf("%d tries, want azcore's default of 4", n)
			}
			if asError(t, err).StatusCode != 0 || errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("error %v", err)
			}
			// The type proves nothing: another transport may have sent the request before.
			service := transportFunc(func(*http.Request) (*http.Response, error) { dials.Add(1); return nil, failure })
			dials.Store(0)
			if err := act(t, newClient(t, service)); !errors.Is(err, intune.ErrOutcomeUnknown) || !errors.Is(err, failure) {
				t.Errorf("another transport: error %v", err)
			}
			if n := dials.Load(); n != 1 {
				t.Errorf("another transport: %d tries", n)
			}
		})
	}
}

// A transport may know that nothing was sent, and is asked about its own error; that of another around it proves nothing.
func TestClientOptions_TransportThatKnowsThatNothingWasSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wrap    func(*script) policy.Transporter
		failure error
		calls   int32
		unknown bool
	}{
		"its error":         {func(s *script) policy.Transporter { return s }, errRefused, 4, false},
		"another error":     {func(s *script) policy.Transporter { return s }, errors.Join(io.EOF, errRefused), 1, true},
		"around it":         {func(s *script) policy.Transporter { return transportFunc(s.Do) }, errRefused, 1, true},
		"in an HTTP client": {func(s *script) policy.Transporter { return &http.Client{Transport: knowing{s}} }, errRefused, 4, false},
	} {
		service := newScript(broken(c.failure))
		err := act(t, newClient(t, c.wrap(service)))
		if n := service.calls.Load(); n != c.calls || errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown {
			t.Errorf("%s: %d tries, error %v", name, n, err)
		}
	}
}

// knowing is a script as a round tripper.
type knowing struct{ *script }

func (k knowing) RoundTrip(req *http.Request) (*http.Response, error) { return k.Do(req) }

// What counts is the last try: a refusal before a broken connection does not settle it, nor the other way round.
func TestRequestRemoteAssistance_VerdictIsThatOfTheLastTry(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps   []func(*http.Request) (*http.Response, error)
		calls   int32
		unknown bool
	}{
		"refused, broken": {[]func(*http.Request) (*http.Response, error){status(503), broken(io.EOF), status(204)}, 2, true},
		"refused by Graph, by a gateway": {
			[]func(*http.Request) (*http.Response, error){
				says(503, `{"error":{"code":"serviceNotAvailable","message":"x"}}`), says(503, "first byte timeout"), status(204),
			}, 2, true,
		},
		"refused, unreached":  {[]func(*http.Request) (*http.Response, error){status(503), broken(errRefused)}, 4, false},
		"unreached, accepted": {[]func(*http.Request) (*http.Response, error){broken(errRefused), status(200)}, 2, false},
		"throttled, forbidden": {
			[]func(*http.Request) (*http.Response, error){status(429), status(403)}, 2, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := newScript(c.steps...)
			_, err := newClient(t, service).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if n := service.calls.Load(); n != c.calls || errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown {
				t.Errorf("%d tries, error %v", n, err)
			}
		})
	}
}

// A policy of the caller's that retries by itself cannot send an open request again either.
func TestRequestRemoteAssistance_CallersRetryPolicyIsStopped(t *testing.T) {
	t.Parallel()
	service := newScript(status(500))
	client := newClient(t, service, func(o *intune.ClientOptions) {
		o.PerRetryPolicies = []policy.Policy{again{}}
	})
	_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if !errors.Is(err, intune.ErrOutcomeUnknown) || service.calls.Load() != 1 {
		t.Errorf("sent %d times, error %v", service.calls.Load(), err)
	}
}

func TestRequestRemoteAssistance_PanicFreeOnOddTransports(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]func(*http.Request) (*http.Response, error){
		"nothing at all": func(*http.Request) (*http.Response, error) { return nil, nil },
		"no header, no body, no request": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusBadRequest}, nil
		},
		"both": func(req *http.Request) (*http.Response, error) {
			return answer(req, http.StatusNoContent, nil, ""), errors.New("and an error")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := newScript(step)
			_, err := newClient(t, service).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if n := service.calls.Load(); n != 1 || err == nil {
				t.Errorf("sent %d times, error %v", n, err)
			}
		})
	}
}

// A policy of the caller's, or azcore, may lose an answer on its way up. What arrived counts all the same.
func TestRequestRemoteAssistance_AnswerThatWasLostOnTheWayCounts(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusNoContent, http.StatusForbidden} {
		service := newScript(status(code, "request-id", "r1"))
		client := newClient(t, service, func(o *intune.ClientOptions) { o.PerRetryPolicies = []policy.Policy{loses{}} }, noRetries)
		response, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if code == http.StatusNoContent {
			if err != nil || response.RequestID != "r1" {
				t.Errorf("got %v, %v", response, err)
			}
			continue
		}
		checkKinds(t, err, intune.ErrForbidden)
		if id := asError(t, err).RequestID; id != "r1" {
			t.Errorf("RequestID %q", id)
		}
	}
}

type loses struct{}

func (loses) Do(req *policy.Request) (*http.Response, error) {
	if _, err := req.Next(); err != nil {
		return nil, err
	}
	return nil, errors.New("lost")
}

// The whole URL is in the error of every HTTP client; what leaves the library has the path only.
func TestRequestRemoteAssistance_TransportErrorCarriesThePathOnly(t *testing.T) {
	t.Parallel()
	service := newScript(func(req *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Post", URL: req.URL.String(), Err: io.ErrUnexpectedEOF}
	})
	_, err := newClient(t, service).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	failed, ok := errors.AsType[*url.Error](err)
	if !ok || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("the cause is lost in %v", err)
	}
	if failed.URL != "/v1.0/deviceManagement/managedDevices/1/requestRemoteAssistance" {
		t.Errorf("URL %s", failed.URL)
	}
	if strings.Contains(err.Error(), "https://") {
		t.Errorf("the text holds the URL: %v", err)
	}
}

// What a transport gets is a request as net/http makes it.
func TestRequestRemoteAssistance_AsATransportGetsIt(t *testing.T) {
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
func TestRequestRemoteAssistance_ClientRequestIDIsARandomGUID(t *testing.T) {
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
func TestRequestRemoteAssistance_ClientRequestIDOfTheService(t *testing.T) {
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

// C§7.4: without Content-Length: 0 the service answers 411; C§9.1: SdkVersion is not ours to send.
func TestRequestRemoteAssistance_OnTheWire(t *testing.T) { //nolint:paralleltest // the cases share a server that answers in turn
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

// A 200 counts if it is empty for certain: one that ends with its connection may be a sign-in page that was cut off.
func TestRequestRemoteAssistance_EmptyAnswerThatMayBeCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  string // behind the status
		unknown bool
	}{
		"length":                     {"Content-Length: 0\r\n\r\n", false},
		"chunks":                     {"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
		"chunks, cut off":            {"Transfer-Encoding: chunked\r\n\r\n", true},
		"the connection":             {"Content-Type: text/html\r\n\r\n", true},
		"the connection, as it says": {"Connection: close\r\n\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+c.answer)
				_ = conn.Close()
			}, false)
			err := act(t, newServerClient(t, server))
			if !c.unknown && err != nil {
				t.Error(err)
			}
			checkKinds(t, err, kindIf(c.unknown, intune.ErrOutcomeUnknown))
		})
	}
}

// The same over HTTP/2, and without any transport of the test's making below the HTTP client.
func TestRequestRemoteAssistance_OnTheWireOfHTTP2(t *testing.T) {
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

func TestRequestRemoteAssistance_ThroughHTTPMock(t *testing.T) {
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

// The id that is reported is the one that was sent: HTTP carries no white space around it.
func TestRequestRemoteAssistance_CallersIDIsKeptAndReported(t *testing.T) {
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
func TestRequestRemoteAssistance_IDOfASuccessIsCleaned(t *testing.T) {
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

// The user is private there too, as in the id of an error and in the entry of the journal.
func TestRequestRemoteAssistance_IDOfASuccessDoesNotShowTheUser(t *testing.T) {
	t.Parallel()
	const want = "rid REDACTED"
	collected, journal := &graphtest.Spans{}, &memory{}
	client := newClient(t, transportFunc(says(204, "", "Request-Id", "rid josé@contoso.com")), func(o *intune.ClientOptions) {
		o.TracingProvider, o.Journal = collected.Provider(), journal
	})
	response, err := client.RequestRemoteAssistance(t.Context(), intune.UserDevice("josé@contoso.com", "1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.RequestID != want {
		t.Errorf("got %q", response.RequestID)
	}
	if got := collected.List[0].Attributes["az.service_request_id"]; got != want {
		t.Errorf("the span has %q", got)
	}
	if _, asked := journal.pair(t); asked.RequestID != want {
		t.Errorf("the journal has %q", asked.RequestID)
	}
}

// The id stays the same over the tries of one call, so that Microsoft's support finds them all.
func TestRequestRemoteAssistance_IDStaysOverTries(t *testing.T) {
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
func TestRequestRemoteAssistance_HeadersOfAnAcceptedRequest(t *testing.T) {
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

// Whatever the moment at which a context ends, the error agrees with what the server saw, and it saw nothing twice.
func TestRequestRemoteAssistance_RandomCancellations(t *testing.T) {
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
				if repeated := c.repeats != nil && !strings.Contains(r.URL.Path, "warm"); repeated && rand.IntN(4) == 0 {
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

func TestRequestRemoteAssistance_ContextEnds(t *testing.T) {
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
func TestRequestRemoteAssistance_TryTimeout(t *testing.T) {
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
