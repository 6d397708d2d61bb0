package graphpolicy_test

import (
	"net/url"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
)

func TestCheckHost(t *testing.T) {
	t.Parallel()
	root, err := url.Parse("https://graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	for address, ok := range map[string]bool{
		"https://graph.microsoft.com/v1.0/x":         true,
		"https://GRAPH.microsoft.com/v1.0/x":         true,
		"https://graph.microsoft.com:443/v1.0/x":     true,
		"https://graph.microsoft.com:8443/v1.0/x":    false,
		"http://graph.microsoft.com/v1.0/x":          false,
		"https://graph.microsoft.com.example/v1.0/x": false,
		"https://example/graph.microsoft.com":        false,
		"https://graph.microsoft.com@example/v1.0/x": false,
		"https://user@graph.microsoft.com/v1.0/x":    false,
		"https://graph.microsoft.us/v1.0/x":          false,
		"//graph.microsoft.com/v1.0/x":               false,
		"/v1.0/x":                                    false,
		"":                                           false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := graphpolicy.CheckHost(root, u); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
	if graphpolicy.CheckHost(root, nil) == nil {
		t.Error("nil was accepted")
	}
}
