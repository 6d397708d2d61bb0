package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"

	"golang.org/x/oauth2"
)

const (
	// loginLife is how long a sign-in lasts in the browser: a working day. The tokens behind it are renewed meanwhile.
	loginLife = 10 * time.Hour
	// maxLogins bounds those that one process knows, and loginsEach those of one technician, of which the oldest go first.
	maxLogins  = 10_000
	loginsEach = 20
)

// logins are the browsers that have signed in.
type logins interface {
	// add keeps a sign-in. It returns the value of its cookie, which is always new: one that the browser had before might be
	// known to somebody else.
	add(ctx context.Context, who technician, token *oauth2.Token) (cookie string, err error)
	// get is the technician of a cookie, nil if the sign-in has ended.
	get(ctx context.Context, cookie string) (*identity, error)
	// remove ends a sign-in.
	remove(ctx context.Context, cookie string) error
	// signedIn is a technician who is signed in in some browser, nil if there is none. Waits go on with it.
	signedIn(ctx context.Context, owner string) (*identity, error)
	// watch tells when a sign-in ends: within five seconds if that happens in another copy of the service.
	watch(l *login) (ended <-chan struct{}, stop func())
}

// technician is who signed in.
type technician struct {
	owner string // tenant and object id: what sessions belong to
	name  string // for the page only
}

// loginID is the hash of a cookie. Nothing but the browser has the cookie itself.
type loginID [sha256.Size]byte

func loginIDOf(cookie string) loginID { return sha256.Sum256([]byte(cookie)) }

// newCookie is 26 letters and digits, which nobody can guess.
func newCookie() string { return rand.Text() }

// login is the browser of a request.
type login struct {
	id      loginID
	expires time.Time
	csrf    string // the token that the page sends
}

// newLogin derives the page's token from the cookie, so that any copy of the service knows it.
func newLogin(cookie string, expires time.Time) *login {
	mac := hmac.New(sha256.New, []byte(cookie))
	_, _ = mac.Write([]byte("csrf"))
	return &login{id: loginIDOf(cookie), expires: expires, csrf: base64.RawURLEncoding.EncodeToString(mac.Sum(nil))}
}

func (l *login) hasToken(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(l.csrf)) == 1
}
