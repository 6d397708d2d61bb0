package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"
	"github.com/gofrs/flock"
	"github.com/google/uuid"
)

// round is a file beside the results. Its first line is an id, from which the keys of the requests are made, and what
// follows is a copy of their entries in the record. The record is written first, and decides: a crash between the two
// writes loses nothing, since the record knows the key. The copy is read for devices of which the record knows nothing, for
// example on another machine.
type round struct {
	id      uuid.UUID
	file    *os.File
	journal intune.Journal
	close   func()
}

// roundHead is the first line.
type roundHead struct {
	Round     uuid.UUID `json:"round"`
	Pretended string    `json:"pretended,omitempty"` // see app.pretended
}

// openRound opens or begins a round, and keeps other processes from it. It also gives the requests of the copy.
func openRound(name, pretended, actor string) (*round, []intune.JournalRequest, error) {
	file, err := openRegular(name)
	if err != nil {
		return nil, nil, failed(exitFailure, "the round cannot be opened, so nobody was asked; name another with --round: %v", err)
	}
	lock := flock.New(lockName(name), flock.SetPermissions(0o600)) // whose name is known only once the file is there
	switch locked, err := lock.TryLock(); {
	case err != nil:
		_ = file.Close()
		return nil, nil, failed(exitFailure, "the round cannot be locked, so nobody was asked; name another with --round: %v", err)
	case !locked:
		_ = file.Close()
		return nil, nil, failed(exitFailure, "another bulk is at work with the round %s; wait for it, or stop it first", name)
	}
	r := &round{file: file, close: func() {
		_ = file.Close() // every entry was synced
		_ = lock.Unlock()
	}}
	content, err := os.ReadFile(name)
	var requests []intune.JournalRequest
	if err == nil {
		r.id, requests, err = readRound(name, pretended, content)
	}
	if err == nil && r.id == uuid.Nil {
		r.id = uuid.New()
		err = r.begin(pretended)
	}
	if err != nil {
		r.close()
		return nil, nil, failed(exitFailure, "%v", err)
	}
	r.journal = journalfile.New(file, &journalfile.Options{Actor: func(context.Context) string { return actor }})
	return r, requests, nil
}

// begin writes the first line, before anybody is asked with its id.
func (r *round) begin(pretended string) error {
	line, err := json.Marshal(roundHead{r.id, pretended})
	if err == nil {
		err = r.file.Truncate(0) // of half a first line
	}
	if err == nil {
		_, err = r.file.Write(append(line, '\n'))
	}
	if err == nil {
		err = r.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("the round cannot be written, so nobody was asked; name another with --round: %w", err)
	}
	return nil
}

// openRegular opens a file, which must be one that keeps what is written.
func openRegular(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", name)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if folder, err := os.Open(filepath.Dir(name)); err == nil {
		_ = folder.Sync() // so that a new file survives a crash of the machine; not every system can
		_ = folder.Close()
	}
	return file, nil
}

// readRound reads the content of a round. A blank id is that of one that has not begun.
func readRound(name, pretended string, content []byte) (uuid.UUID, []intune.JournalRequest, error) {
	first, rest, complete := bytes.Cut(content, []byte("\n"))
	if !complete && len(first) < 80 { // a crash left half of it, or there is nothing
		return uuid.Nil, nil, nil
	}
	var head roundHead
	if json.Unmarshal(first, &head) != nil || head.Round == uuid.Nil {
		return uuid.Nil, nil, fmt.Errorf("%s is no round: its first line has no id; name another with --round", name)
	}
	if head.Pretended != pretended {
		return uuid.Nil, nil, fmt.Errorf("the round %s is that of %s; name another with --round",
			name, cmp.Or(head.Pretended, "real requests"))
	}
	requests, err := intune.JournalRequests(journalfile.Read(bufio.NewReader(bytes.NewReader(rest))))
	if err != nil {
		return uuid.Nil, nil, errors.New(damage(name+", below its first line,", err)) // which may name somebody who was asked
	}
	return head.Round, requests, nil
}

// lookAtRound is openRound for a look.
func lookAtRound(name, pretended string) (uuid.UUID, []intune.JournalRequest, error) {
	content, err := readIfThere(name)
	if err != nil || content == nil {
		return uuid.Nil, nil, err
	}
	return readRound(name, pretended, content)
}

// keyOf is the client-request-id of a device in a round: the same each time, so that the record knows it again.
func keyOf(round uuid.UUID, deviceID string) string {
	return uuid.NewSHA1(round, []byte(strings.ToLower(deviceID))).String()
}

// roundKeys sets the client-request-id of each request for assistance from the device in its address. The library takes an
// id per call, and a call for many devices has many.
type roundKeys struct{ round uuid.UUID }

// Do implements policy.Policy.
func (k roundKeys) Do(req *policy.Request) (*http.Response, error) {
	if raw := req.Raw(); raw.Method == http.MethodPost && path.Base(raw.URL.Path) == "requestRemoteAssistance" {
		id := intune.Device(path.Base(path.Dir(raw.URL.Path))).DeviceID()
		raw.Header.Set("Client-Request-Id", keyOf(k.round, id))
	}
	return req.Next()
}

// roundRecord is the journal of a run: the record, and then the round. It remembers the requests of this run, and stops the
// run when one of the two cannot be written.
type roundRecord struct {
	*record

	round  *round
	failed func(error)

	mu    sync.Mutex
	over  bool                           // nobody more is asked
	open  int                            // requests under way
	idle  chan struct{}                  // closed when it is over and none is under way
	asked map[string]intune.JournalEntry // of this run, by the id of the device: the latest of Asked with the time of Asking
	times map[string]intune.JournalEntry // the entries of Asking
}

func newRoundRecord(r *record, round *round, failed func(error)) *roundRecord {
	return &roundRecord{
		record: r, round: round, failed: failed, idle: make(chan struct{}),
		asked: map[string]intune.JournalEntry{}, times: map[string]intune.JournalEntry{},
	}
}

var errOver = errors.New("stopped before it was this device's turn; the same command goes on")

// Asking implements [intune.Journal].
func (r *roundRecord) Asking(ctx context.Context, entry intune.JournalEntry) error {
	if !r.enter() {
		return errOver
	}
	err := r.ask(ctx, entry)
	if err != nil {
		r.leave()
		return err
	}
	r.keep(r.times, entry)
	return nil
}

func (r *roundRecord) ask(ctx context.Context, entry intune.JournalEntry) error {
	if err := r.record.Asking(ctx, entry); err != nil {
		if _, refused := refusedByRecord(err, ""); !refused && ctx.Err() == nil {
			r.failed(fmt.Errorf("the record cannot be written, so nobody more is asked: %w", err))
		}
		return err
	}
	err := r.round.journal.Asking(ctx, entry)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("the round cannot be written, so nobody more is asked: %w", err)
	r.failed(err)
	entry.Outcome, entry.ResumeToken, entry.Error = intune.OutcomeNotSent, "", err.Error()
	return errors.Join(err, r.record.Asked(context.WithoutCancel(ctx), entry)) // which would else be told as perhaps asked
}

// Asked implements [intune.Journal].
func (r *roundRecord) Asked(ctx context.Context, entry intune.JournalEntry) error {
	defer r.leave()
	r.keep(r.asked, entry)
	err := errors.Join(r.record.journal.Asked(ctx, entry), r.round.journal.Asked(ctx, entry))
	if err != nil {
		r.failed(fmt.Errorf("the record cannot hold an outcome, so nobody more is asked: %w", err))
	}
	return err
}

// Ended implements [intune.Journal].
func (r *roundRecord) Ended(ctx context.Context, entry intune.JournalEntry) error {
	return errors.Join(r.record.Ended(ctx, entry), r.round.journal.Ended(ctx, entry))
}

func (r *roundRecord) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.open++
	}
	return !r.over
}

func (r *roundRecord) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open--; r.over && r.open == 0 {
		close(r.idle)
	}
}

// finish lets nobody more be asked. What it gives is closed when what is under way has its outcome.
func (r *roundRecord) finish() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over && r.open == 0 {
		close(r.idle)
	}
	r.over = true
	return r.idle
}

func (r *roundRecord) keep(in map[string]intune.JournalEntry, entry intune.JournalEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in[entry.Device.DeviceID()] = entry
}

// of is what this run recorded of a device: the latest entry of Asked with the time of Asking.
func (r *roundRecord) of(d *device) (intune.JournalEntry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first, ok := r.times[d.id]
	if !ok {
		return intune.JournalEntry{Outcome: intune.OutcomeNotSent}, false
	}
	entry := r.asked[d.id]
	entry.Time, entry.ClientRequestID, entry.Device = first.Time, first.ClientRequestID, first.Device
	return entry, true
}
