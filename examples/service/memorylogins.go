package main

import (
	"context"
	"maps"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// memoryLogins are kept in memory, with the tokens of the technicians: a restart signs everybody out, and no token is on a disk.
type memoryLogins struct {
	makeIdentity identityMaker

	mu   sync.Mutex
	byID map[loginID]*memoryLogin
}

type memoryLogin struct {
	who     *identity
	expires time.Time
	ended   chan struct{}
}

func newMemoryLogins(makeIdentity identityMaker) *memoryLogins {
	return &memoryLogins{makeIdentity: makeIdentity, byID: map[loginID]*memoryLogin{}}
}

// memoryTokens is the refresh token of one login, of which [signedInCredential] makes one call at a time.
type memoryTokens struct{ refresh string }

func (t *memoryTokens) renew(ctx context.Context, with renewer) (*oauth2.Token, error) {
	token, err := with(ctx, t.refresh)
	if err == nil {
		t.refresh = token.RefreshToken
	}
	return token, err
}

func (l *memoryLogins) add(_ context.Context, who technician, token *oauth2.Token) (string, error) {
	identity, err := l.makeIdentity(who, &memoryTokens{token.RefreshToken}, token)
	if err != nil {
		return "", err
	}
	cookie, now := newCookie(), time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.makeRoomLocked(who.owner, now)
	l.byID[loginIDOf(cookie)] = &memoryLogin{who: identity, expires: now.Add(loginLife), ended: make(chan struct{})}
	return cookie, nil
}

// makeRoomLocked drops what has expired, and the oldest login of an owner who has many, or of everybody.
func (l *memoryLogins) makeRoomLocked(owner string, now time.Time) {
	oldest := func(of func(*memoryLogin) bool) (id loginID, n int) {
		var first *memoryLogin
		for one, known := range l.byID {
			if !of(known) {
				continue
			}
			if n++; first == nil || known.expires.Before(first.expires) {
				id, first = one, known
			}
		}
		return id, n
	}
	for id := range maps.Clone(l.byID) {
		if now.After(l.byID[id].expires) {
			l.dropLocked(id)
		}
	}
	if id, n := oldest(func(one *memoryLogin) bool { return one.who.key == owner }); n >= loginsEach {
		l.dropLocked(id)
	}
	if id, n := oldest(func(*memoryLogin) bool { return true }); n >= maxLogins {
		l.dropLocked(id)
	}
}

func (l *memoryLogins) dropLocked(id loginID) {
	if known := l.byID[id]; known != nil {
		close(known.ended)
		delete(l.byID, id)
	}
}

func (l *memoryLogins) get(_ context.Context, cookie string) (*identity, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := loginIDOf(cookie)
	known := l.byID[id]
	if known == nil {
		return nil, nil
	}
	if time.Now().After(known.expires) {
		l.dropLocked(id)
		return nil, nil
	}
	return known.who.in(newLogin(cookie, known.expires)), nil
}

func (l *memoryLogins) remove(_ context.Context, cookie string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropLocked(loginIDOf(cookie))
	return nil
}

func (l *memoryLogins) signedIn(_ context.Context, owner string) (*identity, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var latest *memoryLogin
	for _, known := range l.byID {
		if known.who.key == owner && time.Now().Before(known.expires) && (latest == nil || known.expires.After(latest.expires)) {
			latest = known
		}
	}
	if latest == nil {
		return nil, nil
	}
	return latest.who, nil
}

func (l *memoryLogins) watch(of *login) (<-chan struct{}, func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.byID[of.id]; known != nil {
		return known.ended, func() {}
	}
	ended := make(chan struct{})
	close(ended)
	return ended, func() {}
}
