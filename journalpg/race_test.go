package journalpg_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-intune/intune"

	"github.com/go-intune/intune/journalpg"
)

// Asking, Claim, Asked, Ended, Forget and renewals of six copies at the same time: at no moment have two of them one device, and no
// link of a request is handed out twice.
func TestJournal_RaceOfEverything(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	devices := []intune.DeviceRef{device(), device(), device(), device()}
	r := &race{t: t, devices: devices, has: make([]atomic.Int64, len(devices))}
	var copies sync.WaitGroup
	for range 6 {
		j := f.journal(lease(shortLease))
		copies.Go(func() {
			for range 40 {
				if rand.IntN(2) == 0 {
					r.ask(j)
				} else {
					r.claim(j)
				}
				if rand.IntN(10) == 0 {
					if err := j.Forget(t.Context(), time.Now().Add(-time.Hour)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	copies.Wait()
	if r.asked.Load() < 20 || r.claimed.Load() < 5 {
		t.Errorf("there were %d requests and %d claims, which is too few to tell", r.asked.Load(), r.claimed.Load())
	}
	if n := f.count(`SELECT count(*) FROM {request} WHERE session = 'ready'`); int64(n) != r.handed.Load() {
		t.Errorf("%d links were handed out, and the record says %d", r.handed.Load(), n)
	}
}

// race is what copies do at the same time.
type race struct {
	t                      *testing.T
	devices                []intune.DeviceRef
	has                    []atomic.Int64 // how many copies have the device
	links                  sync.Map       // by client-request-id
	asked, claimed, handed atomic.Int64
}

func (r *race) take(i int) {
	if n := r.has[i].Add(1); n != 1 {
		r.t.Errorf("%d copies have device %d", n, i)
	}
}

func (r *race) ask(j *journalpg.Journal) {
	i := rand.IntN(len(r.devices))
	entry := asking(r.devices[i])
	if err := j.Asking(r.t.Context(), entry); err != nil {
		if _, ok := errors.AsType[*intune.DeviceBusyError](err); !ok {
			r.t.Errorf("Asking: %v", err)
		}
		return
	}
	r.take(i)
	r.asked.Add(1)
	if rand.IntN(4) == 0 {
		r.has[i].Add(-1)
		if err := j.Asked(r.t.Context(), asked(entry, intune.OutcomeRejected)); err != nil {
			r.t.Errorf("Asked: %v", err)
		}
		return
	}
	if err := j.Asked(r.t.Context(), asked(entry, intune.OutcomeAccepted)); err != nil {
		r.t.Errorf("Asked: %v", err)
	}
	r.has[i].Add(-1)
	r.end(func(e intune.JournalEntry) error { return j.Ended(r.t.Context(), e) }, entry)
}

func (r *race) claim(j *journalpg.Journal) {
	list, err := j.Claim(r.t.Context(), 1+rand.IntN(2))
	if err != nil {
		r.t.Errorf("Claim: %v", err)
	}
	for _, c := range list {
		i := 0
		for r.devices[i] != c.Request.Device() {
			i++
		}
		r.take(i)
		r.claimed.Add(1)
		defer func() {
			r.has[i].Add(-1)
			r.end(func(e intune.JournalEntry) error { return j.Ended(c.Context, e) }, c.Request.Asking)
		}()
	}
}

func (r *race) end(call func(intune.JournalEntry) error, entry intune.JournalEntry) {
	session := []intune.SessionOutcome{intune.SessionReady, intune.SessionLeft, intune.SessionLeft}[rand.IntN(3)]
	if err := call(ended(entry, session)); err != nil {
		r.t.Errorf("Ended: %v", err)
	}
	if session != intune.SessionReady {
		return
	}
	r.handed.Add(1)
	if _, twice := r.links.LoadOrStore(entry.ClientRequestID, true); twice {
		r.t.Error("a link was handed out twice")
	}
}
