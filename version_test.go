package intune_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

// Version, user agent and changelog agree, so that the version in Microsoft's logs is the one that users read about.
func TestVersionAgrees(t *testing.T) {
	t.Parallel()
	constant := regexp.MustCompile(`moduleVersion = "(v[^"]+)"`).FindStringSubmatch(readText(t, "version.go"))
	entry := regexp.MustCompile(`(?m)^## (\S+) \((?:Unreleased|\d{4}-\d{2}-\d{2})\)$`).FindStringSubmatch(readText(t, "CHANGELOG.md"))
	if constant == nil || entry == nil {
		t.Fatalf("version.go has %q, the top of CHANGELOG.md %q", constant, entry)
	}
	if constant[1] != "v"+entry[1] {
		t.Errorf("version.go says %s, CHANGELOG.md v%s", constant[1], entry[1])
	}

	var agent string
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		agent = req.Header.Get("User-Agent")
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
		t.Fatal(err)
	}
	if want := "azsdk-go-intune/" + constant[1] + " "; !strings.HasPrefix(agent, want) {
		t.Errorf("the user agent is %q, want %q first", agent, want)
	}
}
