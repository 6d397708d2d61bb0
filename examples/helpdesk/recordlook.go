package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"
)

// outlook is what the record says of each device. It reads on as the file grows, so that a look right before each of
// thousands of requests costs what others have written meanwhile.
type outlook struct {
	journal, notes tail
	living         *processes
	key            func(deviceID string) string // client-request-id of a device in this round; nil without a round

	devices map[string][]intune.JournalEntry // by folded id: those of the last day, and those of the round
	told    map[string][]note                // about who asks or waits, and links handed over, by client-request-id
	damaged error
}

// tail is a file of lines, as far as it was read.
type tail struct {
	file *os.File
	at   int64
}

// more gives the complete lines that came. Half a line is being written, or was cut off and asked nobody.
func (t *tail) more() ([]byte, error) {
	if t.file == nil {
		return nil, nil
	}
	info, err := t.file.Stat()
	if err != nil || info.Size() <= t.at {
		return nil, err
	}
	content := make([]byte, info.Size()-t.at)
	n, err := t.file.ReadAt(content, t.at)
	if err != nil {
		return nil, err
	}
	content = content[:bytes.LastIndexByte(content[:n], '\n')+1]
	t.at += int64(len(content))
	return content, nil
}

func lines(content []byte) iter.Seq[[]byte] { return bytes.Lines(content) }

// readOn reads what came since the last time.
func (o *outlook) readOn() error {
	content, err := o.journal.more()
	if err != nil {
		return err
	}
	if o.devices == nil {
		o.devices, o.told = map[string][]intune.JournalEntry{}, map[string][]note{}
	}
	since := time.Now().Add(-2 * oldest) // a wait is never longer than oldest
	for entry, err := range journalfile.Read(bytes.NewReader(content)) {
		if err != nil {
			o.damaged = failed(exitFailure, "%s", damage(o.journal.file.Name(), err))
			continue
		}
		id := entry.Device.DeviceID()
		if entry.Time.After(since) || o.key != nil && o.key(id) == entry.ClientRequestID {
			o.devices[id] = append(o.devices[id], entry)
		}
	}
	content, err = o.notes.more()
	for n := range notesIn(content) {
		if n.Process != "" || n.Released || n.End != "" {
			o.told[n.ClientRequestID] = append(o.told[n.ClientRequestID], n)
		}
	}
	return err
}

// requests are those for a device whose user was asked or may have been, the latest first.
func (o *outlook) requests(deviceID string) []*request {
	all, _ := intune.JournalRequests(func(yield func(intune.JournalEntry, error) bool) { // slices give no errors
		for _, entry := range o.devices[deviceID] {
			if !yield(entry, nil) {
				return
			}
		}
	})
	var list []*request
	for i := range slices.Backward(all) {
		r := &request{JournalRequest: all[i]}
		if r.ofAnother() || r.refusedOrNotSent() {
			continue
		}
		for _, n := range o.told[r.id()] {
			r.take(n)
		}
		list = append(list, r)
	}
	return list
}

// own is the request of this round for a device, nil if its user was not asked in it.
func (o *outlook) own(deviceID string) *request {
	for _, r := range o.requests(deviceID) {
		if o.key != nil && r.id() == o.key(deviceID) {
			return r
		}
	}
	return nil
}

// knows reports that the record has entries of this round for a device, also if its user was not asked.
func (o *outlook) knows(deviceID string) bool {
	return o.key != nil && slices.ContainsFunc(o.devices[deviceID], func(entry intune.JournalEntry) bool {
		return entry.ClientRequestID == o.key(deviceID)
	})
}

// held reports that a process asks or waits at this moment.
func (o *outlook) held(r *request) bool { return r.holds(o.living.lives) }

// holds is held for a way to tell whether a process lives. A request without a wait holds the device until its outcome is
// known, any other until its wait has ended.
func (r *request) holds(lives func(process string) bool) bool {
	if r.process == "" || r.Ended.Session != "" && r.Ended.Session != intune.SessionLeft {
		return false
	}
	if r.ResumeToken() == "" && r.Asked.Outcome != "" {
		return false
	}
	return lives(r.process)
}

// mayAsk is nil, or why a user is not to be asked: somebody asks or waits, this round has asked, or somebody asked in the
// last day. Only the latter can be overcome by again.
func (o *outlook) mayAsk(deviceID string, again bool) error {
	list := o.requests(deviceID)
	for _, r := range list {
		if o.held(r) {
			return &intune.DeviceBusyError{Device: r.Device(), Actor: r.actor(), Reference: r.Asking.Reference, Since: r.when()}
		}
	}
	if own := o.own(deviceID); own != nil {
		return &intune.AlreadyAskedError{Request: own.JournalRequest}
	}
	switch {
	case again:
		return nil
	case o.damaged != nil:
		return fmt.Errorf("%w; or ask all the same with --ask-again", o.damaged)
	case len(list) > 0 && time.Since(list[0].when()) < oldest:
		return &askedBeforeError{list[0]}
	}
	return nil
}

// mayWait is nil, or why a wait is not to be gone on with.
func (o *outlook) mayWait(r *request) error {
	for i, other := range o.requests(r.Device().DeviceID()) {
		switch {
		case o.held(other):
			return &intune.DeviceBusyError{
				Device: other.Device(), Actor: other.actor(), Reference: other.Asking.Reference, Since: other.when(),
			}
		case i == 0 && other.id() != r.id():
			return &askedBeforeError{other} // whose link would be taken for this one's
		}
	}
	return nil
}

// lookAtRecord is for a look at a record that may not exist.
func (a *app) lookAtRecord(key func(deviceID string) string, do func(*outlook) error) error {
	name, err := a.journalName()
	if err != nil {
		return err
	}
	o := outlook{living: &processes{folder: processesName(name)}, key: key}
	for _, t := range []struct {
		of   *tail
		name string
	}{{&o.journal, name}, {&o.notes, notesName(name)}} {
		file, err := os.Open(t.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("the record cannot be read: %w", err)
		}
		defer file.Close()
		t.of.file = file
	}
	if err := o.readOn(); err != nil {
		return fmt.Errorf("the record cannot be read: %w", err)
	}
	return do(&o)
}
