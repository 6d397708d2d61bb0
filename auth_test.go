package intune_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
)

func TestNewClientRefusesNoCredential(t *testing.T) {
	t.Parallel()
	var (
		pointer *tokenDesk
		secret  *azidentity.ClientSecretCredential
		fn      credentialFunc
		service wire
	)
	for name, credential := range map[string]azcore.TokenCredential{
		"nil": nil, "nil pointer": pointer, "azidentity's nil pointer": secret, "nil function": fn,
	} {
		client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: &service}})
		if client != nil || !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "credential") {
			t.Errorf("%s: got %v, error %v", name, client, err)
		}
	}
	service.saw(t)
}

func TestStaticTokenOnTheWire(t *testing.T) {
	t.Parallel()
	future := jwt(map[string]any{"exp": time.Now().Add(time.Hour).Unix()})
	for name, c := range map[string]struct{ token, want string }{
		"bare":                 {"opaque~token+/=", "opaque~token+/="},
		"with the scheme":      {"Bearer opaque-token", "opaque-token"},
		"in lower case":        {"bearer opaque-token", "opaque-token"},
		"with more space":      {"BEARER   opaque-token", "opaque-token"},
		"with the line's end":  {"opaque-token\r\n", "opaque-token"},
		"both":                 {"Bearer opaque-token\n", "opaque-token"},
		"begins like it":       {"bearertoken", "bearertoken"},
		"JSON web token":       {"Bearer " + future, future},
		"exp is a text":        {jwt(map[string]any{"exp": "1"}), jwt(map[string]any{"exp": "1"})},
		"exp is out of bounds": {rawJWT(`{"exp":1e300}`), rawJWT(`{"exp":1e300}`)},
		"no exp":               {rawJWT(`{}`), rawJWT(`{}`)},
		"claims that are none": {rawJWT(`[1]`), rawJWT(`[1]`)},
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

func TestStaticTokenThatCannotBeOne(t *testing.T) {
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
			e := asError(t, err)
			if !errors.Is(err, intune.ErrInvalidArgument) || errors.Is(err, intune.ErrUnauthenticated) || errors.Is(err, intune.ErrOutcomeUnknown) || e.StatusCode != 0 {
				t.Errorf("kind of %v", err)
			}
			if text := err.Error(); !strings.Contains(text, "StaticToken") || strings.Contains(text, "opaq") || strings.ContainsAny(text, "\r\n") {
				t.Errorf("text %q", text)
			}
			service.saw(t)
		})
	}
}

func TestStaticTokenExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		token := jwt(map[string]any{"exp": time.Now().Add(10 * time.Minute).Unix(), "scp": manageRight, "upn": testUser})
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
			if !errors.Is(err, intune.ErrUnauthenticated) || errors.Is(err, intune.ErrOutcomeUnknown) || e.StatusCode != 0 {
				t.Errorf("kind of %v", err)
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

func TestStaticTokenCannotAnswerAChallenge(t *testing.T) {
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

func TestStaticTokenIsNeverShown(t *testing.T) {
	t.Parallel()
	token := jwt(map[string]any{"exp": time.Now().Add(time.Hour).Unix(), "upn": testUser})
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

func TestTokenInfo(t *testing.T) {
	t.Parallel()
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	base := map[string]any{"aud": "00000003-0000-0000-c000-000000000000", "exp": expires.Unix(), "tid": testTenant, "upn": testUser, "name": "Anna", "oid": "o"}
	with := func(claims map[string]any) string {
		for key, value := range base {
			if _, ok := claims[key]; !ok {
				claims[key] = value
			}
		}
		return jwt(claims)
	}
	for name, c := range map[string]struct {
		token string
		kind  intune.TokenKind
		text  string // of String
		check func(intune.TokenInfo) bool
	}{
		"delegated": {
			with(map[string]any{"scp": "openid  User.Read", "appid": azureCLI, "idtyp": "user"}), intune.TokenKindDelegated,
			"the token is delegated, from app " + azureCLI + " (Azure CLI), with scopes openid User.Read",
			func(i intune.TokenInfo) bool {
				return slices.Equal(i.Scopes, []string{"openid", "User.Read"}) && i.Roles == nil && i.AppID == azureCLI &&
					i.TenantID == testTenant && i.Audience == "00000003-0000-0000-c000-000000000000"
			},
		},
		"delegated with directory roles": {
			with(map[string]any{"scp": "User.Read", "roles": []string{"x"}}), intune.TokenKindDelegated,
			"the token is delegated, with scopes User.Read", nil,
		},
		"application": {
			with(map[string]any{"roles": []string{manageRight}, "azp": testApp, "idtyp": "app"}), intune.TokenKindApplication,
			"the token is app-only, from app " + testApp + ", with roles " + manageRight,
			func(i intune.TokenInfo) bool {
				return slices.Equal(i.Roles, []string{manageRight}) && i.AppID == testApp
			},
		},
		"application without roles": {
			with(map[string]any{"appid": testApp}), intune.TokenKindApplication,
			"the token is app-only, from app " + testApp + ", without permissions", nil,
		},
		"claims that do not tell": {with(map[string]any{}), intune.TokenKindUnknown, "", nil},
		"claims of other types": {
			with(map[string]any{"scp": []string{"a"}, "roles": "b", "appid": 7, "tid": map[string]any{"a": 1}, "aud": []string{"x"}}),
			intune.TokenKindUnknown, "", func(i intune.TokenInfo) bool { return len(i.Scopes)+len(i.Roles) == 0 && i.TenantID == "" },
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
		"padded":            {strings.Replace(rawJWT(`{"scp":"ab"}`), "."+signature, "==."+signature, 1), intune.TokenKindDelegated, "", nil},
		"opaque":            {"EwBgA8l6BAAU", intune.TokenKindUnknown, "", nil},
		"two parts":         {"a.b", intune.TokenKindUnknown, "", nil},
		"five parts (JWE)":  {"a.b.c.d.e", intune.TokenKindUnknown, "", nil},
		"no base64":         {"a.!!!.c", intune.TokenKindUnknown, "", nil},
		"no JSON":           {rawJWT("scp=a"), intune.TokenKindUnknown, "", nil},
		"cut off":           {rawJWT(`{"scp":"User.Re`), intune.TokenKindUnknown, "", nil},
		"null":              {rawJWT("null"), intune.TokenKindUnknown, "", nil},
		"huge":              {rawJWT(`{"scp":"` + strings.Repeat("x", 1<<20) + `"}`), intune.TokenKindUnknown, "", nil},
		"nested too deeply": {rawJWT(`{"aud":` + deep + `}`), intune.TokenKindUnknown, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var service wire
			info, err := clientOf(t, intune.StaticToken(c.token), &service).TokenInfo(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if info.Kind != c.kind || c.check != nil && !c.check(info) {
				t.Errorf("%#v, want kind %s", info, c.kind)
			}
			if !slices.Contains(intune.PossibleTokenKindValues(), info.Kind) {
				t.Errorf("kind %q is not listed", info.Kind)
			}
			if strings.Contains(c.token, ".") && strings.Contains(name, "application") && !info.ExpiresOn.Equal(expires) {
				t.Errorf("ExpiresOn %v, want %v", info.ExpiresOn, expires)
			}
			if c.text == "" && c.kind == intune.TokenKindUnknown {
				c.text = "the token's claims cannot be read"
			}
			if text := info.String(); c.text != "" && text != c.text || len(text) > 512 || strings.ContainsAny(text, "\r\n\x1b") {
				t.Errorf("String() = %q, want %q", text, c.text)
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
		"", "a.b.c", "Bearer x", rawJWT(`{}`), rawJWT(`{"exp":1}`), rawJWT(`{"exp":-1e308,"scp":"a b","roles":["c"],"aud":["d"]}`), "a\nb",
		jwt(map[string]any{"scp": manageRight, "appid": azureCLI, "exp": 32503680000}), "a." + base64.RawURLEncoding.EncodeToString([]byte("[[[")) + ".c",
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
