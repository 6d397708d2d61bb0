package journalpg

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-intune/intune"
)

// kind is which of the three entries of a request a text is.
type kind string

const (
	kindAsking kind = "asking"
	kindAsked  kind = "asked"
	kindEnded  kind = "ended"
)

// errSeal is about a row that this program did not write.
var errSeal = errors.New("the row was changed by somebody without the journal's key, or another copy has another key")

// seal is the MAC of an entry. It covers the row that the entry stands in, so that no text can be moved to another one.
func (j *Journal) seal(r *row, kind kind, text string) string {
	return j.sealWith(j.keys[0], r, kind, text)
}

func (j *Journal) sealWith(key []byte, r *row, kind kind, text string) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range [...]string{"journalpg 1", string(kind), j.scope, r.deviceID, r.key, r.nonce, text} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		_, _ = mac.Write(size[:])
		_, _ = mac.Write([]byte(part))
	}
	return base64.RawStdEncoding.EncodeToString(mac.Sum(nil))
}

func (j *Journal) sealed(r *row, kind kind, text string) sealedText {
	return sealedText{sql.NullString{String: text, Valid: true}, sql.NullString{String: j.seal(r, kind, text), Valid: true}}
}

// open returns an entry of a row, zero if there is none.
func (j *Journal) open(r *row, kind kind, sealed sealedText) (intune.JournalEntry, error) {
	var entry intune.JournalEntry
	if !sealed.text.Valid {
		return entry, nil
	}
	if !slices.ContainsFunc(j.keys, func(key []byte) bool {
		return hmac.Equal([]byte(sealed.seal.String), []byte(j.sealWith(key, r, kind, sealed.text.String)))
	}) {
		return entry, fmt.Errorf("request %d of the journal: %w", r.id, errSeal)
	}
	if err := json.Unmarshal([]byte(sealed.text.String), &entry); err != nil {
		return intune.JournalEntry{}, fmt.Errorf("request %d of the journal: %w", r.id, err)
	}
	if deviceIDOf(entry.Device) != r.deviceID || entry.ClientRequestID != r.key {
		return intune.JournalEntry{}, fmt.Errorf("request %d of the journal: %w", r.id, errSeal)
	}
	return entry, checkToken(entry)
}

// tokenFacts is what a journal wants to know of a resume token.
type tokenFacts struct {
	Device          string `json:"device"`
	ClientRequestID string `json:"clientRequestId"`
	Graph           string `json:"graph"`
	ConfirmWithin   string `json:"confirmWithin"`
}

// factsOf reads a token. It is tolerant, because the client that waits checks the token itself: what is no token of the
// library has no facts.
func factsOf(token string) tokenFacts {
	var envelope struct {
		Token tokenFacts `json:"token"`
	}
	_ = json.Unmarshal([]byte(token), &envelope)
	return envelope.Token
}

// confirmWithin is how long an unknown outcome is waited for.
func (f tokenFacts) confirmWithin() time.Duration {
	if d, err := time.ParseDuration(f.ConfirmWithin); err == nil && d > 0 {
		return d
	}
	return 2 * time.Minute
}

// checkToken refuses a token that says that it is of another device or request than its entry.
func checkToken(entry intune.JournalEntry) error {
	facts := factsOf(entry.ResumeToken)
	if facts.Device != "" {
		if device, err := intune.ParseDeviceRef(facts.Device); err != nil || device != entry.Device {
			return invalidArgument("entry.ResumeToken", "is of another device than the entry")
		}
	}
	if facts.ClientRequestID != "" && facts.ClientRequestID != entry.ClientRequestID {
		return invalidArgument("entry.ResumeToken", "is of another request than the entry")
	}
	return nil
}

// checkClouds refuses tokens of one request that are of two clouds.
func checkClouds(request intune.JournalRequest) error {
	first, second := factsOf(request.Asking.ResumeToken).Graph, factsOf(request.Asked.ResumeToken).Graph
	if first != "" && second != "" && first != second {
		return invalidArgument("entry.ResumeToken", "is of another cloud than the request")
	}
	return nil
}
