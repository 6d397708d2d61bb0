package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// standIn plays Microsoft Entra for the demo and the tests: discovery, signing keys, the authorization code flow with PKCE,
// refresh, and on-behalf-of. Its tokens for Graph are those of the in-memory tenant.
type standIn struct {
	base     string // address, without a slash at the end
	tenantID string
	clientID string
	secret   string
	redirect string // the only redirect URI that is registered
	scope    string // of the service's own API
	tenant   *intunetest.Tenant
	people   []person
	key      *rsa.PrivateKey
	keyID    string

	// again lets a refresh token work more than once, as Entra does: https://learn.microsoft.com/entra/identity-platform/refresh-tokens.
	again bool

	mu      sync.Mutex
	codes   map[string]grant
	refresh map[string]person
}

// person is somebody who can sign in.
type person struct {
	objectID, name, upn string
	permissions         string // of the token for Graph
}

// manageScopes are the permissions of a technician's token.
const manageScopes = "DeviceManagementManagedDevices.ReadWrite.All DeviceManagementServiceConfig.Read.All"

// grant is what an authorization code stands for.
type grant struct {
	who              person
	challenge, nonce string
}

func newStandIn(base, redirect string, tenant *intunetest.Tenant, people []person, key *rsa.PrivateKey) *standIn {
	return &standIn{
		base: base, redirect: redirect, tenant: tenant, people: people, key: key,
		tenantID: "6b8f1f6c-3f0e-4d4b-9a39-1d8c5f7e2a10", clientID: "c1a5e0d4-7e52-4f0f-8a53-0b6f6b2d9e77",
		secret: "only-for-the-stand-in", scope: "Sessions.Open", keyID: "1",
		codes: map[string]grant{}, refresh: map[string]person{},
	}
}

func (s *standIn) issuer() string { return s.base + "/" + s.tenantID + "/v2.0" }

// handler serves the endpoints below the tenant.
func (s *standIn) handler() http.Handler {
	mux := http.NewServeMux()
	root := "/" + s.tenantID
	mux.HandleFunc("GET "+root+"/v2.0/.well-known/openid-configuration", s.discover)
	mux.HandleFunc("GET "+root+"/discovery/v2.0/keys", s.keys)
	mux.HandleFunc("GET "+root+"/oauth2/v2.0/authorize", s.choose)
	mux.HandleFunc("POST "+root+"/oauth2/v2.0/authorize", s.chosen)
	mux.HandleFunc("POST "+root+"/oauth2/v2.0/token", s.token)
	return mux
}

func (s *standIn) discover(w http.ResponseWriter, _ *http.Request) {
	root := s.base + "/" + s.tenantID
	answer(w, http.StatusOK, map[string]any{
		"issuer": s.issuer(), "authorization_endpoint": root + "/oauth2/v2.0/authorize",
		"token_endpoint": root + "/oauth2/v2.0/token", "jwks_uri": root + "/discovery/v2.0/keys",
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (s *standIn) keys(w http.ResponseWriter, _ *http.Request) {
	encode := base64.RawURLEncoding.EncodeToString
	answer(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "kid": s.keyID, "alg": "RS256",
		"n": encode(s.key.N.Bytes()), "e": encode(big.NewInt(int64(s.key.E)).Bytes()),
	}}})
}

// chosen ends the page that asks who signs in.
func (s *standIn) chosen(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	query := r.URL.Query()
	who, ok := s.person(r.PostForm.Get("upn"))
	if !ok || query.Get("client_id") != s.clientID || query.Get("redirect_uri") != s.redirect ||
		query.Get("response_type") != "code" || query.Get("code_challenge_method") != "S256" {
		http.Error(w, "AADSTS50011: the request does not fit the registration of the app", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	s.mu.Lock()
	s.codes[code] = grant{who: who, challenge: query.Get("code_challenge"), nonce: query.Get("nonce")}
	s.mu.Unlock()
	back := url.Values{"code": {code}, "state": {query.Get("state")}}
	http.Redirect(w, r, s.redirect+"?"+back.Encode(), http.StatusFound)
}

func (s *standIn) person(upn string) (person, bool) {
	for _, p := range s.people {
		if p.upn == upn {
			return p, true
		}
	}
	return person{}, false
}

// signed is a token of the stand-in about a person.
func (s *standIn) signed(who person, more map[string]any) (string, error) {
	claims := map[string]any{
		"iss": s.issuer(), "aud": s.clientID, "tid": s.tenantID, "oid": who.objectID, "sub": who.objectID, "name": who.name,
		"preferred_username": who.upn, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "ver": "2.0",
	}
	maps.Copy(claims, more)
	text, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("stand-in: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	header, err := json.Marshal(map[string]string{"typ": "JWT", "alg": "RS256", "kid": s.keyID})
	if err != nil {
		return "", fmt.Errorf("stand-in: %w", err)
	}
	message := encode(header) + "." + encode(text)
	hash := sha256.Sum256([]byte(message))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, hash[:])
	if err != nil {
		return "", fmt.Errorf("stand-in: %w", err)
	}
	return message + "." + encode(signature), nil
}
