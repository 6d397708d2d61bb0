package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/mattn/go-runewidth"
)

// screen is the results for a person at a terminal. A detail that is too long for the table comes below its line, for it
// says what went wrong, and so does a link, which is there to be copied.
func (j *job) screen() string {
	named := slices.ContainsFunc(j.rows, func(r *row) bool { return r.device != nil && !strings.EqualFold(r.device.name, r.text) })
	cells := func(line, text, name, result, session string) []string {
		row := []string{line, text}
		if named {
			row = append(row, name)
		}
		if row = append(row, result); j.wait {
			row = append(row, session)
		}
		return row
	}
	rows, details := [][]string{cells("LINE", "DEVICE", "NAME", "RESULT", "SESSION")}, []string{"DETAIL"}
	for _, r := range j.rows {
		d, detail := j.shown(r)
		result := outcomeWords(d.outcome)
		if d.earlier {
			result += " earlier"
		}
		rows, details = append(rows, cells(strconv.Itoa(r.line), r.text, d.name, result, d.session)), append(details, clean(detail))
	}
	taken := 0
	for _, line := range aligned(rows, j.columns) {
		taken = max(taken, runewidth.StringWidth(line)+columnGap)
	}
	for i, detail := range details {
		if taken+runewidth.StringWidth(detail) > j.columns {
			detail = ""
		}
		rows[i] = append(rows[i], detail)
	}
	lines := aligned(rows, j.columns)
	const indent = "      "
	for i, r := range j.rows {
		if rows[i+1][len(rows[i+1])-1] != details[i+1] {
			lines[i+1] += "\n" + indent + strings.TrimSuffix(wrapped(details[i+1], less(j.columns, len(indent)), indent), "\n")
		}
		if j.writeLinks && r.device != nil && !r.device.link.IsZero() {
			lines[i+1] += "\n" + indent + r.device.link.Reveal()
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// outcomeWords are those of the summary.
func outcomeWords(o intune.Outcome) string {
	switch o {
	case intune.OutcomeRejected:
		return "refused"
	case intune.OutcomeNotSent:
		return "not sent"
	case outcomeNotFound:
		return "no device"
	case outcomeAmbiguous:
		return "several"
	case outcomeWouldAsk:
		return "would ask"
	default:
		return string(o)
	}
}

// shown is what there is to show of a row: its device, or what is wrong with it in the place of one.
func (j *job) shown(r *row) (d *device, detail string) {
	if r.device == nil {
		return &device{outcome: r.outcome}, r.detail
	}
	if detail = r.device.detail; !r.first {
		detail = strings.TrimSuffix(fmt.Sprintf("the same device as line %d; %s", r.device.line, detail), "; ")
	}
	return r.device, detail
}

// table is the results as rows, in the order of the input.
func (j *job) table() [][]string {
	head := []string{
		"line", "device", "deviceId", "deviceName", "serialNumber", "outcome", "run", "sentAt", "requestId", "clientRequestId", "detail",
	}
	if j.wait {
		head = append(head, "session")
	}
	if j.writeLinks {
		head = append(head, "link")
	}
	rows := [][]string{head}
	for _, r := range j.rows {
		rows = append(rows, j.cells(r))
	}
	return rows
}

func (j *job) cells(r *row) []string {
	d, detail := j.shown(r)
	run, at := "", ""
	if d.asked() {
		run = "this"
		if d.earlier {
			run = "earlier"
		}
	}
	if !d.askedAt.IsZero() {
		at = d.askedAt.UTC().Format(time.RFC3339)
	}
	cells := []string{strconv.Itoa(r.line), r.text, d.id, d.name, d.serial, string(d.outcome), run, at, d.requestID, d.clientID, detail}
	if j.wait {
		cells = append(cells, d.session)
	}
	if j.writeLinks {
		cells = append(cells, d.link.Reveal())
	}
	return cells
}

// target is where results are written: the file that a name means, and whether it is replaced as a whole. A device or a
// pipe is not.
func target(name string) (file string, replaced bool, err error) {
	info, err := os.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return linkless(name), true, nil
	}
	if err != nil {
		return "", false, err
	}
	if info.IsDir() {
		return "", false, fmt.Errorf("%s is a folder", name)
	}
	file, err = filepath.EvalSymlinks(name)
	return file, info.Mode().IsRegular(), err
}

// probeResults finds out before anybody is asked whether the results can be written.
func (o *bulkOptions) probeResults() error {
	if !o.toFile() {
		return nil
	}
	file, replaced, err := target(o.results)
	if err == nil && replaced {
		var probe *os.File
		if probe, err = temporary(file); err == nil {
			err = errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
	}
	if err != nil {
		return failed(exitFailure, "the results cannot be written, so nobody was asked; name another file with --output: %v", err)
	}
	return nil
}

func temporary(file string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
}

// writeResults writes the results. A file gets all or nothing.
func (j *job) writeResults() error {
	if j.results == "" && j.columns > 0 {
		return j.print(j.screen())
	}
	text := writeCSV(j.table())
	if !j.toFile() {
		return j.print(text)
	}
	name, replaced, err := target(j.results)
	if err != nil {
		return err
	}
	var file *os.File
	if replaced {
		file, err = temporary(name)
	} else {
		file, err = os.OpenFile(name, os.O_WRONLY, 0)
	}
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if err == nil && replaced {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	switch {
	case !replaced:
		return err
	case err != nil:
		return errors.Join(err, os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), name)
}

// finish writes the results and the summary, last so that it is what a person sees. The error has the exit code.
func (j *job) finish(took time.Duration) error {
	err := j.writeResults()
	j.summarize(took)
	if err != nil {
		again := "run it again"
		if !j.dryRun {
			again = "the record knows who was asked: the same command with another --output writes them, and asks nobody again"
		}
		return failed(exitFailure, "the results could not be written; %s: %v", again, err)
	}
	if j.writeLinks && j.memory != nil {
		j.noteLinks()
	}
	if why, ok := j.halted(); ok && why.code == exitFailure {
		return failed(exitFailure, "")
	}
	if code := j.code(); code != exitDone {
		return failed(code, "")
	}
	return nil
}

// noteLinks notes that links were handed over, so that resume does not offer them.
func (j *job) noteLinks() {
	for _, d := range j.fleet.list {
		if before := d.earlierRequest; d.session == sessionLink && (before == nil || before.end != endLink) {
			j.memory.handedOver(d.clientID)
		}
	}
}

// codeOfLines is the exit code that lines without a device give.
func (j *job) codeOfLines() int {
	code := exitDone
	for _, r := range j.rows {
		switch {
		case r.device != nil:
		case r.outcome == outcomeAmbiguous:
			code = max(code, exitAmbiguous)
		default:
			code = max(code, exitNothing)
		}
	}
	return code
}

// code is the exit code that the results give.
func (j *job) code() int {
	code := j.codeOfLines()
	for _, d := range j.fleet.list {
		switch {
		case j.dryRun:
		case d.outcome == intune.OutcomeUnknown:
			code = max(code, exitUnknown)
		case d.outcome != intune.OutcomeAccepted, d.session == sessionFailed:
			code = max(code, exitRefused)
		case d.session == sessionPending, d.session == sessionNone:
			code = max(code, exitPending)
		}
	}
	return code
}

// summarize says in a few lines what happened.
func (j *job) summarize(took time.Duration) {
	var now, before intune.Progress
	links, pending, without, would, outside := 0, 0, 0, 0, 0
	for _, r := range j.rows {
		if r.device == nil {
			without++
		}
	}
	for _, d := range j.fleet.list {
		counts := &now
		if d.earlier {
			counts = &before
		}
		switch d.outcome {
		case intune.OutcomeNotSent:
			if d.refused {
				outside++
			} else {
				counts.NotSent++
			}
		case intune.OutcomeAccepted:
			counts.Accepted++
		case intune.OutcomeRejected:
			counts.Rejected++
		case intune.OutcomeUnknown:
			counts.Unknown++
		case outcomeWouldAsk:
			would++
		default:
			counts.NotSent++
		}
		switch d.session {
		case sessionLink:
			links++
		case sessionPending:
			pending++
		}
	}
	if j.dryRun {
		j.say("%s, %s, would be asked: %d; asked before: %d; asked outside of this round: %d; lines without a device: %d. Nobody was asked.",
			plural(len(j.rows), "line"), plural(len(j.fleet.list), "device"), would, before.Done(), outside, without)
		return
	}
	text := plural(len(j.rows), "line") + ", " + plural(len(j.fleet.list), "device")
	if now.Done() > 0 {
		text += ": " + tally(now)
	}
	if before.Done() > 0 {
		text += "; from earlier runs: " + tally(before)
	}
	if without > 0 {
		text += fmt.Sprintf("; lines without a device: %d", without)
	}
	if outside > 0 {
		text += fmt.Sprintf("; asked outside of this round, and not in it: %d", outside)
	}
	if j.wait {
		text += fmt.Sprintf("; links: %d, pending: %d", links, pending)
	}
	if took = took.Round(100 * time.Millisecond); took > 0 {
		text += fmt.Sprintf(". It took %v", took)
	}
	j.say("%s.", text)
	if now.Rejected+now.NotSent > 0 {
		j.say("The same command asks those again that were refused or not sent, and nobody else.")
	}
	if now.Unknown > 0 {
		j.say("Unknown means that the user may have been asked. They are not asked again; see the detail in the results.")
	}
	if links > 0 && !j.writeLinks {
		j.say("The links are not in the results; the same command with --write-links writes them, within 24 hours of asking.")
	}
}
