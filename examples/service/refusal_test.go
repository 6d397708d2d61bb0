package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// protected are the addresses that need a sign-in, with the id of a session.
func protected(session, device string) map[string]string {
	return map[string]string{
		"/me": "GET", "/devices?q=LT-1": "GET", "/devices/" + device: "GET", "/devices/" + device + "/readiness": "GET",
		"/sessions": "GET", "/sessions/": "POST", "/sessions/" + session: "GET", "/sessions/" + session + "/events": "GET",
		"/sessions/" + session + "/wait": "POST", "/sessions/" + session + "/link": "POST", "/auth/logout": "POST",
	}
}

func TestWithoutASignInThereIsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		id := p.browser(dana).begin(device, anyKey).ID
		time.Sleep(time.Minute)
		before := p.tenant.RequestCount()
		c := p.nobody()
		for path, method := range protected(id, device.DeviceID()) {
			if path == "/sessions/" {
				c.refused(c.ask(device, anyKey), kindNotSignedIn)
				continue
			}
			got := c.send(method, path, "", nil)
			if c.refused(got, kindNotSignedIn); got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: no challenge", path)
			}
		}
		if p.tenant.RequestCount() != before || p.tenant.Prompts(device) != 1 {
			t.Error("Intune was asked for somebody who is not signed in")
		}
	})
}

func TestBearerTokensThatAreNotGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		sign := func(more map[string]any) string {
			token, err := p.entra.signed(dana, more)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		good := sign(map[string]any{"scp": "Sessions.Open"})
		parts := strings.Split(good, ".")
		for name, token := range map[string]string{
			"id token":       sign(map[string]any{"nonce": "n"}),
			"other scope":    sign(map[string]any{"scp": "User.Read Sessions.Opener"}),
			"other audience": sign(map[string]any{"scp": "Sessions.Open", "aud": "https://graph.microsoft.com"}),
			"other issuer":   sign(map[string]any{"scp": "Sessions.Open", "iss": entraAt + "/another/v2.0"}),
			"other tenant":   sign(map[string]any{"scp": "Sessions.Open", "tid": "another"}),
			"nobody's":       sign(map[string]any{"scp": "Sessions.Open", "oid": nil}),
			"expired":        sign(map[string]any{"scp": "Sessions.Open", "exp": time.Now().Add(-time.Minute).Unix()}),
			"not signed":     parts[0] + "." + parts[1] + ".",
			"alg none":       "eyJhbGciOiJub25lIn0." + parts[1] + ".",
			"changed":        parts[0] + "." + parts[1][:len(parts[1])-4] + "AAAA." + parts[2],
			"nothing":        "",
		} {
			c := p.nobody()
			c.header = http.Header{"Authorization": {"Bearer " + token}}
			if got := c.ask(device, anyKey); got.status != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		}
		if n := p.tenant.Prompts(device); n != 0 {
			t.Errorf("%d prompts", n)
		}
		c := p.nobody()
		c.header = http.Header{"Authorization": {"Bearer " + good}}
		c.begin(device, anyKey)
	})
}

func TestSessionsOfOthersDoNotExist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		mine, other := p.browser(dana), p.browser(robin)
		id := mine.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		for path, method := range map[string]string{"": "GET", "/events": "GET", "/wait": "POST", "/link": "POST"} {
			foreign := other.send(method, "/sessions/"+id+path, "", http.Header{"X-Request-Id": {"same-request-id"}})
			unknown := other.send(method, "/sessions/"+sessionID("x", "y")+path, "", http.Header{"X-Request-Id": {"same-request-id"}})
			other.refused(foreign, kindNotFound)
			if foreign.body != unknown.body {
				t.Errorf("%q tells a foreign session from none: %s", path, foreign.body)
			}
		}
		if got := other.get("/sessions"); strings.Contains(got.body, id) {
			t.Errorf("history: %s", got.body)
		}
		if got := mine.session(id); got.State != stateReady {
			t.Errorf("%+v", got)
		}
	})
}

func TestOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.browser(dana)
		for name, header := range map[string]http.Header{
			"another origin":             {"Origin": {"https://evil.example"}},
			"the origin without TLS":     {"Origin": {"http://assist.example"}},
			"another port":               {"Origin": {"https://assist.example:444"}},
			"opaque origin":              {"Origin": {"null"}},
			"no origin":                  {"Origin": {""}},
			"cross-site":                 {"Sec-Fetch-Site": {"cross-site"}},
			"another site of the domain": {"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://evil.assist.example"}},
			"no token of the page":       {"X-Csrf-Token": {""}},
		} {
			header.Set("Idempotency-Key", anyKey)
			got := c.send(http.MethodPost, "/sessions", `{"device":"`+device.DeviceID()+`"}`, header)
			t.Log(name)
			c.refused(got, kindForeignSite)
		}
		c.refused(c.send(http.MethodGet, "/me", "", http.Header{"Origin": {"https://evil.example"}}), kindForeignSite)
		c.refused(c.send(http.MethodGet, "/me", "", http.Header{"Host": {"evil.example"}}), kindWrongHost)
		for _, site := range []string{"cross-site", "same-site"} { // a picture and a frame of another page
			for mode, dest := range map[string]string{"no-cors": "image", "navigate": "iframe"} {
				header := http.Header{"Origin": {""}, "Sec-Fetch-Site": {site}, "Sec-Fetch-Mode": {mode}, "Sec-Fetch-Dest": {dest}}
				for _, path := range []string{"/devices?q=LT-1", "/auth/login"} {
					got := c.send(http.MethodGet, path, "", header)
					if got.status != http.StatusForbidden || got.header.Get("Set-Cookie") != "" {
						t.Errorf("%s, %s, %s: %d %s", path, site, mode, got.status, got.body)
					}
				}
			}
		}
		if n := p.tenant.Prompts(device); n != 0 {
			t.Errorf("%d prompts", n)
		}
		// The token of another login is not the token of this one.
		for _, token := range []string{p.browser(robin).header.Get("X-Csrf-Token"), "AAAAAAAAAAAAAAAAAAAAAAAAAA"} {
			header := http.Header{"X-Csrf-Token": {token}, "Idempotency-Key": {anyKey}}
			c.refused(c.send(http.MethodPost, "/sessions", `{"device":"`+device.DeviceID()+`"}`, header), kindOtherPerson)
		}
		if n := p.tenant.Prompts(device); n != 0 {
			t.Errorf("%d prompts", n)
		}
		if got := c.get("/me"); got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("other sites may read answers")
		}
	})
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c := p.browser(dana)
		for _, path := range []string{"/", "/page.js", "/me", "/no-such-page", "/healthz", "/problems/link-used"} {
			h := c.get(path).header
			policy := h.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
				if !strings.Contains(policy, part) {
					t.Errorf("%s: policy %q", path, policy)
				}
			}
			if strings.Contains(policy, "unsafe") {
				t.Errorf("%s: policy %q", path, policy)
			}
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			} {
				if got := h.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", path, name, got, want)
				}
			}
			if h.Get("Strict-Transport-Security") == "" {
				t.Errorf("%s: no Strict-Transport-Security in %v", path, h)
			}
			if h.Get("Cache-Control") == "" && path != "/problems/link-used" {
				t.Errorf("%s: no Cache-Control in %v", path, h)
			}
		}
		jar := c.http.Jar.Cookies(&url.URL{Scheme: "https", Host: "assist.example", Path: "/"})
		if len(jar) != 1 || jar[0].Name != "__Host-session" {
			t.Errorf("cookies %v", jar)
		}
	})
}

func TestTechniciansSeeNoHints(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		lee := p.browser(guest)
		answers := []reply{lee.ask(device, anyKey), lee.get("/devices?q=LT-1"), lee.get("/devices/" + device.DeviceID() + "/readiness")}
		c := p.browser(dana)
		for _, fault := range []intunetest.Fault{
			{
				PathSuffix: actionSuffix, Status: http.StatusBadRequest, Code: "BadRequest",
				Message: "The connector FeatureX of account 4711 is not set up.",
			},
			{PathSuffix: actionSuffix, Status: http.StatusUnauthorized, Code: "Unauthorized", Message: "nope"},
			{PathSuffix: actionSuffix, Status: http.StatusForbidden, Code: "Forbidden", Message: "role Help Desk Operator is missing", Nested: true},
		} {
			fault.Times = -1
			p.tenant.Inject(fault)
			answers = append(answers, c.ask(device, anyKey))
			p.tenant.ClearFaults()
		}
		for _, got := range answers {
			for _, word := range []string{
				"DeviceManagement", "ReadWrite", "permission", "consent", "Entra", "app registration", "4711", "Help Desk", "hint", "remedy",
			} {
				if strings.Contains(strings.ToLower(got.body), strings.ToLower(word)) {
					t.Errorf("%q in %s", word, got.body)
				}
			}
		}
		if text := p.log.String(); !strings.Contains(text, "DeviceManagementManagedDevices.ReadWrite.All") || !strings.Contains(text, `"hint":`) {
			t.Errorf("the operator finds no hint in the log: %s", text)
		}
	})
}
