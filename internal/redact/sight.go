package redact

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// deepest is how many layers of escapes are undone, such as those of JSON within JSON within a URL.
const deepest = 6

// sight is a text as it is searched, with the place in the original of each of its bytes and of its end.
type sight struct {
	text []byte
	at   []int
}

func sightOf(text string) sight {
	s := sight{text: []byte(text), at: make([]int, len(text)+1)}
	for i := range s.at {
		s.at[i] = i
	}
	return s
}

// end is where in the original that ends whose last byte is before i. An escape or a run that was made shorter is within
// or without as a whole.
func (s sight) end(i int) int {
	for i < len(s.text) && s.at[i] == s.at[i-1] {
		i++
	}
	return s.at[i]
}

// unescaped undoes one layer of escapes, and reports whether there was one.
func (s sight) unescaped() (plain sight, escaped bool) {
	plain = sight{text: make([]byte, 0, len(s.text)), at: make([]int, 0, len(s.at))}
	for i := 0; i < len(s.text); {
		before, used := len(plain.text), 0
		plain.text, used = appendUnescaped(plain.text, s.text[i:])
		if used > 0 {
			escaped = true
		} else {
			plain.text, used = append(plain.text, s.text[i]), 1
		}
		for range len(plain.text) - before {
			plain.at = append(plain.at, s.at[i])
		}
		i += used
	}
	plain.at = append(plain.at, s.at[len(s.text)])
	return plain, escaped
}

// longestEntity is the length of the longest name that HTML has for a character, with its delimiters.
const longestEntity = 33

// appendUnescaped adds what the escape at the beginning of a text stands for, and returns the length of the escape, 0 if
// there is none.
func appendUnescaped(to, text []byte) (_ []byte, used int) {
	switch text[0] {
	case '%':
		if value, ok := hexadecimal(text, 1, 2); ok {
			return append(to, byte(value)), 3
		}
	case '\\':
		if len(text) > 1 && strings.IndexByte(`"'/\`, text[1]) >= 0 {
			return append(to, text[1]), 2
		}
		value, ok := hexadecimal(text, 2, 4)
		if !ok || text[1]|0x20 != 'u' {
			return to, 0
		}
		if low, ok := hexadecimal(text, 8, 4); ok && text[6] == '\\' && text[7]|0x20 == 'u' {
			if pair := utf16.DecodeRune(value, low); pair != utf8.RuneError {
				return utf8.AppendRune(to, pair), 12
			}
		}
		return utf8.AppendRune(to, value), 6
	case '&':
		name := string(text[:bytes.IndexByte(text[:min(len(text), longestEntity)], ';')+1])
		if plain := html.UnescapeString(name); plain != name {
			return append(to, plain...), len(name)
		}
	}
	return to, 0
}

// hexadecimal reads the digits of a text from a place on.
func hexadecimal(text []byte, from, digits int) (value rune, ok bool) {
	if len(text) < from+digits {
		return 0, false
	}
	number, err := strconv.ParseUint(string(text[from:from+digits]), 16, 32)
	return rune(number), err == nil
}

// folded makes alike what is the same to a reader: the cases of a letter, and spaces and quotes, of which a URL writes
// the former as a plus sign, and OData the latter twice. It leaves out what is invisible.
func (s sight) folded() sight {
	alike := sight{text: make([]byte, 0, len(s.text)), at: make([]int, 0, len(s.at))}
	last := rune(-1)
	for i := 0; i < len(s.text); {
		r, size := utf8.DecodeRune(s.text[i:])
		switch {
		case r == '+' || unicode.IsSpace(r):
			r = ' '
		case unicode.IsControl(r) || Invisible(r):
			r = -1
		default:
			r = unicode.ToLower(unicode.ToUpper(r))
		}
		if r >= 0 && (r != last || r != ' ' && r != '\'') {
			alike.text = utf8.AppendRune(alike.text, r)
			for len(alike.at) < len(alike.text) {
				alike.at = append(alike.at, s.at[i])
			}
			last = r
		}
		i += size
	}
	alike.at = append(alike.at, s.at[len(s.text)])
	return alike
}
