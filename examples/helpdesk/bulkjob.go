package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-intune/intune"
)

// job is one run of the program.
type job struct {
	*app
	bulkOptions

	client *intune.Client
	memory *roundRecord
	rows   []*row
	fleet  fleet

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
	if err := probeResults(j.results); err != nil {
		return err
	}
	known, err := j.openJournal()
	if err != nil {
		return err
	}
	if j.memory != nil {
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
	asks, waits := j.plan(known)
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
		j.rows, taken, err = readInput(&j.bulkOptions, j.in)
	case j.appName == "":
		j.rows, taken = demoRows(), "the demo's list, 'device name',"
	}
	return taken, err
}

// openJournal gives what the journal says of earlier runs.
func (j *job) openJournal() (known map[string]intune.JournalRequest, err error) {
	var requests []intune.JournalRequest
	if j.dryRun {
		requests, err = readJournal(j.round)
	} else {
		j.memory, requests, err = openRound(j.round, j.actor(), func(err error) {
			j.halt(failedf("%v", err))
		})
	}
	return earlier(requests), err
}

func (j *job) connect(ctx context.Context) (err error) {
	var journal intune.Journal
	if j.memory != nil {
		journal = j.memory
	}
	j.client, err = j.app.client(ctx, journal)
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
			j.say("line %d, %q: %s", r.line, r.text, r.detail)
		}
	}
	if n > maxShown {
		j.say("and %d more; the results have all.", n-maxShown)
	}
}

// plan divides the devices into those to ask and those whose link can be waited for. The others were asked before.
func (j *job) plan(known map[string]intune.JournalRequest) (asks, waits []*device) {
	before, unclear, latest := 0, 0, time.Time{}
	for _, d := range j.fleet.list {
		request, ok := known[d.id]
		if !ok {
			d.outcome, d.detail = intune.OutcomeNotSent, "stopped before it was this device's turn; the same command goes on"
			if j.dryRun {
				d.outcome, d.detail = outcomeWouldAsk, ""
			}
			asks = append(asks, d)
			continue
		}
		before++
		first := request.Asking
		if first.Device.IsZero() {
			first = request.Asked // the first entry is in another file
		}
		d.earlier, d.outcome, d.askedAt = true, outcomeOf(request), first.Time
		d.requestID, d.clientID, d.token = request.Asked.RequestID, first.ClientRequestID, request.ResumeToken()
		d.detail = "asked in an earlier run, and not again"
		if d.outcome == intune.OutcomeUnknown {
			unclear++
			d.detail = "an earlier run ended before it knew whether the user was asked; not asked again"
		}
		if latest.Before(d.askedAt) {
			latest = d.askedAt
		}
		switch {
		case !j.wait:
		case request.Ended.Session == intune.SessionFailed:
			d.session, d.detail = sessionFailed, request.Ended.Error
		case d.token != "":
			d.session = sessionPending // until it was waited for
			waits = append(waits, d)
		default:
			d.session = sessionNone
			d.detail += "; asked without --wait, so that a new link cannot be told from an old one"
		}
	}
	if before > 0 {
		text := "The round " + j.round + " says that " + plural(before, "device") + " " + wasOrWere(before) +
			" asked before, the latest at " + latest.UTC().Format("2006-01-02 15:04 UTC")
		if unclear > 0 {
			text += fmt.Sprintf(", and %d of them perhaps", unclear)
		}
		j.say("%s. They are not asked again; a new round needs a new --round.", text)
	}
	return asks, waits
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
