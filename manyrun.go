package intune

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune/internal/ratelimit"
)

// manyRun is one loop over the results of many devices: workers send, and the goroutine of the loop yields.
type manyRun struct {
	client   *Client
	ctx      context.Context //nolint:containedctx // of the loop, for all its workers
	options  RequestManyOptions
	limiter  *ratelimit.Limiter
	oneByOne atomic.Bool // the service does not take batches
	events   chan manyEvent

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

func (c *Client) newManyRun(ctx context.Context, o RequestManyOptions, yield func(RequestResult) bool) *manyRun {
	// The workers try again themselves, at the common pace. The other retry options stay, such as TryTimeout.
	once := c.retry
	once.MaxRetries = -1
	return &manyRun{
		client: c, ctx: policy.WithRetryOptions(ctx, once), options: o, yield: yield,
		limiter: ratelimit.New(o.PerSecond, o.BatchSize),
		// Room for what the workers have to tell while the input is slow. With more workers, some wait to be heard.
		events: make(chan manyEvent, min(o.Concurrency, 64)*(o.BatchSize+1)),
	}
}

// start hands devices to a worker, once there is room for one more. It reports whether the loop goes on.
func (m *manyRun) start(items []*manyItem) bool {
	for m.running == m.options.Concurrency {
		if !m.receive() {
			return false
		}
	}
	m.running++
	go func() {
		ended := manyEvent{ended: true}
		defer func() { m.events <- ended }()
		defer func() { ended.panicked = cmp.Or(ended.panicked, m.abandon(items)) }()
		defer func() { ended.panicked = recover() }() // a policy's panic is one of the loop, where the caller can recover
		m.work(items)
	}()
	return true
}

// deliver yields a result that waits, if there is one, and reports whether the loop goes on. It is called once for each
// device: so a slow input does not hold results up, and a slow body does not hold requests up.
func (m *manyRun) deliver() bool {
	for done := m.progress.Done(); len(m.events) > 0 && m.progress.Done() == done; {
		if !m.receive() {
			return false
		}
	}
	return true
}

// finish waits for the workers.
func (m *manyRun) finish() {
	for m.running > 0 {
		if !m.receive() {
			return
		}
	}
}

// receive waits for one event and reports whether the loop goes on.
func (m *manyRun) receive() bool {
	event := <-m.events
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

// work sends for devices until each has a result.
func (m *manyRun) work(items []*manyItem) {
	for len(items) > 0 {
		if len(items) > 1 && m.oneByOne.Load() {
			for _, item := range items {
				m.work([]*manyItem{item})
			}
			return
		}
		if err := m.limiter.Wait(m.ctx, len(items)); err != nil {
			for _, item := range items {
				m.end(item, item.interrupted(m.client, err))
			}
			return
		}
		sent := time.Now()
		answers := m.client.askMany(m.ctx, items)
		var pause time.Duration
		items, pause = m.judge(items, answers, sent)
		_ = ratelimit.Sleep(m.ctx, pause) // the limiter finds the end of the context too
	}
}

// judge ends the devices whose fate is known and returns those to try again, and how long they wait.
func (m *manyRun) judge(items []*manyItem, answers []manyAnswer, sent time.Time) (again []*manyItem, pause time.Duration) {
	var accepted int
	var throttled time.Duration
	for i, item := range items {
		answer := answers[i]
		item.take(answer)
		wait, verdict := m.retry(item, answer)
		switch verdict {
		case manyEnds:
			if answer.err == nil {
				accepted++
			}
			m.end(item, answer)
			continue
		case manyThrottled:
			throttled = max(throttled, wait)
		case manyAgain:
			pause = max(pause, wait)
		}
		again = append(again, item)
	}
	if answers[0].notTaken {
		m.oneByOne.Store(true)
	}
	m.limiter.Accepted(accepted)
	if throttled > 0 {
		m.limiter.Throttled(sent, throttled)
		m.events <- manyEvent{}
	}
	return again, pause
}

// end gives a device its result.
func (m *manyRun) end(item *manyItem, answer manyAnswer) {
	item.ended = true
	item.pair.identify(answer.err)
	answer.record.Left = item.left
	result := item.result(answer)
	if item.pair != nil {
		item.pair.settle(m.ctx, askedEntry(answer.record, answer.resp, answer.err))
	}
	m.events <- manyEvent{result: &result}
}

// abandon ends what a worker has left when a policy, the transport or the journal panicked, or ended its goroutine. It
// returns the first panic of the journal.
func (m *manyRun) abandon(items []*manyItem) (panicked any) {
	for _, item := range items {
		if !item.ended {
			panicked = cmp.Or(panicked, m.abandonItem(item))
		}
	}
	return panicked
}

func (m *manyRun) abandonItem(item *manyItem) (panicked any) {
	defer func() { panicked = recover() }()
	answer := item.unanswered(m.client, "", errNotReturned)
	item.take(answer)
	m.end(item, answer)
	return nil
}
