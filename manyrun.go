package intune

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/uuid"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/ratelimit"
)

// manyRun is one loop over many devices: workers ask them, and the goroutine of the loop does what it is told.
type manyRun struct {
	client  *Client
	ctx     context.Context //nolint:containedctx // of the loop, for all its workers
	form    manyForm
	options RequestRemoteAssistanceManyOptions // of either form
	workers int                                // at most
	limiter *ratelimit.Limiter
	events  manyEvents

	// Of the goroutine of the loop:
	running  int // workers
	progress Progress
	failed   error // the first
	returned bool  // the loop, without a panic
	unheard  []func()
}

// manyForm is what the two loops over many devices do in ways of their own.
type manyForm interface {
	// try asks a device whose turn has come. It is called in a worker.
	try(item *manyItem) manyAnswer

	// end is called in a worker when a device goes to nobody again.
	end(item *manyItem, answer manyAnswer)

	// refuse is called in the loop for a device that can't be asked. It reports whether the loop goes on.
	refuse(device DeviceRef, why error) bool

	// room reports whether there is room for another device. It is called in the loop.
	room() bool
}

// manyEvent is what a worker or a wait tells the loop.
type manyEvent struct {
	do       func() bool // in the goroutine of the loop, if not nil; it reports whether the loop goes on
	late     func()      // instead of do, if not nil, once the body has left the loop without a panic
	ended    bool        // by a worker: that it has ended
	panicked any
}

// manyEvents is what the loop was told and has not heard yet, in order. Nobody waits to be heard: a slow body of the loop
// holds up no worker and no wait.
type manyEvents struct {
	mu   sync.Mutex
	list []manyEvent
	more chan struct{} // holds one if the list has grown since somebody looked
}

func (e *manyEvents) tell(event manyEvent) {
	e.mu.Lock()
	e.list = append(e.list, event)
	e.mu.Unlock()
	select {
	case e.more <- struct{}{}:
	default:
	}
}

// next takes the oldest event, if there is one.
func (e *manyEvents) next() (event manyEvent, told bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.list) == 0 {
		return event, false
	}
	event, e.list[0] = e.list[0], manyEvent{}
	e.list = e.list[1:]
	return event, true
}

func (c *Client) newManyRun(ctx context.Context, o RequestRemoteAssistanceManyOptions) *manyRun {
	return &manyRun{
		client: c, ctx: policy.WithRetryOptions(ctx, c.retry), options: o, workers: o.Concurrency,
		limiter: ratelimit.New(o.PerSecond), events: manyEvents{more: make(chan struct{}, 1)},
	}
}

// loop asks devices. Its goroutine is the only one that yields.
func (m *manyRun) loop(devices iter.Seq[DeviceRef]) {
	input := readInput(devices)
	defer input.leave()
	for goesOn := true; goesOn && (m.running+m.progress.Waiting > 0 || !input.ended); {
		if event, told := m.events.next(); told {
			goesOn = m.receive(event)
			continue
		}
		given := input.given
		if m.running >= m.workers || !m.form.room() {
			given = nil
		}
		select {
		case next := <-given:
			if input.took(next) {
				goesOn = m.ask(next.device)
			}
		case <-m.events.more:
		}
	}
	m.returned = true
}

// ask hands a device to a worker, for which there is room. It reports whether the loop goes on.
func (m *manyRun) ask(device DeviceRef) bool {
	m.progress.Pending++
	if err := device.check(); err != nil {
		return m.form.refuse(device, err)
	}
	m.running++
	item := &manyItem{device: device, id: uuid.NewString()}
	go func() {
		ended := manyEvent{ended: true}
		defer func() { m.events.tell(ended) }()
		defer func() { ended.panicked = cmp.Or(ended.panicked, m.abandon(item)) }()
		defer func() { ended.panicked = recover() }() // a policy's panic is one of the loop, where the caller can recover
		m.work(item)
	}()
	return true
}

// receive reports whether the loop goes on after an event.
func (m *manyRun) receive(event manyEvent) bool {
	if event.ended {
		m.running--
	}
	if event.do != nil && !event.do() {
		return false
	}
	if event.panicked != nil {
		panic(event.panicked)
	}
	return true
}

// count takes a result into the progress.
func (m *manyRun) count(outcome Outcome, err error) {
	m.progress.Pending--
	m.progress.count(outcome)
	m.failed = cmp.Or(m.failed, err)
	m.report()
}

// report calls OnProgress, and lets the loop go on.
func (m *manyRun) report() bool {
	if m.options.OnProgress != nil {
		m.progress.PerSecond, m.progress.PausedUntil = m.limiter.State()
		m.options.OnProgress(m.progress)
	}
	return true
}

// stop ends the workers and waits for them.
func (m *manyRun) stop(cancel context.CancelFunc) {
	cancel()
	for m.running > 0 {
		event, told := m.events.next()
		switch {
		case !told:
			<-m.events.more
		case event.ended:
			m.running--
		case event.late != nil && m.returned:
			m.unheard = append(m.unheard, event.late)
		}
	}
}

// work asks a device until it has a result.
func (m *manyRun) work(item *manyItem) {
	for {
		if err := m.limiter.Wait(m.ctx); err != nil {
			m.form.end(item, item.interrupted(m.client, err))
			return
		}
		answer := m.form.try(item)
		wait, verdict := m.retry(item, answer)
		switch verdict {
		case manyEnds:
			if answer.err == nil {
				m.limiter.Accepted()
			}
			m.form.end(item, answer)
			return
		case manyThrottled:
			m.limiter.Throttled(answer.sent, wait)
			m.events.tell(manyEvent{do: m.report})
		case manyAgain:
			_ = ratelimit.Sleep(m.ctx, wait) // the limiter finds the end of the context too
		}
	}
}

// abandon ends what a worker has left when a policy, the transport or the journal panicked, or ended its goroutine. It
// returns the panic of the journal, if there is one.
func (m *manyRun) abandon(item *manyItem) (panicked any) {
	if item.ended {
		return nil
	}
	defer func() { panicked = recover() }()
	if !item.sending || !item.run.recorded() {
		m.form.end(item, item.interrupted(m.client, errNotReturned))
		return nil
	}
	record := graphpolicy.Record{Verdict: graphpolicy.Open, RequestID: item.id}
	answer := manyAnswer{err: m.client.newError(m.client.newAsk(item.device, item.id), record, nil, errNotReturned)}
	item.take(answer)
	m.form.end(item, answer)
	return nil
}

// manyItem is one device on its way to a result.
type manyItem struct {
	device   DeviceRef
	id       string // client-request-id of all tries
	run      *journalRun
	wait     *sessionHandler // of the wait that follows, nil for none
	attempts int
	sending  bool // a try is under way
	left     bool // in one of them
	last     *manyAnswer
	ended    bool
}

// manyAnswer is what one try has come to for one device. Without an error, the service has accepted.
type manyAnswer struct {
	resp   *http.Response
	ids    graphcall.IDs
	record graphpolicy.Record
	err    error
	sent   time.Time // when the try began
	final  bool      // whatever it is, there is no other try
}

// take remembers a try.
func (i *manyItem) take(answer manyAnswer) {
	i.left = i.left || answer.record.Left
	i.sending = false
	i.attempts++
	i.last = &answer
}

// interrupted is the answer for a device when the context ends before its next try.
func (i *manyItem) interrupted(c *Client, err error) manyAnswer {
	answer := manyAnswer{err: c.newError(c.newAsk(i.device, i.id), graphpolicy.Record{}, nil, err)}
	if i.last != nil {
		answer = *i.last
	}
	answer.final = true
	return answer
}

// errNotReturned is for a try that a panic ended, or the end of its goroutine.
var errNotReturned = errors.New("the transport, a policy or the journal did not return")

// learn tells the wait what became of a device, and returns what the journal has to be told.
func (i *manyItem) learn(answer *manyAnswer) JournalEntry {
	i.ended = true
	answer.record.Left = i.left
	return i.run.learn(i.wait, answer.record, answer.ids, answer.resp, answer.err)
}

// manyVerdict is what comes after a try.
type manyVerdict uint8

const (
	manyEnds manyVerdict = iota
	manyAgain
	manyThrottled
)

const (
	throttledTries = 10
	unsentTries    = 4 // azcore's default
	firstRetry     = 800 * time.Millisecond
)

// retry says whether a device goes again after a try, and how long it waits.
func (m *manyRun) retry(item *manyItem, answer manyAnswer) (wait time.Duration, verdict manyVerdict) {
	failed, ok := errors.AsType[*Error](answer.err)
	if !ok || answer.final || m.client.retry.MaxRetries < 0 {
		return wait, manyEnds
	}
	outcome, n := outcomeOf(answer.record, failed), item.attempts
	tries := unsentTries
	if most := m.client.retry.MaxRetries; most > 0 {
		tries = 1 + int(most)
	}
	switch {
	case outcome == OutcomeRejected && errors.Is(failed, ErrThrottled):
		if n < throttledTries {
			// Without a Retry-After, what Microsoft asks of its own clients.
			wait = cmp.Or(failed.RetryAfter, time.Duration(3*n*n)*time.Second)
			if most := m.client.retry.MaxRetryDelay; most >= 0 {
				wait = min(wait, most) // the others wait too, and would do so for as long as a broken header says
			}
			return wait, manyThrottled
		}
	case n >= tries:
	case outcome == OutcomeRejected && failed.StatusCode == http.StatusServiceUnavailable,
		outcome == OutcomeNotSent && isNetworkError(answer):
		if most := m.client.retry.MaxRetryDelay; most < 0 || failed.RetryAfter <= most {
			return max(failed.RetryAfter, m.client.retryDelay(n)), manyAgain
		}
	}
	return wait, manyEnds
}

// retryDelay is the wait after the nth try, as azcore's options give it.
func (c *Client) retryDelay(n int) time.Duration {
	delay, most := max(cmp.Or(c.retry.RetryDelay, firstRetry), 0), c.retry.MaxRetryDelay
	if most < 0 {
		most = 24 * time.Hour
	}
	for range n - 1 {
		delay = min(2*delay, most)
	}
	return min(delay, most)
}

// isNetworkError reports whether it was the network that kept a request from leaving.
func isNetworkError(answer manyAnswer) bool {
	_, network := errors.AsType[net.Error](answer.err)
	return network && answer.record.Token == nil && answer.record.Stopped == nil
}

// send makes one try.
func (m *manyRun) send(item *manyItem) manyAnswer {
	// With a response of its own, since requests at the same time must not write to the caller's.
	ctx := policy.WithCaptureResponse(m.ctx, new(*http.Response))
	r := m.client.newAsk(item.device, item.id)
	r.Before = item.run.before(ctx)
	item.sending = true
	sent := time.Now()
	resp, err := m.client.ask(m.client.once(ctx) /* the workers try again themselves, at the common pace */, r)
	answer := manyAnswer{resp: resp, ids: r.ids, record: r.record, err: err, sent: sent}
	item.take(answer)
	return answer
}
