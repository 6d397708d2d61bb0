package graphpolicy_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
)

const wanted = `{"access_token":{"nbf":{"essential":true, "value":"1700332240?>"}}}`

// challenge sends one request through the transport and returns the answer as azcore sees it.
func challenge(t *testing.T, call *graphpolicy.Call, status int, header ...string) *http.Response {
	t.Helper()
	transport := graphpolicy.NewTransport(doer(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Www-Authenticate": header}, Body: http.NoBody, Request: req}, nil
	}))
	req, err := http.NewRequestWithContext(call, http.MethodPost, "https://graph.microsoft.com/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

type doer func(*http.Request) (*http.Response, error)

func (f doer) Do(req *http.Request) (*http.Response, error) { return f(req) }

// azcore's policy knows one spelling only; C§9.2 says that parameters come in any order and quoted values hold commas.
func TestClaimsChallengeIsMadeReadable(t *testing.T) {
	t.Parallel()
	std, url := base64.StdEncoding.EncodeToString([]byte(wanted)), base64.URLEncoding.EncodeToString([]byte(wanted))
	if std == url {
		t.Fatal("the claims must differ between the alphabets")
	}
	longest := `Bearer error="insufficient_claims", claims="` + std + `"`
	for name, header := range map[string][]string{
		"canonical":         {`Bearer realm="", error="insufficient_claims", claims="` + std + `"`},
		"lower case scheme": {`bearer error="insufficient_claims", claims="` + std + `"`},
		"URL alphabet":      {`Bearer error="insufficient_claims", claims="` + url + `"`},
		"no padding":        {`Bearer error="insufficient_claims", claims="` + strings.TrimRight(url, "=") + `"`},
		"claims first":      {`Bearer claims="` + std + `", error="insufficient_claims"`},
		"commas in quotes":  {`Bearer errorDescription="a, b=\"c\", error=x", error="insufficient_claims", claims="` + std + `"`},
		"no quotes":         {`Bearer error=insufficient_claims, claims="` + std + `"`},
		"second challenge":  {`PoP realm="x", Bearer error="insufficient_claims", claims="` + std + `"`},
		"second header":     {`Negotiate`, `Bearer error="insufficient_claims", claims="` + std + `"`},
		"spaces around =":   {`Bearer error = "insufficient_claims" , claims =	"` + std + `"`},
		"tabs, no quotes":   {"Bearer\terror=insufficient_claims\tclaims=" + std},
		"escapes":           {`Bearer error="insufficient\_claims", claims="` + std + `"`},
		"names in capitals": {`Bearer ERROR="insufficient_claims", Claims="` + std + `"`},
		"empty value":       {`Bearer realm=,error="insufficient_claims",claims="` + std + `"`},
		"after a bad one":   {`Bearer error="insufficient_claims", claims="{}", Bearer error="insufficient_claims", claims="` + std + `"`},
		"after separators":  {`=",== Bearer error="insufficient_claims", claims="` + std + `"`},
		"after other claims": {
			`PoP error="insufficient_claims", claims="e30", Bearer realm="", error="insufficient_claims", claims="` + std + `"`,
		},
		"last value that is read": append(slices.Repeat([]string{"Negotiate"}, 15), `Bearer error="insufficient_claims", claims="`+std+`"`),
		"last byte that is read":  {strings.Repeat(" ", 16<<10-len(longest)) + longest},
	} {
		for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			t.Run(name+" "+http.StatusText(status), func(t *testing.T) {
				t.Parallel()
				resp := challenge(t, &graphpolicy.Call{Context: t.Context(), Write: true}, status, header...)
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
	longest := `Bearer error="insufficient_claims", claims="` + std + `"`
	for name, header := range map[string][]string{
		"other error":     {`Bearer error="invalid_token", claims="` + std + `"`},
		"no error":        {`Bearer claims="` + std + `"`},
		"no claims":       {`Bearer error="insufficient_claims"`},
		"empty claims":    {`Bearer error="insufficient_claims", claims=""`},
		"other scheme":    {`PoP error="insufficient_claims", claims="` + std + `"`},
		"not base64":      {`Bearer error="insufficient_claims", claims="{}"`},
		"open quote":      {`Bearer error="insufficient_claims", claims="` + std},
		"in an open text": {`Bearer realm="\" error=insufficient_claims claims=` + std},
		"ends in \\":      {`Bearer error="insufficient_claims", claims="` + std + `\`},
		"ends in =":       {`Bearer error="insufficient_claims", claims=`},
		"of two schemes":  {`Bearer error="insufficient_claims", Basic claims="` + std + `"`},
		"Intune's own":    {`Bearer realm="urn:intune:service,4b109758-9c51-4d0d-b853-7f7f05cb40ac"`},
		"nonsense":        {`=",==" , "`},
		"empty":           {""},
		"one byte longer": {strings.Repeat(" ", 16<<10+1-len(longest)) + longest},
		"value too many":  append(slices.Repeat([]string{"Negotiate"}, 16), longest),
		"10 MB of =":      {"Bearer " + strings.Repeat("=", 10<<20)},
		"10 MB of values": slices.Repeat([]string{"a="}, 10<<19),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := challenge(t, &graphpolicy.Call{Context: t.Context(), Write: true}, http.StatusForbidden, header...)
			if got := resp.Header.Values("WWW-Authenticate"); !slices.Equal(got, header) || resp.StatusCode != http.StatusForbidden {
				t.Errorf("%d %.200q", resp.StatusCode, got)
			}
		})
	}
}

// A second 403 in the same call stays a 403, or the caller would be told another status than the service gave.
func TestForbiddenIsConvertedOnce(t *testing.T) {
	t.Parallel()
	call := &graphpolicy.Call{Context: t.Context(), Write: true}
	header := `Bearer error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(wanted)) + `"`
	first := challenge(t, call, http.StatusForbidden, header)
	second := challenge(t, call, http.StatusForbidden, header)
	if first.StatusCode != http.StatusUnauthorized || second.StatusCode != http.StatusForbidden {
		t.Errorf("got %d, then %d", first.StatusCode, second.StatusCode)
	}
}
