package main

import (
	"net/http"
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
		page, script, style := c.get("/"), c.get("/page.js"), c.get("/page.css")
		for name, got := range map[string]reply{"page": page, "script": script, "style": style} {
			if got.status != http.StatusOK {
				t.Fatalf("the %s: %d", name, got.status)
			}
		}
		for _, forbidden := range []string{
			` style=`, `<style`, ` on[a-z]+=`, `<script>`, `innerHTML`, `insertAdjacentHTML`, `document\.write`, `eval\(`, `\.style\b`,
			`https?://`,
		} {
			if found := regexp.MustCompile(forbidden).FindString(page.body + script.body + style.body); found != "" {
				t.Errorf("the page has %q", found)
			}
		}
		for _, match := range regexp.MustCompile(`\$\("([^"]+)"\)`).FindAllStringSubmatch(script.body, -1) {
			if !strings.Contains(page.body, `id="`+match[1]+`"`) {
				t.Errorf("the script looks for %q, which the page does not have", match[1])
			}
		}
		for _, s := range []state{
			stateAsking, stateWaiting, stateReady, stateOpened, stateNoLink, stateFailed, stateRefused, stateSuperseded, stateExpired,
		} {
			if !strings.Contains(script.body, "\n  "+string(s)+": [") {
				t.Errorf("the page has no text for %s", s)
			}
		}
	})
}
