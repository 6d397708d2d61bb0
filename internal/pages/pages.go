// Package pages remembers where a listing has been: the ids of the rows and the links of the pages.
package pages

import (
	"crypto/sha256"
	"strings"

	"github.com/google/uuid"
)

// Trail is the links that were followed. It keeps hashes, since links can be long.
type Trail struct {
	hashes map[[sha256.Size]byte]struct{}
}

// Add reports whether the link is new.
func (t *Trail) Add(link string) bool { return insert(&t.hashes, sha256.Sum256([]byte(link))) }

// IDs is a set of ids, compact for the GUIDs that device ids are.
type IDs struct {
	guids  map[uuid.UUID]struct{}
	others map[string]struct{}
}

// Add reports whether the id is new. A blank id always counts as new, because it identifies nothing.
func (s *IDs) Add(id string) bool {
	const length = len("00000000-0000-0000-0000-000000000000") // uuid.Parse knows other forms too
	if id == "" {
		return true
	}
	if guid, err := uuid.Parse(id); err == nil && len(id) == length {
		return insert(&s.guids, guid)
	}
	return insert(&s.others, strings.ToLower(id))
}

func insert[K comparable](set *map[K]struct{}, key K) bool {
	if *set == nil {
		*set = map[K]struct{}{}
	}
	before := len(*set)
	(*set)[key] = struct{}{}
	return len(*set) > before
}
