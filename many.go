package intune

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"math"
	"runtime"
	"sync/atomic"
	"time"
)

// RequestRemoteAssistanceManyOptions configures [Client.RequestRemoteAssistanceMany].
type RequestRemoteAssistanceManyOptions struct {
	// PerSecond is the pace: tries of devices a second. Zero means 5. The service allows each app 200 writes in 20 seconds,
	// which is 10 a second, and all apps of a tenant together twice that. Below zero there is no pacing, and only
	// throttling makes requests wait.
	//
	// Source: https://learn.microsoft.com/graph/throttling-limits
	PerSecond float64

	// Concurrency is how many HTTP requests are in flight at most. Zero means twice PerSecond, and at least 4, so that the
	// pace holds while an answer takes up to two seconds.
	Concurrency int

	// Reference is as in RequestRemoteAssistanceOptions, for all devices.
	Reference string

	// OnProgress, if not nil, is called before each result is yielded, and when the service throttles, in the goroutine
	// of the loop.
	OnProgress func(Progress)
}

const (
	defaultPerSecond = 5
	leastConcurrency = 4

	// mostPerSecond bounds the concurrency that follows from a pace far above what the service accepts.
	mostPerSecond = 1000
)

// withDefaults checks the options and fills them in.
func (o *RequestRemoteAssistanceManyOptions) withDefaults() (RequestRemoteAssistanceManyOptions, error) {
	var filled RequestRemoteAssistanceManyOptions
	if o != nil {
		filled = *o
	}
	switch {
	case math.IsNaN(filled.PerSecond):
		return filled, invalidArgument("options.PerSecond", "is not a number; use 0 for 5 devices a second, or less than 0 for no pacing")
	case filled.Concurrency < 0:
		return filled, invalidArgument("options.Concurrency", "is negative; use 0 for twice PerSecond")
	}
	if filled.PerSecond == 0 {
		filled.PerSecond = defaultPerSecond
	}
	if filled.Concurrency == 0 {
		filled.Concurrency = max(leastConcurrency, int(math.Ceil(2*min(filled.PerSecond, mostPerSecond))))
	}
	_, err := asking{reference: filled.Reference}.checked()
	return filled, err
}

// RequestResult is what became of one device of [Client.RequestRemoteAssistanceMany].
type RequestResult struct {
	// Device is the address as it was given.
	Device DeviceRef

	// Outcome says whether the user was asked. With OutcomeUnknown, look at the session before asking again.
	Outcome Outcome

	// Err is nil for OutcomeAccepted. Otherwise it is ErrInvalidArgument or an *Error with the device.
	Err error

	// RequestID identifies the request at Microsoft, blank when no answer came.
	RequestID string

	// ClientRequestID is the GUID under which the request was sent, the same in every try and in the journal. It is blank
	// if there was no try.
	ClientRequestID string

	// Attempts is how many tries there were, those that were refused for throttling included.
	Attempts int
}

// LogValue groups the fields for structured logs. The user of the address is left out.
func (r RequestResult) LogValue() slog.Value {
	attributes := []slog.Attr{
		slog.String("device", r.Device.redacted()), slog.String("outcome", string(r.Outcome)), slog.Int("attempts", r.Attempts),
	}
	if r.Err != nil {
		attributes = append(attributes, slog.Any("error", r.Err))
	}
	return slog.GroupValue(appendRequest(attributes, r.RequestID, r.ClientRequestID, time.Time{})...)
}

// Progress is how far a [Client.RequestRemoteAssistanceMany] or [Client.OpenRemoteAssistanceMany] has come.
type Progress struct { //nolint:recvcheck // a value, counted in place
	// Accepted, Rejected, Unknown and NotSent count the results so far by what became of the request. With
	// OpenRemoteAssistanceMany, a device counts once its wait has ended. A new link or a new error text proves that the
	// request was accepted.
	Accepted, Rejected, Unknown, NotSent int

	// Pending is how many devices were taken from the input and have no result yet.
	Pending int

	// Waiting is how many of the pending devices have been asked, or may have been, and are waited for. It is zero with
	// RequestRemoteAssistanceMany, as are Ready and Failed.
	Waiting int

	// Ready and Failed are how many of the results have a link, and how many a *SessionError. All others of Accepted and
	// Unknown have a *PendingError.
	Ready, Failed int

	// PerSecond is the pace at the moment, which throttling lowers. It is negative when there is no pacing.
	PerSecond float64

	// PausedUntil is when requests go on after the service has throttled. It is zero or past when they do not wait.
	PausedUntil time.Time
}

// Done is the number of results so far, with either method.
func (p Progress) Done() int { return p.Accepted + p.Rejected + p.Unknown + p.NotSent }

func (p *Progress) count(outcome Outcome) {
	switch outcome {
	case OutcomeAccepted:
		p.Accepted++
	case OutcomeRejected:
		p.Rejected++
	case OutcomeNotSent:
		p.NotSent++
	default:
		p.Unknown++
	}
}

// RequestRemoteAssistanceMany asks Intune to open a session on each of devices, and yields one result for each distinct
// device, in order of completion. It does not wait for links. It sends nothing before the loop begins.
//
//   - devices: the loop reads them in a goroutine of their own, at most one device ahead of what can go out. It asks each
//     device once, however often its address occurs. Only the set of addresses seen grows with the input. Use one form of
//     address: two forms of one device are two addresses, and its user is asked at both.
//   - options: may be nil.
//
// A device that the service throttles (429) is tried again, up to ten times in all: after the wait that the service asks
// for, or else after 3, 12, 27 seconds and so on, but no longer than the client's option MaxRetryDelay, which is three
// minutes by default. Nothing else is sent during that wait. The pace then halves, and recovers as requests are accepted.
//
// A device that Graph itself refuses with 503, or for which no connection can be made, is tried again as the client's
// options MaxRetries, RetryDelay and MaxRetryDelay say: by default three times, after 0.8 seconds and more, and not if the
// service asks for a wait above MaxRetryDelay. MaxRetries below zero turns all of this off. Retry options in ctx do not
// count. A request whose outcome is unknown is never sent again.
//
// The input may be slow, and it may wait for results: a result is yielded as soon as it is there. Variables that the input
// shares with the body of the loop need a lock.
//
// When ctx ends, requests in flight end with it. Each device that was not sent, the rest of the input included, has a
// result with [OutcomeNotSent]. The loop therefore goes on until the input returns, and an input that waits for something
// else should return when ctx ends. Leaving the loop early stops everything at once: requests in flight end, and only the
// journal tells their outcome. The goroutine of an input that blocks is left behind, and ends when the input yields or
// returns; no other goroutine outlives the loop. The iterator can be used once.
//
// With a journal, each device has its own entries. The span of the loop carries the first error of a device.
// OnProgress and the body of the loop run in the loop's goroutine; a panic of the input, a policy, the transport or the
// journal is raised there too. As there are many answers, policy.WithCaptureResponse on ctx captures none of them.
//
// It needs DeviceManagementManagedDevices.ReadWrite.All, and the right that [Client.RequestRemoteAssistance] names. If an
// argument cannot be used, nothing is sent, and each device has a result with [ErrInvalidArgument].
//
// Source: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-requestremoteassistance (v1.0).
func (c *Client) RequestRemoteAssistanceMany(
	ctx context.Context, devices iter.Seq[DeviceRef], options *RequestRemoteAssistanceManyOptions,
) iter.Seq[RequestResult] {
	o, refused := options.withDefaults()
	if err := c.check(ctx); err != nil {
		refused = err
	}
	var used atomic.Bool
	return func(yield func(RequestResult) bool) {
		refuse := func(device DeviceRef, why error) bool {
			return yield(RequestResult{Device: device, Outcome: OutcomeNotSent, Err: why})
		}
		if !refuseMany(devices, "RequestRemoteAssistanceMany", &used, refused, refuse) {
			c.requestMany(ctx, devices, o, yield)
		}
	}
}

// refuseMany says of each device that it was not asked, and why, if the iterator was used before, devices is nil, or there is
// another reason. It reports whether there was one.
func refuseMany(
	devices iter.Seq[DeviceRef], method string, used *atomic.Bool, why error, refuse func(DeviceRef, error) bool,
) bool {
	switch {
	case devices == nil:
		refuse(DeviceRef{}, invalidArgument("devices", "is nil; pass an iterator, such as slices.Values of a list"))
		return true
	case used.Swap(true):
		why = invalidArgument("devices", "were asked before; call "+method+" again to ask them again")
	}
	if why == nil {
		return false
	}
	input := readInput(devices)
	defer input.leave()
	for next := <-input.given; input.took(next) && refuse(next.device, why); next = <-input.given {
	}
	return true
}

// distinct yields each device once, where it occurs first.
func distinct(devices iter.Seq[DeviceRef]) iter.Seq[DeviceRef] {
	return func(yield func(DeviceRef) bool) {
		seen := map[DeviceRef]struct{}{}
		for device := range devices {
			if _, again := seen[device]; again {
				continue
			}
			seen[device] = struct{}{}
			if !yield(device) {
				return
			}
		}
	}
}

// manyInput reads devices, each once, in a goroutine of its own. It is at most one device ahead of the loop. So neither
// waits for the other: the input may take its time, or wait for results.
type manyInput struct {
	given chan manyGiven
	left  chan struct{} // closed when the loop is over
	ended bool          // of the goroutine of the loop
}

// manyGiven is a device, or the end of the input.
type manyGiven struct {
	device   DeviceRef
	ended    bool
	panicked any  // with ended
	exited   bool // with ended: by runtime.Goexit
}

func readInput(devices iter.Seq[DeviceRef]) *manyInput {
	input := &manyInput{given: make(chan manyGiven), left: make(chan struct{})}
	go input.read(devices)
	return input
}

func (i *manyInput) read(devices iter.Seq[DeviceRef]) {
	last := manyGiven{ended: true, exited: true}
	defer func() {
		if last.panicked = recover(); last.panicked != nil {
			last.exited = false
		}
		i.give(last) // to nobody, if the loop is over
	}()
	for device := range distinct(devices) {
		if !i.give(manyGiven{device: device}) {
			break
		}
	}
	last.exited = false
}

// give reports whether the loop has taken it, and not ended.
func (i *manyInput) give(next manyGiven) bool {
	select {
	case i.given <- next:
		return true
	case <-i.left:
		return false
	}
}

// took reports whether what came is a device. It raises a panic of the input, and ends the goroutine if the input did.
func (i *manyInput) took(next manyGiven) bool {
	i.ended = next.ended
	switch {
	case next.panicked != nil:
		panic(next.panicked)
	case next.exited:
		runtime.Goexit()
	}
	return !next.ended
}

// leave is called at the end of the loop. It does not wait for an input that blocks.
func (i *manyInput) leave() { close(i.left) }

// requestMany is the loop of one call of RequestRemoteAssistanceMany.
type requestMany struct {
	*manyRun

	asking asking
	yield  func(RequestResult) bool
}

func (c *Client) requestMany(
	ctx context.Context, devices iter.Seq[DeviceRef], o RequestRemoteAssistanceManyOptions, yield func(RequestResult) bool,
) {
	spanned, endSpan := c.startSpan(ctx, opRequestMany)
	working, cancel := context.WithCancel(spanned)
	m := &requestMany{manyRun: c.newManyRun(working, o), asking: asking{reference: o.Reference}, yield: yield}
	m.form = m
	defer func() { endSpan(m.failed) }()
	defer m.stop(cancel)
	m.loop(devices)
}

func (m *requestMany) room() bool { return true }

func (m *requestMany) refuse(device DeviceRef, why error) bool {
	return m.emit(RequestResult{Device: device, Outcome: OutcomeNotSent, Err: why})
}

func (m *requestMany) try(item *manyItem) manyAnswer {
	if item.run == nil {
		item.run = m.client.newRun(item.device, m.asking, nil)
	}
	return m.send(item)
}

// end gives a device its result.
func (m *requestMany) end(item *manyItem, answer manyAnswer) {
	asked := item.learn(&answer)
	result := RequestResult{
		Device: item.device, Outcome: outcomeOf(answer.record, answer.err), Err: answer.err, Attempts: item.attempts,
		RequestID: answer.ids.RequestID,
	}
	if item.attempts > 0 {
		result.ClientRequestID = cmp.Or(item.run.id(), answer.record.RequestID, item.id)
	}
	if failed, ok := errors.AsType[*Error](answer.err); ok {
		result.RequestID = failed.RequestID
	}
	defer m.events.tell(manyEvent{do: func() bool { return m.emit(result) }}) // even if the journal does not return
	item.run.settle(m.ctx, asked)
}

func (m *requestMany) emit(result RequestResult) bool {
	m.count(result.Outcome, result.Err)
	return m.yield(result)
}
