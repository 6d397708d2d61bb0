package main

import (
	"net/http"
	"strings"

	"github.com/go-intune/intune"
)

// identity is a signed-in technician. Everything that the service does, it does with the technician's own token.
type identity struct {
	key    string // tenant and object id: what sessions belong to
	name   string // for the page only
	client *intune.Client
}

// authenticator finds out who sends a request.
type authenticator struct {
	logins  *logins
	bearers *bearers
	cookie  string
}

// require lets only technicians pass. A program's bearer token counts and the cookie of a browser does not, if both are sent.
// A cookie is sent by the browser whoever made the request, so that a request with one that changes something needs the
// token of the page as well.
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
	l := a.login(r)
	if l == nil {
		return nil, kindNotSignedIn.with(problemExtra{})
	}
	if !isSafe(r.Method) && !l.hasToken(r.Header.Get("X-Csrf-Token")) {
		return nil, kindForeignSite.because(plainError("the header X-Csrf-Token is missing or wrong"))
	}
	return l.who, nil
}

// login is that of the browser's cookie, nil if there is none.
func (a *authenticator) login(r *http.Request) *login {
	cookie, err := r.Cookie(a.cookie)
	if err != nil {
		return nil
	}
	return a.logins.get(cookie.Value)
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead
}
