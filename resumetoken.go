package intune

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/go-intune/intune/internal/redact"
)

// sessionState is what a wait needs to continue in another process. It holds no link and no error text, only salted
// hashes of those from before the request.
type sessionState struct {
	Device              DeviceRef
	RequestedAt         time.Time
	RequestID           string
	ClientRequestID     string
	AcceptExistingAfter time.Duration
	ConfirmWithin       time.Duration
	Unconfirmed         bool // there is no proof yet that the service acted

	salt          [16]byte
	link, details [sha256.Size]byte
}

func (s *sessionState) remember(link, details string) {
	_, _ = rand.Read(s.salt[:]) // never fails
	s.link, s.details = s.hash(link), s.hash(details)
}

func (s *sessionState) isOldLink(link string) bool { return equalHash(s.link, s.hash(link)) }

func (s *sessionState) isOldDetails(details string) bool {
	return equalHash(s.details, s.hash(details))
}

func (s *sessionState) hash(text string) [sha256.Size]byte {
	return sha256.Sum256(append(s.salt[:len(s.salt):len(s.salt)], text...))
}

func equalHash(a, b [sha256.Size]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

const (
	// resumeTokenType is the name that azcore gives the type of the result.
	resumeTokenType    = "RemoteAssistanceSession"
	resumeTokenVersion = 1
	maxResumeToken     = 8 << 10

	// clockSkew is how far the clocks of two machines may differ.
	clockSkew = 24 * time.Hour
)

// resumeToken is the JSON form of a wait. azcore puts it into an envelope of its own, {"type":…,"token":…}; this
// package reads both itself, because azcore's reader panics on a null token and can be made to send the bearer token to
// an address in the token.
type resumeToken struct {
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
	Link                []byte    `json:"link"`
	Details             []byte    `json:"details"`

	// Sum is the checksum of all other members. It detects damage, but not a change on purpose, since anyone can compute a
	// new one.
	Sum []byte `json:"sum,omitempty"`
}

// checksum covers the values of the members and not their formatting, so that the JSON may be reformatted on its way.
func (t resumeToken) checksum() []byte {
	t.Sum = nil
	text, _ := json.Marshal(t) //nolint:errchkjson // a time comes from a clock, or has been read from JSON
	sum := sha256.Sum256(text)
	return sum[:]
}

// MarshalJSON writes the resume token. It limits the ids, which come from outside, so that the token can be read back:
// its length is bounded, and what is not UTF-8 would be written in another form the second time.
func (h *sessionHandler) MarshalJSON() ([]byte, error) {
	token := resumeToken{
		Version:         resumeTokenVersion,
		Graph:           h.client.root.String(),
		Device:          h.Device.String(),
		RequestedAt:     h.RequestedAt.UTC().Round(0),
		RequestID:       redact.Limit(h.RequestID, maxRequestID),
		ClientRequestID: redact.Limit(h.ClientRequestID, maxRequestID),
		ConfirmWithin:   h.ConfirmWithin.String(),
		Unconfirmed:     h.Unconfirmed,
		Salt:            h.salt[:],
		Link:            h.link[:],
		Details:         h.details[:],
	}
	if h.AcceptExistingAfter > 0 {
		token.AcceptExistingAfter = h.AcceptExistingAfter.String()
	}
	token.Sum = token.checksum()
	return json.Marshal(token)
}

// resumeToken is what Poller.ResumeToken returns.
func (h *sessionHandler) resumeToken() string {
	token, _ := json.Marshal(struct { //nolint:errchkjson // as in checksum
		Type  string          `json:"type"`
		Token *sessionHandler `json:"token"`
	}{resumeTokenType, h})
	return string(token)
}

// resume rebuilds a wait from its token. It checks the token member by member, because it may come from anywhere.
func (c *Client) resume(given string, o ResumeRemoteAssistanceOptions) (*sessionHandler, error) {
	if err := checkDurations(o.AcceptExistingAfter, o.ConfirmWithin); err != nil {
		return nil, err
	}
	if err := checkDuration("MaxAge", o.MaxAge, "24 hours"); err != nil {
		return nil, err
	}
	refuse := func(why string) (*sessionHandler, error) {
		return nil, invalidArgument("resumeToken", why)
	}
	if strings.TrimSpace(given) == "" {
		return refuse("is blank; a wait goes on from the token of a PendingError, of OnRequested or of a poller, and never asks")
	}
	const wrong = "is not a token of a remote-assistance wait"
	if len(given) > maxResumeToken {
		return refuse(wrong + ": it is too long")
	}
	var envelope struct {
		Type  string          `json:"type"`
		Token json.RawMessage `json:"token"`
	}
	if strictJSON([]byte(given), &envelope) != nil || envelope.Type != resumeTokenType {
		return refuse(wrong)
	}
	var version struct {
		Version int `json:"version"`
	}
	_ = json.Unmarshal(envelope.Token, &version) // malformed JSON is found below
	if version.Version == 0 {
		return refuse(wrong)
	}
	if version.Version != resumeTokenVersion {
		return refuse("was made by another version of the library, which this one cannot read")
	}
	var token resumeToken
	if strictJSON(envelope.Token, &token) != nil {
		return refuse(wrong + ": a member is missing, unknown or malformed")
	}
	if token.Graph != c.root.String() {
		return refuse("is of another cloud than this client")
	}
	ref, err := ParseDeviceRef(token.Device)
	if err != nil {
		return refuse(wrong + ": it holds no device address")
	}
	h := &sessionHandler{client: c, readAt: ref, resumed: c.now(), sessionState: sessionState{
		Device: ref, RequestedAt: token.RequestedAt, RequestID: token.RequestID, ClientRequestID: token.ClientRequestID, Unconfirmed: token.Unconfirmed,
	}}
	if len(token.Salt) != len(h.salt) || len(token.Link) != len(h.link) || len(token.Details) != len(h.details) {
		return refuse(wrong + ": a hash has the wrong length")
	}
	copy(h.salt[:], token.Salt)
	copy(h.link[:], token.Link)
	copy(h.details[:], token.Details)
	if token.RequestedAt.IsZero() || token.RequestedAt.Sub(c.now()) > clockSkew {
		return refuse(wrong + ": the request was not made in the past")
	}
	if h.ConfirmWithin, err = resumedDuration(o.ConfirmWithin, token.ConfirmWithin); err != nil || h.ConfirmWithin == 0 {
		return refuse(wrong + ": confirmWithin is not a duration above zero")
	}
	if h.AcceptExistingAfter, err = resumedDuration(o.AcceptExistingAfter, token.AcceptExistingAfter); err != nil {
		return refuse(wrong + ": acceptExistingAfter is not a duration")
	}
	if !bytes.Equal(token.Sum, token.checksum()) {
		return refuse(wrong + ": it was changed or damaged")
	}
	if age, limit := c.now().Sub(h.RequestedAt), cmp.Or(o.MaxAge, defaultMaxAge); age > limit {
		return refuse(tooOld(age, limit))
	}
	return h, nil
}

// resumedDuration is the duration given now, or else that of the token.
func resumedDuration(given time.Duration, text string) (time.Duration, error) {
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
