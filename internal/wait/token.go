package wait

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-intune/intune/internal/redact"
)

const (
	// tokenType is the name that azcore gives the type of the result.
	tokenType    = "RemoteAssistanceSession"
	tokenVersion = 1
	maxToken     = 8 << 10
	maxID        = 256

	defaultMaxAge = 24 * time.Hour

	// clockSkew is how far the clocks of two machines may differ.
	clockSkew = 24 * time.Hour
)

// NotAWait begins the errors about a text that is no token of a wait. Whoever checks the device of a parsed token
// begins the same way.
const NotAWait = "is not a token of a remote-assistance wait"

// token is the JSON form of a wait. azcore puts it into an envelope of its own, {"type":…,"token":…}; this
// package reads both itself, because azcore's reader panics on a null token and can be made to send the bearer token to
// an address in the token.
type token struct {
	Version             int       `json:"version"`
	Graph               string    `json:"graph"`
	Device              string    `json:"device"`
	RequestedAt         time.Time `json:"requestedAt"`
	RequestID           string    `json:"requestId,omitempty"`
	ClientRequestID     string    `json:"clientRequestId,omitempty"`
	AcceptExistingAfter string    `json:"acceptExistingAfter,omitempty"`
	ConfirmWithin       string    `json:"confirmWithin"`
	Unconfirmed         bool      `json:"unconfirmed,omitempty"`
	Salt                []byte    `json:"salt"`
	Link                []byte    `json:"link"`    // hashes, one after the other; nearly always one
	Details             []byte    `json:"details"` // likewise

	// Sum is the checksum of all other members. It detects damage, but not a change on purpose, since anyone can compute a
	// new one.
	Sum []byte `json:"sum,omitempty"`
}

// checksum covers the values of the members and not their formatting, so that the JSON may be reformatted on its way.
func (t token) checksum() []byte {
	t.Sum = nil
	text, _ := json.Marshal(t) //nolint:errchkjson // a time comes from a clock, or has been read from JSON
	sum := sha256.Sum256(text)
	return sum[:]
}

// JSON writes the wait for another process; graph is the root that it is bound to.
func (s *State) JSON(graph string) ([]byte, error) {
	t := token{
		Version:         tokenVersion,
		Graph:           graph,
		Device:          s.Device,
		RequestedAt:     s.RequestedAt.UTC(),
		RequestID:       boundedID(s.RequestID),
		ClientRequestID: boundedID(s.ClientRequestID),
		ConfirmWithin:   s.ConfirmWithin.String(),
		Unconfirmed:     s.Unconfirmed,
		Salt:            s.salt[:],
		Link:            s.links.bytes(),
		Details:         s.details.bytes(),
	}
	if s.AcceptExistingAfter > 0 {
		t.AcceptExistingAfter = s.AcceptExistingAfter.String()
	}
	t.Sum = t.checksum()
	return json.Marshal(t)
}

// Token is the same in azcore's envelope, as Poller.ResumeToken returns it.
func (s *State) Token(graph string) string {
	inner, _ := s.JSON(graph)        // as in checksum
	text, _ := json.Marshal(struct { //nolint:errchkjson // as in checksum
		Type  string          `json:"type"`
		Token json.RawMessage `json:"token"`
	}{tokenType, inner})
	return string(text)
}

// boundedID limits an id, which comes from outside, so that the token can be read back: the token's length is bounded,
// and what is not UTF-8 would be written in another form the second time.
func boundedID(id string) string { return redact.Limit(strings.ToValidUTF8(id, "\ufffd"), maxID) }

// ParseOptions are what the caller of a resumed wait may choose. AcceptExistingAfter and ConfirmWithin keep what the
// token says if they are zero; a MaxAge of zero means 24 hours.
type ParseOptions struct{ AcceptExistingAfter, ConfirmWithin, MaxAge time.Duration }

// Parse rebuilds a wait from its token; graph is the root that the caller talks to. It checks the token member by
// member, because it may come from anywhere. Its errors say what is wrong with the token and quote nothing of it. The
// device is as in the token: what an address is, the caller knows.
func Parse(given, graph string, now time.Time, o ParseOptions) (*State, error) {
	t, err := open(given)
	if err != nil {
		return nil, err
	}
	if t.Graph != graph {
		return nil, errors.New("is of another cloud than this client")
	}
	s, err := t.state(now, o)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(t.Sum, t.checksum()) {
		return nil, wrong("it was changed or damaged")
	}
	if age, limit := now.Sub(s.RequestedAt), cmp.Or(o.MaxAge, defaultMaxAge); age > limit {
		return nil, tooOld(age, limit)
	}
	return s, nil
}

// open takes a token of this version out of its envelope.
func open(given string) (token, error) {
	if strings.TrimSpace(given) == "" {
		return token{}, errors.New("is blank; a wait goes on from the token of a PendingError, of OnRequested or of a poller, and never asks")
	}
	if len(given) > maxToken {
		return token{}, wrong("it is too long")
	}
	var envelope struct {
		Type  string          `json:"type"`
		Token json.RawMessage `json:"token"`
	}
	if strictJSON([]byte(given), &envelope) != nil || envelope.Type != tokenType {
		return token{}, errors.New(NotAWait)
	}
	var version struct {
		Version int `json:"version"`
	}
	_ = json.Unmarshal(envelope.Token, &version) // malformed JSON is found below
	if version.Version == 0 {
		return token{}, errors.New(NotAWait)
	}
	if version.Version != tokenVersion {
		return token{}, errors.New("was made by another version of the library, which this one cannot read")
	}
	var t token
	if strictJSON(envelope.Token, &t) != nil {
		return token{}, wrong("a member is missing, unknown or malformed")
	}
	return t, nil
}

// state is the wait that the members describe, resumed now.
func (t token) state(now time.Time, o ParseOptions) (*State, error) {
	s := &State{
		Device: t.Device, RequestedAt: t.RequestedAt, RequestID: t.RequestID, ClientRequestID: t.ClientRequestID,
		Unconfirmed: t.Unconfirmed, resumed: &now,
	}
	var link, details bool
	s.links, link = seenIn(t.Link)
	s.details, details = seenIn(t.Details)
	if len(t.Salt) != len(s.salt) || !link || !details {
		return nil, wrong("a hash has the wrong length")
	}
	copy(s.salt[:], t.Salt)
	if t.RequestedAt.IsZero() || t.RequestedAt.Sub(now) > clockSkew {
		return nil, wrong("the request was not made in the past")
	}
	var err error
	if s.ConfirmWithin, err = chosen(o.ConfirmWithin, t.ConfirmWithin); err != nil || s.ConfirmWithin == 0 {
		return nil, wrong("confirmWithin is not a duration above zero")
	}
	if s.AcceptExistingAfter, err = chosen(o.AcceptExistingAfter, t.AcceptExistingAfter); err != nil {
		return nil, wrong("acceptExistingAfter is not a duration")
	}
	return s, nil
}

// chosen is the duration given now, or else that of the token.
func chosen(given time.Duration, text string) (time.Duration, error) {
	if given > 0 || text == "" {
		return given, nil
	}
	d, err := time.ParseDuration(text)
	if d < 0 {
		err = errors.New("negative")
	}
	return d, err
}

// strictJSON decodes exactly one value. It refuses unknown members, and anything after the value.
func strictJSON(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows")
	}
	return nil
}

// wrong is the error about a token that is none, with the reason.
func wrong(why string) error { return errors.New(NotAWait + ": " + why) }

// tooOld says why the age of a request matters.
func tooOld(age, limit time.Duration) error {
	return fmt.Errorf("is of a request made %v ago, more than options.MaxAge allows (%v): whatever link has appeared on the device since "+
		"would count as its own, and is probably another session's by now; read the device's session, or ask anew", age.Round(time.Second), limit)
}
