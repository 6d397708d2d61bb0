package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// sessionLife is how long after the request a link may be waited for and opened.
	sessionLife = time.Hour
	// historyLife is how long a session is in the history, and how long its key is remembered.
	historyLife = 30 * 24 * time.Hour
	// askGrace is how long a request that is on its way may hold up the end of the service.
	askGrace = 20 * time.Second
	// endGrace is how long waits may take to end with the service, which may hang on a disk.
	endGrace = 2 * time.Second
	// lookEvery is how often the desk looks for waits that were interrupted.
	lookEvery = 5 * time.Second
)

// desk asks and waits for technicians. What becomes of it is in the store; the desk has only what ends with the process.
type desk struct {
	store     store
	log       *slog.Logger
	telemetry *telemetry
	maxWait   time.Duration
	maxWaits  int
	limits    limits
	asksPace  *pace

	// signedIn, if not nil, is somebody who is signed in, with whose sign-in an interrupted wait can go on.
	signedIn func(ctx context.Context, owner string) *identity

	waits context.Context // of the goroutines that ask and wait, which outlive requests
	stop  context.CancelFunc
	asks  sync.WaitGroup // requests on their way
	goes  sync.WaitGroup // goroutines

	mu       sync.Mutex
	stopping bool
	waiting  int
	attempts map[string]*attempt  // by the id of the session
	orphans  map[string]*adoption // by owner: waits that were interrupted
}

func newDesk(sessions store, o *settings, t *telemetry, l limits, asks *pace) *desk {
	d := &desk{
		store: sessions, log: o.log, telemetry: t, maxWait: o.maxWait, maxWaits: o.maxWaits, limits: l, asksPace: asks,
		attempts: map[string]*attempt{},
	}
	d.waits, d.stop = context.WithCancel(context.Background())
	return d
}

// open begins to look after waits that were interrupted.
func (d *desk) open(ctx context.Context) {
	d.lookForOrphans(ctx)
	d.goes.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				d.lookForOrphans(d.waits)
			case <-d.waits.Done():
				return
			}
		}
	})
}

// sessionNamespace makes the ids of sessions differ from other ids of the same kind.
var sessionNamespace = uuid.MustParse("7d3ff3ac-6c8e-4b0e-9d0e-5a2b5f5c9b41")

// sessionID follows from who asks and with which key. The journal has it as the client-request-id, so that a key is known
// from the moment before anything is sent, and after a restart too.
func sessionID(owner, key string) string {
	return uuid.NewSHA1(sessionNamespace, []byte(owner+"\n"+key)).String()
}

// find is a session of an owner. Those of others do not exist for the owner.
func (d *desk) find(ctx context.Context, owner, id string) (*session, *problem) {
	s, err := d.store.get(ctx, id)
	switch {
	case err != nil:
		return nil, recordProblem(err)
	case s == nil || s.owner != owner:
		return nil, kindNotFound.with(problemExtra{})
	default:
		return s, nil
	}
}

// full is why there cannot be one more wait, nil if there can. The lock is held.
func (d *desk) full() *problem {
	switch {
	case d.stopping:
		return kindStopping.with(problemExtra{RetryAfter: time.Minute})
	case d.waiting >= d.maxWaits:
		return kindFull.with(problemExtra{RetryAfter: time.Minute})
	default:
		return nil
	}
}

// enter counts a wait, which ends with leave. The lock is held.
func (d *desk) enter() {
	d.waiting++
	d.goes.Add(1)
}

func (d *desk) leave() {
	d.mu.Lock()
	d.waiting--
	d.mu.Unlock()
	d.goes.Done()
}

// detached has what belongs to a request, such as its span and its request id, and ends with the service instead of the
// request: a caller who goes away does not change whether a user is asked.
func (d *desk) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(d.waits, cancel)
	return ctx, func() {
		forget()
		cancel()
	}
}

// close ends the service without leaving anything half-asked: no new request is begun, those that are on their way are
// awaited, and only then the waits end. What they waited for goes on after the restart.
func (d *desk) close(ctx context.Context) {
	d.mu.Lock()
	d.stopping = true
	d.mu.Unlock()
	within(ctx, askGrace, &d.asks)
	d.stop()
	within(context.WithoutCancel(ctx), endGrace, &d.goes)
}

// within waits for a group, but no longer than that.
func within(ctx context.Context, most time.Duration, group *sync.WaitGroup) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
