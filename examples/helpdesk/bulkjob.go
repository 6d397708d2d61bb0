package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-intune/intune"
	"github.com/google/uuid"
)

// job is one run of the program.
type job struct {
	*app
	bulkOptions

	client  *intune.Client
	memory  *roundRecord // nil with --dry-run
	roundID uuid.UUID
	rows    []*row
	fleet   fleet

	// feed ends when nobody more may be asked: at a signal, when the journal cannot be written, after too many failures.
	feed context.Context //nolint:containedctx // of the run
	halt context.CancelCauseFunc

	mu     sync.Mutex
	inARow int // failures that are not the fault of a device
}

func (j *job) run() error {
	j.stops.gentle()
	j.feed, j.halt = context.WithCancelCause(j.stops.soft)
	defer j.halt(nil)
	ctx := j.stops.soft
	taken, err := j.readFile()
	if err != nil {
		return err
	}
	if err := j.probeResults(); err != nil {
		return err
	}
	if err := j.connection.signedIn(); err != nil && !j.demo { // before there are files of a round that asks nobody
		return err
	}
	if j.demo && j.round == "" {
		if j.round, err = demoRound(); err != nil {
			return err
		}
	}
	copied, err := j.openRound(ctx)
	if err != nil {
		return err
	}
	if j.memory != nil {
		defer j.memory.round.close()
		defer j.memory.close()
	}
	if err := j.connect(ctx); err != nil {
		return err
	}
	if j.perSecond > serviceLimit && !j.demo {
		j.warn("--per-second %v is more than the service allows an app, %d; it will throttle", j.perSecond, serviceLimit)
	}
	if taken != "" {
		j.say("Reading %s of %s.", taken, plural(len(j.rows), "line"))
	}
	if err := j.findDevices(ctx); err != nil {
		return err
	}
	j.checkConnector(ctx)
	j.sayProblems()
	asks, waits, err := j.plan(ctx, copied)
	if err != nil {
		return err
	}
	if err := j.mayGoOn(ctx, len(asks)); err != nil {
		return err
	}
	began := time.Now()
	defer context.AfterFunc(j.stops.soft, func() {
		if _, ok := stoppedBy(j.stops.soft); ok {
			j.warn("stopping: what is under way is finished first, for %v at most; once more breaks it off", grace)
		}
	})()
	switch {
	case j.dryRun:
	case j.wait:
		j.openAll(asks, waits)
	case len(asks) > 0:
		j.askAll(asks)
	}
	return j.finish(time.Since(began))
}

// serviceLimit is how many devices a second the service allows an app.
//
// Source: https://learn.microsoft.com/graph/throttling-limits
const serviceLimit = 10

func (j *job) readFile() (taken string, err error) {
	switch {
	case j.file != "":
		var file input
		if file, err = readInput(&j.bulkOptions, j.in); file.guess != "" {
			j.warn("%s", file.guess)
		}
		j.rows, taken = file.rows, file.taken
	case j.appName == "":
		j.rows, taken = demoRows(), "the demo's list, 'device name',"
	}
	return taken, err
}

// openRound gives what the copy of the round says of earlier runs.
func (j *job) openRound(ctx context.Context) (copied []intune.JournalRequest, err error) {
	if j.dryRun {
		j.roundID, copied, err = lookAtRound(j.round, j.pretended())
		return copied, err
	}
	round, copied, err := openRound(j.round, j.pretended(), j.actor())
	if err != nil {
		return nil, err
	}
	j.roundID = round.id
	record, err := j.openRecord(ctx, j.key)
	if err != nil {
		round.close()
		return nil, err
	}
	record.device = func(deviceID string) (name, serialNumber string) {
		if d := j.fleet.byID[deviceID]; d != nil {
			return d.name, d.serial
		}
		return "", ""
	}
	record.askAgain = j.askAgain
	j.memory = newRoundRecord(record, round, func(err error) { j.halt(failed(exitFailure, "%v", err)) })
	return copied, nil
}

// key is the client-request-id of a device in this round.
func (j *job) key(deviceID string) string { return keyOf(j.roundID, deviceID) }

func (j *job) connect(ctx context.Context) (err error) {
	if j.memory == nil {
		j.client, err = j.app.client(ctx, nil)
	} else {
		j.client, err = j.app.client(ctx, j.memory, roundKeys{j.roundID})
	}
	return err
}

func (j *job) findDevices(ctx context.Context) (err error) {
	if j.appName != "" {
		j.rows, err = j.devicesOfApp(ctx)
		return err
	}
	if len(j.rows) > manyLookups {
		j.say("Reading the list of all devices, to find those of the lines.")
	}
	f, err := newLookup(ctx, j.client, len(j.rows))
	if err != nil {
		return err
	}
	return resolve(ctx, f, j.rows, &j.fleet)
}

// checkConnector warns of a tenant that cannot make sessions, as far as the caller may know.
func (j *job) checkConnector(ctx context.Context) {
	state, err := j.client.RemoteAssistanceConnector(ctx, nil)
	if err == nil && state != intune.ConnectorStateOnboarded && state != intune.ConnectorStateUnknown {
		j.warn("the tenant's TeamViewer connector is %s, so that no session can be made; "+
			"an administrator connects it in the Intune admin center", state)
	}
}

// maxShown is how many lines without a device are shown. All are in the results.
const maxShown = 20

func (j *job) sayProblems() {
	n := 0
	for _, r := range j.rows {
		if r.device != nil {
			continue
		}
		if n++; n == 1 {
			j.say("For these lines nobody is asked:")
		}
		if n <= maxShown {
			j.say("line %d, %q: %s", r.line, cut(r.text, less(j.width, len("line 100000,"))), r.detail)
		}
	}
	if n > maxShown {
		j.say("and %d more; the results have all.", n-maxShown)
	}
}

// plan divides the devices into those to ask and those whose link can be waited for. The others were asked before, in this
// round or outside of it.
func (j *job) plan(ctx context.Context, copied []intune.JournalRequest) (asks, waits []*device, err error) {
	divide := func(o *outlook) error {
		asks, waits = j.divide(o, byDevice(copied))
		return nil
	}
	if j.memory != nil {
		err = j.memory.current(ctx, divide)
	} else {
		err = j.lookAtRecord(j.key, divide)
	}
	if err == nil {
		j.sayAskedBefore()
	}
	return asks, waits, err
}

func (j *job) divide(o *outlook, copied map[string]*request) (asks, waits []*device) {
	for _, d := range j.fleet.list {
		own := o.own(d.id)
		if own == nil && !o.knows(d.id) {
			own = copied[d.id]
		}
		if own != nil {
			j.takeEarlier(d, own)
			if d.session == sessionPending {
				waits = append(waits, d)
			}
			continue
		}
		d.outcome, d.detail = intune.OutcomeNotSent, errOver.Error()
		if text, ok := refusedByRecord(o.mayAsk(d.id, j.askAgain), j.actor()); ok {
			d.detail, d.refused = text, true
			continue
		}
		if j.dryRun {
			d.outcome, d.detail = outcomeWouldAsk, ""
		}
		asks = append(asks, d) // a damaged record stops the run there
	}
	return asks, waits
}

// takeEarlier takes a request of this round that an earlier run made.
func (j *job) takeEarlier(d *device, r *request) {
	d.earlier, d.refused, d.outcome, d.askedAt = true, false, outcomeOf(r), r.when()
	d.requestID, d.clientID, d.token, d.earlierRequest = r.Asked.RequestID, r.id(), r.ResumeToken(), r
	d.detail = "asked in an earlier run, and not again"
	switch {
	case d.outcome != intune.OutcomeUnknown:
	case r.Asked.Outcome == "":
		d.detail = "an earlier run ended before it knew whether the user was asked; not asked again"
	default:
		d.detail = "no answer came in an earlier run, so that nobody knows whether the user was asked; not asked again"
	}
	switch {
	case !j.wait:
	case r.hasFailed():
		d.session, d.detail = sessionFailed, words(r.Ended.Error)
	case d.token != "":
		d.session = sessionPending // until it was waited for
	default:
		d.session = sessionNone
		d.detail += "; asked without --wait, so that a new link cannot be told from an old one"
	}
}

// byDevice is what the copy of a round says of the devices whose users were asked or may have been. Those that were rejected
// or not sent may be asked again.
func byDevice(copied []intune.JournalRequest) map[string]*request {
	known := map[string]*request{}
	for _, one := range copied {
		if r := (&request{JournalRequest: one}); !r.refusedOrNotSent() {
			known[r.Device().DeviceID()] = r
		}
	}
	return known
}

func (j *job) sayAskedBefore() {
	before, unclear, outside, latest := 0, 0, 0, time.Time{}
	for _, d := range j.fleet.list {
		switch {
		case d.refused:
			if outside++; outside <= maxShown {
				j.say("%s: %s", firstOf(d.name, d.serial, d.id), d.detail)
			}
		case d.earlier:
			before++
			if d.outcome == intune.OutcomeUnknown {
				unclear++
			}
			if latest.Before(d.askedAt) {
				latest = d.askedAt
			}
		}
	}
	if outside > 0 {
		j.say("%s outside of this round, as the record says, and will not be asked.", plural(outside, "device")+" "+wasOrWere(outside)+" asked")
	}
	if before == 0 {
		return
	}
	text := plural(before, "device") + " " + wasOrWere(before) + " asked before in the round " + j.round +
		", the latest at " + moment(latest)
	if unclear > 0 {
		text += fmt.Sprintf(", and %d of them perhaps", unclear)
	}
	j.say("%s. They are not asked again; a new round needs a new --round, and within 24 hours --ask-again.", text)
}

// mayGoOn asks the person at the terminal, if there is one.
func (j *job) mayGoOn(ctx context.Context, n int) error {
	if code := j.codeOfLines(); j.strict && !j.dryRun && code != exitDone {
		return failed(code, "nobody was asked, because of --strict: not every line names one device")
	}
	switch {
	case j.dryRun || n == 0 || j.yes:
		return nil
	case !j.asks:
		return failed(exitUsage, "nobody was asked: this would ask the users of %s, and nobody is here to confirm it; "+
			"add --yes to go on, or --dry-run to look", plural(n, "device"))
	}
	answer, err := j.ask(ctx, "Ask the users of "+plural(n, "device")+" for remote assistance, which takes "+
		about(time.Duration(float64(n)/j.perSecond*float64(time.Second)))+"? [y/N]")
	if err != nil && !errors.Is(err, errNoAnswer) {
		return err
	}
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return failed(exitFailure, "you did not say yes, and nobody was asked")
	}
	return nil
}

func wasOrWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// about is a duration for a person.
func about(d time.Duration) string {
	switch {
	case d < 2*time.Second:
		return "a moment"
	case d < 2*time.Minute:
		return "about " + plural(int(d/time.Second), "second")
	case d < 2*time.Hour:
		return "about " + plural(int(d/time.Minute), "minute")
	default:
		return "about " + plural(int(d/time.Hour), "hour")
	}
}
