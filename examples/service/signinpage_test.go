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

	"github.com/go-intune/intune/intunetest"
)

// inWindow is what a browser sends for an address that a person opens.
var inWindow = http.Header{"Accept": {"text/html,application/xhtml+xml,*/*;q=0.8"}, "Sec-Fetch-Mode": {"navigate"}, "Origin": {""}}

// isPage expects a page for a person: with a status, one button to an address, and nothing that the policy would stop.
func isPage(t *testing.T, got reply, status int, href string) {
	t.Helper()
	if got.status != status || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %s %s, want a page with status %d", got.status, got.header.Get("Content-Type"), got.body, status)
	}
	if n := strings.Count(got.body, `class="button`); n != 1 {
		t.Errorf("%d buttons: %s", n, got.body)
	}
	if !strings.Contains(got.body, `href="`+href+`"`) {
		t.Errorf("no button to %s: %s", href, got.body)
	}
	for _, not := range []string{"<script", " style=", "<style", "{\""} {
		if strings.Contains(got.body, not) {
			t.Errorf("the page has %q: %s", not, got.body)
		}
	}
	if !strings.Contains(got.body, got.header.Get("X-Request-Id")) {
		t.Errorf("the page has no request id: %s", got.body)
	}
}

func TestPeopleGetPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c, at := p.begun(dana)
		for name, test := range map[string]struct {
			path   string
			status int
			href   string
		}{
			"no such page":      {"/sessions/4711/<b>", 404, serviceAt + "/"},
			"no sign-in":        {"/sessions", 401, serviceAt + "/auth/login"},
			"a state of nobody": {"/auth/callback?code=x&state=y", 403, serviceAt + "/auth/login"},
		} {
			t.Log(name)
			got := c.send(http.MethodGet, test.path, "", inWindow)
			isPage(t, got, test.status, test.href)
			if strings.Contains(got.body, "<b>") {
				t.Errorf("the page has what the address said: %s", got.body)
			}
		}
		isPage(t, c.send(http.MethodGet, "/", "", http.Header{
			"Accept": {"text/html"}, "Host": {"evil.example"}, "Origin": {""},
		}), http.StatusMisdirectedRequest, serviceAt+"/")
		// Scripts and programs get JSON, whatever they accept.
		c.refused(c.send(http.MethodGet, "/none", "", http.Header{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"cors"}}), kindNotFound)
		c.refused(c.send(http.MethodGet, "/none", "", http.Header{"Accept": {"*/*"}}), kindNotFound)
		c.refused(c.send(http.MethodPost, "/none", "{}", http.Header{"Accept": {"text/html"}}), kindNotFound)

		// The answer above, to no sign-in of this browser, has left the one that is under way. One that fails ends it.
		denied := "/auth/callback?error=access_denied&state=" + at.Query().Get("state")
		isPage(t, c.send(http.MethodGet, denied, "", inWindow), http.StatusForbidden, serviceAt+"/auth/login")
		isPage(t, c.send(http.MethodGet, at.RequestURI(), "", inWindow), http.StatusForbidden, serviceAt+"/auth/login")
	})
}

func TestEntraAwayIsAPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var entra *counted
		p := newPlace(t, func(o *settings) { entra = counting(o) })
		c, at := p.begun(dana)
		entra.setAway(true)
		got := c.send(http.MethodGet, at.RequestURI(), "", inWindow)
		isPage(t, got, http.StatusServiceUnavailable, serviceAt+"/auth/login")
		if text := p.log.String(); strings.Contains(text, at.Query().Get("code")) {
			t.Errorf("the log has the code: %s", text)
		}
	})
}

// In one browser, Dana's page is open in the first tab, and Robin signs in in the second.
func TestTwoPeopleInOneBrowser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{Never: true})
		first := p.browser(dana)
		id := first.begin(device, anyKey).ID
		stream, _ := first.watch(t.Context(), id)
		second := &caller{tb: t, http: first.http, header: http.Header{"Origin": {serviceAt}}}
		page := second.visit(serviceAt + "/auth/login")
		if got := second.submit(page.Request.URL.String(), robin); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		second.refresh()
		<-stream // ends with Dana's sign-in

		other := p.add("LT-2")
		for _, got := range []reply{
			first.get("/me"), first.get("/sessions"), first.get("/devices?q=LT-1"), first.get("/sessions/" + id + "/events"),
			first.post("/sessions/"+id+"/link", "{}"), first.ask(other, anyKey), first.post("/auth/logout", ""),
		} {
			if body := first.refused(got, kindOtherPerson); body.SignedInAs != robin.name {
				t.Errorf("signed in as %q, want %q", body.SignedInAs, robin.name)
			}
		}
		if n := p.tenant.Prompts(other); n != 0 {
			t.Errorf("%d prompts from the first tab", n)
		}
		if got := second.ask(other, anyKey); got.status != http.StatusCreated {
			t.Errorf("the second tab: %d %s", got.status, got.body)
		}
		if got := second.get("/sessions"); strings.Contains(got.body, id) {
			t.Errorf("Robin sees Dana's session: %s", got.body)
		}
	})
}

func TestStreamsEndWithTheSignIn(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(c *caller){
		"sign-out":  func(c *caller) { c.post("/auth/logout", "") },
		"ten hours": func(*caller) { time.Sleep(loginLife) },
		"many more": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t, func(o *settings) { o.maxWait = 24 * time.Hour })
				c := p.browser(dana)
				id := c.begin(p.add("LT-1", intunetest.SessionScript{Never: true}), anyKey).ID
				if name == "ten hours" {
					time.Sleep(loginLife - 10*time.Minute)
					id = c.begin(p.add("LT-2", intunetest.SessionScript{Never: true}), "another-key").ID
				}
				stays, ended := p.browser(dana), make(chan struct{})
				other, _ := stays.watch(t.Context(), id)
				response, err := c.http.Do(c.request(t.Context(), http.MethodGet, "/sessions/"+id+"/events", "", nil))
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					_, _ = io.Copy(io.Discard, response.Body)
					close(ended)
				}()
				synctest.Wait()
				select {
				case <-ended:
					t.Fatal("the stream has ended already")
				default:
				}
				if end == nil {
					for range loginsEach - 1 { // one more than the technician may have: the oldest goes
						time.Sleep(time.Second)
						p.browser(dana)
					}
				} else {
					end(c)
				}
				<-ended
				if name != "sign-out" {
					return
				}
				select {
				case <-other:
					t.Error("the stream of another browser has ended too")
				default:
				}
			})
		})
	}
}

func TestSignInAfterSignOutAsksForTheAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		prompt := func(c *caller) string {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			stay := *c.http
			stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			response, err := stay.Do(c.request(ctx, http.MethodGet, "/auth/login", "", nil))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			to, err := url.Parse(response.Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			return to.Query().Get("prompt")
		}
		c := p.browser(dana)
		if got := prompt(c); got != "" {
			t.Errorf("before: prompt=%s", got)
		}
		c.post("/auth/logout", "")
		if got := prompt(c); got != "select_account" {
			t.Errorf("after the sign-out: prompt=%q", got)
		}
		page := c.visit(serviceAt + "/auth/login")
		c.submit(page.Request.URL.String(), robin)
		if got := prompt(c); got != "" {
			t.Errorf("after the next sign-in: prompt=%s", got)
		}
		c.get("/auth/callback?error=access_denied&state=x")
		if got := prompt(c); got != "select_account" {
			t.Errorf("after a sign-in that failed: prompt=%q", got)
		}
	})
}
