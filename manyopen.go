package intune

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune/internal/ratelimit"
	"github.com/go-intune/intune/internal/wait"
)

// OpenRemoteAssistanceManyOptions configures [Client.OpenRemoteAssistanceMany]. A negative duration is an
// [ErrInvalidArgument], except for MaxWait.
type OpenRemoteAssistanceManyOptions struct {
	// PerSecond is the pace of asking, as in RequestRemoteAssistanceManyOptions. The reads have a pace of their own,
	// ClientOptions.SessionReadsPerSecond.
	PerSecond float64

	// Concurrency is how many requests for remote assistance are in flight at most. Zero means twice PerSecond, and at
	// least 4. The sessions of as many more devices are read at the same time before they are asked.
	Concurrency int

	// Reference is as in RequestRemoteAssistanceOptions, for all devices.
	Reference string

	// AcceptExistingAfter is as in BeginRemoteAssistanceOptions, for each device.
	AcceptExistingAfter time.Duration

	// ConfirmWithin is as in BeginRemoteAssistanceOptions, for each device.
	ConfirmWithin time.Duration

	// MaxWait is as in OpenRemoteAssistanceOptions, for each device from its own request on.
	MaxWait time.Duration

	// MaxWaits is how many devices are waited for at a time at most, including those that are being asked. While there are
	// so many, nobody else is asked. Zero means 10,000, which need some 10 MB, and three times as much while every read fails.
	MaxWaits int

	// OnRequested, if not nil, is called once for each device whose request has been made or may have been, in the
	// goroutine of the loop, and before the device has a result. The wait goes on meanwhile. When the body leaves the loop, it
	// is called for those devices of which it has not been told yet; after a panic it is not.
	OnRequested func(Requested)

	// OnProgress, if not nil, is called before each result is yielded, after each OnRequested, and when the service
	// throttles requests, in the goroutine of the loop.
	OnProgress func(Progress)
}

const defaultMaxWaits = 10_000

// withDefaults checks the options and fills them in. It also returns those that are of either form.
func (o *OpenRemoteAssistanceManyOptions) withDefaults() (
	OpenRemoteAssistanceManyOptions, RequestRemoteAssistanceManyOptions, error,
) {
	var filled OpenRemoteAssistanceManyOptions
	if o != nil {
		filled = *o
	}
	both := &RequestRemoteAssistanceManyOptions{
		PerSecond: filled.PerSecond, Concurrency: filled.Concurrency, Reference: filled.Reference, OnProgress: filled.OnProgress,
	}
	asks, err := both.withDefaults()
	if err == nil {
		err = checkDurations(filled.AcceptExistingAfter, filled.ConfirmWithin)
	}
	if filled.MaxWaits < 0 {
		err = invalidArgument("options.MaxWaits", "is negative; use 0 for 10,000")
	}
	filled.MaxWaits = cmp.Or(filled.MaxWaits, defaultMaxWaits)
	return filled, asks, err
}

// OpenResult is what became of one device of [Client.OpenRemoteAssistanceMany].
type OpenResult struct {
	// Device is the address as it was given.
	Device DeviceRef

	// Session has the link, if Err is nil.
	Session RemoteAssistanceSession

	// Err says whether the user was asked, as the error of OpenRemoteAssistance does: with a *PendingError the user was
	// asked or may have been, and its ResumeToken goes on with the wait; with a *SessionError the user was asked, and the
	// service says why there is no session; with any other error nobody was asked.
	Err error
}

// LogValue groups the fields for structured logs. The link and the user of the address are left out.
func (r OpenResult) LogValue() slog.Value {
	device := slog.String("device", r.Device.redacted())
	if r.Err != nil {
		return slog.GroupValue(device, slog.Any("error", r.Err))
	}
	return slog.GroupValue(device, slog.Any("session", r.Session))
}

// OpenRemoteAssistanceMany asks Intune to open a session on each of devices, waits for all links, and yields one result for
// each distinct device, in order of completion: [Client.OpenRemoteAssistance] for many devices in one call. It sends nothing
// before the loop begins.
//
//   - devices: as in [Client.RequestRemoteAssistanceMany]. Each device is asked once, however often its address occurs.
//   - options: may be nil.
//
// Devices are asked, and asked again when the service throttles, as RequestRemoteAssistanceMany does it. When its turn has
// come, and before each other try, the session of a device is read. If that fails, the result has its error, and nobody was
// asked.
//
// The waits share the client's budget of reads with all other waits (ClientOptions.SessionReadsPerSecond), so that many of
// them take longer to see a link: with 500 waits, each session is read every 20 seconds. A wait is no goroutine and
// less than 2 KB. A result is yielded as soon as it is there, however slow the input is, and a slow body of the loop holds up
// no wait.
//
// When ctx ends, each device that was asked, or may have been, has a [*PendingError] with its resume token. Each that was not
// has an error that says so, the rest of the input included, so that the loop goes on until the input returns. Leaving the
// loop early stops everything at once and yields no more results: the tokens are in the journal, and OnRequested was given
// them. Only the journal survives a crash. What RequestRemoteAssistanceMany says of an input that blocks, of panics, of
// the span and of policy.WithCaptureResponse is true here too. The iterator can be used once.
//
// With a journal, each device has its own entries, and each wait that stops is told to Journal.Ended before its result is
// yielded. When the loop is left early, all of these entries together have ten seconds.
//
// It needs DeviceManagementManagedDevices.ReadWrite.All, and the right that [Client.RequestRemoteAssistance] names. If an
// argument cannot be used, nothing is sent, and each device has a result with [ErrInvalidArgument].
func (c *Client) OpenRemoteAssistanceMany(
	ctx context.Context, devices iter.Seq[DeviceRef], options *OpenRemoteAssistanceManyOptions,
) iter.Seq[OpenResult] {
	o, asks, refused := options.withDefaults()
	if err := c.check(ctx); err != nil {
		refused = err
	}
	var used atomic.Bool
	return func(yield func(OpenResult) bool) {
		refuse := func(device DeviceRef, why error) bool { return yield(OpenResult{Device: device, Err: why}) }
		if !refuseMany(devices, "OpenRemoteAssistanceMany", &used, refused, refuse) {
			c.openMany(ctx, devices, o, asks, yield)
		}
	}
}

// openMany is the loop of one call of OpenRemoteAssistanceMany. A wait is in no goroutine but while it reads or ends.
type openMany struct {
	*manyRun

	waits   OpenRemoteAssistanceManyOptions
	yield   func(OpenResult) bool
	reads   *ratelimit.Reads
	sending chan struct{}      // holds one for each request in flight
	late    context.Context    //nolint:containedctx // ends when the journal has to be told no more
	isLate  context.CancelFunc // ends it

	mu    sync.Mutex
	going map[*openWait]struct{}
	over  bool           // the context has ended
	ends  sync.WaitGroup // of the waits and of leave
}

// openWait is one wait.
type openWait struct {
	*sessionHandler

	pace *wait.Pace
	turn ratelimit.Turn
}

func (c *Client) openMany(
	ctx context.Context, devices iter.Seq[DeviceRef],
	o OpenRemoteAssistanceManyOptions, asks RequestRemoteAssistanceManyOptions, yield func(OpenResult) bool,
) {
	spanned, endSpan := c.startSpan(ctx, opOpenMany)
	working, cancel := context.WithCancel(spanned)
	m := &openMany{manyRun: c.newManyRun(working, asks), waits: o, yield: yield, reads: c.budget(), going: map[*openWait]struct{}{}}
	places := min(asks.Concurrency, mostAtOnce)
	m.form, m.workers, m.sending = m, 2*places, make(chan struct{}, places)
	m.late, m.isLate = context.WithCancel(context.WithoutCancel(spanned))
	defer m.isLate()
	defer func() { endSpan(m.failed) }()
	m.ends.Add(1)
	context.AfterFunc(working, m.leave)
	defer m.stop(cancel)
	m.loop(devices)
}

// mostAtOnce is above any concurrency that has a use.
const mostAtOnce = 1 << 20

// stop ends the workers and the waits.
func (m *openMany) stop(cancel context.CancelFunc) {
	defer time.AfterFunc(journalTimeout, m.isLate).Stop()
	m.manyRun.stop(cancel)
	m.ends.Wait()
	for _, tell := range m.unheard { // at the end, because it may panic
		tell()
	}
}

func (m *openMany) room() bool { return m.progress.Pending < m.waits.MaxWaits }

func (m *openMany) refuse(device DeviceRef, why error) bool {
	return m.emit(OpenResult{Device: device, Err: why}, OutcomeNotSent)
}

// try reads the session of a device, and then asks. A pause that began meanwhile holds for the device too.
func (m *openMany) try(item *manyItem) manyAnswer {
	for {
		if err := m.look(item); err != nil {
			return manyAnswer{err: err, final: true}
		}
		select {
		case m.sending <- struct{}{}:
		case <-m.ctx.Done():
			return item.interrupted(m.client, m.ctx.Err())
		}
		if _, paused := m.limiter.State(); time.Until(paused) <= 0 {
			break
		}
		<-m.sending
		if err := m.limiter.Wait(m.ctx); err != nil {
			return item.interrupted(m.client, err)
		}
	}
	defer func() { <-m.sending }()
	return m.send(item)
}

// look reads what is there before the request. Once a journal has the request, it is the journal's run that looks again.
func (m *openMany) look(item *manyItem) error {
	if item.run != nil && item.attempts > 0 {
		return nil
	}
	ctx := policy.WithCaptureResponse(m.ctx, new(*http.Response)) // as in send
	before, err := m.client.look(ctx, item.device, m.waits.AcceptExistingAfter, m.waits.ConfirmWithin, item.wait)
	if err != nil {
		return err
	}
	item.wait = before
	item.run = m.client.newRun(item.device, asking{reference: m.waits.Reference, waits: true}, before)
	return nil
}

// end begins the wait for a device whose user was asked or may have been, and gives any other device its result.
func (m *openMany) end(item *manyItem, answer manyAnswer) {
	asked := item.learn(&answer)
	defer m.ended(item, answer) // even if the journal does not return
	item.run.settle(m.ctx, asked)
}

// ended is end once the journal knows.
func (m *openMany) ended(item *manyItem, answer manyAnswer) {
	if answer.err != nil && (item.wait == nil || item.wait.refused == nil) {
		result := OpenResult{Device: item.device, Err: answer.err}
		m.events.tell(manyEvent{do: func() bool { return m.emit(result, outcomeOf(answer.record, answer.err)) }})
		return
	}
	tell := func() {}
	if m.waits.OnRequested != nil {
		requested := item.wait.requested()
		tell = func() { m.waits.OnRequested(requested) }
	}
	m.events.tell(manyEvent{late: tell, do: func() bool {
		m.progress.Waiting++
		tell()
		return m.report()
	}})
	m.begin(item.wait)
}

func (m *openMany) emit(result OpenResult, outcome Outcome) bool {
	_, failed := errors.AsType[*SessionError](result.Err)
	switch {
	case failed:
		m.progress.Failed++
	case result.Err == nil:
		m.progress.Ready++
	}
	m.count(outcome, result.Err)
	return m.yield(result)
}

func (m *openMany) begin(handler *sessionHandler) {
	w := &openWait{sessionHandler: handler, pace: handler.newPace(m.waits.MaxWait, 0)}
	w.pace.Plan(0, handler.retryAfter) // of the read before the request
	w.turn.Go = func(read bool) { go m.goOn(w, read) }
	m.ends.Add(1)
	m.mu.Lock()
	m.going[w] = struct{}{}
	m.mu.Unlock()
	m.goOnLater(w)
}

// goOnLater gives a wait its next turn, unless the context has ended, which ends the wait.
func (m *openMany) goOnLater(w *openWait) {
	m.mu.Lock()
	over := m.over
	if !over {
		m.reads.Schedule(&w.turn, w.next(w.pace))
	}
	m.mu.Unlock()
	if over {
		m.finish(w, w.pending(m.ctx.Err()), nil)
	}
}

// goOn is a turn of a wait.
func (m *openMany) goOn(w *openWait, read bool) {
	returned := false
	defer func() {
		if panicked := recover(); !returned {
			m.finish(w, w.pending(errLeft), panicked)
		}
	}()
	ctx := policy.WithCaptureResponse(m.ctx, new(*http.Response)) // as in send
	over, left := w.step(ctx, w.pace, m.reads, read)
	returned = true
	if over {
		m.finish(w, left, nil)
	} else {
		m.goOnLater(w)
	}
}

// finish ends a wait: it tells the journal, and then the loop. A journal that does not return may have wanted to withhold
// the link.
func (m *openMany) finish(w *openWait, left error, panicked any) {
	defer m.ends.Done()
	result, outcome := OpenResult{Device: w.device, Err: cmp.Or(w.failure, left, error(w.pending(errLeft)))}, w.outcome()
	defer func() {
		panicked = cmp.Or(recover(), panicked)
		m.events.tell(manyEvent{panicked: panicked, do: func() bool {
			m.progress.Waiting--
			return m.emit(result, outcome)
		}})
	}()
	m.mu.Lock()
	delete(m.going, w)
	m.mu.Unlock()
	ctx, cancel := journalContext(m.ctx)
	defer cancel()
	defer context.AfterFunc(m.late, cancel)()
	w.endWithin(ctx, left)
	result.Session, result.Err = w.result(left)
}

// leavers is how many waits that are left tell the journal at the same time.
const leavers = 16

// leave ends the waits when the context has ended. Those that read at the moment end by themselves.
func (m *openMany) leave() {
	defer m.ends.Done()
	m.mu.Lock()
	m.over = true
	var left []*openWait
	for w := range m.going {
		if m.reads.Cancel(&w.turn) {
			left = append(left, w)
		}
	}
	m.mu.Unlock()
	places := make(chan struct{}, leavers)
	for _, w := range left {
		places <- struct{}{}
		go func() { // of its own, which the journal may end
			defer func() { <-places }()
			m.finish(w, w.pending(m.ctx.Err()), nil)
		}()
	}
}
