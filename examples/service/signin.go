package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// signIn is the authorization code flow with PKCE and a nonce. The token that it brings is the technician's own, for
// Microsoft Graph, with the permissions that the technician has.
type signIn struct {
	auth       *authenticator
	oauth      oauth2.Config
	verifier   *oidc.IDTokenVerifier
	tenantID   string
	transport  *http.Client
	newClient  clientMaker
	startName  string // of the cookie
	secureOnly bool
}

// begin sends the browser to Microsoft's page.
func (s *signIn) begin(w http.ResponseWriter, r *http.Request) {
	verifier := oauth2.GenerateVerifier()
	name, begun := s.auth.logins.begin(verifier)
	s.setCookie(w, s.startName, name, int(startLife.Seconds()))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, s.oauth.AuthCodeURL(begun.state, oidc.Nonce(begun.nonce), oauth2.S256ChallengeOption(verifier)), http.StatusFound)
}

// finish takes the browser back.
func (s *signIn) finish(w http.ResponseWriter, r *http.Request) {
	who, err := s.redeem(r)
	s.setCookie(w, s.startName, "", -1)
	if err != nil {
		refuse(w, r, kindSignInFailed.because(err))
		return
	}
	noteWho(r.Context(), who.key)
	if before, err := r.Cookie(s.auth.cookie); err == nil {
		s.auth.logins.remove(before.Value)
	}
	name, _ := s.auth.logins.add(who)
	s.setCookie(w, s.auth.cookie, name, int(loginLife.Seconds()))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *signIn) redeem(r *http.Request) (*identity, error) {
	cookie, err := r.Cookie(s.startName)
	if err != nil {
		return nil, plainError("the browser did not begin this sign-in")
	}
	query := r.URL.Query()
	begun := s.auth.logins.finish(cookie.Value, query.Get("state"))
	if begun == nil {
		return nil, plainError("the state of the sign-in is wrong, too old, or was used before")
	}
	if code := query.Get("error"); code != "" {
		if !isPlain(code, 64) {
			code = "an error without a readable name"
		}
		return nil, plainError("Microsoft answered: " + code)
	}
	ctx := oidc.ClientContext(r.Context(), s.transport)
	token, err := s.oauth.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(begun.verifier))
	if err != nil {
		return nil, exchangeError(err)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := s.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, plainError("the id token is not one for this service")
	}
	if idToken.Nonce != begun.nonce {
		return nil, plainError("the id token is not for this sign-in")
	}
	claims, err := s.claims(idToken)
	if err != nil {
		return nil, err
	}
	// The context of the request ends before the token is renewed.
	source := s.oauth.TokenSource(oidc.ClientContext(context.WithoutCancel(r.Context()), s.transport), token)
	client, err := s.newClient(&signedInCredential{source: source})
	if err != nil {
		return nil, err
	}
	return &identity{key: claims.key(), name: claims.name(), client: client}, nil
}

func (s *signIn) claims(token *oidc.IDToken) (personClaims, error) {
	var claims personClaims
	if err := token.Claims(&claims); err != nil {
		return claims, plainError("the claims of the token cannot be read")
	}
	return claims, claims.check(s.tenantID)
}

// leave ends the login. Waits that are under way keep their token until they end, minutes at most.
func (s *signIn) leave(w http.ResponseWriter, r *http.Request, _ *identity) {
	if cookie, err := r.Cookie(s.auth.cookie); err == nil {
		s.auth.logins.remove(cookie.Value)
	}
	s.setCookie(w, s.auth.cookie, "", -1)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	w.WriteHeader(http.StatusNoContent)
}

// setCookie sets a cookie that scripts cannot read and that other sites' requests do not carry, except when they lead a
// person to this site, as Microsoft's page does.
func (s *signIn) setCookie(w http.ResponseWriter, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secureOnly, SameSite: http.SameSiteLaxMode,
	})
}

// exchangeError leaves out the answer of the token endpoint, except for its code.
func exchangeError(err error) error {
	if failed, ok := errors.AsType[*oauth2.RetrieveError](err); ok && isPlain(failed.ErrorCode, 64) {
		return plainError("the token endpoint answered: " + failed.ErrorCode)
	}
	return plainError("the token endpoint could not be asked")
}
