package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/go-intune/intune"
)

// note is what the journal of the library does not hold: the names of the device, that its link was handed over, and which
// process asks or waits. Notes are lines of JSON in a file beside the journal. Losing the older ones does no harm: a link is
// shown twice, a name not at all, and the processes of older notes are gone.
type note struct {
	Time            time.Time `json:"time"`
	ClientRequestID string    `json:"clientRequestId"`
	DeviceID        string    `json:"deviceId,omitempty"`
	DeviceName      string    `json:"deviceName,omitempty"`
	SerialNumber    string    `json:"serialNumber,omitempty"`
	End             string    `json:"end,omitempty"`

	// Process is who asks, or waits for the link, from now on: see processes. Released is the end of that.
	Process  string `json:"process,omitempty"`
	Released bool   `json:"released,omitempty"`
}

// The ends of a request.
const (
	endLink   = "link"   // it was handed over
	endFailed = "failed" // in older files: the service said why there is no session
)

func notesName(journal string) string { return linkless(journal) + ".notes" }

// addNotes puts what the notes say into the requests.
func addNotes(list []*request, name string) error {
	content, err := readIfThere(name)
	if err != nil {
		return fmt.Errorf("read the notes: %w", err)
	}
	byID, names := map[string]*request{}, map[string]note{}
	for _, r := range list {
		byID[r.id()] = r
	}
	for n := range notesIn(content) {
		if n.DeviceName != "" || n.SerialNumber != "" {
			names[intune.Device(n.DeviceID).DeviceID()] = n
		}
		if r := byID[n.ClientRequestID]; r != nil {
			r.take(n)
		}
	}
	for _, r := range list {
		n := names[r.Device().DeviceID()]
		r.deviceName, r.serialNumber = n.DeviceName, n.SerialNumber
	}
	return nil
}

func (r *request) take(n note) {
	if n.End != "" {
		r.end = n.End
	}
	if n.Process != "" || n.Released {
		r.process = n.Process
	}
}

// notesIn are the notes of complete lines. Others are passed over: they are half a line after a crash.
func notesIn(content []byte) func(func(note) bool) {
	return func(yield func(note) bool) {
		for line := range lines(content) {
			var n note
			if json.Unmarshal(line, &n) == nil && !yield(n) {
				return
			}
		}
	}
}

// addNote writes a note with one Write, so that two processes at once do not mix. A line that was cut off is ended first.
func addNote(file *os.File, n note) error {
	n.Time = time.Now().UTC().Round(0)
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if info, err := file.Stat(); err == nil && info.Size() > 0 {
		var last [1]byte
		if _, err := file.ReadAt(last[:], info.Size()-1); err == nil && last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	_, err = file.Write(line)
	return err
}
