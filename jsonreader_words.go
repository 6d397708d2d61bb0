package intune

import "encoding/binary"

// wordCache gives text that comes again and again in an answer (states, makers, models) one string. It is a fixed
// table with two places for each hash, in which a newcomer drives out the older of the two, so that hostile answers
// cannot make it grow.
type wordCache [512][2]string

// maxWord is the longest text that is kept; longer text seldom comes twice.
const maxWord = 128

// get gives text as a string. A nil cache gives a new one.
func (c *wordCache) get(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if c == nil || len(text) > maxWord {
		return string(text)
	}
	words := &c[hashWord(text)%uint64(len(c))]
	switch string(text) {
	case words[0]:
		return words[0]
	case words[1]:
		return words[1]
	}
	words[0], words[1] = string(text), words[0]
	return words[0]
}

// hashWord mixes the length and the outer 8 bytes at each end: enough to tell names and versions apart.
func hashWord(text []byte) uint64 {
	const multiplier = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio
	var head, tail uint64
	if len(text) >= 8 {
		head, tail = binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[len(text)-8:])
	} else {
		for _, b := range text {
			head = head<<8 | uint64(b)
		}
	}
	hash := (head ^ uint64(len(text))) * multiplier
	hash = (hash ^ hash>>32 ^ tail) * multiplier
	return hash >> 40
}
