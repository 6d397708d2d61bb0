package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

const (
	// refreshEvery is how often Entra's keys are read at most, whatever tokens come. Entra publishes a key long before it signs
	// with it, so that a token which has to wait for this is one that nobody signed.
	refreshEvery = 5 * time.Second
	// keysFresh is after how long the keys are read again although all tokens fit, since Entra takes keys out too.
	keysFresh = time.Hour

	fetchWithin  = 10 * time.Second
	maxKeySet    = 1 << 20
	longestKeyID = 200
)

// errForeignKey is about a token that Entra did not sign, or not with a key that it publishes.
const errForeignKey = plainError("the token is not signed with a key of the tenant")

// signingKeys are the keys that Entra signs with. It is an [oidc.KeySet] that strangers' tokens cannot make ask Entra again
// and again, as that of the package does for each token that does not fit.
type signingKeys struct {
	client  *http.Client
	address string

	mu    sync.Mutex
	byID  map[string]jose.JSONWebKey
	read  time.Time     // when they were read last
	tried time.Time     // when that was tried last
	busy  chan struct{} // closed when the reading that is under way ends
	err   error         // of the last try
}

// VerifySignature implements [oidc.KeySet].
func (k *signingKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(signed.Signatures) != 1 {
		return nil, errForeignKey
	}
	id := signed.Signatures[0].Header.KeyID
	if id == "" || len(id) > longestKeyID {
		return nil, errForeignKey
	}
	key, err := k.find(ctx, id)
	if err != nil {
		return nil, err
	}
	text, err := signed.Verify(key)
	if err != nil {
		return nil, errForeignKey
	}
	return text, nil
}

// find is the key of an id. It waits for Entra only if the key is not known yet and may be by now.
func (k *signingKeys) find(ctx context.Context, id string) (jose.JSONWebKey, error) {
	key, ok, busy := k.look(id) //nolint:contextcheck // see refreshLocked
	if ok || busy == nil {
		return key, orForeign(ok)
	}
	select {
	case <-busy:
	case <-ctx.Done():
		return key, ctx.Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok = k.byID[id]
	return key, orForeign(ok)
}

func orForeign(ok bool) error {
	if ok {
		return nil
	}
	return errForeignKey
}

// look is what is known of a key, and what is closed when that may have changed.
func (k *signingKeys) look(id string) (jose.JSONWebKey, bool, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.byID[id]
	if (!ok || time.Since(k.read) >= keysFresh) && k.busy == nil && time.Since(k.tried) >= refreshEvery {
		k.refreshLocked()
	}
	return key, ok, k.busy
}

// refresh reads the keys now, and waits for them.
func (k *signingKeys) refresh() error {
	k.mu.Lock()
	if k.busy == nil {
		k.refreshLocked()
	}
	busy := k.busy
	k.mu.Unlock()
	<-busy
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// refreshLocked begins to read the keys. It belongs to no request, so that nobody who goes away takes it from the others.
func (k *signingKeys) refreshLocked() {
	busy := make(chan struct{})
	k.busy, k.tried = busy, time.Now()
	go func() {
		byID, err := k.fetch()
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.err = err; err == nil { // else those that are known still count
			k.byID, k.read = byID, time.Now()
		}
		k.busy = nil
		close(busy)
	}()
}

func (k *signingKeys) fetch() (map[string]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("the address of the tenant's keys: %w", err)
	}
	response, err := k.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the tenant's keys cannot be read: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet))
	if err != nil {
		return nil, fmt.Errorf("the tenant's keys cannot be read: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the tenant's keys cannot be read: status %d", response.StatusCode)
	}
	return parseKeySet(text)
}

// parseKeySet leaves out keys of other kinds, which other tokens may need.
func parseKeySet(text []byte) (map[string]jose.JSONWebKey, error) {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("the tenant's keys are no JSON")
	}
	byID := map[string]jose.JSONWebKey{}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil || key.KeyID == "" || !key.Valid() || !key.IsPublic() || key.Use == "enc" {
			continue
		}
		byID[key.KeyID] = key
	}
	if len(byID) == 0 {
		return nil, errors.New("the tenant publishes no key that can be used")
	}
	return byID, nil
}
