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
	devices := func(yield func(intune.DeviceRef) bool) {
		for _, d := range asks {
			if j.feed.Err() != nil || !yield(d.ref()) {
				return
			}
		}
	}
	for result := range j.client.RequestRemoteAssistanceMany(j.stops.hard, devices, &intune.RequestRemoteAssistanceManyOptions{
		PerSecond: j.perSecond, Concurrency: maxAsking, OnProgress: bar.many,
	}) {
		d := j.fleet.byID[result.Device.DeviceID()]
		d.outcome, d.requestID, d.clientID, d.detail = result.Outcome, result.RequestID, result.ClientRequestID, ""
		if entry, ok := j.memory.of(d); ok {
			d.askedAt = entry.Time
		}
		if result.Err != nil {
			d.detail = result.Err.Error()
		}
		j.judge(result.Outcome, result.Err)
	}
	j.sayWhyStopped(bar)
}

// judge counts failures in a row, and stops the run when it seems that the service is down or does not let the caller.
func (j *job) judge(outcome intune.Outcome, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if outcome == intune.OutcomeAccepted || ofDevice(err) {
		j.inARow = 0
		return
	}
	if j.inARow++; j.giveUp > 0 && j.inARow == j.giveUp {
		j.halt(failed(exitRefused,
			"%d requests in a row failed, and not for a reason of the device, so nobody more is asked (--give-up); the last: %v",
			j.inARow, err))
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
