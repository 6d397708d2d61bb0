package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxReference is how many characters a reference may have.
const maxReference = 100

// referenceRules are what a reference, such as the number of a ticket, has to be like. Their JSON is for the page.
type referenceRules struct {
	Required bool   `json:"required"`
	Label    string `json:"label"`
	Pattern  string `json:"pattern,omitempty"`

	whole *regexp.Regexp // nil if any text will do
}

func (r *referenceRules) read(pattern string) error {
	if pattern == "" {
		return nil
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return fmt.Errorf("-reference-pattern should be a regular expression, such as INC[0-9]{7}: %w", err)
	}
	whole, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if err != nil {
		return fmt.Errorf("-reference-pattern: %w", err)
	}
	r.Pattern, r.whole = pattern, whole
	return nil
}

// check is the reference as it is kept, and a problem if it is missing or not like the rules.
func (r *referenceRules) check(text string) (string, *problem) {
	text = strings.TrimSpace(text)
	switch {
	case text == "" && r.Required:
		return "", kindNoReference.with(problemExtra{})
	case text == "":
		return "", nil
	case utf8.RuneCountInString(text) > maxReference || strings.ContainsFunc(text, isUnseen):
		return "", kindBadReference.with(problemExtra{})
	case r.whole != nil && !r.whole.MatchString(text):
		return "", kindBadReference.with(problemExtra{})
	}
	return text, nil
}

// isUnseen says that a character is no part of a line that people read: it breaks the line, turns it, cannot be seen, or looks
// like a space without being one.
func isUnseen(c rune) bool { return c == utf8.RuneError || c != ' ' && !unicode.IsPrint(c) }
