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

// layers are a text as it is, and then without one layer of escapes after the other.
func layers(text string) []sight {
	seen := sightOf(text)
	list := []sight{seen}
	for range deepest {
		below := seen.unescaped()
		if bytes.Equal(below.text, seen.text) {
			break
		}
		seen = below
		list = append(list, seen)
	}
	return list
}

// end is where in the original that ends whose last byte is before i. An escape or a run that was made shorter is within
// or without as a whole.
func (s sight) end(i int) int {
	for s.at[i] == s.at[i-1] { // the last one is unlike all others
		i++
	}
	return s.at[i]
}

// unescaped undoes one layer of escapes.
func (s sight) unescaped() (plain sight) {
	for i := 0; i < len(s.text); {
		text, used := appendUnescaped(plain.text, s.text[i:])
		if used == 0 {
			text, used = append(text, s.text[i]), 1
		}
		plain = plain.extended(text, s.at[i])
		i += used
	}
	plain.at = append(plain.at, s.at[len(s.text)])
	return plain
}

// extended has a longer text, whose new part is at one place in the original.
func (s sight) extended(text []byte, at int) sight {
	s.text = text
	for len(s.at) < len(text) {
		s.at = append(s.at, at)
	}
	return s
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
		value, ok := codeUnit(text)
		if !ok {
			return to, 0
		}
		low, _ := codeUnit(text[6:])
		if pair := utf16.DecodeRune(value, low); pair != utf8.RuneError {
			return utf8.AppendRune(to, pair), 12
		}
		return utf8.AppendRune(to, value), 6
	case '&':
		name := string(text[:max(numericReference(text), bytes.IndexByte(text[:min(len(text), longestEntity)], ';')+1)])
		return append(to, html.UnescapeString(name)...), len(name)
	}
	return to, 0
}

// numericReference is the length of the reference such as &#64; at the beginning of a text, or 0. Browsers read one without
// its semicolon too.
func numericReference(text []byte) int {
	digits := "0123456789"
	start := len("&#")
	if !bytes.HasPrefix(text, []byte("&#")) {
		return 0
	}
	if len(text) > start && text[start]|0x20 == 'x' {
		digits, start = "0123456789abcdefABCDEF", start+1
	}
	end := len(text) - len(bytes.TrimLeft(text[start:], digits))
	if end == start {
		return 0
	}
	if end < len(text) && text[end] == ';' {
		end++
	}
	return end
}

// codeUnit reads an escape of JSON such as \u0040.
func codeUnit(text []byte) (value rune, ok bool) {
	if !bytes.HasPrefix(text, []byte(`\u`)) && !bytes.HasPrefix(text, []byte(`\U`)) {
		return 0, false
	}
	return hexadecimal(text, 2, 4)
}

// hexadecimal reads the digits of a text from a place on.
func hexadecimal(text []byte, from, digits int) (value rune, ok bool) {
	if len(text) < from+digits {
		return 0, false
	}
	number, err := strconv.ParseUint(string(text[from:from+digits]), 16, 64)
	return rune(number), err == nil
}

// folded makes alike what is the same to a reader: the cases of a letter, and spaces and quotes, of which a URL writes
// the former as a plus sign, and OData the latter twice. It leaves out what is invisible.
func (s sight) folded() (alike sight) {
	var last rune
	for i, r := range string(s.text) {
		switch {
		case r == '+' || unicode.IsSpace(r):
			r = ' '
		case unicode.IsControl(r) || Invisible(r):
			continue
		default:
			r = unicode.ToLower(unicode.ToUpper(r))
		}
		if r == last && (r == ' ' || r == '\'') {
			continue
		}
		alike = alike.extended(utf8.AppendRune(alike.text, r), s.at[i])
		last = r
	}
	alike.at = append(alike.at, s.at[len(s.text)])
	return alike
}
