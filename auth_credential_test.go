package intune_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
)

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
func TestWaitingForAnothersTokenKeepsTheOwnDeadline(t *testing.T) {
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
				e := asError(t, err)
				if !errors.Is(err, c.want) || errors.Is(err, intune.ErrOutcomeUnknown) || errors.Is(err, intune.ErrUnauthenticated) || e.StatusCode != 0 {
					t.Errorf("got %v, want %v and nothing else", err, c.want)
				}
				if !strings.Contains(err.Error(), "not sent") {
					t.Errorf("the text does not say that nothing was sent: %v", err)
				}
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
func TestFailureOfOneSignInIsNotTheOthers(t *testing.T) {
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
		if err := <-first; !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, intune.ErrOutcomeUnknown) || errors.Is(err, intune.ErrUnauthenticated) {
			t.Errorf("got %v", err)
		}
		if err := <-second; err != nil {
			t.Error(err)
		}
		service.saw(t, "Bearer token-1")
	})
}

// A credential that ran into a limit of its own says nothing about the caller's sign-in, nor about the caller's context.
func TestCredentialThatTimesOut(t *testing.T) {
	t.Parallel()
	var service wire
	client := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{}, context.DeadlineExceeded
	}), &service)
	_, errInfo := client.TokenInfo(t.Context())
	for name, err := range map[string]error{"call": act(t, client), "TokenInfo": errInfo} {
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, intune.ErrUnauthenticated) || errors.Is(err, intune.ErrOutcomeUnknown) ||
			!strings.Contains(err.Error(), "no token") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	service.saw(t)
}

// azcore lets the others go on with a token that is about to expire while one renews it.
func TestRenewalOfATokenThatStillHoldsStopsNobody(t *testing.T) {
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
func TestChallengesOfManyCallsAtOnce(t *testing.T) {
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
func TestChallengeDuringAnothersTokenRequest(t *testing.T) {
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
func TestCredentialErrorIsOneCleanLine(t *testing.T) {
	t.Parallel()
	token := jwt(map[string]any{"upn": testUser})
	own := errors.New("sign-in failed\r\nfor " + token + "\nsee https://login.example/x?code=secret\x1b[31m " + strings.Repeat("z", 10_000))
	var service wire
	client := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{}, own
	}), &service)
	_, errInfo := client.TokenInfo(t.Context())
	for name, err := range map[string]error{"call": act(t, client), "TokenInfo": errInfo} {
		if !errors.Is(err, own) || !errors.Is(err, intune.ErrUnauthenticated) || errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("%s: kind of %v", name, err)
		}
		text := err.Error()
		if strings.ContainsAny(text, "\r\n\x1b") || strings.Contains(text, "secret") || len(text) > 2<<10 || !strings.Contains(text, "sign-in failed") {
			t.Errorf("%s: text %q", name, text)
		}
		noToken(t, name, text, token)
	}
	service.saw(t)
}

func TestNewCredential(t *testing.T) {
	t.Setenv("AZURE_TENANT_ID", testTenant)
	t.Setenv("AZURE_CLIENT_ID", testApp)
	t.Setenv("AZURE_CLIENT_SECRET", testSecret)
	for _, name := range []string{"AZURE_TOKEN_CREDENTIALS", "AZURE_AUTHORITY_HOST"} {
		t.Setenv(name, "") // to have it restored
		_ = os.Unsetenv(name)
	}
	made := map[intune.CredentialMethod]bool{}
	for _, c := range []struct {
		name    string
		options *intune.CredentialOptions
		is      func(azcore.TokenCredential) bool
	}{
		{"nil", nil, is[*azidentity.DefaultAzureCredential]},
		{"zero", &intune.CredentialOptions{}, is[*azidentity.DefaultAzureCredential]},
		{"default", &intune.CredentialOptions{Method: intune.CredentialMethodDefault, TenantID: testTenant}, is[*azidentity.DefaultAzureCredential]},
		{"browser", &intune.CredentialOptions{Method: intune.CredentialMethodBrowser, ClientID: testApp}, is[*azidentity.InteractiveBrowserCredential]},
		{"device code", &intune.CredentialOptions{Method: intune.CredentialMethodDeviceCode, ClientID: testApp}, is[*azidentity.DeviceCodeCredential]},
		{"Azure CLI", &intune.CredentialOptions{Method: intune.CredentialMethodAzureCLI}, is[*azidentity.AzureCLICredential]},
		{"managed identity", &intune.CredentialOptions{Method: intune.CredentialMethodManagedIdentity}, is[*azidentity.ManagedIdentityCredential]},
		{"managed identity of the user's", &intune.CredentialOptions{Method: intune.CredentialMethodManagedIdentity, ClientID: testApp}, is[*azidentity.ManagedIdentityCredential]},
		{"environment", &intune.CredentialOptions{Method: intune.CredentialMethodEnvironment}, is[*azidentity.EnvironmentCredential]},
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

func TestNewCredentialRefuses(t *testing.T) {
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
		"tenant that is none":        {intune.CredentialOptions{Method: intune.CredentialMethodBrowser, ClientID: testApp, TenantID: "a/b"}, false, "tenant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			credential, err := intune.NewCredential(&c.options)
			if credential != nil {
				t.Errorf("got a credential of type %T beside the error", credential)
			}
			if err == nil || errors.Is(err, intune.ErrInvalidArgument) != c.invalid || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v", err)
			}
		})
	}
}
