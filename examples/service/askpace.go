package main

import (
	"maps"
	"time"
)

const (
	// asksPerMinute is more than a technician can attend to, and few enough that a program gone wrong prompts few people.
	asksPerMinute = 10
)

// askPace limits how often each owner may ask. It is guarded by the lock of the desk.
type askPace struct{ recent map[string][]time.Time }

func newAskPace() *askPace { return &askPace{recent: map[string][]time.Time{}} }

// take counts one request, or says that it is one too many.
func (p *askPace) take(owner string, now time.Time) bool {
	recent := withoutOld(p.recent[owner], now)
	if len(recent) >= asksPerMinute {
		p.recent[owner] = recent
		return false
	}
	p.recent[owner] = append(recent, now)
	return true
}

func (p *askPace) tidy(now time.Time) {
	maps.DeleteFunc(p.recent, func(_ string, times []time.Time) bool { return len(withoutOld(times, now)) == 0 })
}

func withoutOld(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= time.Minute {
		times = times[1:]
	}
	return times
}
