package intune_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
)

func TestNewClient_CredentialIsNeeded(t *testing.T) {
	t.Parallel()
	var (
		pointer *tokenDesk
		secret  *azidentity.ClientSecretCredential
		fn      credentialFunc
	)
	for name, credential := range map[string]azcore.TokenCredential{
		"nil": nil, "nil pointer": pointer, "azidentity's nil pointer": secret, "nil function": fn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var service wire
			client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: &service}})
			if client != nil {
				t.Errorf("got %v beside the error", client)
			}
			checkRefused(t, err, "credential")
			client, err = clientOf(t, intune.StaticToken("t"), &service).WithCredential(credential)
			if client != nil {
				t.Errorf("WithCredential gives %v beside the error", client)
			}
			checkRefused(t, err, "credential")
			service.saw(t)
		})
	}
}

func TestStaticToken_OnTheWire(t *testing.T) {
	t.Parallel()
	future := graphtest.JWT(map[string]any{"exp": time.Now().Add(time.Hour).Unix()})
	for name, c := range map[string]struct{ token, want string }{
		"bare":                 {"opaque~token+/=", "opaque~token+/="},
		"with the scheme":      {"Bearer opaque-token", "opaque-token"},
		"in lower case":        {"bearer opaque-token", "opaque-token"},
		"with more space":      {"BEARER   opaque-token", "opaque-token"},
		"with the line's end":  {"opaque-token\r\n", "opaque-token"},
		"both":                 {"Bearer opaque-token\n", "opaque-token"},
		"begins like it":       {"bearertoken", "bearertoken"},
		"JSON web token":       {"Bearer " + future, future},
		"exp is a text":        {graphtest.JWT(map[string]any{"exp": "1"}), graphtest.JWT(map[string]any{"exp": "1"})},
		"exp is out of bounds": {graphtest.RawJWT(`{"exp":1e300}`), graphtest.RawJWT(`{"exp":1e300}`)},
		"no exp":               {graphtest.RawJWT(`{}`), graphtest.RawJWT(`{}`)},
		"claims that are none": {graphtest.RawJWT(`[1]`), graphtest.RawJWT(`[1]`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var service wire
			if err := act(t, clientOf(t, intune.StaticToken(c.token), &service)); err != nil {
				t.Fatal(err)
			}
			service.saw(t, "Bearer "+c.want)
		})
	}
}

func TestStaticToken_TextThatCannotBeOne(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]string{
		"empty": "", "blank": " \t\r\n", "space within": "opaque token", "line break within": "opaque\r\nX-Injected: 1",
		"NUL": "opaque\x00token", "DEL": "opaque\x7ftoken", "not ASCII": "opaqu\u00e9token", "zero width": "opaque\u200btoken",
		"two schemes": "Bearer Bearer opaque", "no UTF-8": "opaque\xfftoken", "only the scheme": "Bearer ", "only its name": "Bearer",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var service wire
			err := act(t, clientOf(t, intune.StaticToken(token), &service))
			checkRefused(t, err, "StaticToken")
			if e := asError(t, err); e.StatusCode != 0 {
				t.Errorf("status %d, though nothing was sent", e.StatusCode)
			}
			if text := err.Error(); strings.Contains(text, "opaq") || strings.ContainsAny(text, "\r\n") {
				t.Errorf("the text shows the token: %q", text)
			}
			service.saw(t)
		})
	}
}

func TestStaticToken_Expires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		token := graphtest.JWT(map[string]any{"exp": time.Now().Add(10 * time.Minute).Unix(), "scp": manageRight, "upn": testUser})
		var service wire
		client := clientOf(t, intune.StaticToken(token), &service)
		for range 2 {
			if err := act(t, client); err != nil {
				t.Fatal(err)
			}
			<-time.After(599 * time.Second) // the bubble's clock; the second call comes a second before the end
		}
		if info, err := client.TokenInfo(t.Context()); err == nil {
			t.Errorf("TokenInfo gives %v after the end", info)
		}
		for range 2 {
			err := act(t, client)
			e := asError(t, err)
			checkKinds(t, err, intune.ErrUnauthenticated)
			if e.StatusCode != 0 {
				t.Errorf("status %d, though nothing was sent", e.StatusCode)
			}
			if text := err.Error(); !strings.Contains(text, "expired at 2000-01-01T00:10:00Z") {
				t.Errorf("the text does not say that and when the token expired: %s", text)
			}
			noToken(t, "the error", fmt.Sprintf("%v %+v %#v %s", err, err, err, e.Hint), token)
			for _, cause := range e.Unwrap() {
				noToken(t, "the cause", cause.Error(), token)
			}
		}
		service.saw(t, "Bearer "+token, "Bearer "+token)
	})
}

func TestStaticToken_CannotAnswerAChallenge(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			t.Parallel()
			service := wire{challenges: []challenge{{code, []string{`Bearer error="insufficient_claims", claims="e30="`}}}}
			err := act(t, clientOf(t, intune.StaticToken("opaque-token"), &service))
			e := asError(t, err)
			if !errors.Is(err, intune.ErrUnauthenticated) || errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("kind of %v", err)
			}
			if !strings.Contains(err.Error(), "static token cannot give") || !strings.Contains(e.Hint, "sign") {
				t.Errorf("text %v", err)
			}
			service.saw(t, "Bearer opaque-token")
			if e.StatusCode != code {
				t.Errorf("status %d, the service said %d", e.StatusCode, code)
			}
		})
	}
}

func TestStaticToken_IsNeverShown(t *testing.T) {
	t.Parallel()
	token := graphtest.JWT(map[string]any{"exp": time.Now().Add(time.Hour).Unix(), "upn": testUser})
	credential := intune.StaticToken(token)
	client := clientOf(t, credential, &wire{})
	type exported struct{ Credential azcore.TokenCredential }
	type unexported struct{ credential azcore.TokenCredential }
	values := map[string]any{
		"credential": credential, "in a struct": exported{credential}, "behind a pointer": &exported{credential},
		"unexported": unexported{credential}, "in a slice": []azcore.TokenCredential{credential},
		"in a map": map[string]any{"c": credential}, "client": client,
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%10.3v"} {
			t.Run(name+" with "+verb, func(t *testing.T) {
				t.Parallel()
				noToken(t, verb, fmt.Sprintf(verb, value), token)
			})
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "value", value)
		noToken(t, name+" in slog", log.String(), token)
		noToken(t, name+" in JSON", jsonText(value), token)
	}
	if text := fmt.Sprint(credential); !strings.HasPrefix(text, "StaticToken(") {
		t.Errorf("the value does not say what it is: %s", text)
	}
}

func TestTokenInfo_Claims(t *testing.T) {
	t.Parallel()
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	const graphID = "00000003-0000-0000-c000-000000000000"
	base := map[string]any{"aud": graphID, "exp": expires.Unix(), "tid": testTenant, "upn": testUser, "name": "Anna", "oid": "o"}
	with := func(claims map[string]any) string {
		for key, value := range base {
			if _, ok := claims[key]; !ok {
				claims[key] = value
			}
		}
		return graphtest.JWT(claims)
	}
	for name, c := range map[string]struct {
		token string
		kind  intune.TokenKind
		text  string            // of String
		want  *intune.TokenInfo // but for Kind and ExpiresOn
	}{
		"delegated": {
			with(map[string]any{"scp": "openid  User.Read", "appid": azureCLI, "idtyp": "user"}), intune.TokenKindDelegated,
			"the token is delegated, from app " + azureCLI + " (Azure CLI), with scopes openid User.Read",
			&intune.TokenInfo{Scopes: []string{"openid", "User.Read"}, AppID: azureCLI, TenantID: testTenant, Audience: graphID},
		},
		"delegated with directory roles": {
			with(map[string]any{"scp": "User.Read", "roles": []string{"x"}}), intune.TokenKindDelegated,
			"the token is delegated, with scopes User.Read", nil,
		},
		"application": {
			with(map[string]any{"roles": []string{manageRight}, "azp": testApp, "idtyp": "app"}), intune.TokenKindApplication,
			"the token is app-only, from app " + testApp + ", with roles " + manageRight,
			&intune.TokenInfo{Roles: []string{manageRight}, AppID: testApp, TenantID: testTenant, Audience: graphID},
		},
		"application without roles": {
			with(map[string]any{"appid": testApp}), intune.TokenKindApplication,
			"the token is app-only, from app " + testApp + ", without permissions", nil,
		},
		"claims that do not tell": {with(map[string]any{}), intune.TokenKindUnknown, "", nil},
		"claims of other types": {
			with(map[string]any{"scp": []string{"a"}, "roles": "b", "appid": 7, "tid": map[string]any{"a": 1}, "aud": []string{"x"}}),
			intune.TokenKindUnknown, "", &intune.TokenInfo{Audience: "x"},
		},
		"one claim of another type": {
			with(map[string]any{"roles": "b", "scp": "User.Read"}), intune.TokenKindDelegated, "the token is delegated, with scopes User.Read", nil,
		},
		"hostile texts": {
			with(map[string]any{"scp": "a\x1b[31m\nforged " + strings.Repeat("x", 10_000), "appid": "\r\n" + strings.Repeat("y", 10_000)}),
			intune.TokenKindDelegated, "", nil,
		},
		"hostile texts of an app": {
			with(map[string]any{"roles": []string{"a\x1b[31m\nforged", strings.Repeat("x", 10_000)}, "appid": "\r\n" + strings.Repeat("y", 10_000)}),
			intune.TokenKindApplication, "", nil,
		},
		"padded": {
			strings.Replace(graphtest.RawJWT(`{"scp":"ab"}`), "."+graphtest.Signature, "==."+graphtest.Signature, 1),
			intune.TokenKindDelegated, "", nil,
		},
		"opaque":            {"EwBgA8l6BAAU", intune.TokenKindUnknown, "", nil},
		"two parts":         {"a.b", intune.TokenKindUnknown, "", nil},
		"five parts (JWE)":  {"a.b.c.d.e", intune.TokenKindUnknown, "", nil},
		"no base64":         {"a.!!!.c", intune.TokenKindUnknown, "", nil},
		"no JSON":           {graphtest.RawJWT("scp=a"), intune.TokenKindUnknown, "", nil},
		"cut off":           {graphtest.RawJWT(`{"scp":"User.Re`), intune.TokenKindUnknown, "", nil},
		"null":              {graphtest.RawJWT("null"), intune.TokenKindUnknown, "", nil},
		"huge":              {graphtest.RawJWT(`{"scp":"` + strings.Repeat("x", 1<<20) + `"}`), intune.TokenKindUnknown, "", nil},
		"nested too deeply": {graphtest.RawJWT(`{"aud":` + deep + `}`), intune.TokenKindUnknown, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var service wire
			info, err := clientOf(t, intune.StaticToken(c.token), &service).TokenInfo(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if info.Kind != c.kind {
				t.Errorf("kind %s, want %s", info.Kind, c.kind)
			}
			if w := c.want; w != nil {
				if !slices.Equal(info.Scopes, w.Scopes) || !reflect.DeepEqual(info.Roles, w.Roles) {
					t.Errorf("scopes %q and roles %q, want %q and %q", info.Scopes, info.Roles, w.Scopes, w.Roles)
				}
				got, want := [...]string{info.AppID, info.TenantID, info.Audience}, [...]string{w.AppID, w.TenantID, w.Audience}
				if got != want {
					t.Errorf("app, tenant and audience are %q, want %q", got, want)
				}
			}
			if !slices.Contains(intune.PossibleTokenKindValues(), info.Kind) {
				t.Errorf("kind %q is not listed", info.Kind)
			}
			if strings.Contains(name, "application") && !info.ExpiresOn.Equal(expires) {
				t.Errorf("ExpiresOn %v, want %v", info.ExpiresOn, expires)
			}
			if c.text == "" && c.kind == intune.TokenKindUnknown {
				c.text = "the token's claims cannot be read"
			}
			text := info.String()
			if c.text != "" && text != c.text {
				t.Errorf("String() = %q, want %q", text, c.text)
			}
			if len(text) > 512 || strings.ContainsAny(text, "\r\n\x1b") {
				t.Errorf("String() is not one short line: %q", text)
			}
			all := fmt.Sprintf("%v %+v %#v %s", info, info, info, info)
			if strings.Contains(all, testUser) || strings.Contains(all, "Anna") {
				t.Errorf("the user is in %s", all)
			}
			noToken(t, "TokenInfo", all, c.token)
			service.saw(t)
		})
	}
}

func FuzzTokenInfo(f *testing.F) {
	for _, token := range []string{
		"", "a.b.c", "Bearer x", "a\nb", graphtest.RawJWT(`{}`), graphtest.RawJWT(`{"exp":1}`),
		graphtest.RawJWT(`{"exp":-1e308,"scp":"a b","roles":["c"],"aud":["d"]}`),
		graphtest.JWT(map[string]any{"scp": manageRight, "appid": azureCLI, "exp": 32503680000}),
		"a." + base64.RawURLEncoding.EncodeToString([]byte("[[[")) + ".c",
	} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		credential := intune.StaticToken(token)
		client, err := intune.NewClient(credential, nil)
		if err != nil {
			t.Fatal(err)
		}
		info, err := client.TokenInfo(t.Context())
		text := info.String() + " " + fmt.Sprintf("%+v %#v", credential, credential)
		if err != nil {
			text += " " + err.Error()
			if errors.Is(err, intune.ErrUnauthenticated) == errors.Is(err, intune.ErrInvalidArgument) {
				t.Errorf("kind of %v", err)
			}
		}
		if strings.ContainsAny(text, "\r\n") || len(text) > 4<<10 {
			t.Errorf("not one short line: %q", text)
		}
		if token = strings.TrimSpace(token); len(token) > 24 && strings.Contains(text, token) {
			t.Errorf("the token is in %q", text)
		}
	})
}

// testClaims are such that both base64 alphabets and the padding show.
const testClaims = `{"access_token":{"nbf":{"essential":true,"value":"1700000000"},"t":"~~~???"}}`

// challengeForms are the ways to write one challenge (C§9.2); S, U, R and N stand for the claims in standard base64, in the URL-safe
// alphabet, and in both without padding.
var challengeForms = map[string][]string{
	"canonical": {`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ` +
		`client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", claims="S"`},
	"lower case":            {`bearer realm="", error="insufficient_claims", claims="S"`},
	"upper case":            {`BEARER realm="", error="insufficient_claims", claims="S"`},
	"URL-safe":              {`Bearer error="insufficient_claims", claims="U"`},
	"unpadded":              {`Bearer error="insufficient_claims", claims="R"`},
	"URL-safe and unpadded": {`Bearer error="insufficient_claims", claims="N"`},
	"claims first":          {`Bearer claims="S", error="insufficient_claims", realm=""`},
	"commas in quotes": {`Bearer realm="a, b", error_description="Continuous access evaluation: \"session revoked\", claims=none, sign in", ` +
		`error="insufficient_claims", claims="S"`},
	"no space":                  {`Bearer realm="",error="insufficient_claims",claims="S"`},
	"more space":                {`Bearer  error = "insufficient_claims" ,	claims = "S"`},
	"bare error":                {`Bearer error=insufficient_claims, claims="S"`},
	"names in other case":       {`Bearer Error="insufficient_claims", Claims="S"`},
	"other scheme before":       {`PoP realm="x", nonce="y", Bearer error="insufficient_claims", claims="S"`},
	"other scheme after":        {`Bearer error="insufficient_claims", claims="S", PoP nonce="y"`},
	"bare scheme before":        {`Negotiate, Bearer error="insufficient_claims", claims="S"`},
	"token68 before":            {`Negotiate YIIC==, Bearer error="insufficient_claims", claims="S"`},
	"other Bearer before":       {`Bearer realm="x", Bearer error="insufficient_claims", claims="S"`},
	"second header":             {`Negotiate`, `Bearer error="insufficient_claims", claims="S"`},
	"first header":              {`Bearer error="insufficient_claims", claims="S"`, `Basic realm="x, Bearer"`},
	"second header, Bearer too": {`Bearer realm="x", error="invalid_token"`, `bearer error="insufficient_claims", claims="N"`},
}

func writeClaims(headers []string) []string {
	claims := []byte(testClaims)
	var list []string
	for _, header := range headers {
		list = append(list, strings.NewReplacer(
			`"S"`, `"`+base64.StdEncoding.EncodeToString(claims)+`"`, `"U"`, `"`+base64.URLEncoding.EncodeToString(claims)+`"`,
			`"R"`, `"`+base64.RawStdEncoding.EncodeToString(claims)+`"`, `"N"`, `"`+base64.RawURLEncoding.EncodeToString(claims)+`"`,
		).Replace(header))
	}
	return list
}

// Every form is answered once: one new token with the claims, one repeat of the POST.
func TestRequestRemoteAssistance_ClaimsChallengeIsAnswered(t *testing.T) {
	t.Parallel()
	if text := base64.StdEncoding.EncodeToString([]byte(testClaims)); !strings.ContainsAny(text, "+/") || !strings.HasSuffix(text, "=") {
		t.Fatalf("the claims do not tell the alphabets apart: %s", text)
	}
	for name, headers := range challengeForms {
		for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			t.Run(fmt.Sprint(name, " ", code), func(t *testing.T) {
				t.Parallel()
				desk, service := tokenDesk{}, wire{challenges: []challenge{{code, writeClaims(headers)}}}
				client := clientOf(t, &desk, &service)
				if err := act(t, client); err != nil {
					t.Error(err)
				}
				desk.sawClaims(t, "", testClaims)
				service.saw(t, "Bearer token-1", "Bearer token-2")
				if err := act(t, client); err != nil { // the new token is kept
					t.Error(err)
				}
				desk.sawClaims(t, "", testClaims)
			})
		}
	}
}

// A challenge to the token that was to meet the first one ends the call.
func TestRequestRemoteAssistance_SecondClaimsChallengeEndsTheCall(t *testing.T) {
	t.Parallel()
	kinds := map[int]error{http.StatusUnauthorized: intune.ErrUnauthenticated, http.StatusForbidden: intune.ErrForbidden}
	for name, headers := range challengeForms {
		for _, codes := range [][2]int{{401, 401}, {403, 403}, {401, 403}, {403, 401}} {
			t.Run(fmt.Sprint(name, " ", codes), func(t *testing.T) {
				t.Parallel()
				var challenges []challenge
				for _, code := range append(codes[:], codes[1], codes[1], codes[1]) {
					challenges = append(challenges, challenge{code, writeClaims(headers)})
				}
				desk, service := tokenDesk{}, wire{challenges: challenges}
				err := act(t, clientOf(t, &desk, &service))
				desk.sawClaims(t, "", testClaims)
				service.saw(t, "Bearer token-1", "Bearer token-2")
				e := asError(t, err)
				if errors.Is(err, intune.ErrOutcomeUnknown) {
					t.Errorf("kind of %v", err)
				}
				if e.StatusCode != codes[1] || !errors.Is(err, kinds[codes[1]]) {
					t.Errorf("status %d, want that of the second answer, %d, and its kind: %v", e.StatusCode, codes[1], err)
				}
				if !strings.Contains(e.Hint, "claims challenge") || !strings.Contains(e.Hint, "sign the user in again") {
					t.Errorf("hint %q", e.Hint)
				}
			})
		}
	}
}

// What looks like a challenge and is none, or cannot be answered: one request, one token.
func TestRequestRemoteAssistance_NoClaimsChallenge(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/errors/020-list-manageddevices-nested-forbidden-401.json")
	if err != nil {
		t.Fatal(err)
	}
	var nested struct{ Body string }
	if err := json.Unmarshal(raw, &nested); err != nil {
		t.Fatal(err)
	}
	headers := jsonText(map[string]any{"WWW-Authenticate": writeClaims(challengeForms["canonical"])[0]})
	inner := jsonText(map[string]any{"_version": 3, "Message": "An error has occurred", "HttpHeaders": headers})
	body := jsonText(map[string]any{"error": map[string]string{"code": "Forbidden", "message": inner}})
	for name, c := range map[string]struct {
		code    int
		headers []string
		body    string
		kind    error
	}{
		"nested Forbidden":             {401, nil, nested.Body, intune.ErrForbidden},
		"nested Forbidden, bare realm": {401, []string{`Bearer realm="urn:intune:service,4b10,c18a"`}, nested.Body, intune.ErrForbidden},
		"challenge within the body":    {401, nil, body, intune.ErrForbidden},
		"the same with 403":            {403, nil, body, intune.ErrForbidden},
		"no claims":                    {401, []string{`Bearer error="insufficient_claims"`}, "", intune.ErrUnauthenticated},
		"blank claims":                 {403, []string{`Bearer error="insufficient_claims", claims=""`}, "", intune.ErrForbidden},
		"other error":                  {401, writeClaims([]string{`Bearer error="invalid_token", claims="S"`}), "", intune.ErrUnauthenticated},
		"other scheme": {
			401, writeClaims([]string{`PoP error="insufficient_claims", claims="S"`}), "", intune.ErrUnauthenticated,
		},
		"split over two schemes": {
			401, writeClaims([]string{`PoP error="insufficient_claims", Bearer claims="S"`}), "", intune.ErrUnauthenticated,
		},
		"within a quoted value": {403, []string{`Basic realm="Bearer error=insufficient_claims, claims=e30="`}, "", intune.ErrForbidden},
		"no base64":             {401, []string{`Bearer error="insufficient_claims", claims="!!!"`}, "", intune.ErrUnauthenticated},
		"cut off":               {401, []string{`Bearer error="insufficient_claims", claims="e30=`}, "", intune.ErrUnauthenticated},
		"nonsense":              {401, []string{`=,"=,,"`, "", `,`, `Bearer`, `Bearer =`}, "", intune.ErrUnauthenticated},
		"long nonsense": {
			401, []string{strings.Repeat(`Bearer a="`, 10_000), strings.Repeat(`",=`, 10_000)}, "", intune.ErrUnauthenticated,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			desk, service := tokenDesk{}, wire{body: c.body}
			for range 5 {
				service.challenges = append(service.challenges, challenge{c.code, c.headers})
			}
			err := act(t, clientOf(t, &desk, &service))
			desk.sawClaims(t, "")
			service.saw(t, "Bearer token-1")
			checkKinds(t, err, c.kind)
			if e := asError(t, err); e.StatusCode != c.code || e.Hint == "" {
				t.Errorf("status %d and hint %q, want %d and a hint", e.StatusCode, e.Hint, c.code)
			}
		})
	}
}

// tokenDesk is a credential that gives token-1, token-2 and so on, and keeps what it was asked.
type tokenDesk struct {
	mu    sync.Mutex
	asked []policy.TokenRequestOptions
}

func (d *tokenDesk) GetToken(_ context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, options)
	return azcore.AccessToken{Token: "token-" + strconv.Itoa(len(d.asked)), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// sawClaims checks the claims of the requests for tokens, one by one, and all else about them.
func (d *tokenDesk) sawClaims(tb testing.TB, claims ...string) {
	tb.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	want := make([]policy.TokenRequestOptions, len(claims))
	for i := range claims {
		want[i] = policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}, EnableCAE: true, Claims: claims[i]}
	}
	if !reflect.DeepEqual(d.asked, want) {
		tb.Errorf("the credential was asked %+v\nwant %+v", d.asked, want)
	}
}

// challenge is a refusal with WWW-Authenticate headers.
type challenge struct {
	status  int
	headers []string
}

// wire answers the first requests with challenges and the others with 204, and keeps the tokens that came.
type wire struct {
	challenges []challenge
	body       string

	mu   sync.Mutex
	seen []string
}

func (w *wire) Do(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := req.Header.Get("Authorization")
	if req.Method != http.MethodPost || req.URL.String() != graphLists+"managedDevices/1/requestRemoteAssistance" {
		text = req.Method + " " + req.URL.String()
	}
	w.seen = append(w.seen, text)
	if len(w.seen) > len(w.challenges) {
		return answer(req, http.StatusNoContent, nil, ""), nil
	}
	c := w.challenges[len(w.seen)-1]
	return answer(req, c.status, http.Header{"Www-Authenticate": slices.Clone(c.headers)}, w.body), nil
}

// saw checks the Authorization headers that arrived, one a request.
func (w *wire) saw(tb testing.TB, want ...string) {
	tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.seen, want) {
		tb.Errorf("the service saw %q, want %q", w.seen, want)
	}
}

// What a credential of azcore promises, asked of it directly.
func TestStaticToken_AsACredential(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end := time.Now().Add(30 * time.Minute)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for name, c := range map[string]struct {
			token string
			ends  time.Time
		}{
			"opaque":              {"opaque~!", time.Now().Add(time.Hour)},
			"with an end":         {graphtest.JWT(map[string]any{"exp": end.Unix()}), end.Truncate(time.Second)},
			"with an end too far": {graphtest.JWT(map[string]any{"exp": 1 << 40}), time.Now().Add(time.Hour)},
		} {
			credential := intune.StaticToken(c.token)
			token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if token.Token != c.token || !token.ExpiresOn.Equal(c.ends) {
				t.Errorf("%s: got %s until %v, want %s until %v", name, token.Token, token.ExpiresOn, c.token, c.ends)
			}
			if token, err := credential.GetToken(ended, policy.TokenRequestOptions{}); !errors.Is(err, context.Canceled) || token.Token != "" {
				t.Errorf("%s: got %v after the context's end", name, err)
			}
		}
		for _, token := range []string{"a b", "a\x7f", "a\u00a0b", "ä", "a\xff", "a\x00"} {
			if _, err := intune.StaticToken(token).GetToken(t.Context(), policy.TokenRequestOptions{}); !errors.Is(err, intune.ErrInvalidArgument) {
				t.Errorf("%q: got %v", token, err)
			}
		}
	})
}

// A token is read as far as it is one, and no further.
func TestTokenInfo_AtTheEdges(t *testing.T) {
	t.Parallel()
	given := time.Now().Add(2 * time.Hour).Truncate(time.Second) // what the credential says by itself
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"scp":"User.Read","exp":4102444800}`))
	const frame = len(`{"scp":""}`)
	long := func(n int) string { // a token of n bytes
		text := graphtest.RawJWT(`{"scp":"` + strings.Repeat("x", (n-len(graphtest.RawJWT("")))/4*3-frame) + `"}`)
		return text + strings.Repeat("s", n-len(text))
	}
	for name, c := range map[string]struct {
		token string
		kind  intune.TokenKind
		ends  time.Time
	}{
		"base64 broken at the end": {"h." + payload + "!.s", intune.TokenKindUnknown, given},
		"not JSON":                 {graphtest.RawJWT(`{"scp":"User.Read","exp":4102444800`), intune.TokenKindUnknown, given},
		"two parts":                {"h." + payload, intune.TokenKindUnknown, given},
		"four parts":               {"h." + payload + ".s.x", intune.TokenKindUnknown, given},
		"three parts":              {"h." + payload + ".s", intune.TokenKindDelegated, time.Unix(4102444800, 0)},
		"as long as may be":        {long(64 << 10), intune.TokenKindDelegated, time.Time{}},
		"too long":                 {long(64<<10 + 1), intune.TokenKindUnknown, given},
		"ends at once":             {graphtest.RawJWT(`{"scp":"a","exp":0}`), intune.TokenKindDelegated, time.Time{}},
		"ends before the epoch":    {graphtest.RawJWT(`{"scp":"a","exp":-1}`), intune.TokenKindDelegated, time.Time{}},
		"ends in a second":         {graphtest.RawJWT(`{"scp":"a","exp":1}`), intune.TokenKindDelegated, time.Unix(1, 0)},
		"ends last":                {graphtest.RawJWT(`{"scp":"a","exp":1099511627775}`), intune.TokenKindDelegated, time.Unix(1<<40-1, 0)},
		"ends never":               {graphtest.RawJWT(`{"scp":"a","exp":1099511627776}`), intune.TokenKindDelegated, time.Time{}},
		"user without scopes":      {graphtest.RawJWT(`{"idtyp":"user"}`), intune.TokenKindDelegated, time.Time{}},
		"user with roles":          {graphtest.RawJWT(`{"idtyp":"user","roles":["x"]}`), intune.TokenKindDelegated, time.Time{}},
		"roles alone":              {graphtest.RawJWT(`{"roles":["x"]}`), intune.TokenKindApplication, time.Time{}},
		"app without roles":        {graphtest.RawJWT(`{"idtyp":"app"}`), intune.TokenKindApplication, time.Time{}},
		"app id alone":             {graphtest.RawJWT(`{"azp":"a"}`), intune.TokenKindApplication, time.Time{}},
		"another type":             {graphtest.RawJWT(`{"idtyp":"device"}`), intune.TokenKindUnknown, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var service wire
			info, err := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
				return azcore.AccessToken{Token: c.token, ExpiresOn: given}, nil
			}), &service).TokenInfo(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if info.Kind != c.kind || !info.ExpiresOn.Equal(c.ends) {
				t.Errorf("%s until %v, want %s until %v", info.Kind, info.ExpiresOn, c.kind, c.ends)
			}
		})
	}
}

func TestTokenInfo_Fails(t *testing.T) {
	t.Parallel()
	var service wire
	client := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{}, errors.New("no token today")
	}), &service)
	_, err := client.TokenInfo(t.Context())
	if e := asError(t, err); e.Op != "get a token" || !errors.Is(err, intune.ErrUnauthenticated) {
		t.Errorf("got %#v", err)
	}
	_, err = client.TokenInfo(nil) //nolint:staticcheck // what a caller may do
	checkRefused(t, err, "ctx")
}

func TestTokenInfo_Expired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for name, c := range map[string]struct {
			ends time.Time
			want bool
		}{
			"not known": {time.Time{}, false}, "before": {now.Add(-time.Second), true}, "now": {now, true},
			"after": {now.Add(time.Nanosecond), false},
		} {
			if got := (intune.TokenInfo{ExpiresOn: c.ends}).Expired(); got != c.want {
				t.Errorf("%s: Expired() = %v", name, got)
			}
		}
	})
}

// One line has its limits: what is longer is cut, what just fits is not.
func TestTokenInfo_StringIsBounded(t *testing.T) {
	t.Parallel()
	fits, long := strings.Repeat("a", 64), strings.Repeat("a", 65)
	list := strings.Repeat("b", 200)
	for name, c := range map[string]struct {
		info intune.TokenInfo
		want string
	}{
		"fits": {
			intune.TokenInfo{Kind: intune.TokenKindDelegated, AppID: fits, Scopes: []string{list}},
			"the token is delegated, from app " + fits + ", with scopes " + list,
		},
		"cut": {
			intune.TokenInfo{Kind: intune.TokenKindApplication, AppID: long, Roles: []string{list, "c"}},
			"the token is app-only, from app " + fits + "…, with roles " + list + "…",
		},
		"nothing": {intune.TokenInfo{}, "the token's claims cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.info.String(); got != c.want {
				t.Errorf("String() = %q, want %q", got, c.want)
			}
		})
	}
}

// The audience of a token is a text or a list.
func TestTokenInfo_Audience(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		aud  any
		want string
	}{
		"text": {"a", "a"}, "list": {[]string{"a", "b"}, "a"}, "list of one": {[]string{"a"}, "a"}, "empty list": {[]string{}, ""},
		"number": {1, ""}, "list of numbers": {[]int{1}, ""}, "none": {nil, ""},
	} {
		token := intune.StaticToken(graphtest.JWT(map[string]any{"aud": c.aud, "scp": "s"}))
		info, err := clientOf(t, token, transportFunc(noConnection)).TokenInfo(t.Context())
		if err != nil || info.Audience != c.want {
			t.Errorf("%s: %q, %v", name, info.Audience, err)
		}
	}
}

// A credential that fails in a way of its own costs one call, and the next one works.
func TestNewClient_CredentialThatBreaksOnce(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(){
		"panics":              func() { panic("secret") },
		"ends its goroutine":  runtime.Goexit,
		"gives a blank token": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			credential := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
				if asked.Add(1) == 1 {
					if breaks == nil {
						return azcore.AccessToken{ExpiresOn: time.Now().Add(time.Hour)}, nil
					}
					breaks()
				}
				return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
			})
			service := newScript(status(204))
			client := clientOf(t, credential, service)
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			checkKinds(t, err, intune.ErrUnauthenticated)
			if strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("the error shows what the credential said: %v", err)
			}
			if n := service.calls.Load(); n != 0 {
				t.Errorf("sent %d times", n)
			}
			if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
				t.Errorf("the next call: %v", err)
			}
			if _, err := client.TokenInfo(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A call ends with its context though the credential does not. Others wait for the same answer, each as long as the own
// context lasts, so that one goroutine is held up and not one for each call. The bubble fails if one is left at the end.
func TestNewClient_CredentialThatIgnoresItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var asked atomic.Int32
		credential := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			asked.Add(1)
			<-release
			return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
		})
		service := newScript(status(204))
		client := clientOf(t, credential, service)
		methods := map[string]func(context.Context) error{
			"RequestRemoteAssistance": func(ctx context.Context) error {
				_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
				return err
			},
			"TokenInfo": func(ctx context.Context) error { _, err := client.TokenInfo(ctx); return err },
		}
		for range 300 {
			for name, call := range methods {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				start := time.Now()
				err := call(ctx)
				cancel()
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, intune.ErrOutcomeUnknown) {
					t.Fatalf("%s: %v", name, err)
				}
				if text := err.Error(); !strings.Contains(text, "while getting a token") {
					t.Fatalf("%s: %s", name, text)
				}
				if took := time.Since(start); took != 10*time.Second {
					t.Fatalf("%s took %v", name, took)
				}
			}
		}
		if got := asked.Load(); got != 1 {
			t.Errorf("the credential was asked %d times", got)
		}
		patient := map[string]chan error{}
		for name, call := range methods {
			done := make(chan error, 1)
			go func() { done <- call(t.Context()) }()
			patient[name] = done
		}
		synctest.Wait()
		close(release)
		for name, done := range patient {
			if err := <-done; err != nil {
				t.Errorf("%s, after the answer: %v", name, err)
			}
		}
		if got := asked.Load(); got != 1 {
			t.Errorf("the credential was asked %d times", got)
		}
		if got := service.calls.Load(); got != 1 {
			t.Errorf("sent %d times", got)
		}
	})
}

// A token that no header can hold never leaves, so that the outcome is known.
func TestRequestRemoteAssistance_TokenThatCannotBeSent(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", " ", "a\nb", "a\x00b", "a b", "a\x7f", "tökén"} {
		credential := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, nil
		})
		service := newScript(status(204))
		_, err := clientOf(t, credential, service).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if err == nil || errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("%q: got %v", token, err)
		}
		if n := service.calls.Load(); n != 0 {
			t.Errorf("%q: sent %d times", token, n)
		}
	}
}

// azcore logs the error of each try.
func TestNewClient_CredentialErrorIsCleanedForTheLog(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	text := graphtest.CaptureLog(t)
	failure := errors.New("see https://login.example/?code=secret-code and eyJzZWNyZXQtdG9rZW4.x.y")
	client := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{}, failure
	}), newScript(status(204)))
	_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if !errors.Is(err, failure) || !strings.Contains(text.String(), "while getting a token") {
		t.Errorf("error %v, log %s", err, text)
	}
	for _, secret := range []string{"secret-code", "eyJzZWNyZXQtdG9rZW4"} {
		if strings.Contains(text.String()+err.Error(), secret) {
			t.Errorf("%s shows in %v or in the log:\n%s", secret, err, text)
		}
	}
}

// A header within Go's default limit, through the whole client.
func TestRequestRemoteAssistance_EndlessChallenge(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		service := newScript(status(code, "WWW-Authenticate", "Bearer "+strings.Repeat("=", 10<<20/graphtest.Smaller)))
		_, err := newClient(t, service).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if asError(t, err).StatusCode != code || service.calls.Load() != 1 {
			t.Errorf("%d: got %v", code, err)
		}
	}
}

// gated is a credential that takes as long as the test likes, and listens to no context.
type gated struct {
	tokenDesk
	entered, release chan struct{}
}

func newGated() *gated { return &gated{entered: make(chan struct{}), release: make(chan struct{})} }

func (g *gated) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	g.entered <- struct{}{}
	<-g.release
	return g.tokenDesk.GetToken(ctx, options)
}

// The traps table: azcore makes who waits for another goroutine's token wait for as long as the credential takes.
func TestRequestRemoteAssistance_OwnDeadlineWhileAnotherSignsIn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		"deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 2*time.Second)
		}, context.DeadlineExceeded},
		"cancel": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(2*time.Second, cancel)
			return ctx, cancel
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				desk := newGated()
				var service wire
				client := clientOf(t, desk, &service)
				first := make(chan error, 1)
				go func() { first <- act(t, client) }()
				<-desk.entered

				ctx, cancel := c.ctx(t.Context())
				defer cancel()
				start := time.Now()
				_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
				if waited := time.Since(start); waited != 2*time.Second {
					t.Errorf("waited %v, want 2s", waited)
				}
				checkKinds(t, err, c.want)
				if e := asError(t, err); e.StatusCode != 0 {
					t.Errorf("status %d, though nothing was sent", e.StatusCode)
				}
				checkSays(t, err, "not sent")
				service.saw(t)

				close(desk.release)
				if err := <-first; err != nil {
					t.Error(err)
				}
				service.saw(t, "Bearer token-1")
				if err := act(t, client); err != nil { // nothing is left locked
					t.Error(err)
				}
				service.saw(t, "Bearer token-1", "Bearer token-1")
				desk.sawClaims(t, "")
			})
		})
	}
}

// A caller who gives up, or whose sign-in fails, does not take the others along.
func TestRequestRemoteAssistance_FailureOfOneSignInIsNotTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var desk tokenDesk
		var tries atomic.Int32
		var service wire
		client := clientOf(t, credentialFunc(func(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
			if tries.Add(1) == 1 {
				<-ctx.Done()
				return azcore.AccessToken{}, ctx.Err()
			}
			return desk.GetToken(ctx, options)
		}), &service)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		first, second := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
			first <- err
		}()
		synctest.Wait()
		go func() { second <- act(t, client) }()
		checkKinds(t, <-first, context.DeadlineExceeded)
		if err := <-second; err != nil {
			t.Error(err)
		}
		service.saw(t, "Bearer token-1")
	})
}

// A credential that ran into a limit of its own says nothing about the caller's sign-in, nor about the caller's context.
func TestNewClient_CredentialThatTimesOut(t *testing.T) {
	t.Parallel()
	var service wire
	client := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{}, context.DeadlineExceeded
	}), &service)
	_, errInfo := client.TokenInfo(t.Context())
	for _, err := range []error{act(t, client), errInfo} {
		checkKinds(t, err, context.DeadlineExceeded)
		checkSays(t, err, "no token")
	}
	service.saw(t)
}

// azcore lets the others go on with a token that is about to expire while one renews it.
func TestRequestRemoteAssistance_RenewalOfATokenThatStillHoldsStopsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		entered, release := make(chan struct{}, 1), make(chan struct{})
		tries := 0
		var service wire
		client := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			if tries++; tries > 1 {
				entered <- struct{}{}
				<-release
			}
			return azcore.AccessToken{Token: fmt.Sprint("token-", tries), ExpiresOn: time.Now().Add(10 * time.Minute)}, nil
		}), &service)
		if err := act(t, client); err != nil {
			t.Fatal(err)
		}
		<-time.After(6 * time.Minute) // the bubble's clock; azcore renews five minutes before the end
		renewing, other := make(chan error, 1), make(chan error, 1)
		go func() { renewing <- act(t, client) }()
		<-entered
		go func() { other <- act(t, client) }()
		synctest.Wait()
		select {
		case err := <-other:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("the other caller waits for the renewal, though its token holds for four more minutes")
		}
		close(release)
		if err := <-renewing; err != nil {
			t.Error(err)
		}
	})
}

// revocable is a credential with a cache such as MSAL's: it gives the same token until it is asked with claims. It takes 10 ms.
func revocable(asked *[]string) credentialFunc {
	var mu sync.Mutex
	cached := "revoked"
	return func(_ context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
		<-time.After(10 * time.Millisecond) // the bubble's clock
		mu.Lock()
		defer mu.Unlock()
		*asked = append(*asked, options.Claims)
		if options.Claims != "" {
			cached = "fresh"
		}
		return azcore.AccessToken{Token: cached, ExpiresOn: time.Now().Add(time.Hour)}, nil
	}
}

// revoking challenges the token named revoked, 15.5 ms after it came.
func revoking(req *http.Request) (*http.Response, error) {
	<-time.After(15500 * time.Microsecond) // the bubble's clock
	if req.Header.Get("Authorization") == "Bearer revoked" {
		return answer(req, http.StatusUnauthorized, http.Header{"Www-Authenticate": writeClaims(challengeForms["canonical"])}, ""), nil
	}
	return answer(req, http.StatusNoContent, nil, ""), nil
}

// Many calls meet the same revoked token: each is repeated with a token that has the claims.
func TestRequestRemoteAssistance_ChallengesOfManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		client := clientOf(t, revocable(&asked), transportFunc(revoking))
		var group sync.WaitGroup
		for i := range 40 {
			group.Go(func() {
				<-time.After(time.Duration(i) * time.Millisecond) // the bubble's clock
				if err := act(t, client); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		group.Wait()
	})
}

// A challenge that comes while another goroutine gets a token without claims, because Intune said 401 with a nested
// Forbidden to a third, which makes azcore drop its token.
func TestRequestRemoteAssistance_ChallengeDuringAnothersTokenRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		client := clientOf(t, revocable(&asked), transportFunc(func(req *http.Request) (*http.Response, error) {
			if strings.Contains(req.URL.Path, "/forbidden/") {
				<-time.After(10 * time.Millisecond) // the bubble's clock
				return answer(req, http.StatusUnauthorized, nil, `{"error":{"code":"Forbidden"}}`), nil
			}
			return revoking(req)
		}))
		var group sync.WaitGroup
		call := func(start time.Duration, device string, want error) {
			group.Go(func() {
				<-time.After(start) // the bubble's clock
				if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device(device), nil); !errors.Is(err, want) {
					t.Errorf("call at %v: got %v, want %v", start, err, want)
				}
			})
		}
		call(0, "1", nil)                                          // sent at 10 ms, challenged at 25.5 ms
		call(1*time.Millisecond, "forbidden", intune.ErrForbidden) // sent at 10 ms, refused at 20 ms
		call(22*time.Millisecond, "2", nil)                        // gets a token without claims until 32 ms
		group.Wait()
		if len(asked) < 3 || asked[2] != testClaims {
			t.Errorf("the credential was asked with claims %q", asked)
		}
	})
}

// A credential of the caller's own may put anything into its error.
func TestError_CredentialErrorIsOneCleanLine(t *testing.T) {
	t.Parallel()
	token := graphtest.JWT(map[string]any{"upn": testUser})
	own := errors.New("sign-in failed\r\nfor " + token + "\nsee https://login.example/x?code=secret\x1b[31m " + strings.Repeat("z", 10_000))
	var service wire
	client := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{}, own
	}), &service)
	_, errInfo := client.TokenInfo(t.Context())
	for name, err := range map[string]error{"call": act(t, client), "TokenInfo": errInfo} {
		checkKinds(t, err, intune.ErrUnauthenticated)
		if !errors.Is(err, own) {
			t.Errorf("%s: the credential's error is not in %v", name, err)
		}
		checkSays(t, err, "sign-in failed")
		text := fmt.Sprint(err)
		if strings.ContainsAny(text, "\r\n\x1b") || len(text) > 2<<10 {
			t.Errorf("%s: not one short line: %q", name, text)
		}
		if strings.Contains(text, "secret") {
			t.Errorf("%s: the address is not cleaned: %q", name, text)
		}
		noToken(t, name, text, token)
	}
	service.saw(t)
}

func TestNewCredential_Methods(t *testing.T) {
	t.Setenv("AZURE_TENANT_ID", testTenant)
	t.Setenv("AZURE_CLIENT_ID", testApp)
	t.Setenv("AZURE_CLIENT_SECRET", testSecret)
	for _, name := range []string{"AZURE_TOKEN_CREDENTIALS", "AZURE_AUTHORITY_HOST"} {
		t.Setenv(name, "") // to have it restored
		_ = os.Unsetenv(name)
	}
	made := map[intune.CredentialMethod]bool{}
	options := func(method intune.CredentialMethod, tenant, app string) *intune.CredentialOptions {
		return &intune.CredentialOptions{Method: method, TenantID: tenant, ClientID: app}
	}
	for _, c := range []struct {
		name    string
		options *intune.CredentialOptions
		is      func(azcore.TokenCredential) bool
	}{
		{"nil", nil, is[*azidentity.DefaultAzureCredential]},
		{"zero", options("", "", ""), is[*azidentity.DefaultAzureCredential]},
		{"default", options(intune.CredentialMethodDefault, testTenant, ""), is[*azidentity.DefaultAzureCredential]},
		{"browser", options(intune.CredentialMethodBrowser, "", testApp), is[*azidentity.InteractiveBrowserCredential]},
		{"device code", options(intune.CredentialMethodDeviceCode, "", testApp), is[*azidentity.DeviceCodeCredential]},
		{"Azure CLI", options(intune.CredentialMethodAzureCLI, "", ""), is[*azidentity.AzureCLICredential]},
		{"managed identity", options(intune.CredentialMethodManagedIdentity, "", ""), is[*azidentity.ManagedIdentityCredential]},
		{"user's managed identity", options(intune.CredentialMethodManagedIdentity, "", testApp), is[*azidentity.ManagedIdentityCredential]},
		{"environment", options(intune.CredentialMethodEnvironment, "", ""), is[*azidentity.EnvironmentCredential]},
	} {
		credential, err := intune.NewCredential(c.options)
		if err != nil || !c.is(credential) {
			t.Errorf("%s: got %T, error %v", c.name, credential, err)
		}
		if c.options != nil {
			made[c.options.Method] = true
		}
	}
	methods := intune.PossibleCredentialMethodValues()
	for _, method := range methods {
		if !made[method] {
			t.Errorf("method %s has no case here", method)
		}
	}
	if len(methods) != len(made)-1 { // the zero value is the default
		t.Errorf("PossibleCredentialMethodValues() = %v, but %d are made", methods, len(made)-1)
	}
}

func is[T any](credential azcore.TokenCredential) bool {
	_, ok := credential.(T)
	return ok
}

func TestNewCredential_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options intune.CredentialOptions
		invalid bool
		text    string
	}{
		"browser without an app":     {intune.CredentialOptions{Method: intune.CredentialMethodBrowser}, true, "ClientID"},
		"device code without an app": {intune.CredentialOptions{Method: intune.CredentialMethodDeviceCode}, true, manageRight},
		"unknown method":             {intune.CredentialOptions{Method: "password"}, true, "Method"},
		"method in other case":       {intune.CredentialOptions{Method: "Browser", ClientID: testApp}, true, "Method"},
		"tenant that is none": {
			intune.CredentialOptions{Method: intune.CredentialMethodBrowser, ClientID: testApp, TenantID: "a/b"}, false, "tenant",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			credential, err := intune.NewCredential(&c.options)
			if credential != nil {
				t.Errorf("got a credential of type %T beside the error", credential)
			}
			checkKinds(t, err, kindIf(c.invalid, intune.ErrInvalidArgument))
			checkSays(t, err, c.text)
		})
	}
}

const (
	testAuthority = "login.stand-in.example"
	otherTenant   = "99999999-8888-4777-8666-555555555555"
)

// asked keeps what a credential sends. It knows the endpoints of an authority and refuses every sign-in.
type asked struct {
	mu    sync.Mutex
	urls  []string
	forms []string
}

func (a *asked) Do(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.urls = append(a.urls, req.URL.String())
	if path, ok := strings.CutSuffix(req.URL.Path, "/v2.0/.well-known/openid-configuration"); ok {
		tenant := "https://" + req.URL.Host + path
		return answer(req, http.StatusOK, nil, jsonText(map[string]any{
			"issuer": tenant + "/v2.0", "authorization_endpoint": tenant + "/authorize", "token_endpoint": tenant + "/token",
		})), nil
	}
	if req.Body != nil {
		if err := req.ParseForm(); err == nil {
			a.forms = append(a.forms, req.PostForm.Encode())
		}
	}
	return answer(req, http.StatusBadRequest, nil, `{"error":"invalid_request"}`), nil
}

// has reports whether one of the texts holds all the parts.
func has(texts []string, parts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
	})
}

// fakePrograms puts shell scripts into PATH, alone, that write down their arguments and fail. It returns what was written.
func fakePrograms(t *testing.T, names ...string) func() []string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	folder := t.TempDir()
	written := filepath.Join(folder, "arguments")
	for _, name := range names {
		script := "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'" + written + "'\nexit 1\n"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder)
	return func() []string {
		text, err := os.ReadFile(written)
		if err != nil {
			t.Error(err)
		}
		return strings.Split(string(text), "\n")
	}
}

// What the options say reaches the sign-in: the caller's transport, the authority, the tenant, the app.
func TestNewCredential_PassesItsOptionsOn(t *testing.T) {
	for name, c := range map[string]struct {
		options  intune.CredentialOptions
		env      map[string]string
		programs []string // the credential runs one of these
		url      []string // in one of the addresses asked for
		form     []string // in one of the forms sent
		args     []string // in one of the program's arguments
	}{
		"default": {
			options: intune.CredentialOptions{TenantID: otherTenant},
			env: map[string]string{
				"AZURE_TOKEN_CREDENTIALS": "WorkloadIdentityCredential", "AZURE_CLIENT_ID": testApp,
				"AZURE_FEDERATED_TOKEN_FILE": "token", "AZURE_TENANT_ID": testTenant,
			},
			url: []string{"https://" + testAuthority + "/" + otherTenant + "/token"}, form: []string{"client_id=" + testApp},
		},
		"browser": {
			options:  intune.CredentialOptions{Method: intune.CredentialMethodBrowser, TenantID: otherTenant, ClientID: testApp},
			programs: []string{"xdg-open", "open"},
			url:      []string{"https://" + testAuthority + "/" + otherTenant + "/v2.0/"},
			args:     []string{"https://" + testAuthority + "/" + otherTenant + "/authorize?", "client_id=" + testApp},
		},
		"device code": {
			options: intune.CredentialOptions{Method: intune.CredentialMethodDeviceCode, TenantID: otherTenant, ClientID: testApp},
			url:     []string{"https://" + testAuthority + "/" + otherTenant + "/", "devicecode"}, form: []string{"client_id=" + testApp},
		},
		"Azure CLI": {
			options:  intune.CredentialOptions{Method: intune.CredentialMethodAzureCLI, TenantID: otherTenant},
			programs: []string{"az"},
			args:     []string{"--tenant " + otherTenant},
		},
		"managed identity": {
			options: intune.CredentialOptions{Method: intune.CredentialMethodManagedIdentity},
			url:     []string{"/metadata/identity/oauth2/token?"},
		},
		"managed identity of the user's": {
			options: intune.CredentialOptions{Method: intune.CredentialMethodManagedIdentity, ClientID: testApp},
			url:     []string{"/metadata/identity/oauth2/token?", "client_id=" + testApp},
		},
		"environment": {
			options: intune.CredentialOptions{Method: intune.CredentialMethodEnvironment, TenantID: otherTenant},
			env:     map[string]string{"AZURE_CLIENT_ID": testApp, "AZURE_TENANT_ID": testTenant, "AZURE_CLIENT_SECRET": testSecret},
			url:     []string{"https://" + testAuthority + "/" + testTenant + "/token"}, form: []string{"client_id=" + testApp},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, name := range []string{
				"AZURE_TOKEN_CREDENTIALS", "AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET",
				"AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "MSI_ENDPOINT",
			} {
				t.Setenv(name, "") // to have it restored
				_ = os.Unsetenv(name)
			}
			for name, value := range c.env {
				if name == "AZURE_FEDERATED_TOKEN_FILE" {
					value = filepath.Join(t.TempDir(), value)
					if err := os.WriteFile(value, []byte(graphtest.JWT(nil)), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				t.Setenv(name, value)
			}
			var arguments func() []string
			if c.programs != nil {
				arguments = fakePrograms(t, c.programs...)
			}
			var sent asked
			options := c.options
			options.DisableInstanceDiscovery = true
			options.ClientOptions = azcore.ClientOptions{
				Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + testAuthority + "/"},
				Transport: &sent, Retry: policy.RetryOptions{MaxRetries: -1},
			}
			credential, err := intune.NewCredential(&options)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{testAudience + "/.default"}}); err == nil {
				t.Error("got a token")
			}
			if got := has(sent.urls, c.url...); got != (c.url != nil) {
				t.Errorf("asked for %q, want %q", sent.urls, c.url)
			}
			if has(sent.urls, "discovery/instance") {
				t.Errorf("the authority was checked: %q", sent.urls)
			}
			if c.form != nil && !has(sent.forms, c.form...) {
				t.Errorf("sent %q, want %q", sent.forms, c.form)
			}
			if name == "managed identity" && has(sent.urls, "client_id") {
				t.Errorf("an identity was chosen: %q", sent.urls)
			}
			if arguments != nil {
				if got := arguments(); !has(got, c.args...) {
					t.Errorf("the program got %q, want %q", got, c.args)
				}
			}
		})
	}
}

// Without the option, the authority of a cloud that Microsoft does not know is checked.
func TestNewCredential_InstanceDiscoveryIsTheDefault(t *testing.T) {
	t.Parallel()
	var sent asked
	credential, err := intune.NewCredential(&intune.CredentialOptions{
		Method: intune.CredentialMethodDeviceCode, TenantID: testTenant, ClientID: testApp,
		ClientOptions: azcore.ClientOptions{
			Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + testAuthority + "/"},
			Transport: &sent, Retry: policy.RetryOptions{MaxRetries: -1},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"x/.default"}})
	if err == nil || !has(sent.urls, "discovery/instance") {
		t.Errorf("asked for %q, error %v", sent.urls, err)
	}
}

// noToken fails when a text shows a token, whole or in parts.
func noToken(tb testing.TB, where, text, token string) {
	tb.Helper()
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 3 && strings.Contains(text, part) {
			tb.Errorf("%s shows the token: %s", where, text)
			return
		}
	}
}
