package intune_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

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
func TestClaimsChallengeIsAnswered(t *testing.T) {
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
func TestSecondClaimsChallengeEndsTheCall(t *testing.T) {
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
func TestNoClaimsChallenge(t *testing.T) {
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
		"other scheme":                 {401, writeClaims([]string{`PoP error="insufficient_claims", claims="S"`}), "", intune.ErrUnauthenticated},
		"split over two schemes":       {401, writeClaims([]string{`PoP error="insufficient_claims", Bearer claims="S"`}), "", intune.ErrUnauthenticated},
		"within a quoted value":        {403, []string{`Basic realm="Bearer error=insufficient_claims, claims=e30="`}, "", intune.ErrForbidden},
		"no base64":                    {401, []string{`Bearer error="insufficient_claims", claims="!!!"`}, "", intune.ErrUnauthenticated},
		"cut off":                      {401, []string{`Bearer error="insufficient_claims", claims="e30=`}, "", intune.ErrUnauthenticated},
		"nonsense":                     {401, []string{`=,"=,,"`, "", `,`, `Bearer`, `Bearer =`}, "", intune.ErrUnauthenticated},
		"long nonsense":                {401, []string{strings.Repeat(`Bearer a="`, 10_000), strings.Repeat(`",=`, 10_000)}, "", intune.ErrUnauthenticated},
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
			if e := asError(t, err); !errors.Is(err, c.kind) || e.StatusCode != c.code || errors.Is(err, intune.ErrOutcomeUnknown) || e.Hint == "" {
				t.Errorf("got %v, want %v and a hint", err, c.kind)
			}
		})
	}
}

func TestHintsFromTheTokenThatWasRefused(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/errors/005-list-manageddevices-forbidden-two-scopes-expand.json")
	if err != nil {
		t.Fatal(err)
	}
	var missingScope struct{ Body string }
	if err := json.Unmarshal(raw, &missingScope); err != nil {
		t.Fatal(err)
	}
	const plain = `{"error":{"code":"Forbidden","message":"Insufficient privileges to complete the operation."}}`
	const rightName = "Remote tasks / Offer remote assistance"
	exp := time.Now().Add(time.Hour).Unix()
	cli := jwt(map[string]any{"appid": azureCLI, "scp": "openid User.Read", "exp": exp, "upn": testUser})
	user := jwt(map[string]any{"appid": testApp, "scp": manageRight, "exp": exp, "upn": testUser})
	app := jwt(map[string]any{"appid": testApp, "roles": []string{manageRight}, "idtyp": "app", "exp": exp})
	for name, c := range map[string]struct {
		token  string
		status int
		body   string
		want   []string
		not    []string
	}{
		"delegated without the scope":   {cli, 403, plain, []string{"delegated", "Azure CLI", "openid User.Read", "needs " + manageRight}, []string{rightName}},
		"delegated, 401 with Forbidden": {user, 401, plain, []string{"delegated", rightName, "new token does not help"}, []string{"needs " + manageRight}},
		"app-only with the role":        {app, 403, plain, []string{"app-only", "service principal", rightName}, []string{"needs " + manageRight}},
		"app-only without roles":        {jwt(map[string]any{"appid": testApp, "exp": exp}), 403, plain, []string{"app-only", "without permissions", "needs " + manageRight}, []string{rightName}},
		"reading is not enough":         {jwt(map[string]any{"scp": strings.Replace(manageRight, "ReadWrite", "Read", 1), "exp": exp}), 403, plain, []string{"needs " + manageRight}, nil},
		"the service names the scopes":  {cli, 403, missingScope.Body, []string{"Azure CLI", "the app needs the permission DeviceManagement", "administrator's consent"}, []string{rightName}},
		"opaque":                        {"EwBgA8l6BAAU", 403, plain, []string{rightName}, []string{"needs", "the token is"}},
		"refused as such":               {user, 401, "", []string{"was refused", "audience"}, []string{rightName}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			client := clientOf(t, intune.StaticToken(c.token), transportFunc(func(req *http.Request) (*http.Response, error) {
				calls++
				return answer(req, c.status, nil, c.body), nil
			}))
			e := asError(t, act(t, client))
			for _, want := range c.want {
				if !strings.Contains(e.Hint, want) || !strings.Contains(e.Error(), want) {
					t.Errorf("the hint lacks %q: %s", want, e.Hint)
				}
			}
			for _, not := range c.not {
				if strings.Contains(e.Hint, not) {
					t.Errorf("the hint says %q: %s", not, e.Hint)
				}
			}
			if strings.Contains(e.Hint, "anna") || calls != 1 {
				t.Errorf("%d calls, hint %s", calls, e.Hint)
			}
			noToken(t, "the error", fmt.Sprintf("%v %+v", e, e), c.token)
		})
	}
}

// credentialFunc is a credential of the test's own.
type credentialFunc func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error)

func (f credentialFunc) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return f(ctx, options)
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
	if req.Method != http.MethodPost || req.URL.String() != "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/1/requestRemoteAssistance" {
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

// clientOf is newClient for other credentials than a static token.
func clientOf(tb testing.TB, credential azcore.TokenCredential, transport policy.Transporter) *intune.Client {
	tb.Helper()
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: transport, Retry: policy.RetryOptions{RetryDelay: time.Nanosecond},
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// act calls the action.
func act(tb testing.TB, client *intune.Client) error {
	tb.Helper()
	_, err := client.RequestRemoteAssistance(tb.Context(), intune.Device("1"), nil)
	return err
}
