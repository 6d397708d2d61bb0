package graphpolicy_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// counter is a credential's desk with a way to ask it through the bearer policy.
type counter struct {
	*desk

	bearer *graphpolicy.Bearer
}

func newCounter(t *testing.T, life time.Duration, steps map[int]func(context.Context) error) counter {
	t.Helper()
	d := &desk{life: life, steps: steps}
	return counter{d, graphpolicy.NewBearer(d, "the scope", graphRoot(t), false)}
}

func graphRoot(t *testing.T) *url.URL {
	t.Helper()
	root, err := url.Parse("https://graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// got is the outcome of one request for a token.
type got struct {
	token string
	err   error
	after time.Duration
}

// ask asks for a token, with some claims, and waits for so long at most.
func (c counter) ask(t *testing.T, claims string, patience time.Duration) <-chan got {
	t.Helper()
	done := make(chan got, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		start := time.Now()
		token, err := c.bearer.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"the scope"}, Claims: claims, EnableCAE: true})
		done <- got{token.Token, err, time.Since(start)}
	}()
	return done
}

// gave checks that a token came.
func gave(t *testing.T, done <-chan got, token string) {
	t.Helper()
	if g := <-done; g.token != token || g.err != nil {
		t.Errorf("got %q, %v, want %q", g.token, g.err, token)
	}
}

// gaveUp checks that the own context ended the wait.
func gaveUp(t *testing.T, done <-chan got, after time.Duration) {
	t.Helper()
	if g := <-done; !errors.Is(g.err, context.DeadlineExceeded) || g.after != after {
		t.Errorf("got %q, %v after %v, want the end of the context after %v", g.token, g.err, g.after, after)
	}
}

// A credential that ignores its context holds up one goroutine, however many callers there are, one after the other and
// together. When it answers, its token is used. The bubble fails if a goroutine is left.
func TestCredentialThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]bool{"somebody waits for it": false, "nobody waits any longer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				c := newCounter(t, time.Hour, map[int]func(context.Context) error{1: waits(release)})
				for range 300 {
					gaveUp(t, c.ask(t, "", time.Second), time.Second)
				}
				var together []<-chan got
				for range 300 {
					together = append(together, c.ask(t, "", time.Second))
				}
				for _, one := range together {
					gaveUp(t, one, time.Second)
				}
				c.sawClaims(t, "")
				if late {
					close(release)
					synctest.Wait()
					gave(t, c.ask(t, "", time.Second), "token-1")
				} else {
					patient, impatient := c.ask(t, "", time.Hour), c.ask(t, "", time.Second)
					gaveUp(t, impatient, time.Second)
					close(release)
					gave(t, patient, "token-1")
				}
				c.sawClaims(t, "")
				gave(t, c.ask(t, "", time.Second), "token-2") // a token is given once; azcore keeps it
				c.sawClaims(t, "", "")
			})
		})
	}
}

// The same through the whole pipeline, where calls wait in line before they ask.
func TestCallsOfACredentialThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		desk := &desk{life: time.Hour, steps: map[int]func(context.Context) error{1: waits(release)}}
		office := newOffice(t, desk, acts)
		calls := make(chan error)
		for i := range 300 {
			go func() {
				pass(time.Duration(i%3) * time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				calls <- office.act(ctx, newCall(true), address)
			}()
		}
		for range 300 {
			if err := <-calls; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		}
		desk.sawClaims(t, "")
		close(release)
		synctest.Wait()
		if err := office.act(t.Context(), newCall(true), address); err != nil {
			t.Error(err)
		}
		office.saw(t, "token-1")
		desk.sawClaims(t, "")
	})
}

// What a late answer is not good for: a failure, a token that is about to expire, a token from before a refusal.
func TestLateAnswersThatAreNotUsed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		life time.Duration
		err  error
		want string
	}{
		"a failure":             {time.Hour, errors.New("no"), "token-2"},
		"too old":               {time.Minute - 1, nil, "token-2"},
		"valid for long enough": {time.Minute, nil, "token-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				counter := newCounter(t, c.life, map[int]func(context.Context) error{1: func(context.Context) error { <-release; return c.err }})
				gaveUp(t, counter.ask(t, "", time.Second), time.Second)
				close(release)
				synctest.Wait()
				gave(t, counter.ask(t, "", time.Second), c.want)
			})
		})
	}
	t.Run("refused meanwhile", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			desk := &desk{life: 4 * time.Minute, steps: map[int]func(context.Context) error{2: waits(release)}}
			office := newOffice(t, desk, func(n int, req *http.Request) (*http.Response, error) {
				if n == 2 {
					return says(http.StatusUnauthorized)(req)
				}
				return acts(n, req)
			})
			act := func(want bool) {
				t.Helper()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := office.act(ctx, newCall(true), address); (err == nil) != want {
					t.Errorf("got %v", err)
				}
			}
			act(true)
			pass(31 * time.Second) // azcore renews again after 30
			act(false)             // the renewal takes longer than the call
			close(release)
			synctest.Wait()
			act(true) // azcore does not renew for 30 seconds, and the service refuses the old token
			act(true)
			office.saw(t, "token-1", "token-1", "token-3")
		})
	})
}

// Callers at the same time share one request and its failure, but not the end of another caller's context.
func TestCallersThatShareARequest(t *testing.T) {
	t.Parallel()
	failed := errors.New("no such user")
	for name, c := range map[string]struct {
		step func(context.Context) error
		want string
		err  error
	}{
		"a token":                      {func(context.Context) error { pass(time.Second); return nil }, "token-1", nil},
		"a failure":                    {func(context.Context) error { pass(time.Second); return failed }, "", failed},
		"the end of the first's":       {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "token-2", nil},
		"a failure at the first's end": {func(ctx context.Context) error { <-ctx.Done(); return failed }, "token-2", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				counter := newCounter(t, time.Hour, map[int]func(context.Context) error{1: c.step})
				first := counter.ask(t, "", 2*time.Second)
				synctest.Wait()
				if g := <-counter.ask(t, "", time.Hour); g.token != c.want || !errors.Is(g.err, c.err) {
					t.Errorf("got %q, %v, want %q, %v", g.token, g.err, c.want, c.err)
				}
				if g := <-first; c.want == "token-2" && g.err == nil {
					t.Errorf("the first got %q", g.token)
				}
			})
		})
	}
}

// A request with claims is another one: neither it nor one without claims waits for the other. Of those with claims, one
// runs at a time, and a token is given to those only who asked for its claims.
func TestClaimsAreAnotherRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		plain, claims := make(chan struct{}), make(chan struct{})
		c := newCounter(t, time.Hour, map[int]func(context.Context) error{1: waits(plain), 2: waits(claims)})
		gaveUp(t, c.ask(t, "", time.Second), time.Second)
		gaveUp(t, c.ask(t, "A", time.Second), time.Second)
		for range 300 {
			gaveUp(t, c.ask(t, "B", time.Second), time.Second)
		}
		c.sawClaims(t, "", "A")
		close(plain)
		gave(t, c.ask(t, "", time.Second), "token-1")
		sameClaims, otherClaims := c.ask(t, "A", time.Hour), c.ask(t, "B", time.Hour)
		synctest.Wait()
		close(claims)
		gave(t, sameClaims, "token-2")
		gave(t, otherClaims, "token-3")
		c.sawClaims(t, "", "A", "B")
	})
	synctest.Test(t, func(t *testing.T) {
		claims := make(chan struct{})
		c := newCounter(t, time.Hour, map[int]func(context.Context) error{1: waits(claims)})
		gaveUp(t, c.ask(t, "A", time.Second), time.Second)
		gave(t, c.ask(t, "", time.Second), "token-2")
		close(claims)
		synctest.Wait()
		gave(t, c.ask(t, "B", time.Second), "token-3") // and not the one that nobody has taken
		c.sawClaims(t, "A", "", "B")
	})
}

// A credential is not asked in vain, and one that panics is not waited for.
func TestCredentialIsNotAskedInVain(t *testing.T) {
	t.Parallel()
	c := newCounter(t, time.Hour, map[int]func(context.Context) error{1: func(context.Context) error { panic("secret") }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.bearer.GetToken(ctx, policy.TokenRequestOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	c.sawClaims(t)
	if g := <-c.ask(t, "", time.Hour); g.err == nil || !strings.Contains(g.err.Error(), "ended its goroutine or panicked") {
		t.Errorf("got %q, %v", g.token, g.err)
	}
	gave(t, c.ask(t, "", time.Hour), "token-2")
}
