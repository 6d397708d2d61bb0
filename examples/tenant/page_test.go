package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Whatever a device or a request is called, the page shows it as text.
func TestPageEscapes(t *testing.T) {
	t.Parallel()
	const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)>"'&`
	quoted := strings.NewReplacer(`"`, `\"`).Replace(hostile)
	data := strings.ReplaceAll(`{"devices": [{
		"id": "<b>1", "deviceName": "HOSTILE", "operatingSystem": "HOSTILE", "userPrincipalName": "HOSTILE",
		"remoteAssistanceSessionUrl": "javascript:alert(3)<script>", "remoteAssistanceSessionErrorDetails": "HOSTILE"}]}`, "HOSTILE", quoted)
	s := startServer(t, "-data", file(t, "hostile.json", data))
	s.send(t, http.MethodPost, `/v1.0/x%22%3E%3Cscript%3E?<script>alert(4)</script>`, hostile)
	s.send(t, http.MethodPost, "/contoso/oauth2/v2.0/devicecode", "client_id=<script>alert(5)</script>",
		header("Content-Type", "application/x-www-form-urlencoded"))
	for _, path := range []string{"/_tenant/", "/_tenant/live"} {
		a := s.send(t, http.MethodGet, path, "")
		if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			t.Fatalf("%s: %d %v", path, a.status, a.header)
		}
		if n := strings.Count(a.body, "&lt;script&gt;alert(1)&lt;/script&gt;"); n < 4 {
			t.Errorf("%s: shown %d times", path, n)
		}
		own := strings.Count(a.body, `<script src="page.js" defer></script>`)
		if n := strings.Count(a.body, "<script"); n > 1 || n > own {
			t.Errorf("%s: %d scripts, %d of its own", path, n, own)
		}
		for _, found := range regexp.MustCompile(`(?i)<img|\son[a-z]+\s*=\s*"|href="javascript|<b>1`).FindAllString(a.body, -1) {
			t.Errorf("%s: %q", path, found)
		}
		policy := a.header.Get("Content-Security-Policy")
		contains(t, path, policy, "default-src 'none'", "script-src 'self'")
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

// The page works with a keyboard, on a phone, in the light and in the dark, and needs nothing from elsewhere.
func TestPage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	if a := s.send(t, http.MethodGet, "/_tenant", ""); a.status != http.StatusOK { // redirected
		t.Errorf("without the slash: %d", a.status)
	}
	page := s.send(t, http.MethodGet, "/_tenant/", "").body
	contains(
		t, "page", page,
		`<html lang="en">`, `name="viewport"`, `content="light dark"`, `role="status"`, `<th scope="col">`, `<th scope="row">`,
		`test server`, "LT-4F7K2", `href="#live"`, "<noscript>",
	)
	// Controls are elements that a keyboard reaches by itself, and fields have labels.
	for _, found := range regexp.MustCompile(`onclick|<a [^>]*href="#"|tabindex="[1-9]`).FindAllString(page, -1) {
		t.Errorf("%q", found)
	}
	if inputs, labels := strings.Count(page, "<input"), strings.Count(page, "<label"); inputs != labels || inputs == 0 {
		t.Errorf("%d fields, %d labels", inputs, labels)
	}
	css, js := s.send(t, http.MethodGet, "/_tenant/page.css", ""), s.send(t, http.MethodGet, "/_tenant/page.js", "")
	if !strings.HasPrefix(css.header.Get("Content-Type"), "text/css") {
		t.Errorf("%v", css.header)
	}
	contains(t, "page.css", css.body, "light-dark(", ":focus-visible", "@media (max-width")
	if !strings.HasPrefix(js.header.Get("Content-Type"), "text/javascript") {
		t.Errorf("%v", js.header)
	}
	for _, found := range regexp.MustCompile(`https?://[^\s"'<]+`).FindAllString(page+css.body+js.body, -1) {
		t.Errorf("the page asks elsewhere: %s", found)
	}
}

// A large tenant makes no large page.
func TestPageOfManyDevices(t *testing.T) {
	t.Parallel()
	var devices []string
	for i := range 250 {
		devices = append(devices, `{"id": "d`+strings.Repeat("x", i)+`"}`)
	}
	s := startServer(t, "-data", file(t, "many.json", `{"devices": [`+strings.Join(devices, ",")+`]}`))
	page := s.send(t, http.MethodGet, "/_tenant/", "").body
	if n := strings.Count(page, `<th scope="row">`); n != 200 {
		t.Errorf("%d rows, want 200", n)
	}
	contains(t, "page", page, "50 more are not shown")
	if n := len(s.state(t).Devices); n != 250 {
		t.Errorf("%d devices in the state", n)
	}
}
