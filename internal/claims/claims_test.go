package claims_test

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/claims"
	"github.com/go-intune/intune/internal/graphtest"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]claims.Claims{
		`{"aud":"https://graph","exp":1790000000.5,"scp":"openid User.Read","tid":"t","appid":"a","idtyp":"user","oid":"o"}`: {
			Audience: "https://graph", Expires: 1790000000.5, Scopes: "openid User.Read", Tenant: "t", AppID: "a", Type: "user", Object: "o",
		},
		`{"roles":["r1","r2"],"idtyp":"app"}`:                    {Roles: []string{"r1", "r2"}, Type: "app"},
		`{"azp":"version 2"}`:                                    {AppID: "version 2"},
		`{"azp":"version 2","appid":"version 1"}`:                {AppID: "version 1"},
		`{"azp":"version 2","appid":""}`:                         {AppID: "version 2"},
		`{"aud":["first","second"]}`:                             {Audience: "first"},
		`{"aud":["only"]}`:                                       {Audience: "only"},
		`{"aud":[]}`:                                             {},
		`{"aud":[5,"second"]}`:                                   {},
		`{"aud":5,"tid":"t"}`:                                    {Tenant: "t"},
		`{"aud":{"a":"b"},"tid":"t"}`:                            {Tenant: "t"},
		`{"exp":"soon","scp":["a"],"tid":5,"oid":"o"}`:           {Object: "o"}, // those of the wrong type do not hide the others
		`{"roles":"r","appid":"a"}`:                              {AppID: "a"},
		`{"roles":["r",5],"appid":"a"}`:                          {Roles: []string{"r", ""}, AppID: "a"},
		`{"scp":null,"roles":null,"aud":null,"exp":null}`:        {},
		`{"name":"Anna","ver":"1.0","xms_tcdt":1,"new":{"a":1}}`: {},
		`{}`:             {},
		`null`:           {},
		`[]`:             {},
		`"scp"`:          {},
		` {} `:           {},
		`{"scp":"ä>?~"}`: {Scopes: "ä>?~"}, // both characters in which the alphabets of base64 differ
	} {
		got, err := claims.Parse(graphtest.RawJWT(payload))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, error %v, want %+v", payload, got, err, want)
		}
	}
}

// Some issuers pad what should not be padded.
func TestParse_Padded(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{`{"oid":"o"}`, `{"oid":"o"} `, `{"oid":"o"}  `} {
		got, err := claims.Parse("a." + base64.URLEncoding.EncodeToString([]byte(payload)) + ".c")
		if err != nil || got.Object != "o" {
			t.Errorf("%q: got %+v, error %v", payload, got, err)
		}
	}
}

func TestParse_Refuses(t *testing.T) {
	t.Parallel()
	const (
		noToken  = "not a JSON web token"
		noBase64 = "the token's claims are not base64"
		noJSON   = "the token's claims are not JSON"
	)
	for token, want := range map[string]string{
		"":                                       noToken,
		"opaque-secret":                          noToken,
		"a.e30":                                  noToken,
		"a.e30.c.d.e":                            noToken, // an encrypted token
		"a.e30.c.d":                              noToken,
		"a.secret!.c":                            noBase64,
		"a.e3+9.c":                               noBase64, // the other alphabet
		"a.e30\u00a0.c":                          noBase64,
		"a..c":                                   noJSON,
		"..":                                     noJSON,
		"a.===.c":                                noJSON,
		graphtest.RawJWT(``):                     noJSON,
		graphtest.RawJWT(`{"oid":"secret"`):      noJSON,
		graphtest.RawJWT(`{"oid":"secret"} {}`):  noJSON,
		graphtest.RawJWT(`secret`):               noJSON,
		graphtest.RawJWT(`{"oid":"o","exp":1e}`): noJSON,
	} {
		got, err := claims.Parse(token)
		if err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %q", token, err, want)
		}
		if !reflect.DeepEqual(got, claims.Claims{}) {
			t.Errorf("%q: got %+v with an error", token, got)
		}
	}
}

// A header may hold megabytes, which nobody decodes for a diagnosis.
func TestParse_Size(t *testing.T) {
	t.Parallel()
	const most = 64 << 10
	token := "." + base64.RawURLEncoding.EncodeToString([]byte(`{"oid":"o"}`)) + "."
	fits := strings.Repeat("a", most-len(token)) + token
	if got, err := claims.Parse(fits); err != nil || got.Object != "o" {
		t.Errorf("%d bytes: got %+v, error %v", len(fits), got, err)
	}
	if got, err := claims.Parse("a" + fits); err == nil || got.Object != "" {
		t.Errorf("%d bytes: got %+v, error %v", len(fits)+1, got, err)
	}
}

// FuzzParse reads claims in a token, and a token that is nothing but text. A token whose claims are JSON is read, and
// no error says anything of the others.
func FuzzParse(f *testing.F) {
	f.Add(`{"aud":["a"],"exp":-1e308,"scp":"a b","roles":["c"],"azp":"d"}`, "a.b.c")
	f.Add(`[[[`, "..")
	f.Add(`{"AUD":5,"exp":1e999,"oid":"\ud800","oid":"x"}`, "Bearer eyJ.e30=.x")
	f.Fuzz(func(t *testing.T, payload, text string) {
		token := graphtest.RawJWT(payload)
		_, err := claims.Parse(token)
		if want := json.Valid([]byte(payload)) && len(token) <= 64<<10; (err == nil) != want {
			t.Fatalf("%q: error %v", payload, err)
		}
		for _, token := range []string{token, text} {
			got, err := claims.Parse(token)
			if err == nil {
				continue
			}
			if !reflect.DeepEqual(got, claims.Claims{}) {
				t.Fatalf("%q: got %+v with the error %v", token, got, err)
			}
			switch err.Error() {
			case "not a JSON web token", "the token's claims are not base64", "the token's claims are not JSON":
			default:
				t.Fatalf("%q: error %v", token, err)
			}
		}
	})
}
