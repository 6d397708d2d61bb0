package wait

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
)

// hash is the salted hash of a link or of an error text.
type hash [sha256.Size]byte

// maxSeen is how many hashes of one kind a wait keeps, the latest ones. A device is hardly looked at more often before its
// request.
const maxSeen = 10

// seen is the links, or the error texts, that the looks before the request saw. Nearly always it is one.
type seen struct {
	first hash
	more  *[]byte // further hashes, in the order of the looks; nearly always nil, since many waits have to be small
}

// with also holds what another look saw.
func (s seen) with(h hash) seen {
	if s.holds(h) {
		return s
	}
	all := slices.Concat(s.bytes(), h[:])
	s, _ = seenIn(all[max(0, len(all)-maxSeen*len(h)):])
	return s
}

func (s seen) holds(h hash) bool {
	same := subtle.ConstantTimeCompare(s.first[:], h[:])
	if s.more != nil {
		for other := range slices.Chunk(*s.more, len(h)) {
			same |= subtle.ConstantTimeCompare(other, h[:])
		}
	}
	return same == 1
}

// bytes is the form in a token.
func (s seen) bytes() []byte {
	if s.more == nil {
		return slices.Clone(s.first[:])
	}
	return slices.Concat(s.first[:], *s.more)
}

// seenIn reads that form, and reports whether it is one.
func seenIn(all []byte) (seen, bool) {
	var s seen
	if n := len(all) / len(s.first); n < 1 || n > maxSeen || len(all)%len(s.first) != 0 {
		return s, false
	}
	if more := all[copy(s.first[:], all):]; len(more) > 0 {
		s.more = &more
	}
	return s, true
}
