package intune_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// soakNetwork takes its time, before the service acts and after, and counts what is open.
type soakNetwork struct {
	tenant *intunetest.Tenant
	tokens *soakTokens

	mu                             sync.Mutex
	requests, inFlight, most, open int
}

func (n *soakNetwork) Do(req *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.requests++
	n.inFlight++
	n.most = max(n.most, n.inFlight)
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.inFlight--
	}()
	if err := n.delay(req.Context()); err != nil {
		return nil, err
	}
	n.tokens.check(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "))
	resp, err := n.tenant.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := n.delay(req.Context()); err != nil {
		resp.Body.Close()
		return nil, err
	}
	n.mu.Lock()
	n.open++
	n.mu.Unlock()
	resp.Body = &soakBody{ReadCloser: resp.Body, network: n}
	return resp, nil
}

// delay is as long as a slow answer, or until the caller gives up.
func (*soakNetwork) delay(ctx context.Context) error {
	timer := time.NewTimer(time.Duration(rand.IntN(200)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// soakBody is a body whose connection is free again when it is closed.
type soakBody struct {
	io.ReadCloser

	network *soakNetwork
	once    sync.Once
}

func (b *soakBody) Close() error {
	b.once.Do(func() {
		b.network.mu.Lock()
		defer b.network.mu.Unlock()
		b.network.open--
	})
	return b.ReadCloser.Close()
}

const soakTokenLife = 45 * time.Second

var errSoakToken = errors.New("the sign-in service is away")

// soakTokens is a credential whose tokens soon expire, and which sometimes has none.
type soakTokens struct {
	t  *testing.T
	of azcore.TokenCredential

	mu     sync.Mutex
	asked  int
	failed int
	issued int
	expiry map[string]time.Time // of the tokens that are valid, or were not long ago
}

func (c *soakTokens) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.of.GetToken(ctx, options)
	if err != nil {
		return token, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked++; c.asked%8 < 5 {
		c.failed++
		return azcore.AccessToken{}, errSoakToken
	}
	token.ExpiresOn = time.Now().Add(soakTokenLife)
	if _, known := c.expiry[token.Token]; known { // issued in the same second
		token.Token += strconv.Itoa(c.asked)
	}
	maps.DeleteFunc(c.expiry, func(_ string, expires time.Time) bool { return time.Since(expires) > soakTokenLife })
	c.expiry[token.Token] = token.ExpiresOn
	c.issued++
	return token, nil
}

// check fails the test if a request carries a token that has expired, or none.
func (c *soakTokens) check(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The request was delayed since it got the token.
	if expires, ok := c.expiry[token]; !ok || time.Since(expires) > time.Second {
		c.t.Errorf("a request with a token that was issued: %t, and expired %v ago", ok, time.Since(expires))
	}
}

type soakKey struct{}

// soakRecord is the journal of one call.
type soakRecord struct {
	mu      sync.Mutex
	entries map[intune.DeviceRef][]intune.Outcome
}

// outcome is blank if nothing was recorded, and says so if the entries are no pair.
func (r *soakRecord) outcome(device intune.DeviceRef) intune.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch entries := r.entries[device]; {
	case len(entries) == 0:
		return ""
	case len(entries) == 2 && entries[0] == "" && entries[1] != "":
		return entries[1]
	default:
		return intune.Outcome(fmt.Sprintf("the entries %q", entries))
	}
}

// soakJournal writes into the record of the call.
type soakJournal struct{}

func (soakJournal) Asking(ctx context.Context, entry intune.JournalEntry) error {
	return soakJournal{}.Asked(ctx, entry)
}

func (soakJournal) Asked(ctx context.Context, entry intune.JournalEntry) error {
	record, ok := ctx.Value(soakKey{}).(*soakRecord)
	if !ok {
		return errors.New("the context is not that of the call")
	}
	record.mu.Lock()
	defer record.mu.Unlock()
	record.entries[entry.Device] = append(record.entries[entry.Device], entry.Outcome)
	return nil
}
