package main

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-intune/intune"
)

// askFor posts a session with a reference.
func (c *caller) askFor(device intune.DeviceRef, reference string) reply {
	body := `{"device":"` + device.DeviceID() + `","reference":` + reference + `}`
	return c.send(http.MethodPost, "/sessions", body, http.Header{"Idempotency-Key": {anyKey}})
}

func TestReferenceIsDemanded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rules := referenceRules{Required: true, Label: "Ticket"}
		if err := rules.read("INC[0-9]{4}|REQ"); err != nil {
			t.Fatal(err)
		}
		p := newPlace(t, func(o *settings) { o.face.references = rules })
		device := p.add("LT-1")
		c := p.browser(dana)
		if got := c.get("/me").body; !strings.Contains(got, `"reference":{"required":true,"label":"Ticket","pattern":"INC[0-9]{4}|REQ"}`) {
			t.Errorf("/me: %s", got)
		}
		c.refused(c.ask(device, anyKey), kindNoReference)
		for _, missing := range []string{`""`, `"  "`, `null`} {
			c.refused(c.askFor(device, missing), kindNoReference)
		}
		for _, wrong := range []string{`"INC471"`, `"INC47111"`, `"xREQ"`, `"INC4711\nREQ"`} {
			c.refused(c.askFor(device, wrong), kindBadReference)
		}
		if n := p.tenant.Prompts(device); n != 0 {
			t.Errorf("%d prompts", n)
		}
		if got := c.askFor(device, `" INC4711 "`); got.status != http.StatusCreated {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

func TestReferenceIsOneLine(t *testing.T) {
	t.Parallel()
	rules := &referenceRules{}
	for text, want := range map[string]string{
		"":                       "",
		"INC 4711, Zoë":          "INC 4711, Zoë",
		"  INC-1\t":              "INC-1",
		strings.Repeat("é", 100): strings.Repeat("é", 100),
		strings.Repeat("é", 101): "refused",
		"a\nb":                   "refused",
		"a\u2028b":               "refused",
		"4711\u202e":             "refused",
		"zero\u200bwidth":        "refused",
		"not\xffUTF-8":           "refused",
		"no\u00a0break":          "refused",
		"\x1b[31m":               "refused",
	} {
		got, p := rules.check(text)
		if p != nil {
			got = "refused"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
