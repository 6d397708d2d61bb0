package main

import (
	"context"
	"errors"
	"time"

	"github.com/go-intune/intune"
)

const (
	// findLinkWithin is how long a technician waits for a link that is there already.
	findLinkWithin = 15 * time.Second
	// lookAgainAfter is how long after a read that did not show the link the next one is. Some of the servers that answer
	// lag behind.
	lookAgainAfter = 2 * time.Second
	linkReads      = 3
)

// takeLink hands out the link of a session, once. It is on no disk: it is read again, and must still be the one that came.
// That it was handed out is recorded before, so that a restart does not change it.
func (d *desk) takeLink(ctx context.Context, who *identity, s *session) (intune.SessionURL, *problem) {
	switch s.at(time.Now()) {
	case stateReady:
	case stateOpened:
		return intune.SessionURL{}, kindOpened.with(problemExtra{})
	default:
		return intune.SessionURL{}, kindNotReady.with(problemExtra{})
	}
	link, p := readLink(ctx, who, s)
	if p != nil {
		return intune.SessionURL{}, p
	}
	err := d.store.open(ctx, s.id, link)
	switch {
	case err == nil:
		d.log.InfoContext(ctx, "session", "session", s.id, "device", s.device.DeviceID(), "state", string(stateOpened),
			"who", s.owner, "requestId", requestIDOf(ctx))
		return link, nil
	case errors.Is(err, errOpened):
		return intune.SessionURL{}, kindOpened.with(problemExtra{})
	case errors.Is(err, errNotReady):
		return intune.SessionURL{}, kindNotReady.with(problemExtra{})
	default:
		return intune.SessionURL{}, recordProblem(err)
	}
}

// readLink reads the link that the device has, a few times if it is not that of the session.
func readLink(ctx context.Context, who *identity, s *session) (link intune.SessionURL, p *problem) {
	ctx, cancel := context.WithTimeout(ctx, findLinkWithin)
	defer cancel()
	if s.token != "" {
		return findLink(ctx, who, s.token)
	}
	for reads := 1; ; reads++ {
		got, err := who.client.GetRemoteAssistanceSession(ctx, s.device, nil)
		if err != nil {
			return intune.SessionURL{}, problemFrom(err)
		}
		if reads == linkReads || !got.URL.IsZero() && isLink(s.linkHash, got.URL) {
			return got.URL, nil
		}
		if err := pauseFor(ctx, lookAgainAfter); err != nil {
			return intune.SessionURL{}, kindUnavailable.because(err)
		}
	}
}

// findLink reads the link of a session whose copy died before it kept the hash. The token knows the links from before the
// request, which a server that lags behind may still show. A link that is not found stays one to look for.
func findLink(ctx context.Context, who *identity, token string) (intune.SessionURL, *problem) {
	ctx = context.WithValue(ctx, lookingKey{}, true)
	got, err := who.client.WaitForRemoteAssistance(ctx, token, &intune.WaitForRemoteAssistanceOptions{
		MaxAge: sessionLife, MaxWait: (linkReads - 1) * lookAgainAfter, Frequency: lookAgainAfter,
	})
	pending, ok := errors.AsType[*intune.PendingError](err)
	_, failed := errors.AsType[*intune.SessionError](err)
	switch {
	case err == nil:
		return got.URL, nil
	case failed, ok && pending.Unwrap() == nil: // Intune answers, and shows no link of the request
		return intune.SessionURL{}, kindNotReady.with(problemExtra{})
	default:
		return intune.SessionURL{}, problemFrom(err)
	}
}

// lookingKey marks the context of a wait whose end the store knows already.
type lookingKey struct{}
