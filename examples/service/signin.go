package main

import (
	"cmp"
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
	directory  *directory
	oauth      oauth2.Config // without the addresses, which the directory has
	verifier   *oidc.IDTokenVerifier
	tenantID   string
	transport  *http.Client
	keys       *keyRing
	startName  string // of the cookies
	chooseName string
	path       string // of the cookies
	secureOnly bool
}

// chooseLife is how long a browser remembers that the next sign-in should ask for the account.
const chooseLife = 30 * 24 * 60 * 60

// config is the flow with the tenant's addresses.
func (s *signIn) config(ctx context.Context) (*oauth2.Config, error) {
	found, err := s.directory.get(ctx)
	if err != nil {
		return nil, err
	}
	config := s.oauth
	config.Endpoint = found.endpoint
	return &config, nil
}

// renew is a [renewer].
func (s *signIn) renew(ctx context.Context, refresh string) (*oauth2.Token, error) {
	if refresh == "" { // Entra gave none
		return nil, errSignInAgain
	}
	config, err := s.config(ctx)
	if err != nil {
		return nil, err
	}
	token, err := config.TokenSource(oidc.ClientContext(ctx, s.transport), &oauth2.Token{RefreshToken: refresh}).Token()
	if err != nil { // its text holds the answer of the token endpoint
		return nil, renewError(err)
	}
	return token, nil
}

// begin sends the browser to Microsoft's page. ?to= is the address of this service to come back to, without the prefix.
func (s *signIn) begin(w http.ResponseWriter, r *http.Request) {
	if isFromElsewhere(r) { // it would take the place of a start that a person made
		refuse(w, r, kindForeignSite.because(errElsewhere))
		return
	}
	config, err := s.config(r.Context())
	if err != nil {
		refuse(w, r, kindSignInUnavailable.because(err))
		return
	}
	start := newStart(localAddress(r.URL.Query().Get("to")))
	options := []oauth2.AuthCodeOption{oidc.Nonce(start.Nonce), oauth2.S256ChallengeOption(start.Verifier)}
	if _, err := r.Cookie(s.chooseName); err == nil {
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	s.setCookie(w, s.startName, s.keys.sealStart(start), int(startLife.Seconds()))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, config.AuthCodeURL(start.State, options...), http.StatusFound)
}

// finish takes the browser back.
func (s *signIn) finish(w http.ResponseWriter, r *http.Request) {
	start, who, token, p := s.redeem(r)
	if p == nil || !errors.Is(p, errOtherState) { // else the sign-in goes on: the answer is that of an older tab, or made up
		s.setCookie(w, s.startName, "", -1)
	}
	if p == nil {
		p = s.enter(w, r, who, token)
	}
	if p != nil {
		// Else the next try would end in the same way, if Microsoft's page takes the same account without asking.
		s.setCookie(w, s.chooseName, "1", chooseLife)
		refuse(w, r, p)
		return
	}
	s.setCookie(w, s.chooseName, "", -1)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, prefixOf(r.Context())+cmp.Or(start.ReturnTo, "/"), http.StatusSeeOther)
}

// enter signs the browser in, and out of the sign-in that it had before.
func (s *signIn) enter(w http.ResponseWriter, r *http.Request, who technician, token *oauth2.Token) *problem {
	noteWho(r.Context(), who.owner)
	if before, err := r.Cookie(s.auth.cookie); err == nil {
		if err := s.auth.logins.remove(r.Context(), before.Value); err != nil {
			return kindRecord.because(err)
		}
	}
	cookie, err := s.auth.logins.add(r.Context(), who, token)
	if err != nil {
		return kindRecord.because(err)
	}
	s.setCookie(w, s.auth.cookie, cookie, int(loginLife.Seconds()))
	return nil
}

func (s *signIn) redeem(r *http.Request) (start signInStart, who technician, token *oauth2.Token, p *problem) {
	failed := func(err error) (signInStart, technician, *oauth2.Token, *problem) {
		return signInStart{}, technician{}, nil, kindSignInFailed.because(err)
	}
	cookie, err := r.Cookie(s.startName)
	if err != nil {
		return failed(plainError("the browser did not begin this sign-in"))
	}
	query := r.URL.Query()
	if start, err = s.keys.openStart(cookie.Value, query.Get("state")); err != nil {
		return failed(err)
	}
	if code := query.Get("error"); code != "" {
		if !isPlain(code, 64) {
			code = "an error without a readable name"
		}
		return failed(plainError("Microsoft answered: " + code))
	}
	config, err := s.config(r.Context())
	if err != nil {
		return start, who, nil, kindSignInUnavailable.because(err)
	}
	ctx := oidc.ClientContext(r.Context(), s.transport)
	token, err = config.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(start.Verifier))
	if _, answered := errors.AsType[*oauth2.RetrieveError](err); err != nil && !answered {
		return start, who, nil, kindSignInUnavailable.because(exchangeError(err))
	}
	if err != nil {
		return failed(exchangeError(err))
	}
	who, err = s.verify(ctx, token, start.Nonce)
	if err != nil {
		return failed(err)
	}
	return start, who, token, nil
}

// verify is whom the tokens of a sign-in are about.
func (s *signIn) verify(ctx context.Context, token *oauth2.Token, nonce string) (technician, error) {
	raw, _ := token.Extra("id_token").(string)
	idToken, err := s.verifier.Verify(ctx, raw)
	if err != nil {
		return technician{}, plainError("the id token is not one for this service")
	}
	if idToken.Nonce != nonce {
		return technician{}, plainError("the id token is not for this sign-in")
	}
	var claims personClaims
	if err := idToken.Claims(&claims); err != nil {
		return technician{}, plainError("the claims of the token cannot be read")
	}
	return technician{claims.key(), claims.name()}, claims.check(s.tenantID)
}

// leave ends the login. Waits that are under way keep their token until they end, minutes at most.
func (s *signIn) leave(w http.ResponseWriter, r *http.Request, _ *identity) {
	if cookie, err := r.Cookie(s.auth.cookie); err == nil {
		if err := s.auth.logins.remove(r.Context(), cookie.Value); err != nil {
			refuse(w, r, kindRecord.because(err))
			return
		}
	}
	s.setCookie(w, s.auth.cookie, "", -1)
	s.setCookie(w, s.chooseName, "1", chooseLife)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	w.WriteHeader(http.StatusNoContent)
}

// setCookie sets a cookie that scripts cannot read and that other sites' requests do not carry, except when they lead a
// person to this site, as Microsoft's page does.
func (s *signIn) setCookie(w http.ResponseWriter, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: s.path, MaxAge: maxAge,
		HttpOnly: true, Secure: s.secureOnly, SameSite: http.SameSiteLaxMode,
	})
}
