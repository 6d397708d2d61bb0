package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"
)

// journalName is the file of the journal. The demo and each rehearsal have one of their own, so that made-up requests stay
// among themselves.
func (a *app) journalName() (string, error) {
	switch {
	case a.journal != "":
		return a.journal, nil
	case a.demo:
		return inStateFolder("demo-journal.jsonl")
	case a.connection.rehearsal.on():
		return inStateFolder(a.pretended() + ".jsonl")
	}
	return a.realJournal()
}

// pretended names the demo or the rehearsal that this is, "" if requests are real.
func (a *app) pretended() string {
	switch {
	case a.demo:
		return "demo"
	case a.connection.rehearsal.on():
		return a.connection.rehearsal.fileName()
	}
	return ""
}

// realJournal is the file of real requests, unless --journal names another.
func (a *app) realJournal() (string, error) {
	if name := a.settings().Journal; name != "" {
		return name, nil
	}
	return inStateFolder("journal.jsonl")
}

func inStateFolder(name string) (string, error) {
	folder, err := stateFolder()
	if err != nil {
		return "", fmt.Errorf("there is no place for the journal; name a file with --journal: %w", err)
	}
	return filepath.Join(folder, name), nil
}

// request is one request for remote assistance, from what the journal and the notes say.
type request struct {
	intune.JournalRequest

	deviceName, serialNumber string
	end                      string
	process                  string // that asks or waits, if it still lives
}

// ofAnother reports that there is only the end of another program's request, on whose token this one waited.
func (r *request) ofAnother() bool { return r.Asking.Device.IsZero() && r.Asked.Device.IsZero() }

// id is the client-request-id.
func (r *request) id() string { return firstOf(r.Asking.ClientRequestID, r.Asked.ClientRequestID) }

// when is when the user was asked, or the outcome of that was known if the first entry is in an older file.
func (r *request) when() time.Time {
	if r.Asking.Time.IsZero() {
		return r.Asked.Time
	}
	return r.Asking.Time
}

// actor is the person that the request was made for.
func (r *request) actor() string { return firstOf(r.Asking.Actor, r.Asked.Actor) }

// name is what a person calls the device.
func (r *request) name() string {
	return firstOf(r.deviceName, r.serialNumber, r.Device().DeviceID())
}

// refusedOrNotSent reports that the user was not asked.
func (r *request) refusedOrNotSent() bool {
	return r.Outcome() == intune.OutcomeRejected || r.Outcome() == intune.OutcomeNotSent
}

// certain reports that the user was asked: Intune said so, or a link or an error text came.
func (r *request) certain() bool {
	return r.Outcome() == intune.OutcomeAccepted || r.linkCame() || r.hasFailed()
}

func (r *request) hasFailed() bool {
	return r.Ended.Session == intune.SessionFailed || r.end == endFailed
}

func (r *request) linkCame() bool { return r.Ended.Session == intune.SessionReady || r.end == endLink }

// isOpen reports that a wait can go on, or that its link can be read again, for it was not handed over.
func (r *request) isOpen() bool {
	return r.end == "" && (r.Waiting() || r.linkCame()) && r.ResumeToken() != "" && time.Since(r.when()) < oldest
}

// requests reads the journal and the notes, in the order of asking.
func (a *app) requests() ([]*request, error) {
	name, err := a.journalName()
	if err != nil {
		return nil, err
	}
	content, err := readIfThere(name)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	readable := func(yield func(intune.JournalEntry, error) bool) {
		for entry, err := range journalfile.Read(bytes.NewReader(content)) {
			if err != nil {
				a.warn("%s", damage(name, err))
			} else if !yield(entry, nil) {
				return
			}
		}
	}
	all, err := intune.JournalRequests(readable)
	if err != nil {
		return nil, err
	}
	var list []*request
	for i := range all {
		if r := (&request{JournalRequest: all[i]}); !r.ofAnother() {
			list = append(list, r)
		}
	}
	return list, addNotes(list, notesName(name))
}

// damage is an error of package journalfile about a line, in words of the tool.
func damage(name string, err error) string {
	return name + " " + strings.TrimPrefix(words(err.Error()), "journal ")
}

// oldest is how long after a request its wait can go on: whatever link appears later is probably another session's. It is
// the library's own limit.
const oldest = 24 * time.Hour

// openOf are the requests whose users were asked, or may have been, and whose link was not handed over: the latest of each
// device, the latest first.
func openOf(list []*request) (open []*request) {
	seen := map[string]bool{}
	for _, r := range slices.Backward(list) {
		id := r.Device().DeviceID()
		if r.refusedOrNotSent() || seen[id] {
			continue
		}
		seen[id] = true
		if r.isOpen() {
			open = append(open, r)
		}
	}
	return open
}
