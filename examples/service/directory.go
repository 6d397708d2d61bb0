package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// slowestRetry is how long the service leaves Entra alone at most while it has not found it.
	slowestRetry = 15 * time.Second
	// attemptPatience is how long a request waits for an attempt that is under way.
	attemptPatience = 5 * time.Second
)

// errNoEntra means that nobody can sign in yet.
const errNoEntra = plainError("the tenant's sign-in page and keys are not known yet")

// directory is what Entra publishes about a tenant: where to sign in, and with which keys tokens are signed. The service
// starts without it and looks for it until it is found, so that it does not matter who is up first.
type directory struct {
	issuer string
	client *http.Client
	log    *slog.Logger

	mu     sync.Mutex
	found  *published    // nil before
	trying chan struct{} // closed when the attempt that is under way ends; nil between attempts
}

// published is what an attempt found.
type published struct {
	endpoint oauth2.Endpoint
	keys     *signingKeys
}

// newDirectory looks for the tenant until it is found, or the context ends.
func newDirectory(life context.Context, issuer string, client *http.Client, log *slog.Logger) *directory {
	d := &directory{issuer: issuer, client: client, log: log, trying: make(chan struct{})}
	go d.search(life)
	return d
}

func (d *directory) search(life context.Context) {
	for delay := time.Second; ; delay = min(2*delay, slowestRetry) {
		found, err := d.attempt(life)
		d.mu.Lock()
		d.found = found
		close(d.trying)
		d.trying = nil
		d.mu.Unlock()
		if err == nil || life.Err() != nil {
			return
		}
		// The text may hold the page of a proxy.
		d.log.WarnContext(life, "the tenant's sign-in cannot be found; the service goes on trying", "error", cut(err.Error()))
		// Copies that start together should not ask together.
		if pauseFor(life, delay/2+rand.N(delay/2+1)) != nil {
			return
		}
		d.mu.Lock()
		d.trying = make(chan struct{})
		d.mu.Unlock()
	}
}

func (d *directory) attempt(life context.Context) (*published, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(life, d.client), fetchWithin)
	defer cancel()
	provider, err := oidc.NewProvider(ctx, d.issuer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.issuer, err)
	}
	var more struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&more); err != nil || more.Keys == "" {
		return nil, fmt.Errorf("%s does not say where its keys are", d.issuer)
	}
	keys := &signingKeys{client: d.client, address: more.Keys}
	if err := keys.refresh(); err != nil { //nolint:contextcheck // it is bounded
		return nil, err
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams // else a code that is no good is sent twice, to find out
	return &published{endpoint: endpoint, keys: keys}, nil
}

// look is what was found, and the attempt to wait for if nothing was.
func (d *directory) look() (*published, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.found, d.trying
}

// get is what was found. It waits some seconds for an attempt that is under way, and else fails at once.
func (d *directory) get(ctx context.Context) (*published, error) {
	found, trying := d.look()
	if found == nil && trying != nil {
		late := time.NewTimer(attemptPatience)
		defer late.Stop()
		select {
		case <-trying:
		case <-late.C:
		case <-ctx.Done():
		}
		found, _ = d.look()
	}
	if found == nil {
		return nil, errNoEntra
	}
	return found, nil
}

// ready says why nobody can sign in, nil if they can.
func (d *directory) ready() error {
	if found, _ := d.look(); found == nil {
		return errNoEntra
	}
	return nil
}

// VerifySignature implements [oidc.KeySet] with the keys that were found.
func (d *directory) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	found, err := d.get(ctx)
	if err != nil {
		return nil, err
	}
	return found.keys.VerifySignature(ctx, token)
}
