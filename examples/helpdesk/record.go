package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"
)

// journalName is the file of the journal. The demo has one of its own, so that made-up requests stay among themselves.
func (a *app) journalName() (string, error) {
	if a.journal != "" {
		return a.journal, nil
	}
	folder, err := stateFolder()
	if err != nil {
		return "", fmt.Errorf("there is no place for the journal; name a file with --journal: %w", err)
	}
	if a.demo {
		return filepath.Join(folder, "demo-journal.jsonl"), nil
	}
	return filepath.Join(folder, "journal.jsonl"), nil
}

// note is what the journal of the library does not hold: the names of the device, and that its link was handed over.
// Notes are lines of JSON in a file beside the journal. Losing them does no harm: a link is shown twice, a name not at all.
type note struct {
	Time            time.Time `json:"time"`
	ClientRequestID string    `json:"clientRequestId"`
	DeviceID        string    `json:"deviceId,omitempty"`
	DeviceName      string    `json:"deviceName,omitempty"`
	SerialNumber    string    `json:"serialNumber,omitempty"`
	End             string    `json:"end,omitempty"`
}

// The ends of a request.
const (
	endLink   = "link"   // it was handed over
	endFailed = "failed" // in older files: the service said why there is no session
)

func notesName(journal string) string { return journal + ".notes" }

// request is one request for remote assistance, from what the journal and the notes say.
type request struct {
	intune.JournalRequest

	deviceName, serialNumber string
	end                      string
}

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

// record is the journal while it is written.
type record struct {
	file    *os.File
	notes   string
	journal intune.Journal
	screen  *console

	mu     sync.Mutex // a policy may leave the request behind, while Asking is at work
	device *intune.ManagedDevice
}

// openRecord opens the journal for writing: without a record nobody is asked.
func (a *app) openRecord() (*record, error) {
	name, err := a.journalName()
	if err != nil {
		return nil, err
	}
	file, err := openPrivate(name, os.O_RDWR|os.O_APPEND)
	if err != nil {
		return nil, fmt.Errorf("the journal cannot be opened, so nobody was asked; name another file with --journal: %w", err)
	}
	r := &record{file: file, notes: notesName(name), screen: a.console}
	actor := a.actor()
	r.journal = journalfile.New(file, &journalfile.Options{Actor: func(context.Context) string { return actor }})
	return r, nil
}

// actor is who uses the tool.
func (a *app) actor() string {
	if name := a.accountName(); name != "" {
		return name
	}
	if current, err := user.Current(); err == nil {
		return current.Username
	}
	return ""
}

func (r *record) close() { _ = r.file.Close() } // every entry was synced

// Asking implements intune.Journal.
func (r *record) Asking(ctx context.Context, entry intune.JournalEntry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.journal.Asking(ctx, entry); err != nil {
		return err
	}
	n := note{ClientRequestID: entry.ClientRequestID, DeviceID: entry.Device.DeviceID()}
	if r.device != nil {
		n.DeviceName, n.SerialNumber = r.device.DeviceName, r.device.SerialNumber
	}
	r.add(n)
	return nil
}

// Asked implements intune.Journal.
func (r *record) Asked(ctx context.Context, entry intune.JournalEntry) error {
	err := r.journal.Asked(ctx, entry)
	if err != nil {
		r.screen.warn("the journal could not record the outcome: %v", err)
	}
	return err
}

// Ended implements intune.Journal.
func (r *record) Ended(ctx context.Context, entry intune.JournalEntry) error {
	err := r.journal.Ended(ctx, entry)
	if err != nil {
		r.screen.warn("the journal could not record the end of the wait: %v", err)
	}
	return err
}

// about says which device the next request is for.
func (r *record) about(device *intune.ManagedDevice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.device = device
}

// handedOver notes that a link was, so that resume does not offer it again.
func (r *record) handedOver(clientRequestID string) {
	if clientRequestID != "" {
		r.add(note{ClientRequestID: clientRequestID, End: endLink})
	}
}

func (r *record) add(n note) {
	n.Time = time.Now().UTC().Round(0)
	line, err := json.Marshal(n)
	if err != nil {
		return
	}
	file, err := openPrivate(r.notes, os.O_WRONLY|os.O_APPEND)
	if err == nil {
		_, err = file.Write(append(line, '\n')) // one Write, so that two at once do not mix
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		r.screen.warn("a note could not be kept: %v", err)
	}
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
				a.warn("%s: %v", name, err)
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
		if !all[i].Asking.Device.IsZero() || !all[i].Asked.Device.IsZero() { // else it is the end of another program's request
			list = append(list, &request{JournalRequest: all[i]})
		}
	}
	return list, a.addNotes(list, notesName(name))
}

func (a *app) addNotes(list []*request, name string) error {
	content, err := readIfThere(name)
	if err != nil {
		return fmt.Errorf("read the notes: %w", err)
	}
	byID, names := map[string]*request{}, map[string]note{}
	for _, r := range list {
		byID[r.id()] = r
	}
	for line := range bytes.Lines(content) {
		var n note
		if json.Unmarshal(line, &n) != nil {
			continue // half a line after a crash
		}
		if n.DeviceName != "" || n.SerialNumber != "" {
			names[intune.Device(n.DeviceID).DeviceID()] = n
		}
		if r := byID[n.ClientRequestID]; r != nil && n.End != "" {
			r.end = n.End
		}
	}
	for _, r := range list {
		n := names[r.Device().DeviceID()]
		r.deviceName, r.serialNumber = n.DeviceName, n.SerialNumber
	}
	return nil
}

// oldest is how long after a request its wait can go on: whatever link appears later is probably another session's. It is
// the library's own limit.
const oldest = 24 * time.Hour

// openRequests are those whose users were asked, or may have been, and whose link was not handed over: the latest of each
// device, the latest first.
func (a *app) openRequests() ([]*request, error) {
	list, err := a.requests()
	if err != nil {
		return nil, err
	}
	var open []*request
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
	return open, nil
}
