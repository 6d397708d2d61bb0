package main

import (
	"crypto/rand"
	"crypto/subtle"
	"maps"
	"sync"
	"time"
)

const (
	// loginLife is how long a sign-in lasts in the browser: a working day. The tokens behind it are renewed meanwhile.
	loginLife = 10 * time.Hour
	// startLife is how long a sign-in may take.
	startLife = 10 * time.Minute
	maxLogins = 10_000
	maxStarts = 1_000
)

// login is a browser that has signed in.
type login struct {
	who     *identity
	csrf    string
	expires time.Time
}

func (l *login) hasToken(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(l.csrf)) == 1
}

// begun is a sign-in under way. Its secrets stay here: the browser gets the name of the start in a cookie, and state and
// nonce on their way through Microsoft's page.
type begun struct {
	state, nonce, verifier string
	expires                time.Time
}

// logins are kept in memory, with the tokens of the technicians: a restart signs everybody out, and no token is on a disk.
type logins struct {
	mu     sync.Mutex
	byID   map[string]*login
	starts map[string]*begun
}

func newLogins() *logins { return &logins{byID: map[string]*login{}, starts: map[string]*begun{}} }

// begin keeps a start and returns its name. If too many are under way, one of them has to begin again.
func (l *logins) begin(verifier string) (string, *begun) {
	s := &begun{state: rand.Text(), nonce: rand.Text(), verifier: verifier, expires: time.Now().Add(startLife)}
	name := rand.Text()
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.starts, func(_ string, old *begun) bool { return time.Now().After(old.expires) })
	makeRoom(l.starts, maxStarts)
	l.starts[name] = s
	return name, s
}

// finish takes a start out, so that it works once. Only the browser that began it has its name, and only the answer to it
// has its state.
func (l *logins) finish(name, state string) *begun {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.starts[name]
	delete(l.starts, name)
	if s == nil || time.Now().After(s.expires) || subtle.ConstantTimeCompare([]byte(s.state), []byte(state)) != 1 {
		return nil
	}
	return s
}

// add makes a login with a new name: a name that the browser had before might be known to somebody else.
func (l *logins) add(who *identity) (string, *login) {
	name, added := rand.Text(), &login{who: who, csrf: rand.Text(), expires: time.Now().Add(loginLife)}
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.byID, func(_ string, old *login) bool { return time.Now().After(old.expires) })
	makeRoom(l.byID, maxLogins)
	l.byID[name] = added
	return name, added
}

func (l *logins) get(name string) *login {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.byID[name]
	if found == nil || time.Now().After(found.expires) {
		delete(l.byID, name)
		return nil
	}
	return found
}

func (l *logins) remove(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byID, name)
}

// makeRoom drops any entry of a map that is full.
func makeRoom[V any](m map[string]V, most int) {
	for name := range m {
		if len(m) < most {
			return
		}
		delete(m, name)
	}
}
