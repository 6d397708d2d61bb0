package journalfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/redact"
)

// Read reads what [New] wrote, entry by entry in the order of writing.
//
// Read skips a last line that a crash cut off, and a line that [New] found cut off and marked before it
// continued the file: nothing was sent for such a line, or its outcome counts as unknown, or its wait as open. It ignores members that this
// version does not know, and keeps an Outcome as it is. For any other damage, for a line above 256 KiB, and for a Session
// that this version does not know, it yields an [intune.ErrInvalidArgument] with the number of the line. The loop may go
// on to the next line, but nobody knows who was asked in the damaged one. An error of r is wrapped, with the number of the
// line, and ends the loop.
//
// A file that an earlier version wrote has no entries of Ended, no resume tokens in those of Asked, and an Actor in both.
//
// After a break, a new loop over the same result continues with the next entry. The result is not safe for concurrent
// use.
func Read(r io.Reader) iter.Seq2[intune.JournalEntry, error] {
	if isNil(r) {
		return func(yield func(intune.JournalEntry, error) bool) {
			yield(intune.JournalEntry{}, invalidArgument("r", "of journalfile.Read is nil; pass a file or another reader"))
		}
	}
	l := lines{r: bufio.NewReaderSize(r, 16<<10)}
	return func(yield func(intune.JournalEntry, error) bool) {
		for l.next() {
			entry, err := l.entry()
			if err == nil && entry == nil {
				continue
			}
			if entry == nil {
				entry = &intune.JournalEntry{}
			}
			if !yield(*entry, err) {
				return
			}
		}
	}
}

// lines reads lines of bounded length.
type lines struct {
	r      *bufio.Reader
	number int
	line   []byte // without the line break, and cut somewhere above the limit
	last   bool   // it has no line break
	err    error  // of the reader
	ended  bool
}

func (l *lines) next() bool {
	if l.ended {
		return false
	}
	l.number++
	l.line = l.line[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if len(l.line) <= maxLine+1 { // a line break may have two characters
			l.line = append(l.line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil:
			l.line = bytes.TrimSuffix(bytes.TrimSuffix(l.line, []byte("\n")), []byte("\r"))
		case errors.Is(err, io.EOF):
			l.ended, l.last = true, true
		default:
			l.ended, l.err = true, err
		}
		return true
	}
}

// entry returns the entry in the line, or nil if the line can be skipped.
func (l *lines) entry() (*intune.JournalEntry, error) {
	if l.err != nil {
		return nil, fmt.Errorf("read the journal, line %d: %w", l.number, l.err)
	}
	if len(l.line) > maxLine {
		return nil, l.damaged("is longer than any entry")
	}
	text, marked := isCutLine(l.line)
	if len(text) == 0 {
		return nil, nil //nolint:nilnil // nothing is there
	}
	var entry intune.JournalEntry
	err := json.Unmarshal(text, &entry)
	// A complete entry counts even if its line was not finished, since its request may have been sent.
	switch {
	case err == nil && !entry.Device.IsZero() && !isKnown(entry.Session):
		return nil, invalidArgument("journal", fmt.Sprintf("has in line %d the session %s, which this version does not know; %s, "+
			"or read the file with the version that wrote it", l.number, quoted(entry.Session), wantSession))
	case err == nil && !entry.Device.IsZero():
		return &entry, nil
	case marked, l.last:
		return nil, nil //nolint:nilnil // half a line is no entry
	default:
		return nil, l.damaged("is no journal entry")
	}
}

const wantSession = "want ready, failed, left or superseded"

// isKnown reports whether an entry may have such a session. All but those of Ended have none.
func isKnown(session intune.SessionOutcome) bool {
	return session == "" || slices.Contains(intune.PossibleSessionOutcomeValues(), session)
}

// quoted shows an unknown session, which may be any text.
func quoted(session intune.SessionOutcome) string {
	const most = 40
	return strconv.Quote(redact.OneLine(redact.Text(string(session)), most))
}

// damaged quotes nothing of the line, which may hold names and tokens.
func (l *lines) damaged(how string) error {
	const then = "look at that line, for it may name a user who was asked"
	return invalidArgument("journal", fmt.Sprintf("is damaged: line %d %s; %s", l.number, how, then))
}
