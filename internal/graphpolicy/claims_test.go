package graphpolicy_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
)

const wanted = `{"access_token":{"nbf":{"essential":true, "value":"1700332240?>"}}}`

// challenge sends one request through the transport and returns the answer as azcore sees it.
func challenge(t *testing.T, call *graphpolicy.Call, status int, header ...string) *http.Response {
	t.Helper()
	transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Www-Authenticate": header}, Body: http.NoBody, Request: req}, nil
	})
	resp, err := transport.Do(request(t, call, http.MethodPost))
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// azcore's policy knows one spelling only; C§9.2 says that parameters come in any order and quoted values hold commas.
func TestClaimsChallengeIsMadeReadable(t *testing.T) {
	t.Parallel()
	std, url := base64.StdEncoding.EncodeToString([]byte(wanted)), base64.URLEncoding.EncodeToString([]byte(wanted))
	if std == url {
		t.Fatal("the claims must differ between the alphabets")
	}
	for name, header := range map[string][]string{
		"canonical":         {`Bearer realm="", error="insufficient_claims", claims="` + std + `"`},
		"lower case scheme": {`bearer error="insufficient_claims", claims="` + std + `"`},
		"URL alphabet":      {`Bearer error="insufficient_claims", claims="` + url + `"`},
		"no padding":        {`Bearer error="insufficient_claims", claims="` + strings.TrimRight(url, "=") + `"`},
		"escaped letters":   {`Bearer error="insufficient_claims", claims="\` + std + `"`},
		"claims first":      {`Bearer claims="` + std + `", error="insufficient_claims"`},
		"commas in quotes":  {`Bearer errorDescription="a, b=\"c\", error=x", error="insufficient_claims", claims="` + std + `"`},
		"blank parameter":   {`Bearer realm=, error="insufficient_claims", claims="` + std + `"`},
		"no quotes":         {`Bearer error=insufficient_claims, claims="` + std + `"`},
		"blanks around =":   {`Bearer error ="insufficient_claims", claims= "` + std + `"`},
		"second challenge":  {`PoP realm="x", Bearer error="insufficient_claims", claims="` + std + `"`},
		"second header":     {`Negotiate`, `Bearer error="insufficient_claims", claims="` + std + `"`},
	} {
		for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			t.Run(name+" "+http.StatusText(status), func(t *testing.T) {
				t.Parallel()
				resp := challenge(t, newCall(true), status, header...)
				want := `Bearer error="insufficient_claims", claims="` + std + `"`
				if got := resp.Header.Get("WWW-Authenticate"); got != want || resp.StatusCode != http.StatusUnauthorized {
					t.Errorf("%d %s", resp.StatusCode, got)
				}
			})
		}
	}
}

func TestOtherChallengesAreLeftAlone(t *testing.T) {
	t.Parallel()
	std := base64.StdEncoding.EncodeToString([]byte(wanted))
	for name, header := range map[string]string{
		"other error":         `Bearer error="invalid_token", claims="` + std + `"`,
		"no claims":           `Bearer error="insufficient_claims"`,
		"other scheme":        `PoP error="insufficient_claims", claims="` + std + `"`,
		"not base64":          `Bearer error="insufficient_claims", claims="{}"`,
		"open quote":          `Bearer error="insufficient_claims", claims="` + std,
		"Intune's own":        `Bearer realm="urn:intune:service,4b109758-9c51-4d0d-b853-7f7f05cb40ac"`,
		"nonsense":            `=",==" , "`,
		"in quotes":           `PoP ="Bearer error=insufficient_claims, claims=e30, x"`,
		"backslash":           `Bearer error="insufficient_claims", claims="e30=\`,
		"huge":                "Bearer " + strings.Repeat("=", 10<<20),
		"huge, quoted":        `Bearer error="` + strings.Repeat(`\`, 10<<20),
		"huge, commas":        "Bearer " + strings.Repeat(`a,`, 5<<20),
		"beyond what is read": "Bearer " + strings.Repeat(" ", 16<<10) + `error="insufficient_claims", claims="` + std + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := challenge(t, newCall(true), http.StatusForbidden, header)
			if got := resp.Header.Get("WWW-Authenticate"); got != header || resp.StatusCode != http.StatusForbidden {
				t.Errorf("%d %s", resp.StatusCode, got)
			}
		})
	}
}

// A second 403 in the same call stays a 403, or the caller would be told another status than the service gave.
func TestForbiddenIsConvertedOnce(t *testing.T) {
	t.Parallel()
	call := newCall(true)
	header := `Bearer error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(wanted)) + `"`
	first := challenge(t, call, http.StatusForbidden, header)
	second := challenge(t, call, http.StatusForbidden, header)
	if first.StatusCode != http.StatusUnauthorized || second.StatusCode != http.StatusForbidden {
		t.Errorf("got %d, then %d", first.StatusCode, second.StatusCode)
	}
}

func FuzzClaimsChallenge(f *testing.F) {
	f.Add(`Bearer error="insufficient_claims", claims="e30="`)
	f.Add(strings.Repeat("=", 1000))
	f.Add(`Bearer error="\`)
	f.Add(`a b="c\"", bearer claims=e30,error=insufficient_claims`)
	f.Fuzz(func(t *testing.T, header string) {
		resp := challenge(t, newCall(false), http.StatusUnauthorized, header)
		if got := resp.Header.Get("WWW-Authenticate"); got != header && !strings.HasPrefix(got, `Bearer error="insufficient_claims", claims="`) {
			t.Errorf("%q became %q", header, got)
		}
	})
}

// Outside of azcore's bearer policy an answer has the status that the service gave.
func TestStatusOfAChallengeIsRestored(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		resp, err := through(t, newCall(true), http.MethodPost, func(req *http.Request) (*http.Response, error) {
			resp, err := challenges(req)
			resp.StatusCode, resp.Status = status, "as it came"
			return resp, err
		}, graphpolicy.NewGuard(next{}))
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != status || resp.Status != "as it came" {
			t.Errorf("%d: got %d %q", status, resp.StatusCode, resp.Status)
		}
	}
}
