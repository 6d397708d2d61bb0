package main

import (
	"context"
	"crypto/sha256"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/coreos/go-oidc/v3/oidc"
)

// maxBearers bounds how many tokens are remembered.
const maxBearers = 5_000

// bearers takes the tokens of programs that call this service for a technician, and exchanges them for tokens of Microsoft
// Graph on behalf of the same technician.
type bearers struct {
	directory  *directory
	verifier   *oidc.IDTokenVerifier // of the tokens for this service; Entra signs access tokens as it signs id tokens
	transport  *http.Client
	tenantID   string
	scope      string
	onBehalfOf func(token string) (azcore.TokenCredential, error)
	newClient  clientMaker

	mu    sync.Mutex
	known map[[sha256.Size]byte]bearer
}

// bearer is a token that was verified. Its client keeps the token for Graph.
type bearer struct {
	who     *identity
	expires time.Time
}

func newBearers(o *settings, verifier *oidc.IDTokenVerifier, found *directory, newClient clientMaker) *bearers {
	b := &bearers{
		directory: found, verifier: verifier, transport: o.entra, tenantID: o.tenantID, scope: o.scope, newClient: newClient,
		known: map[[sha256.Size]byte]bearer{},
	}
	if o.secret != "" {
		b.onBehalfOf = func(token string) (azcore.TokenCredential, error) {
			return azidentity.NewOnBehalfOfCredentialWithSecret(o.tenantID, o.clientID, token, o.secret,
				&azidentity.OnBehalfOfCredentialOptions{ClientOptions: o.authority, DisableInstanceDiscovery: true})
		}
	}
	return b
}

func (b *bearers) identify(ctx context.Context, token string) (*identity, *problem) {
	if b.onBehalfOf == nil {
		return nil, kindNotSignedIn.because(plainError("bearer tokens need a client secret, to act on behalf of their user"))
	}
	hash := sha256.Sum256([]byte(token))
	b.mu.Lock()
	found, ok := b.known[hash]
	b.mu.Unlock()
	if ok && time.Now().Before(found.expires) {
		return found.who, nil
	}
	if _, err := b.directory.get(ctx); err != nil {
		return nil, kindSignInUnavailable.because(err)
	}
	who, expires, err := b.verify(ctx, token)
	if err != nil {
		return nil, kindNotSignedIn.because(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.known, func(_ [sha256.Size]byte, old bearer) bool {
		return time.Now().After(old.expires) || len(b.known) >= maxBearers
	})
	b.known[hash] = bearer{who: who, expires: expires}
	return who, nil
}

func (b *bearers) verify(ctx context.Context, token string) (*identity, time.Time, error) {
	verified, err := b.verifier.Verify(oidc.ClientContext(ctx, b.transport), token)
	if err != nil {
		return nil, time.Time{}, plainError("the bearer token is not a good one for this service")
	}
	var claims personClaims
	if err := verified.Claims(&claims); err != nil {
		return nil, time.Time{}, plainError("the claims of the bearer token cannot be read")
	}
	if err := claims.check(b.tenantID); err != nil {
		return nil, time.Time{}, err
	}
	// Id tokens have no scp, and neither have tokens of apps that act for nobody.
	if !slices.Contains(strings.Fields(claims.Scopes), b.scope) {
		return nil, time.Time{}, plainError("the bearer token lacks the scope of this service")
	}
	credential, err := b.onBehalfOf(token)
	if err != nil {
		return nil, time.Time{}, plainError("the credential cannot be made")
	}
	client, err := b.newClient(credential)
	if err != nil {
		return nil, time.Time{}, err
	}
	return &identity{key: claims.key(), name: claims.name(), client: client, until: verified.Expiry}, verified.Expiry, nil
}
