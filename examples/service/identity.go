package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// identity is a signed-in technician. Everything that the service does, it does with the technician's own token.
type identity struct {
	key    string // tenant and object id: what sessions belong to
	name   string // for the page only
	client *intune.Client
	login  *login // of the request's browser; nil for a program, and for what no request does

	until time.Time // end of a program's token; zero for a browser
}

// in is the technician in a browser.
func (i *identity) in(l *login) *identity {
	there := *i
	there.login = l
	return &there
}

// authenticator finds out who sends a request.
type authenticator struct {
	logins  logins
	bearers *bearers
	cookie  string
}

// require lets only technicians pass. A program's bearer token counts and the cookie of a browser does not, if both are sent.
// A cookie is sent by the browser whoever made the request, so that a request with one that changes something needs the
// token of the page as well. The page sends it with every request: with a wrong one the page is of an earlier sign-in, and must
// not go on under the name of whoever has signed in since in another tab.
func (a *authenticator) require(next func(http.ResponseWriter, *http.Request, *identity)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, p := a.identify(r)
		if p != nil {
			refuse(w, r, p)
			return
		}
		noteWho(r.Context(), who.key)
		next(w, r, who)
	}
}

func (a *authenticator) identify(r *http.Request) (*identity, *problem) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil, kindNotSignedIn.with(problemExtra{})
		}
		return a.bearers.identify(r.Context(), strings.TrimSpace(token))
	}
	if isFromElsewhere(r) {
		return nil, kindForeignSite.because(errElsewhere)
	}
	cookie, err := r.Cookie(a.cookie)
	if err != nil {
		return nil, kindNotSignedIn.with(problemExtra{})
	}
	who, err := a.logins.get(r.Context(), cookie.Value)
	switch {
	case errors.Is(err, errOtherKey):
		return nil, kindNotSignedIn.because(err)
	case err != nil:
		return nil, kindRecord.because(err)
	case who == nil:
		return nil, kindNotSignedIn.with(problemExtra{})
	}
	token := r.Header.Get("X-Csrf-Token")
	if token == "" && !isSafe(r.Method) {
		return nil, kindForeignSite.because(plainError("the header X-Csrf-Token is missing"))
	}
	if token != "" && !who.login.hasToken(token) {
		return nil, kindOtherPerson.with(problemExtra{SignedInAs: who.name})
	}
	return who, nil
}

// whileSignedIn ends a request that goes on and on, such as a stream of events, with the sign-in of its browser, or the token of
// its program.
func (a *authenticator) whileSignedIn(
	next func(http.ResponseWriter, *http.Request, *identity),
) func(http.ResponseWriter, *http.Request, *identity) {
	return func(w http.ResponseWriter, r *http.Request, who *identity) {
		if who.login == nil {
			ctx, cancel := context.WithDeadline(r.Context(), who.until)
			defer cancel()
			next(w, r.WithContext(ctx), who)
			return
		}
		ended, stop := a.logins.watch(who.login)
		defer stop()
		ctx, cancel := context.WithDeadline(r.Context(), who.login.expires)
		defer cancel()
		go func() {
			select {
			case <-ended:
				cancel()
			case <-ctx.Done():
			}
		}()
		next(w, r.WithContext(ctx), who)
	}
}

const errElsewhere = plainError("another site made the browser send it")

// isFromElsewhere says that a page of another site, or of another host of this domain, made the browser send a request that is
// not a person's way here. It cannot read the answer, but it could use up what the person may do.
func isFromElsewhere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead
}
