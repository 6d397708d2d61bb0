package intune_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// script answers the tries of one call in turn and repeats the last answer.
type script struct {
	steps []func(*http.Request) (*http.Response, error)
	calls atomic.Int32
	times []time.Duration
	start time.Time
}

func (s *script) Do(req *http.Request) (*http.Response, error) {
	n := int(s.calls.Add(1))
	s.times = append(s.times, time.Since(s.start))
	return s.steps[min(n, len(s.steps))-1](req)
}

// NotSent says that nothing was sent where no connection could be made.
func (*script) NotSent(err error) bool { return err == error(errRefused) } //nolint:errorlint // its very own

func newScript(steps ...func(*http.Request) (*http.Response, error)) *script {
	return &script{steps: steps, start: time.Now()}
}

// status is an answer of the service. A 503 has the id that proves it to be the service's own.
func status(code int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		if code == http.StatusServiceUnavailable {
			h.Set("Request-Id", "r1")
		}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return answer(req, code, h, ""), nil
	}
}

func broken(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// defaultDelays undoes the short delays of the other tests.
func defaultDelays(o *intune.ClientOptions) { o.Retry = policy.RetryOptions{} }

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

// C§7.2: fractions and dates occur, and azcore alone ignores the first.
func TestActionWaitsAsLongAsTheServiceAsks(t *testing.T) {
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

func TestBackOffGrows(t *testing.T) {
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
func TestWaitBeyondTheLimitIsReturned(t *testing.T) {
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

// insists is the most that a caller can configure; none of it may repeat a write whose outcome is open.
func insists(o *intune.ClientOptions) {
	o.Retry.ShouldRetry = func(*http.Response, error) bool { return true }
	o.Retry.MaxRetries = 5
}

func TestOpenOutcomeIsNotRepeated(t *testing.T) {
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

func TestCauseOfAnOpenOutcomeStaysVisible(t *testing.T) {
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
func TestSuccessIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusNoContent, http.StatusOK} {
		service := newScript(status(code))
		_, err := newClient(t, service, insists).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if n := service.calls.Load(); err != nil || n != 1 {
			t.Errorf("status %d: sent %d times, error %v", code, n, err)
		}
	}
}

func TestRefusalIsFinal(t *testing.T) {
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

func TestFailedConnectionIsRetried(t *testing.T) {
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
func TestTransportThatKnowsThatNothingWasSent(t *testing.T) {
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
func TestVerdictIsThatOfTheLastTry(t *testing.T) {
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
func TestCallersRetryPolicyIsStopped(t *testing.T) {
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

type again struct{}

func (again) Do(req *policy.Request) (*http.Response, error) {
	if resp, err := req.Next(); err == nil && resp.StatusCode < 300 {
		return resp, nil
	}
	return req.Next()
}

func TestPanicFreeOnOddTransports(t *testing.T) {
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
func TestAnswerThatWasLostOnTheWayCounts(t *testing.T) {
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
func TestTransportErrorCarriesThePathOnly(t *testing.T) {
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
