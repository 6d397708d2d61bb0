package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// begun is a sign-in whose code has arrived but was not redeemed: the browser, and the address that Entra sends it to.
func (p *place) begun(who person) (*caller, *url.URL) {
	p.tb.Helper()
	c := p.nobody()
	return c, p.answerTo(c, who)
}

// answerTo begins a sign-in in a browser, and is the address that Entra sends it to.
func (p *place) answerTo(c *caller, who person) *url.URL {
	p.tb.Helper()
	page := c.visit(serviceAt + "/auth/login")
	stay := *c.http
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := stay.PostForm(page.Request.URL.String(), url.Values{"upn": {who.upn}})
	if err != nil {
		p.tb.Fatal(err)
	}
	_ = response.Body.Close()
	at, err := response.Location()
	if err != nil {
		p.tb.Fatal(err)
	}
	return at
}

func TestSignInBelongsToTheBrowserThatBeganIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		victim, at := p.begun(dana)
		attacker, theirs := p.begun(robin)

		// A link with the attacker's code and state would sign the victim in as the attacker.
		victim.refused(victim.get(theirs.RequestURI()), kindSignInFailed)
		victim.refused(victim.get("/me"), kindNotSignedIn)

		// The attacker's code with the attacker's own state works, once.
		if got := attacker.get(theirs.RequestURI()); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		attacker.refused(attacker.get(theirs.RequestURI()), kindSignInFailed)

		// Whoever sees the victim's answer cannot use it in another browser.
		p.nobody().refused(p.nobody().get(at.RequestURI()), kindSignInFailed)
	})
}

func TestSignInAnswersThatDoNotFit(t *testing.T) {
	t.Parallel()
	with := func(at *url.URL, name, value string) string {
		query := at.Query()
		query.Set(name, value)
		return "/auth/callback?" + query.Encode()
	}
	for name, test := range map[string]func(p *place, at *url.URL) string{
		"another state": func(_ *place, at *url.URL) string { return with(at, "state", "AAAAAAAAAAAAAAAAAAAAAAAAAA") },
		"no state":      func(_ *place, at *url.URL) string { return with(at, "state", "") },
		"another code":  func(_ *place, at *url.URL) string { return with(at, "code", "guessed") },
		"the code of another sign-in": func(p *place, at *url.URL) string {
			_, other := p.begun(robin)
			return with(at, "code", other.Query().Get("code"))
		},
		"the id token of another sign-in": func(p *place, at *url.URL) string {
			code := at.Query().Get("code")
			g := p.entra.codes[code]
			g.nonce = "another"
			p.entra.codes[code] = g
			return at.RequestURI()
		},
		"somebody of another tenant": func(p *place, at *url.URL) string {
			code := at.Query().Get("code")
			g := p.entra.codes[code]
			g.who.objectID = "not plain: \n"
			p.entra.codes[code] = g
			return at.RequestURI()
		},
		"an error of Entra": func(_ *place, at *url.URL) string {
			return with(at, "error", "access_denied\n{\"forged\":\"line\"}")
		},
		"too late": func(_ *place, at *url.URL) string {
			time.Sleep(startLife + time.Second)
			return at.RequestURI()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				c, at := p.begun(dana)
				c.refused(c.get(test(p, at)), kindSignInFailed)
				c.refused(c.get("/me"), kindNotSignedIn)
				if text := p.log.String(); strings.Contains(text, at.Query().Get("code")) || strings.Contains(text, "forged") {
					t.Errorf("the log has the code, or what a caller made up: %s", text)
				}
			})
		})
	}
}

func TestSignInEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		at, err := url.Parse(serviceAt + "/")
		if err != nil {
			t.Fatal(err)
		}
		c := p.browser(dana)
		before := c.http.Jar.Cookies(at)[0].Value
		page := c.visit(serviceAt + "/auth/login")
		if got := c.submit(page.Request.URL.String(), dana); got.status != http.StatusOK {
			t.Fatal(got.status)
		}
		c.refresh()
		after := c.http.Jar.Cookies(at)[0].Value
		old := p.nobody()
		old.header.Set("Cookie", "__Host-session="+before)
		if before == after {
			t.Error("a second sign-in keeps the cookie of the first")
		}
		old.refused(old.get("/me"), kindNotSignedIn)

		if got := c.post("/auth/logout", ""); got.status != http.StatusNoContent {
			t.Errorf("%d %s", got.status, got.body)
		}
		old.header.Set("Cookie", "__Host-session="+after)
		old.refused(old.get("/me"), kindNotSignedIn)

		c = p.browser(dana)
		time.Sleep(loginLife + time.Second)
		c.refused(c.get("/me"), kindNotSignedIn)
	})
}

func TestTokensAreRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.browser(dana)
		time.Sleep(2 * time.Hour)
		c.begin(device, anyKey)
		time.Sleep(2 * time.Hour)
		clear(p.entra.refresh) // as if an administrator had revoked the sign-ins
		c.refused(c.get("/devices?q=LT-1"), kindSignInAgain)
		if text := p.log.String(); strings.Contains(text, "AADSTS") || !strings.Contains(text, string(errSignInAgain)) {
			t.Errorf("the log has the answer of the token endpoint, or not why the request failed: %s", text)
		}
	})
}

func TestBearerTokenEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.add("LT-1")
		c := p.program(dana)
		if got := c.get("/devices?q=LT-1"); got.status != http.StatusOK || !strings.Contains(got.body, "LT-1") {
			t.Fatalf("%d %s", got.status, got.body)
		}
		time.Sleep(time.Hour + time.Second)
		c.refused(c.get("/devices?q=LT-1"), kindNotSignedIn)
	})
}

// A stream of a program is not open for longer than the program may call.
func TestBearerTokenEnds_Stream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c, begun := p.program(dana), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		response, err := c.http.Do(c.request(ctx, http.MethodGet, "/events", "", nil))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		if took := time.Since(begun); took != time.Hour {
			t.Errorf("a stream of a token for an hour ended after %v", took)
		}
	})
}

// Entra gives no refresh token if the consent for it is missing. Then the technician has to sign in again, and need not wait
// for Entra.
func TestNoRefreshToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t, func(o *settings) { o.entra = &http.Client{Transport: withoutRefreshToken{o.entra.Transport}} })
		c := p.browser(dana)
		time.Sleep(2 * time.Hour)
		c.refused(c.get("/devices?q=LT-1"), kindSignInAgain)
	})
}

type withoutRefreshToken struct{ to http.RoundTripper }

func (e withoutRefreshToken) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := e.to.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(text), `"refresh_token"`, `"no_refresh_token"`)))
	return response, err
}
