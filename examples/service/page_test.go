package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
)

// The page needs what its own policy forbids if any of these is in it.
func TestPageKeepsItsPolicy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newPlace(t).nobody()
		page := c.get("/").body
		entries, err := files.ReadDir("page")
		if err != nil {
			t.Fatal(err)
		}
		all, scripts := []string{page}, []string{}
		for _, entry := range entries {
			if strings.HasSuffix(entry.Name(), ".html") || entry.Name() == "icon.svg" {
				continue
			}
			got := c.get("/" + entry.Name())
			if got.status != http.StatusOK {
				t.Fatalf("%s: %d", entry.Name(), got.status)
			}
			all = append(all, got.body)
			if strings.HasSuffix(entry.Name(), ".js") {
				scripts = append(scripts, got.body)
			}
			if n := strings.Count(got.body, "\n"); n > 400 {
				t.Errorf("%s has %d lines", entry.Name(), n)
			}
		}
		script := strings.Join(scripts, "")
		for _, forbidden := range []string{
			` style=`, `<style`, ` on[a-z]+=`, `<script>`, `innerHTML`, `insertAdjacentHTML`, `document\.write`, `eval\(`, `\.style\b`,
			`https?://`, `(src|href)="/`, `fetch\("/`, `call\("[A-Z]+", .?/`,
		} {
			if found := regexp.MustCompile(forbidden).FindString(strings.Join(all, "\n")); found != "" {
				t.Errorf("the page has %q", found)
			}
		}
		for _, match := range regexp.MustCompile(`\$\("([^"]+)"\)`).FindAllStringSubmatch(script, -1) {
			if !strings.Contains(page, `id="`+match[1]+`"`) {
				t.Errorf("the script looks for %q, which the page does not have", match[1])
			}
		}
		for _, s := range []state{
			stateAsking, stateWaiting, stateReady, stateOpened, stateNoLink, stateFailed, stateRefused, stateSuperseded, stateExpired,
		} {
			if !strings.Contains(script, "\n  "+string(s)+": [") {
				t.Errorf("the page has no text for %s", s)
			}
		}
	})
}

const anSVG = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script>alert(1)</script></svg>`

// The help desk's own face, which is no way to write into the page.
func TestPageShowsTheDesk(t *testing.T) {
	t.Parallel()
	logo := filepath.Join(t.TempDir(), "logo")
	if err := os.WriteFile(logo, []byte(anSVG), 0o600); err != nil {
		t.Fatal(err)
	}
	desk := face{references: referenceRules{Required: true, Label: "Case"}}
	if err := desk.read("Desk <b>7</b> & Co", "mailto:desk@contoso.example", logo); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := newPlace(t, func(o *settings) { o.face = desk }).nobody()
		page := c.get("/").body
		for _, want := range []string{
			"Desk &lt;b&gt;7&lt;/b&gt; &amp; Co", `href="mailto:desk@contoso.example"`, ">desk@contoso.example<", `src="logo"`,
			`<label for="reference"><span id="reference-label">Case</span></label>`, ` required>`,
		} {
			if !strings.Contains(page, want) {
				t.Errorf("the page has no %s", want)
			}
		}
		got := c.get("/logo")
		if got.body != anSVG || got.header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("the logo: %s %s", got.header.Get("Content-Type"), got.body)
		}
		if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script") {
			t.Errorf("the logo's policy is %q", policy)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := newPlace(t).nobody()
		if page := c.get("/").body; strings.Contains(page, "Questions?") || !strings.Contains(page, `src="icon.svg"`) {
			t.Errorf("a desk that says nothing: %s", page)
		}
		if got := c.get("/logo"); got.status != http.StatusOK || got.header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("no logo: %d %s", got.status, got.header.Get("Content-Type"))
		}
	})
}

func TestFacesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for want, test := range map[string][4]string{ // name, contact, logo, label
		"-desk-name should":       {"two\nlines", "", "", "Ticket"},
		"-desk-contact should":    {"", "turned \u202e", "", "Ticket"},
		"that can be seen":        {"no\u00a0break", "", "", "Ticket"},
		"-reference-label should": {"", "", "", ""},
		"no-such-file":            {"", "", filepath.Join(folder, "no-such-file"), "Ticket"},
		"at most":                 {"", "", write("big", strings.Repeat("x", maxLogo+1)), "Ticket"},
		"SVG or PNG":              {"", "", write("page", "<html xmlns='http://www.w3.org/1999/xhtml'><svg/></html>"), "Ticket"},
	} {
		f := face{references: referenceRules{Label: test[3]}}
		if err := f.read(test[0], test[1], test[2]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", test, err, want)
		}
	}
	// A script is no address of a contact.
	f := face{references: referenceRules{Label: "Ticket"}}
	if err := f.read("", "javascript:alert(1)", ""); err != nil || f.contactLink != "" {
		t.Errorf("%v, %v", f.contactLink, err)
	}
}
