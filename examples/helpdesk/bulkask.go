package main

import (
	"context"
	"errors"

	"github.com/go-intune/intune"
)

// maxAsking is how many requests are in flight, so that a service that is down is noticed before many have asked it.
const maxAsking = 4

// askAll asks the users of the devices, and does not wait for links.
func (j *job) askAll(asks []*device) {
	bar := j.bar(len(asks))
	defer bar.end()
	// Requests under way are finished after a signal, and nobody more is asked. Breaking them off would leave users of whom
	// nobody knows whether they were asked.
	for result := range j.client.RequestRemoteAssistanceMany(j.stops.hard, j.fed(asks), &intune.RequestRemoteAssistanceManyOptions{
		PerSecond: j.perSecond, Concurrency: maxAsking, Reference: j.reference, OnProgress: bar.many,
	}) {
		d := j.fleet.byID[result.Device.DeviceID()]
		j.asked(d, result.Outcome, result.Err)
		d.requestID, d.clientID = result.RequestID, result.ClientRequestID
		j.judge(d, result.Outcome, result.Err)
	}
	j.sayWhyStopped(bar)
}

// fed are the devices for as long as somebody may be asked.
func (j *job) fed(asks []*device) func(func(intune.DeviceRef) bool) {
	return func(yield func(intune.DeviceRef) bool) {
		for _, d := range asks {
			if j.feed.Err() != nil || !yield(d.ref()) {
				return
			}
		}
	}
}

// asked takes what became of a request of this run.
func (j *job) asked(d *device, outcome intune.Outcome, err error) {
	d.outcome, d.detail = outcome, ""
	entry, sent := j.memory.of(d)
	if sent {
		d.askedAt, d.requestID, d.clientID = entry.Time, entry.RequestID, entry.ClientRequestID
	}
	text, refused := refusedByRecord(err, j.memory.me)
	switch {
	case err == nil:
	case refused:
		d.outcome, d.detail, d.refused = intune.OutcomeNotSent, text, true
		if used, ok := errors.AsType[*intune.AlreadyAskedError](err); ok { // the round's own request, made by a run that was killed
			j.takeEarlier(d, &request{JournalRequest: used.Request})
		}
	case errors.Is(err, errOver):
		d.detail = errOver.Error()
	default:
		d.detail = words(err.Error())
	}
}

// judge counts failures in a row, and stops the run when it seems that the service is down or does not let the caller.
func (j *job) judge(d *device, outcome intune.Outcome, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if outcome == intune.OutcomeAccepted || d.refused || d.earlier || ofDevice(err) {
		j.inARow = 0
		return
	}
	if j.inARow++; j.giveUp > 0 && j.inARow == j.giveUp {
		j.halt(failed(exitRefused,
			"%d requests in a row failed, and not for a reason of the device, so nobody more is asked (--give-up); the last: %s",
			j.inARow, words(err.Error())))
	}
}

// ofDevice reports that an error says nothing about other devices.
func ofDevice(err error) bool {
	for _, kind := range []error{intune.ErrNotFound, intune.ErrBadRequest, intune.ErrConflict} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// sayWhyStopped tells of a run that was halted.
func (j *job) sayWhyStopped(bar *bulkProgress) {
	bar.end()
	if j.feed.Err() == nil {
		return
	}
	if s, ok := stoppedBy(j.stops.soft); ok {
		j.warn("%v; the same command goes on", s)
		return
	}
	if why, ok := j.halted(); ok {
		j.warn("%s", why.text)
	}
}

// halted is why the program itself stopped, if it did.
func (j *job) halted() (*failure, bool) {
	return errors.AsType[*failure](context.Cause(j.feed))
}
