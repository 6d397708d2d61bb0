package main

import (
	"cmp"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// codeLifetime is how long a device code can be used, on the tenant's clock.
const codeLifetime = 15 * time.Minute

// deviceSignIn is a sign-in by device code.
type deviceSignIn struct {
	userCode, clientID string
	expires            time.Time
	state              string // pending, approved, declined
	user               string
}

// signInState is what the control interface shows of one.
type signInState struct {
	UserCode string `json:"userCode"`
	ClientID string `json:"clientId"`
	State    string `json:"state"`
	User     string `json:"userPrincipalName,omitempty"`
}

// signIns are those that have begun, by their secrets.
type signIns struct {
	mu        sync.Mutex
	byCode    map[string]*deviceSignIn
	byRefresh map[string]string // users by refresh token
}

// maxSignIns bounds what is kept.
const maxSignIns = 1000

func newSignIns() *signIns {
	return &signIns{byCode: map[string]*deviceSignIn{}, byRefresh: map[string]string{}}
}

func (s *signIns) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.byCode)
	clear(s.byRefresh)
}

func (s *signIns) begin(clientID string, now time.Time) (deviceCode string, begun *deviceSignIn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byCode, func(_ string, d *deviceSignIn) bool { return !now.Before(d.expires) || len(s.byCode) >= maxSignIns })
	deviceCode = rand.Text()
	begun = &deviceSignIn{userCode: rand.Text()[:8], clientID: clientID, expires: now.Add(codeLifetime), state: "pending"}
	s.byCode[deviceCode] = begun
	return deviceCode, begun
}

// decide is the user's answer. It is false for a code that nobody waits for.
func (s *signIns) decide(userCode, user string, approve bool, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.byCode {
		if strings.EqualFold(d.userCode, userCode) && d.state == "pending" && now.Before(d.expires) {
			d.user, d.state = user, "declined"
			if approve {
				d.state = "approved"
			}
			return true
		}
	}
	return false
}

// redeem gives the user of a device code, or the error that OAuth has for the state it is in.
func (s *signIns) redeem(deviceCode string, now time.Time) (user, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.byCode[deviceCode]
	switch {
	case d == nil:
		return "", "bad_verification_code"
	case d.state == "declined":
		return "", "authorization_declined"
	case !now.Before(d.expires):
		return "", "expired_token"
	case d.state == "pending":
		return "", "authorization_pending"
	}
	delete(s.byCode, deviceCode) // good for once
	return d.user, ""
}

// refreshable makes a refresh token for a user.
func (s *signIns) refreshable(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byRefresh) >= maxSignIns {
		clear(s.byRefresh)
	}
	token := rand.Text()
	s.byRefresh[token] = user
	return token
}

func (s *signIns) refresh(token string) (user string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user, ok = s.byRefresh[token]
	return user, ok
}

func (s *signIns) list(now time.Time) []signInState {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []signInState{}
	for _, d := range s.byCode {
		if now.Before(d.expires) {
			list = append(list, signInState{UserCode: d.userCode, ClientID: d.clientID, State: d.state, User: d.user})
		}
	}
	slices.SortFunc(list, func(a, b signInState) int { return cmp.Compare(a.UserCode, b.UserCode) })
	return list
}
