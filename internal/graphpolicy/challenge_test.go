package graphpolicy_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// A challenged call does not go on with a token that came without the claims, though it holds and another call is just
// renewing it.
func TestChallengedCallDuringARenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back, release := make(chan struct{}), make(chan struct{})
		desk := &desk{life: 4 * time.Minute, steps: map[int]func(context.Context) error{3: waits(release)}}
		office := newOffice(t, desk, func(n int, req *http.Request) (*http.Response, error) {
			if n == 1 {
				return challenges(req)
			}
			return acts(n, req)
		}, policyFunc(func(req *policy.Request) (*http.Response, error) {
			resp, err := req.Next()
			if err == nil && resp.StatusCode == http.StatusUnauthorized {
				<-back
			}
			return resp, err
		}))
		challenged := office.start(t.Context())
		pass(31 * time.Second) // azcore renews again after 30
		if err := office.act(t.Context(), newCall(true), address); err != nil {
			t.Fatal(err)
		}
		pass(31 * time.Second)
		renewing := office.start(t.Context())
		synctest.Wait()
		close(back)
		synctest.Wait()
		if ended(t, challenged) {
			t.Error("the challenged call went")
		}
		office.saw(t, "token-1", "token-2")
		close(release)
		synctest.Wait()
		if !ended(t, renewing) || !ended(t, challenged) {
			t.Error("a call does not end")
		}
		desk.sawClaims(t, "", "", "", "{}")
		office.saw(t, "token-1", "token-2", "token-3", "token-4")
	})
}

// Two calls are challenged while a third gets a token without claims, for azcore had dropped the first token: each of the
// two asks for one with them, and goes nowhere without.
func TestChallengedCallsAfterAnothersToken(t *testing.T) {
	t.Parallel()
	failed := errors.New("the user has gone")
	fails := func(context.Context) error { return failed }
	for name, c := range map[string]struct {
		steps map[int]func(context.Context) error
		want  error
		saw   []string
	}{
		"both get one":  {nil, nil, []string{"token-1", "token-1", "token-1", "token-2", "token-3", "token-4"}},
		"none gets one": {map[int]func(context.Context) error{3: fails, 4: fails}, failed, []string{"token-1", "token-1", "token-1", "token-2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				desk := &desk{life: time.Hour, steps: map[int]func(context.Context) error{
					2: func(context.Context) error { pass(15 * time.Millisecond); return nil }, 3: c.steps[3], 4: c.steps[4],
				}}
				office := newOffice(t, desk, func(n int, req *http.Request) (*http.Response, error) {
					switch n {
					case 1: // Intune's 401 that is no challenge
						pass(10 * time.Millisecond)
						return says(http.StatusUnauthorized)(req)
					case 2, 3:
						pass(20 * time.Millisecond)
						return challenges(req)
					}
					return acts(n, req)
				})
				refused := office.start(t.Context())
				synctest.Wait()
				challenged := []<-chan error{office.start(t.Context()), office.start(t.Context())}
				pass(12 * time.Millisecond)
				third := office.start(t.Context()) // until 27 ms
				pass(time.Second)
				if !ended(t, refused) || !ended(t, third) {
					t.Error("a call does not end")
				}
				for _, done := range challenged {
					err := <-done
					if _, noToken := errors.AsType[*graphpolicy.TokenError](err); !errors.Is(err, c.want) || noToken != (c.want != nil) {
						t.Errorf("got %v", err)
					}
				}
				desk.sawClaims(t, "", "", "{}", "{}")
				office.saw(t, c.saw...)
			})
		})
	}
}

// The claims of a challenge are asked for once, and for a challenge of a later try again.
func TestClaimsAreAskedForOnceAChallenge(t *testing.T) {
	t.Parallel()
	desk := &desk{life: time.Hour}
	office := newOffice(t, desk, func(n int, req *http.Request) (*http.Response, error) {
		switch n {
		case 1, 3:
			return challenges(req)
		case 2:
			return says(http.StatusServiceUnavailable)(req)
		}
		return acts(n, req)
	})
	if err := office.act(t.Context(), newCall(true), address); err != nil {
		t.Error(err)
	}
	desk.sawClaims(t, "", "{}", "{}")
	office.saw(t, "token-1", "token-2", "token-2", "token-3")
}
