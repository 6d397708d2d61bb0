package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-intune/intune"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// The service allows an app 2,000 reads in 20 seconds. A wait that reads every 15 seconds takes 1.3 of them; 500 waits,
// with the first read of each, take some 800, and leave the rest to others.
const (
	maxWaits    = 500
	slowReads   = 15 * time.Second
	throttleMax = 10 // tries of a device that the service throttles
)

// openAll asks and waits for the links, those of earlier runs included.
func (j *job) openAll(asks, waits []*device) {
	bar := j.bar(len(asks) + len(waits))
	defer bar.end()
	var group errgroup.Group
	group.SetLimit(maxWaits)
	pace := newGate(j.perSecond)
	frequency := j.connection.test.frequency
	if frequency == 0 && len(asks)+len(waits) > manyLookups {
		frequency = slowReads
	}
	for _, d := range waits {
		if j.feed.Err() != nil {
			break
		}
		group.Go(func() error {
			session, err := j.client.WaitForRemoteAssistance(j.stops.soft, d.token, &intune.WaitForRemoteAssistanceOptions{
				MaxWait: j.maxWait, Frequency: frequency,
			})
			j.continued(d, session, err)
			bar.step(d)
			return nil
		})
	}
	for _, d := range asks {
		if pace.enter(j.feed) != nil {
			break
		}
		group.Go(func() error {
			session, err := j.open(d, pace, bar, frequency)
			j.opened(d, session, err)
			bar.step(d)
			return nil
		})
	}
	_ = group.Wait() // each device has its own error
	j.sayWhyStopped(bar)
}

// open asks the user of a device and waits for the link; the gate was entered for it. Until the request is made it ends with
// hard, and then with soft: a request is not broken off, a wait is.
func (j *job) open(d *device, pace *gate, bar *bulkProgress, frequency time.Duration) (intune.RemoteAssistanceSession, error) {
	for try := 1; ; try++ {
		ctx, cancel := context.WithCancel(j.stops.hard)
		leave := sync.OnceFunc(pace.leave)
		requested, forget := false, func() bool { return false }
		session, err := j.client.OpenRemoteAssistance(ctx, d.ref(), &intune.OpenRemoteAssistanceOptions{
			MaxWait: j.maxWait, Frequency: frequency,
			OnRequested: func(intune.Requested) {
				requested = true
				forget = context.AfterFunc(j.stops.soft, cancel)
				j.judgeRequest(d, pace)
				bar.request()
				leave()
			},
		})
		forget() // or soft would keep it until the program ends
		cancel()
		throttled, isThrottled := errors.AsType[*intune.Error](err)
		isThrottled = isThrottled && !requested && errors.Is(err, intune.ErrThrottled)
		if isThrottled {
			bar.throttled(pace.throttled(throttled.RetryAfter, try))
		}
		if !requested && (!isThrottled || try == throttleMax) {
			j.judge(intune.OutcomeRejected, err)
		}
		leave()
		if !isThrottled || try == throttleMax || pace.enter(j.feed) != nil {
			return session, err
		}
	}
}

// judgeRequest looks at a request at once, and not when the wait for its link is over: a service that is down must not cost
// the minutes of a wait.
func (j *job) judgeRequest(d *device, pace *gate) {
	entry, _ := j.memory.of(d)
	if entry.Outcome == intune.OutcomeAccepted {
		pace.accepted()
	}
	j.judge(entry.Outcome, errors.New(entry.Error))
}

// opened takes the result of a request of this run.
func (j *job) opened(d *device, session intune.RemoteAssistanceSession, err error) {
	entry, _ := j.memory.of(d)
	d.askedAt, d.requestID, d.clientID = entry.Time, entry.RequestID, entry.ClientRequestID
	d.outcome, d.detail = entry.Outcome, ""
	if d.outcome == "" {
		d.outcome = intune.OutcomeUnknown
	}
	j.takeSession(d, session, err)
}

// continued takes the result of a wait for the link of a request of an earlier run.
func (j *job) continued(d *device, session intune.RemoteAssistanceSession, err error) {
	d.session = sessionNone
	j.takeSession(d, session, err)
}

func (j *job) takeSession(d *device, session intune.RemoteAssistanceSession, err error) {
	failed, isFailed := errors.AsType[*intune.SessionError](err)
	switch {
	case err == nil:
		d.session, d.link, d.detail = sessionLink, session.URL, ""
	case isFailed:
		d.session, d.detail = sessionFailed, failed.Error()
	case errors.Is(err, intune.ErrSessionPending):
		d.session, d.detail = sessionPending, "no link yet; the same command goes on, and does not ask again: "+err.Error()
		return
	default:
		d.detail = err.Error()
		return
	}
	if d.outcome == intune.OutcomeUnknown { // a session has come of it
		d.outcome = intune.OutcomeAccepted
	}
}

// gate spaces the requests of -wait as RequestRemoteAssistanceMany does those of its own: when the service throttles, all
// wait, and the pace halves and recovers.
type gate struct {
	limiter *rate.Limiter
	most    rate.Limit
	slots   chan struct{} // for those who ask

	mu     sync.Mutex
	paused time.Time
}

func newGate(perSecond float64) *gate {
	return &gate{limiter: rate.NewLimiter(rate.Limit(perSecond), 1), most: rate.Limit(perSecond), slots: make(chan struct{}, maxAsking)}
}

// enter is over when a request may go out. Each one leaves when it has.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := g.wait(ctx)
	if err != nil {
		g.leave()
	}
	return err
}

func (g *gate) leave() { <-g.slots }

func (g *gate) wait(ctx context.Context) error {
	for {
		if err := g.limiter.Wait(ctx); err != nil {
			return err
		}
		g.mu.Lock()
		left := time.Until(g.paused)
		g.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// throttled is for a try that was refused. It says when requests go on.
func (g *gate) throttled(after time.Duration, try int) time.Time {
	if after <= 0 {
		after = min(time.Duration(3*try*try)*time.Second, 3*time.Minute)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if !now.Before(g.paused) { // those that were under way together halve it once
		g.limiter.SetLimit(max(g.limiter.Limit()/2, g.most/32))
	}
	if until := now.Add(after); until.After(g.paused) {
		g.paused = until
	}
	return g.paused
}

func (g *gate) accepted() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limiter.SetLimit(min(g.limiter.Limit()+g.most/100, g.most))
}
