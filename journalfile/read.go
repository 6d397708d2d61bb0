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
	"strings"

	"github.com/go-intune/intune"
)

// Read reads what [New] wrote, entry by entry in the order of writing.
//
// Read skips a last line that a crash cut off, and a line that [New] found cut off and marked before it
// continued the file: nothing was sent for such a line, or its outcome counts as unknown. It ignores members that this
// version does not know. For any other damage, and for a line above 256 KiB, it yields an [intune.ErrInvalidArgument] with the
// number of the line. The loop may go on to the next line, but nobody knows who was asked in the damaged one. An error
// of r is wrapped, with the number of the line, and ends the loop.
//
// After a break, a new loop over the same result continues with the next entry. The result is not safe for concurrent
// use.
func Read(r io.Reader) iter.Seq2[intune.JournalEntry, error] {
	if r == nil {
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
	case err == nil && !entry.Device.IsZero():
		return &entry, nil
	case marked, l.last:
		return nil, nil //nolint:nilnil // half a line is no entry
	default:
		return nil, l.damaged("is no journal entry")
	}
}

// damaged quotes nothing of the line, which may hold names and tokens.
func (l *lines) damaged(how string) error {
	return invalidArgument("journal", fmt.Sprintf("is damaged: line %d %s; look at that line, for it may name a user who was asked", l.number, how))
}

// Unfinished returns the requests of a journal whose end nobody knows: the Outcome is missing, because the
// program crashed, or is unknown. Each result is the entry of Asking, with its ResumeToken, completed by what Asked
// says. The results are in the order of asking. [intune.Client.WaitForRemoteAssistance] continues one without asking again.
//
// Two entries are a pair when ClientRequestID and Device are the same. A request is finished if its own outcome, or
// that of a later entry with its ClientRequestID and Device, is accepted, rejected or notSent. It is also finished if a
// later request for the same device, at any of its addresses, is accepted; an outcome whose first entry is missing
// counts as that of a later request. A later request that was rejected or not sent does not tell what became of the one
// before. A program that learns the outcome can call Journal.Asked with the entry and the outcome.
//
// An accepted request counts as finished even if its link never came. Its ResumeToken is in the entry of Asking.
//
// If entries yields an error, Unfinished returns the first one and no requests, because the entry that could
// not be read may be one more unfinished request.
func Unfinished(entries iter.Seq2[intune.JournalEntry, error]) ([]intune.JournalEntry, error) {
	if entries == nil {
		return nil, invalidArgument("entries", "is nil; pass those of journalfile.Read")
	}
	var open []intune.JournalEntry
	for entry, err := range entries {
		if err != nil {
			return nil, err
		}
		own := pairOf(open, entry)
		switch entry.Outcome {
		case "":
			open = append(open, entry)
		case intune.OutcomeAccepted:
			open = withoutAccepted(open, entry.Device, own)
		case intune.OutcomeRejected, intune.OutcomeNotSent:
			if own >= 0 {
				open = slices.Delete(open, own, own+1)
			}
		default: // unknown, or a value of a later version, which counts as unknown
			if own < 0 { // its first entry is in an older file
				open = append(open, entry)
				continue
			}
			asked := entry
			asked.Time, asked.ResumeToken, asked.Actor = open[own].Time, open[own].ResumeToken, open[own].Actor
			open[own] = asked
		}
	}
	return open, nil
}

// withoutAccepted removes the request that was accepted, whose index is own, and the earlier ones for the same device.
// If own is -1, all for that device count as earlier.
func withoutAccepted(open []intune.JournalEntry, device intune.DeviceRef, own int) []intune.JournalEntry {
	kept := open[:0]
	for i, asking := range open {
		if later := own >= 0 && i > own; later || !strings.EqualFold(asking.Device.DeviceID(), device.DeviceID()) {
			kept = append(kept, asking)
		}
	}
	return kept
}

// pairOf returns the index of the request that an outcome belongs to, or -1. A caller may give the same id to several
// requests; a request without an outcome takes precedence.
func pairOf(open []intune.JournalEntry, asked intune.JournalEntry) int {
	own := -1
	for i, asking := range slices.Backward(open) {
		if asking.ClientRequestID != asked.ClientRequestID || asking.Device != asked.Device {
			continue
		}
		if asking.Outcome == "" {
			return i
		}
		own = max(own, i)
	}
	return own
}
