package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const (
	// startLife is how long a sign-in may take.
	startLife = 10 * time.Minute
	// clockSkew is how far the clocks of two copies may be apart: a sign-in may begin at one and end at another.
	clockSkew = 6 * time.Minute
	// longestReturn bounds the address that a sign-in leads to, and so the cookie, of which browsers take 4096 bytes: a byte of
	// the address is up to eight in it.
	longestReturn = 400
)

// errOtherState is about an answer that is not to the sign-in of the cookie.
const errOtherState = plainError("the state of the answer is not that of the sign-in")

// signInStart is a sign-in under way. The service keeps nothing of it, so that nobody can crowd out the sign-ins of others: the
// browser has it in a cookie that it can neither read nor change, and any copy of the service opens it.
//
// A cookie that is kept and sent again within its life is taken again. That gains nothing: the answer to it has a code of
// Entra, which works once and only with this start's verifier, and the id token that the code brings has this start's nonce.
type signInStart struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Begun    int64  `json:"t"` // seconds since 1970
	ReturnTo string `json:"r,omitempty"`
}

func newStart(returnTo string) signInStart {
	return signInStart{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Begun: time.Now().Unix(), ReturnTo: returnTo,
	}
}

// sealStart is the cookie of a start.
func (k *keyRing) sealStart(s signInStart) string {
	text, _ := json.Marshal(s) //nolint:errchkjson // texts and a number
	return base64.RawURLEncoding.EncodeToString(k.seal(purposeStart, text, nil))
}

// openStart is the start that a cookie holds, if the answer with this state is to it.
func (k *keyRing) openStart(cookie, state string) (signInStart, error) {
	var s signInStart
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		return s, plainError("the cookie of the sign-in is damaged")
	}
	text, ok := k.open(purposeStart, sealed, nil)
	if !ok || json.Unmarshal(text, &s) != nil {
		return s, plainError("the cookie of the sign-in is damaged, or was sealed with a key that this copy does not have")
	}
	age := time.Since(time.Unix(s.Begun, 0))
	switch {
	case age > startLife:
		return s, plainError("the sign-in took too long")
	case age < -clockSkew:
		return s, plainError("the sign-in was begun in the future; compare the clocks of the copies")
	case subtle.ConstantTimeCompare([]byte(s.State), []byte(state)) != 1:
		return s, errOtherState
	}
	return s, nil
}

// localAddress is an address of this service to come back to, without scheme and host; empty if it is anything else, so that no
// link to the sign-in leads to another site, or out of the prefix to another program of this host.
func localAddress(text string) string {
	address, err := url.Parse(text)
	if err != nil || len(text) > longestReturn || address.Scheme != "" || address.Host != "" || address.User != nil ||
		!strings.HasPrefix(address.Path, "/") || strings.Contains(address.Path, "//") || strings.Contains(address.Path, "/.") ||
		strings.Contains(address.Path, `\`) ||
		strings.HasPrefix(address.Path, "/auth/") {
		return ""
	}
	return address.String()
}
