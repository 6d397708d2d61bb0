package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// token answers the token endpoint.
func (s *standIn) token(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil || !s.isApp(r) {
		answer(w, http.StatusUnauthorized, map[string]string{
			"error": "invalid_client", "error_description": "AADSTS7000215: invalid client secret",
		})
		return
	}
	who, nonce, ok := s.redeem(r)
	if !ok {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "AADSTS70008: the grant is not good"})
		return
	}
	claims := map[string]any{"oid": who.objectID, "upn": who.upn, "tid": s.tenantID, "appid": s.clientID, "scp": who.permissions}
	if r.PostForm.Get("grant_type") == "client_credentials" {
		claims = map[string]any{"oid": s.clientID, "idtyp": "app", "tid": s.tenantID, "appid": s.clientID, "roles": strings.Fields(manageScopes)}
	}
	token, err := s.tenant.CredentialWith(claims).GetToken(r.Context(), policy.TokenRequestOptions{Scopes: []string{graphScope}})
	if err != nil {
		return // the caller is gone
	}
	idToken, err := s.signed(who, map[string]any{"nonce": nonce})
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
		return
	}
	again := rand.Text()
	s.mu.Lock()
	s.refresh[again] = who
	s.mu.Unlock()
	info, _ := json.Marshal(map[string]string{"uid": who.objectID, "utid": s.tenantID}) //nolint:errchkjson // texts
	answer(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "scope": graphScope, "access_token": token.Token,
		"refresh_token": again, "id_token": idToken, "client_info": base64.RawURLEncoding.EncodeToString(info),
	})
}

func (s *standIn) isApp(r *http.Request) bool {
	if id, secret, ok := r.BasicAuth(); ok {
		return id == s.clientID && secret == s.secret
	}
	return r.PostForm.Get("client_id") == s.clientID && r.PostForm.Get("client_secret") == s.secret
}

// redeem says whose a grant is. A code works once, and a refresh token too, unless it is as lasting as those of Entra.
func (s *standIn) redeem(r *http.Request) (who person, nonce string, ok bool) {
	form := r.PostForm
	s.mu.Lock()
	defer s.mu.Unlock()
	switch form.Get("grant_type") {
	case "authorization_code":
		g, ok := s.codes[form.Get("code")]
		delete(s.codes, form.Get("code"))
		hash := sha256.Sum256([]byte(form.Get("code_verifier")))
		return g.who, g.nonce, ok && form.Get("redirect_uri") == s.redirect &&
			base64.RawURLEncoding.EncodeToString(hash[:]) == g.challenge
	case "refresh_token":
		who, ok = s.refresh[form.Get("refresh_token")]
		if !s.again {
			delete(s.refresh, form.Get("refresh_token"))
		}
		return who, "", ok
	case "client_credentials": // the app itself
		return person{}, "", true
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		return s.ofAssertion(form.Get("assertion"))
	}
	return person{}, "", false
}

// ofAssertion trusts the assertion, which the service has verified before.
func (s *standIn) ofAssertion(token string) (who person, nonce string, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return person{}, "", false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims personClaims
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return person{}, "", false
	}
	who, ok = s.person(claims.PreferredUsername)
	return who, "", ok
}

// The empty icon keeps browsers from asking for a /favicon.ico, which is not there.
var choosePage = template.Must(template.New("choose").Parse(`<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Sign in (demo)</title>
<link rel="icon" href="data:,">
<body style="font: 1.1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1rem">
<h1 style="font-size: 1.4rem">Who are you?</h1><p>This page stands in for Microsoft's sign-in page.</p>
<form method="post">{{range .}}<p><button name="upn" value="{{.UPN}}" style="font: inherit; width: 100%; padding: .6rem">` +
	`{{.Name}}</button></p>{{end}}</form></body></html>`))

// choose shows the page that asks who signs in. The form goes back to the same address, with its query.
func (s *standIn) choose(w http.ResponseWriter, _ *http.Request) {
	type row struct{ UPN, Name string }
	rows := make([]row, len(s.people))
	for i, p := range s.people {
		rows[i] = row{p.upn, p.name}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = choosePage.Execute(w, rows) // the caller may be gone
}
