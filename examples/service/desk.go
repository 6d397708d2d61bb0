package main

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-intune/intune"
	"github.com/google/uuid"
)

const (
	// sessionLife is how long after the request a link may be waited for and opened.
	sessionLife = time.Hour
	// historyLife is how long a session is in the history, and how long its key is remembered.
	historyLife = 30 * 24 * time.Hour
	// askGrace is how long a request that is on its way may hold up the end of the service.
	askGrace = 20 * time.Second
)

// desk keeps the sessions. The journal on disk has what must not be forgotten; everything else is in memory.
type desk struct {
	record    *record
	log       *slog.Logger
	telemetry *telemetry
	maxWait   time.Duration
	maxWaits  int

	waits context.Context // of the goroutines that ask and wait, which outlive requests
	stop  context.CancelFunc
	asks  sync.WaitGroup // requests on their way
	goes  sync.WaitGroup // goroutines

	mu       sync.Mutex
	stopping bool
	waiting  int
	byID     map[string]*oldSession
	byDevice map[string][]*oldSession // in the order of asking
	byOwner  map[string][]*oldSession
	orphans  map[string]int // waits of an owner that a restart interrupted
	pace     *askPace
}

func newDesk(rec *record, log *slog.Logger, t *telemetry, maxWait time.Duration, maxWaits int) *desk {
	d := &desk{
		record: rec, log: log, telemetry: t, maxWait: maxWait, maxWaits: maxWaits, pace: newAskPace(),
		byID: map[string]*oldSession{}, byDevice: map[string][]*oldSession{}, byOwner: map[string][]*oldSession{}, orphans: map[string]int{},
	}
	d.waits, d.stop = context.WithCancel(context.Background())
	rec.stopping = func() bool { return d.waits.Err() != nil }
	return d
}

// sessionNamespace makes the ids of sessions differ from other ids of the same kind.
var sessionNamespace = uuid.MustParse("7d3ff3ac-6c8e-4b0e-9d0e-5a2b5f5c9b41")

// sessionID follows from who asks and with which key. The journal has it as the client-request-id, so that a key is known
// from the moment before anything is sent, and after a restart too.
func sessionID(owner, key string) string {
	return uuid.NewSHA1(sessionNamespace, []byte(owner+"\n"+key)).String()
}

// keepLocked puts a session where it is found. A session that was refused gives its place to the next one with its id.
func (d *desk) keepLocked(s *oldSession) {
	if old := d.byID[s.id]; old != nil {
		d.forgetLocked(old)
	}
	d.byID[s.id] = s
	d.byDevice[s.device.DeviceID()] = append(d.byDevice[s.device.DeviceID()], s)
	d.byOwner[s.owner] = append(d.byOwner[s.owner], s)
}

func (d *desk) forgetLocked(s *oldSession) {
	delete(d.byID, s.id)
	without(d.byDevice, s.device.DeviceID(), s)
	without(d.byOwner, s.owner, s)
}

func without(lists map[string][]*oldSession, key string, s *oldSession) {
	rest := slices.DeleteFunc(lists[key], func(one *oldSession) bool { return one == s })
	if len(rest) == 0 {
		delete(lists, key)
		return
	}
	lists[key] = rest
}

// find is a session of an owner. Those of others do not exist for the owner.
func (d *desk) find(owner, id string) *oldSession {
	d.mu.Lock()
	s := d.byID[id]
	d.mu.Unlock()
	if s == nil || s.owner != owner {
		return nil
	}
	s.age(time.Now())
	return s
}

// history is what an owner asked for, the latest first.
func (d *desk) history(owner string, most int) []sessionView {
	d.mu.Lock()
	list := slices.Clone(d.byOwner[owner])
	d.mu.Unlock()
	slices.Reverse(list)
	list = list[:min(len(list), most)]
	views := make([]sessionView, len(list))
	for i, s := range list {
		s.age(time.Now())
		views[i], _, _ = s.view()
	}
	return views
}

// tidy forgets what is too old.
func (d *desk) tidy(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.byID {
		s.age(now)
		if now.Sub(s.asked) > historyLife {
			d.forgetLocked(s)
		}
	}
	d.pace.tidy(now)
}

// blockerLocked is the session that keeps a device from being asked.
func (d *desk) blockerLocked(device intune.DeviceRef) *oldSession {
	for _, s := range d.byDevice[device.DeviceID()] {
		if s.blocks(time.Now(), d.maxWait) {
			return s
		}
	}
	return nil
}

// close ends the service without leaving anything half-asked: no new request is begun, those that are on their way are
// awaited, and only then the waits end. What they waited for goes on after the restart.
func (d *desk) close(ctx context.Context) {
	d.mu.Lock()
	d.stopping = true
	d.mu.Unlock()
	sent := make(chan struct{})
	go func() {
		d.asks.Wait()
		close(sent)
	}()
	grace := time.NewTimer(askGrace)
	defer grace.Stop()
	select {
	case <-sent:
	case <-grace.C:
	case <-ctx.Done():
	}
	d.stop()
	d.goes.Wait()
}
