package graphpolicy

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// source asks the credential for tokens. A request that the credential does not end with its context goes on without its
// caller. Those who come later wait for it, each as long as the own context lasts, and use its token. So one goroutine is
// held up at most, however many callers there are, and a second one by requests with claims: such a request waits for no
// request without claims, and takes the token of none that had others.
type source struct {
	credential azcore.TokenCredential

	mu     sync.Mutex
	plain  *tokenRequest // without claims: the one that runs, or whose token nobody has taken yet
	claims *tokenRequest // with claims
}

// tokenRequest is one request to the credential.
type tokenRequest struct {
	options policy.TokenRequestOptions
	callers int           // that wait for it
	ended   chan struct{} // closed once the rest is known
	token   azcore.AccessToken
	err     error
	cut     bool // the context of the caller who made it had ended by then
}

// get returns when the context ends even if the credential does not.
func (s *source) get(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	for {
		if err := ctx.Err(); err != nil {
			return azcore.AccessToken{}, err
		}
		r, own := s.join(ctx, options)
		select {
		case <-r.ended:
		case <-ctx.Done():
			s.leave(r)
			return azcore.AccessToken{}, ctx.Err()
		}
		// The end of another caller's context is no reason for this one to fail.
		if own || r.options.Claims == options.Claims && (r.err == nil || !r.cut) {
			return r.token, r.err
		}
	}
}

// join finds the request to wait for, and makes one if there is none.
func (s *source) join(ctx context.Context, options policy.TokenRequestOptions) (r *tokenRequest, own bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.place(options)
	if r = *place; r != nil {
		if !r.isOver() {
			r.callers++
			return r, false
		}
		*place = nil
		if r.options.Claims == options.Claims && time.Until(r.token.ExpiresOn) >= time.Minute {
			return r, false
		}
	}
	r = &tokenRequest{options: options, callers: 1, ended: make(chan struct{})}
	*place = r
	go s.ask(ctx, r)
	return r, true
}

func (s *source) place(options policy.TokenRequestOptions) **tokenRequest {
	if options.Claims == "" {
		return &s.plain
	}
	return &s.claims
}

func (s *source) leave(r *tokenRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.callers--
}

// forget is for the case that the service refused a token, of which one that nobody has taken may be a copy.
func (s *source) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plain != nil && s.plain.isOver() {
		s.plain = nil
	}
}

// ask asks the credential. A panic of the credential becomes an error, because otherwise azcore's cache would wait for the
// token forever. A token that cannot be sent is an error too.
func (s *source) ask(ctx context.Context, r *tokenRequest) {
	token, err := azcore.AccessToken{}, fmt.Errorf("the credential %T ended its goroutine or panicked", s.credential)
	defer func() {
		_ = recover() // its value may hold a secret
		s.mu.Lock()
		defer s.mu.Unlock()
		r.token, r.err, r.cut = token, err, ctx.Err() != nil
		if err != nil || r.callers > 0 {
			*s.place(r.options) = nil
		}
		close(r.ended)
	}()
	given, failed := s.credential.GetToken(forCredential(ctx), r.options)
	if failed == nil && !sendable(given.Token) {
		failed = fmt.Errorf("the credential %T gave a token that is blank or holds characters that no access token has", s.credential)
	}
	token, err = given, failed
}

func (r *tokenRequest) isOver() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// sendable reports whether a token can stand in a header.
func sendable(token string) bool {
	return token != "" && !strings.ContainsFunc(token, isNoVisibleASCII)
}

func isNoVisibleASCII(r rune) bool { return r <= ' ' || r >= 0x7f }
