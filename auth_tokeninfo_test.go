package intune_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// What a credential of azcore promises, asked of it directly.
func TestStaticTokenAsACredential(t *testing.T) {
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
			"with an end":         {jwt(map[string]any{"exp": end.Unix()}), end.Truncate(time.Second)},
			"with an end too far": {jwt(map[string]any{"exp": 1 << 40}), time.Now().Add(time.Hour)},
		} {
			credential := intune.StaticToken(c.token)
			token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{})
			if err != nil || token.Token != c.token || !token.ExpiresOn.Equal(c.ends) {
				t.Errorf("%s: got an end of %v, want %v, error %v", name, token.ExpiresOn, c.ends, err)
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
func TestTokenInfoAtTheEdges(t *testing.T) {
	t.Parallel()
	given := time.Now().Add(2 * time.Hour).Truncate(time.Second) // what the credential says by itself
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"scp":"User.Read","exp":4102444800}`))
	const frame = len(`{"scp":""}`)
	long := func(n int) string { // a token of n bytes
		text := rawJWT(`{"scp":"` + strings.Repeat("x", (n-len(rawJWT("")))/4*3-frame) + `"}`)
		return text + strings.Repeat("s", n-len(text))
	}
	for name, c := range map[string]struct {
		token string
		kind  intune.TokenKind
		ends  time.Time
	}{
		"base64 broken at the end": {"h." + payload + "!.s", intune.TokenKindUnknown, given},
		"not JSON":                 {rawJWT(`{"scp":"User.Read","exp":4102444800`), intune.TokenKindUnknown, given},
		"two parts":                {"h." + payload, intune.TokenKindUnknown, given},
		"four parts":               {"h." + payload + ".s.x", intune.TokenKindUnknown, given},
		"three parts":              {"h." + payload + ".s", intune.TokenKindDelegated, time.Unix(4102444800, 0)},
		"as long as may be":        {long(64 << 10), intune.TokenKindDelegated, time.Time{}},
		"too long":                 {long(64<<10 + 1), intune.TokenKindUnknown, given},
		"ends at once":             {rawJWT(`{"scp":"a","exp":0}`), intune.TokenKindDelegated, time.Time{}},
		"ends before the epoch":    {rawJWT(`{"scp":"a","exp":-1}`), intune.TokenKindDelegated, time.Time{}},
		"ends in a second":         {rawJWT(`{"scp":"a","exp":1}`), intune.TokenKindDelegated, time.Unix(1, 0)},
		"ends last":                {rawJWT(`{"scp":"a","exp":1099511627775}`), intune.TokenKindDelegated, time.Unix(1<<40-1, 0)},
		"ends never":               {rawJWT(`{"scp":"a","exp":1099511627776}`), intune.TokenKindDelegated, time.Time{}},
		"user without scopes":      {rawJWT(`{"idtyp":"user"}`), intune.TokenKindDelegated, time.Time{}},
		"user with roles":          {rawJWT(`{"idtyp":"user","roles":["x"]}`), intune.TokenKindDelegated, time.Time{}},
		"roles alone":              {rawJWT(`{"roles":["x"]}`), intune.TokenKindApplication, time.Time{}},
		"app without roles":        {rawJWT(`{"idtyp":"app"}`), intune.TokenKindApplication, time.Time{}},
		"app id alone":             {rawJWT(`{"azp":"a"}`), intune.TokenKindApplication, time.Time{}},
		"another type":             {rawJWT(`{"idtyp":"device"}`), intune.TokenKindUnknown, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var service wire
			info, err := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
				return azcore.AccessToken{Token: c.token, ExpiresOn: given}, nil
			}), &service).TokenInfo(t.Context())
			if err != nil || info.Kind != c.kind || !info.ExpiresOn.Equal(c.ends) {
				t.Errorf("%s until %v, want %s until %v, error %v", info.Kind, info.ExpiresOn, c.kind, c.ends, err)
			}
		})
	}
}

func TestTokenInfoFails(t *testing.T) {
	t.Parallel()
	var service wire
	client := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{}, errors.New("no token today")
	}), &service)
	_, err := client.TokenInfo(t.Context())
	if e := asError(t, err); e.Op != "get a token" || !errors.Is(err, intune.ErrUnauthenticated) {
		t.Errorf("got %#v", err)
	}
	if _, err := client.TokenInfo(nil); !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "ctx") { //nolint:staticcheck // what a caller may do
		t.Errorf("nil context: got %v", err)
	}
}

func TestTokenInfoExpired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for name, c := range map[string]struct {
			ends time.Time
			want bool
		}{
			"not known": {time.Time{}, false}, "before": {now.Add(-time.Second), true}, "now": {now, true}, "after": {now.Add(time.Nanosecond), false},
		} {
			if got := (intune.TokenInfo{ExpiresOn: c.ends}).Expired(); got != c.want {
				t.Errorf("%s: Expired() = %v", name, got)
			}
		}
	})
}

// One line has its limits: what is longer is cut, what just fits is not.
func TestTokenInfoStringIsBounded(t *testing.T) {
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

// A refusal is explained by the permissions that the token has: lacking the right one is another matter than lacking
// the role in Intune.
func TestHintKnowsWhatTheTokenAllows(t *testing.T) {
	t.Parallel()
	const readRight = "DeviceManagementManagedDevices.Read.All"
	read := func(ctx context.Context, client *intune.Client) error {
		_, err := client.GetDevice(ctx, intune.Device("1"), nil)
		return err
	}
	ask := func(ctx context.Context, client *intune.Client) error {
		_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
		return err
	}
	for name, c := range map[string]struct {
		call   func(context.Context, *intune.Client) error
		claims map[string]any
		lacks  string
	}{
		"read with the scope":            {read, map[string]any{"scp": readRight}, ""},
		"read with the role":             {read, map[string]any{"roles": []string{readRight}}, ""},
		"read with the wider scope":      {read, map[string]any{"scp": manageRight}, ""},
		"read with another scope":        {read, map[string]any{"scp": "User.Read"}, readRight},
		"the action with the scope":      {ask, map[string]any{"scp": "User.Read " + manageRight}, ""},
		"the action with the role":       {ask, map[string]any{"roles": []string{manageRight}}, ""},
		"the action with the lesser one": {ask, map[string]any{"scp": readRight}, manageRight},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, intune.StaticToken(jwt(c.claims)), always(http.StatusForbidden, ""))
			hint := asError(t, c.call(t.Context(), client)).Hint
			if got := strings.Contains(hint, "the operation needs"); got != (c.lacks != "") || !strings.HasSuffix(hint, c.lacks) {
				t.Errorf("hint %q, want it to say that %q is lacking", hint, c.lacks)
			}
		})
	}
}

// Claims are read from bearer tokens only: what else a policy of the caller's puts there is not ours to read.
func TestHintReadsBearerTokensOnly(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusForbidden, ""), func(o *intune.ClientOptions) {
		o.PerRetryPolicies = append(o.PerRetryPolicies, rewrite(func(req *http.Request) {
			req.Header.Set("Authorization", jwt(map[string]any{"scp": "User.Read"}))
		}))
	})
	if hint := asError(t, act(t, client)).Hint; hint == "" || strings.Contains(hint, "User.Read") {
		t.Errorf("hint %q", hint)
	}
}

// The audience of a token is a text or a list.
func TestAudienceOfAToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		aud  any
		want string
	}{
		"text": {"a", "a"}, "list": {[]string{"a", "b"}, "a"}, "list of one": {[]string{"a"}, "a"}, "empty list": {[]string{}, ""}, "number": {1, ""}, "list of numbers": {[]int{1}, ""}, "none": {nil, ""},
	} {
		info, err := clientOf(t, intune.StaticToken(jwt(map[string]any{"aud": c.aud, "scp": "s"})), transportFunc(noConnection)).TokenInfo(t.Context())
		if err != nil || info.Audience != c.want {
			t.Errorf("%s: %q, %v", name, info.Audience, err)
		}
	}
}
