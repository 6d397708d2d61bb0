package intune_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-intune/intune"
)

// elsewhere is a server that redirects lead to. It answers what would pass for success.
func elsewhere(t *testing.T) (url string, arrived *atomic.Int32, token *atomic.Bool) {
	t.Helper()
	arrived, token = new(atomic.Int32), new(atomic.Bool)
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		if r.Header.Get("Authorization") != "" {
			token.Store(true)
		}
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusNoContent)
		}
	}, false)
	return server.URL, arrived, token
}

// follows is what an http.Client with a CheckRedirect of its own does.
func follows(*http.Request, []*http.Request) error { return nil }

func TestRedirectIsNoSuccess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		follow  bool
		unknown bool
		there   int32
	}{
		"301":           {http.StatusMovedPermanently, false, true, 0},
		"302":           {http.StatusFound, false, true, 0},
		"303":           {http.StatusSeeOther, false, true, 0},
		"307":           {http.StatusTemporaryRedirect, false, false, 0},
		"308":           {http.StatusPermanentRedirect, false, false, 0},
		"301, followed": {http.StatusMovedPermanently, true, true, 1},
		"302, followed": {http.StatusFound, true, true, 1},
		"303, followed": {http.StatusSeeOther, true, true, 1},
		"307, followed": {http.StatusTemporaryRedirect, true, false, 1},
		"308, followed": {http.StatusPermanentRedirect, true, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, there, token := elsewhere(t)
			target = strings.Replace(target, "127.0.0.1", "localhost", 1)
			var here atomic.Int32
			server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				here.Add(1)
				http.Redirect(w, r, target+"/signin?session=secret", c.status)
			}, false)
			httpClient := server.Client()
			httpClient.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
			if c.follow {
				httpClient.CheckRedirect = follows
			}
			client := newClient(t, httpClient, func(o *intune.ClientOptions) {
				o.Cloud = graphAt(server.URL)
				if c.unknown {
					insists(o)
				}
			})
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			e := asError(t, err)
			if errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown || e.StatusCode != c.status || e.Hint == "" {
				t.Errorf("status %d, error %v", e.StatusCode, err)
			}
			if here.Load() != 1 || there.Load() != c.there {
				t.Errorf("%d requests here, %d there", here.Load(), there.Load())
			}
			if token.Load() {
				t.Error("the token traveled")
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "signin") {
				t.Errorf("the text shows where the redirect led: %v", err)
			}
		})
	}
}

// A redirect is an answer, even if nobody answers where it leads to. The round tripper calls no hooks, as one for HTTP/3.
func TestRedirectThatLeadsNowhereWasSent(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	transport := transportFunc(func(req *http.Request) (*http.Response, error) {
		if req.URL.Host != "graph.microsoft.com" {
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}
		asked.Add(1)
		return answer(req, http.StatusFound, http.Header{"Location": {"https://login.example"}}, ""), nil
	})
	client := newClient(t, &http.Client{Transport: transport, CheckRedirect: follows}, insists)
	_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if !errors.Is(err, intune.ErrOutcomeUnknown) || asked.Load() != 1 {
		t.Errorf("sent %d times, error %v", asked.Load(), err)
	}
}

// A transport that rewrites the answer's request without saying how it came there.
func TestAnswerToAnotherRequestDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Request){
		"method": func(r *http.Request) { r.Method = http.MethodGet },
		"host":   func(r *http.Request) { r.URL.Host = "login.example" },
		"scheme": func(r *http.Request) { r.URL.Scheme = "http" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				other := req.Clone(req.Context())
				change(other)
				return answer(other, http.StatusNoContent, nil, ""), nil
			}))
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if !errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A policy of the caller's that leads elsewhere must not take the token along.
func TestTokenGoesToTheConfiguredHostOnly(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Request){
		"host":   func(r *http.Request) { r.URL.Host = "graph.microsoft.com.example" },
		"scheme": func(r *http.Request) { r.URL.Scheme = "http" },
		"port":   func(r *http.Request) { r.URL.Host = "graph.microsoft.com:8443" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int32
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				sent.Add(1)
				return answer(req, http.StatusNoContent, nil, ""), nil
			}), func(o *intune.ClientOptions) { o.PerCallPolicies = append(o.PerCallPolicies, rewrite(change)) })
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if err == nil || sent.Load() != 0 || errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("%d requests were sent, error %v", sent.Load(), err)
			}
		})
	}
}

// net/http takes the token along to another port and another scheme of the same host, and a caller's CheckRedirect may
// put back what was taken off.
func TestTokenDoesNotFollowRedirects(t *testing.T) {
	t.Parallel()
	for kind, check := range map[string]func(*http.Request, []*http.Request) error{
		"allows": follows,
		"copies headers": func(req *http.Request, via []*http.Request) error {
			req.Header = via[0].Header.Clone()
			return nil
		},
	} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			for to, tls := range map[string]bool{"another port": true, "plain http": false} {
				t.Run(kind+" "+http.StatusText(code)+" to "+to, func(t *testing.T) {
					t.Parallel()
					var arrived atomic.Int32
					handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						arrived.Add(1)
						if r.Header.Get("Authorization") != "" {
							t.Error("the token traveled")
						}
					})
					there := httptest.NewUnstartedServer(handler)
					if tls {
						there.StartTLS()
					} else {
						there.Start()
					}
					t.Cleanup(there.Close)
					server := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, there.URL, code) }, false)
					httpClient := server.Client()
					httpClient.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
					httpClient.CheckRedirect = check
					client := newClient(t, httpClient, func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) })
					if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err == nil {
						t.Error("success")
					}
					if _, err := client.GetDevice(t.Context(), intune.Device("1"), nil); err == nil {
						t.Error("success")
					}
					if arrived.Load() != 2 {
						t.Errorf("%d requests there: the test proves nothing", arrived.Load())
					}
				})
			}
		}
	}
}

// An answer that came after a redirect on the same host is an answer to another request.
func TestRedirectWithinTheHost(t *testing.T) {
	t.Parallel()
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1.0/") {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.WriteString(w, `{"id":"1"}`)
	}, false)
	httpClient := server.Client()
	httpClient.CheckRedirect = follows
	client := newClient(t, httpClient, func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) })
	if device, err := client.GetDevice(t.Context(), intune.Device("1"), nil); err == nil {
		t.Errorf("got %v", device)
	}
}
