package intune

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/uuid"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/ratelimit"
)

// manyRun is one loop over the results of many devices: workers send, and the goroutine of the loop yields.
type manyRun struct {
	client  *Client
	ctx     context.Context //nolint:containedctx // of the loop, for all its workers
	options RequestRemoteAssistanceManyOptions
	limiter *ratelimit.Limiter
	events  chan manyEvent

	// Of the goroutine of the loop:
	yield    func(RequestResult) bool
	running  int // workers
	progress Progress
	failed   error // the first
}

// manyEvent is what a worker tells the loop: a result, its end, or, if neither, that it was throttled.
type manyEvent struct {
	result   *RequestResult
	ended    bool
	panicked any // with ended
}

func (c *Client) newManyRun(ctx context.Context, o RequestRemoteAssistanceManyOptions, yield func(RequestResult) bool) *manyRun {
	return &manyRun{
		client: c, ctx: c.once(ctx) /* the workers try again themselves, at the common pace */, options: o, yield: yield,
		limiter: ratelimit.New(o.PerSecond),
		// Room for what the workers have to tell while the body of the loop is slow. With more workers, some wait to be heard.
		events: make(chan manyEvent, 2*min(o.Concurrency, 64)),
	}
}

// ask hands a device to a worker, for which there is room. It reports whether the loop goes on.
func (m *manyRun) ask(device DeviceRef) bool {
	m.progress.Pending++
	if err := device.check(); err != nil {
		return m.emit(RequestResult{Device: device, Outcome: OutcomeNotSent, Err: err})
	}
	m.running++
	item := m.client.newManyItem(device, asking{reference: m.options.Reference})
	go func() {
		ended := manyEvent{ended: true}
		defer func() { m.events <- ended }()
		defer func() { ended.panicked = cmp.Or(ended.panicked, m.abandon(item)) }()
		defer func() { ended.panicked = recover() }() // a policy's panic is one of the loop, where the caller can recover
		m.work(item)
	}()
	return true
}

// receive reports whether the loop goes on after an event.
func (m *manyRun) receive(event manyEvent) bool {
	switch {
	case event.ended:
		m.running--
		if event.panicked != nil {
			panic(event.panicked)
		}
	case event.result != nil:
		return m.emit(*event.result)
	default:
		m.report()
	}
	return true
}

func (m *manyRun) emit(result RequestResult) bool {
	m.progress.Pending--
	m.progress.count(result.Outcome)
	m.failed = cmp.Or(m.failed, result.Err)
	m.report()
	return m.yield(result)
}

func (m *manyRun) report() {
	if m.options.OnProgress != nil {
		m.progress.PerSecond, m.progress.PausedUntil = m.limiter.State()
		m.options.OnProgress(m.progress)
	}
}

// stop ends the workers and waits for them.
func (m *manyRun) stop(cancel context.CancelFunc) {
	cancel()
	for m.running > 0 {
		if event := <-m.events; event.ended {
			m.running--
		}
	}
}

// work sends for a device until it has a result.
func (m *manyRun) work(item *manyItem) {
	for {
		if err := m.limiter.Wait(m.ctx); err != nil {
			m.end(item, item.interrupted(m.client, err))
			return
		}
		sent := time.Now()
		answer := m.client.try(m.ctx, item)
		wait, verdict := m.retry(item, answer)
		switch verdict {
		case manyEnds:
			if answer.err == nil {
				m.limiter.Accepted()
			}
			m.end(item, answer)
			return
		case manyThrottled:
			m.limiter.Throttled(sent, wait)
			m.events <- manyEvent{}
		case manyAgain:
			_ = ratelimit.Sleep(m.ctx, wait) // the limiter finds the end of the context too
		}
	}
}

// end gives a device its result.
func (m *manyRun) end(item *manyItem, answer manyAnswer) {
	item.ended = true
	item.run.identify(answer.err)
	answer.record.Left = item.left
	result := item.result(answer)
	if item.run != nil {
		item.run.settle(m.ctx, askedEntry(answer.record, answer.ids, answer.resp, answer.err))
	}
	m.events <- manyEvent{result: &result}
}

// abandon ends what a worker has left when a policy, the transport or the journal panicked, or ended its goroutine. It
// returns the panic of the journal, if there is one.
func (m *manyRun) abandon(item *manyItem) (panicked any) {
	if item.ended {
		return nil
	}
	defer func() { panicked = recover() }()
	record := graphpolicy.Record{Verdict: graphpolicy.Open, RequestID: item.id}
	answer := manyAnswer{record: record, err: m.client.newError(m.client.newAsk(item.device, item.id), record, nil, errNotReturned)}
	item.take(answer)
	m.end(item, answer)
	return nil
}

// manyItem is one device on its way to a result.
type manyItem struct {
	device   DeviceRef
	id       string // client-request-id of all tries
	run      *journalRun
	attempts int
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
}

func (c *Client) newManyItem(device DeviceRef, a asking) *manyItem {
	return &manyItem{device: device, id: uuid.NewString(), run: c.newRun(device, a, nil)}
}

// take remembers a try.
func (i *manyItem) take(answer manyAnswer) {
	i.left = i.left || answer.record.Left
	i.attempts++
	i.last = &answer
}

// interrupted is the answer for a device when the context ends before its next try.
func (i *manyItem) interrupted(c *Client, err error) manyAnswer {
	if i.last != nil {
		return *i.last
	}
	return manyAnswer{err: c.newError(c.newAsk(i.device, i.id), graphpolicy.Record{}, nil, err)}
}

// errNotReturned is for a try that a panic ended.
var errNotReturned = errors.New("the transport or a policy did not return")

// result is what the caller gets.
func (i *manyItem) result(answer manyAnswer) RequestResult {
	result := RequestResult{Device: i.device, Outcome: outcomeOf(answer.record, answer.err), Err: answer.err, Attempts: i.attempts}
	if i.attempts > 0 {
		result.ClientRequestID = cmp.Or(i.run.id(), answer.record.RequestID, i.id)
	}
	if failed, ok := errors.AsType[*Error](answer.err); ok {
		result.RequestID = failed.RequestID
	} else {
		result.RequestID = answer.ids.RequestID
	}
	return result
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
	switch {
	case !ok || m.client.retry.MaxRetries < 0:
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

// try sends once.
func (c *Client) try(ctx context.Context, item *manyItem) manyAnswer {
	// With a response of its own, since requests at the same time must not write to the caller's.
	ctx = policy.WithCaptureResponse(ctx, new(*http.Response))
	r := c.newAsk(item.device, item.id)
	resp, err := c.ask(ctx, r, item.run)
	answer := manyAnswer{resp: resp, ids: r.ids, record: r.record, err: err}
	item.take(answer)
	return answer
}
