package main

import (
	"context"
	"errors"
	"sync"

	"github.com/go-intune/intune"
)

// openAll asks and waits for the links, those of earlier runs included. The waits share the client's reads.
func (j *job) openAll(asks, waits []*device) {
	bar := j.bar(len(asks) + len(waits))
	defer bar.end()
	// A request is not broken off by a signal, a wait is: the context ends once no request is under way.
	ctx, cancel := context.WithCancel(j.stops.hard)
	defer cancel()
	defer context.AfterFunc(j.stops.soft, func() {
		select {
		case <-j.memory.finish():
		case <-j.stops.hard.Done():
		}
		cancel()
	})()
	var group sync.WaitGroup
	for _, d := range waits {
		if err := j.memory.takeOver(j.stops.soft, d.earlierRequest); err != nil {
			d.detail = words(err.Error())
			if text, ok := refusedByRecord(err, j.memory.me); ok {
				d.detail = text
			}
			if _, displaced := errors.AsType[*askedBeforeError](err); displaced {
				d.session = sessionNone // the link will be that of the later request
			}
			bar.step(d)
			continue
		}
		group.Go(func() {
			session, err := j.client.WaitForRemoteAssistance(ctx, d.token, &intune.WaitForRemoteAssistanceOptions{MaxWait: j.maxWait})
			j.continued(d, session, err)
			bar.step(d)
		})
	}
	for result := range j.client.OpenRemoteAssistanceMany(ctx, j.fed(asks), &intune.OpenRemoteAssistanceManyOptions{
		PerSecond: j.perSecond, Concurrency: maxAsking, Reference: j.reference, MaxWait: j.maxWait, OnProgress: bar.opening,
		OnRequested: func(requested intune.Requested) { // at once: a service that is down must not cost the minutes of a wait
			d := j.fleet.byID[requested.Device.DeviceID()]
			entry, _ := j.memory.of(d)
			j.judge(d, requested.Outcome, errors.New(entry.Error))
		},
	}) {
		j.opened(j.fleet.byID[result.Device.DeviceID()], result)
	}
	group.Wait() // each device has its own error
	j.sayWhyStopped(bar)
}

// opened takes the result of a request of this run.
func (j *job) opened(d *device, result intune.OpenResult) {
	entry, sent := j.memory.of(d)
	outcome := entry.Outcome
	if outcome == "" {
		outcome = intune.OutcomeUnknown
	}
	j.asked(d, outcome, result.Err)
	if !sent || outcome == intune.OutcomeRejected || outcome == intune.OutcomeNotSent {
		j.judge(d, outcome, result.Err)
		return
	}
	d.detail = ""
	j.takeSession(d, result.Session, result.Err)
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
		d.session, d.detail = sessionFailed, words(failed.Error())
	case errors.Is(err, intune.ErrSessionPending):
		d.session, d.detail = sessionPending, "no link yet; the same command goes on, and does not ask again"
		if cause := errors.Unwrap(err); cause != nil {
			d.detail += ": " + words(cause.Error())
		}
		return
	default:
		d.detail = words(err.Error())
		return
	}
	if d.outcome == intune.OutcomeUnknown { // a session has come of it
		d.outcome = intune.OutcomeAccepted
	}
}
