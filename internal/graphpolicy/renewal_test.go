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

// While one call renews a token early, as azcore does five minutes before its end, the others go on with it as long as it
// holds for another minute.
func TestOthersDuringARenewal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		left time.Duration
		goes bool
	}{
		"four minutes":       {4 * time.Minute, true},
		"a minute":           {time.Minute, true},
		"less than a minute": {time.Minute - 1, false},
		"none":               {0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				desk := &desk{life: 10 * time.Minute, steps: map[int]func(context.Context) error{2: waits(release)}}
				office := newOffice(t, desk, acts)
				if err := office.act(t.Context(), newCall(true), address); err != nil {
					t.Fatal(err)
				}
				pass(10*time.Minute - c.left)
				renewing := office.start(t.Context())
				synctest.Wait()
				other := office.start(t.Context())
				synctest.Wait()
				if ended(t, other) != c.goes {
					t.Errorf("the other one went: %v", !c.goes)
				}
				if c.goes {
					office.saw(t, "token-1", "token-1")
				} else {
					office.saw(t, "token-1")
				}
				close(release)
				synctest.Wait()
				if !ended(t, renewing) {
					t.Error("the one that renews does not end")
				}
				if !c.goes && !ended(t, other) {
					t.Error("the other one does not end")
				}
				if c.goes {
					office.saw(t, "token-1", "token-1", "token-2")
				} else {
					office.saw(t, "token-1", "token-2", "token-2")
				}
			})
		})
	}
}

// A renewal that fails takes nothing away: azcore goes on with the token, and so do the others.
func TestOthersAfterARenewalThatFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		desk := &desk{life: 4 * time.Minute, steps: map[int]func(context.Context) error{
			2: func(context.Context) error { return errors.New("not now") }, 3: waits(release),
		}}
		office := newOffice(t, desk, acts)
		for range 2 {
			if err := office.act(t.Context(), newCall(true), address); err != nil {
				t.Fatal(err)
			}
			pass(31 * time.Second) // azcore tries again after 30
		}
		renewing := office.start(t.Context())
		synctest.Wait()
		other := office.start(t.Context())
		synctest.Wait()
		if !ended(t, other) {
			t.Error("the other one waits")
		}
		close(release)
		synctest.Wait()
		if !ended(t, renewing) {
			t.Error("a call does not end")
		}
		office.saw(t, "token-1", "token-1", "token-1", "token-3")
	})
}

// A token that the service refused is not sent again while another call gets a new one.
func TestOthersDoNotUseARefusedToken(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				desk := &desk{life: 4 * time.Minute, steps: map[int]func(context.Context) error{2: waits(release)}}
				office := newOffice(t, desk, func(n int, req *http.Request) (*http.Response, error) {
					if n == 1 {
						return says(status)(req)
					}
					return acts(n, req)
				})
				if err := office.act(t.Context(), newCall(true), address); err != nil {
					t.Fatal(err)
				}
				pass(31 * time.Second) // azcore renews again after 30
				renewing := office.start(t.Context())
				synctest.Wait()
				other := office.start(t.Context())
				synctest.Wait()
				if ended(t, other) {
					t.Error("the other one went")
				}
				office.saw(t, "token-1")
				close(release)
				synctest.Wait()
				if !ended(t, renewing) || !ended(t, other) {
					t.Error("a call does not end")
				}
				office.saw(t, "token-1", "token-2", "token-2")
			})
		})
	}
}

// A call whose context ends while another call gets the token goes no further.
func TestContextEndsWhileAnotherGetsTheToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		desk := &desk{life: time.Hour, steps: map[int]func(context.Context) error{1: waits(release)}}
		below := 0
		office := newOffice(t, desk, acts, policyFunc(func(req *policy.Request) (*http.Response, error) {
			below++
			return req.Next()
		}))
		first := office.start(t.Context())
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		call := newCall(true)
		err := office.act(ctx, call, address)
		if below != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d requests went on, error %v", below, err)
		}
		if call.Record().Token == nil {
			t.Error("no record of why there is no token")
		}
		close(release)
		synctest.Wait()
		if !ended(t, first) {
			t.Error("a call does not end")
		}
		office.saw(t, "token-1")
	})
}

// azcore logs the text of a credential's error: it is the clean one.
func TestTextOfATokenError(t *testing.T) {
	t.Parallel()
	secret := errors.New("secret")
	office := newOffice(t, &desk{steps: map[int]func(context.Context) error{1: func(context.Context) error { return secret }}}, acts)
	call := newCall(true)
	call.Redact = redacted
	err := office.act(t.Context(), call, address)
	found, ok := errors.AsType[*graphpolicy.TokenError](err)
	if !ok || !errors.Is(err, secret) {
		t.Fatalf("got %v, want a TokenError with the credential's", err)
	}
	if recorded := call.Record().Token; found != recorded {
		t.Errorf("recorded another error: %v", recorded)
	}
	if got, want := found.Error(), "while getting a token: clean"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	office.saw(t)
}
