package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// counted is Entra's side of the network, which counts the requests for each path and may be out of reach.
type counted struct {
	http.RoundTripper

	mu    sync.Mutex
	reads map[string]int
	away  bool
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.reads[r.URL.Path]++
	away := c.away
	c.mu.Unlock()
	if away {
		return nil, errors.New("no route to host")
	}
	return c.RoundTripper.RoundTrip(r)
}

func (c *counted) setAway(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
}

// count is how often paths with this end were asked for.
func (c *counted) count(end string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for path, times := range c.reads {
		if strings.HasSuffix(path, end) {
			n += times
		}
	}
	return n
}

// counting lets a test count what the service asks of Entra.
func counting(o *settings) *counted {
	c := &counted{RoundTripper: o.entra.Transport, reads: map[string]int{}}
	o.entra = &http.Client{Transport: c}
	return c
}

func TestStrangersCannotCrowdOutSignIns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		callers, answers := make([]*caller, 20), make([]*url.URL, 20)
		for i := range callers {
			callers[i], answers[i] = p.begun(dana)
		}
		for range 2000 {
			response, err := p.network.RoundTrip(p.nobody().request(t.Context(), http.MethodGet, "/auth/login", "", nil))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
		}
		for i, c := range callers {
			c.get(answers[i].RequestURI())
			if got := c.get("/me"); got.status != http.StatusOK {
				t.Errorf("sign-in %d: %d %s", i, got.status, got.body)
			}
		}
	})
}

// Somebody who has kept the cookie and the answer gets nothing with them a second time.
func TestSignInAnswerIsUsedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c, at := p.begun(dana)
		home, err := url.Parse(serviceAt)
		if err != nil {
			t.Fatal(err)
		}
		kept := c.http.Jar.Cookies(home)
		c.get(at.RequestURI())
		if got := c.get("/me"); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		thief := p.nobody()
		thief.http.Jar.SetCookies(home, kept)
		thief.refused(thief.get(at.RequestURI()), kindSignInFailed)
		thief.refused(thief.get("/me"), kindNotSignedIn)
	})
}

func TestSignInStartsThatDoNotCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keys, start := randomKeys(), newStart("/x")
		good := keys.sealStart(start)
		time.Sleep(startLife)
		if got, err := keys.openStart(good, start.State); err != nil || got != start {
			t.Fatalf("%v %v", got, err)
		}
		future := start
		future.Begun = time.Now().Add(clockSkew + time.Second).Unix()
		for name, test := range map[string]struct {
			keys          *keyRing
			cookie, state string
		}{
			"another state":    {keys, good, "AAAAAAAAAAAAAAAAAAAAAAAAAA"},
			"no state":         {keys, good, ""},
			"another key":      {randomKeys(), good, start.State},
			"no base64":        {keys, "%", start.State},
			"no cookie":        {keys, "", start.State},
			"from the future":  {keys, keys.sealStart(future), start.State},
			"a changed letter": {keys, "A" + good[1:len(good)-1] + "_", start.State},
		} {
			if got, err := test.keys.openStart(test.cookie, test.state); err == nil {
				t.Errorf("%s: %v", name, got)
			}
		}
		time.Sleep(time.Second)
		if _, err := keys.openStart(good, start.State); err == nil {
			t.Error("a start is good for ever")
		}
	})
}

func TestSignInLeadsBackToThisServiceOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		for to, want := range map[string]string{
			"/sessions/4711":                         "/sessions/4711",
			"/?q=a&b=c#/devices/4711":                "/?q=a&b=c#/devices/4711",
			"":                                       "/",
			"https://evil.example/":                  "/",
			"//evil.example/":                        "/",
			`/\evil.example/`:                        "/",
			`\\evil.example/`:                        "/",
			"/\n/evil.example":                       "/",
			"javascript:alert(1)":                    "/",
			"evil.example":                           "/",
			"/auth/login":                            "/",
			"/./auth/login":                          "/",
			"/../another-program":                    "/",
			"/%2e%2e/another-program":                "/",
			"/x//evil.example/":                      "/",
			"/" + strings.Repeat("x", longestReturn): "/",
		} {
			c := p.nobody()
			page := c.visit(serviceAt + "/auth/login?to=" + url.QueryEscape(to))
			stay := *c.http
			stay.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
				if r.URL.Path == "/auth/callback" {
					return nil
				}
				return http.ErrUseLastResponse
			}
			response, err := stay.PostForm(page.Request.URL.String(), url.Values{"upn": {dana.upn}})
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if got := response.Header.Get("Location"); got != want {
				t.Errorf("%q leads to %q (%d), want %q", to, got, response.StatusCode, want)
			}
		}
	})
}

// A proxy between the service and Entra answers with a page, of which the log has the beginning.
func TestEntraIsBehindAProxysPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t, func(o *settings) {
			o.entra = &http.Client{Transport: inProcess{"login.example": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusProxyAuthRequired)
				_, _ = w.Write(bytes.Repeat([]byte("<p>Who are you?</p>"), 10_000))
			})}}
		})
		time.Sleep(time.Minute)
		if text := p.log.String(); len(text) > 10_000 || !strings.Contains(text, "Proxy Authentication Required") {
			t.Errorf("the log has %d bytes: %.1000s", len(text), text)
		}
	})
}

// Browsers keep no cookie of more than 4096 bytes, with its name and attributes.
func TestStartFitsIntoACookie(t *testing.T) {
	t.Parallel()
	for _, one := range []string{"&", "\xff", "\u2028"} {
		to := "/?" + strings.Repeat(one, longestReturn)
		for localAddress(to) == "" {
			to = to[:len(to)-len(one)]
		}
		if n := len(randomKeys().sealStart(newStart(localAddress(to)))); n > 3900 {
			t.Errorf("%q: the cookie has %d bytes", one, n)
		}
	}
}

// Two tabs begin to sign in, of which the browser remembers the second. The answer to the first, or one that somebody made
// up, does not end it.
func TestSignInInTwoTabs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c, first := p.begun(dana)
		second := p.answerTo(c, dana)
		c.refused(c.get(first.RequestURI()), kindSignInFailed)
		c.refused(c.get("/auth/callback?error=x&state=made-up"), kindSignInFailed)
		if got := c.get(second.RequestURI()); got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

func TestForgedTokensDoNotMakeTheServiceAskEntra(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var entra *counted
		p := newPlace(t, func(o *settings) { entra = counting(o) })
		honest := p.program(dana)
		if got := honest.get("/me"); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		before, beforeAll := entra.count("/keys"), entra.count("")
		time.Sleep(refreshEvery)
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i := range 300 {
			all.Go(func() {
				forger := newStandIn(entraAt, serviceAt+"/auth/callback", p.tenant, p.entra.people, key)
				forger.keyID = []string{"1", "", fmt.Sprint("unknown-", i)}[i%3]
				token, err := forger.apiToken(dana)
				if err != nil {
					t.Error(err)
				}
				c := &caller{tb: t, http: &http.Client{Transport: p.network}, header: http.Header{"Authorization": {"Bearer " + token}}}
				c.refused(c.get("/me"), kindNotSignedIn)
			})
		}
		all.Wait()
		if n := entra.count("/keys") - before; n > 1 {
			t.Errorf("300 forged tokens caused %d reads of the keys", n)
		}
		if n := entra.count("") - beforeAll; n > 1 {
			t.Errorf("300 forged tokens caused %d requests", n)
		}
		if got := honest.get("/me"); got.status != http.StatusOK {
			t.Errorf("a good token: %d %s", got.status, got.body)
		}
	})
}

func TestKeysThatEntraRotates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var entra *counted
		p := newPlace(t, func(o *settings) { entra = counting(o) })
		old := p.program(dana)
		old.get("/me")
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		p.entra.key, p.entra.keyID = key, "2"
		renewed := p.program(dana)
		time.Sleep(refreshEvery)
		if got := renewed.get("/me"); got.status != http.StatusOK {
			t.Errorf("a token of the new key: %d %s", got.status, got.body)
		}
		before := entra.count("/keys")
		for range 3 {
			time.Sleep(keysFresh - time.Minute)
			again := p.program(robin)
			if got := again.get("/me"); got.status != http.StatusOK {
				t.Errorf("%d %s", got.status, got.body)
			}
		}
		synctest.Wait()
		if n := entra.count("/keys") - before; n < 1 || n > 3 {
			t.Errorf("%d reads of the keys in three hours", n)
		}
		entra.setAway(true)
		time.Sleep(5 * keysFresh)
		if got := p.program(dana).get("/me"); got.status != http.StatusOK {
			t.Errorf("the keys are forgotten while Entra is away: %d %s", got.status, got.body)
		}
	})
}

func TestServiceStartsWithoutEntra(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var entra *counted
		p := newPlace(t, func(o *settings) {
			entra = counting(o)
			entra.away = true
		})
		if err := p.service.entry.directory.ready(); !errors.Is(err, errNoEntra) {
			t.Errorf("ready: %v", err)
		}
		c := p.nobody()
		c.refused(c.get("/auth/login"), kindSignInUnavailable)
		p.program(dana).refused(p.program(dana).get("/me"), kindSignInUnavailable)
		c.refused(c.get("/me"), kindNotSignedIn)
		for range 300 {
			c.get("/auth/login")
		}
		time.Sleep(time.Hour)
		if n, most := entra.count("/openid-configuration"), int(time.Hour/(slowestRetry/2))+10; n < 200 || n > most {
			t.Errorf("%d attempts in an hour, want 200 to %d", n, most)
		}
		entra.setAway(false)
		time.Sleep(slowestRetry)
		if err := p.service.entry.directory.ready(); err != nil {
			t.Errorf("ready: %v", err)
		}
		if got := p.browser(dana).get("/me"); got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

// A discovery that takes long holds nobody up for long, and the stop not at all.
func TestSlowEntra(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		p := newPlace(t, func(o *settings) { o.entra = &http.Client{Transport: silent{}} })
		c := p.nobody()
		c.refused(c.get("/auth/login"), kindSignInUnavailable)
		if took := time.Since(begin); took > attemptPatience {
			t.Errorf("a sign-in waited for %v", took)
		}
		begin = time.Now()
		p.close()
		if took := time.Since(begin); took > 0 {
			t.Errorf("the stop took %v", took)
		}
	})
}

// silent is a network that answers nothing.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}
