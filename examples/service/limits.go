package main

import (
	"context"
	"maps"
	"sync"
	"time"
)

// use is something that a person may do so often in a minute.
type use struct {
	name  string
	most  int // in a minute
	reads int // of Intune, as a rule, each time
}

// asksPerMinute is more than a technician can attend to, and few enough that a program gone wrong prompts few people.
const asksPerMinute = 10

// What is counted. The page looks up the names of the devices in a history, which are up to 50, one after the other.
var (
	useAsk       = use{"ask", asksPerMinute, 1}
	useSearch    = use{"search", 30, 3}
	useDevice    = use{"device", 60, 1}
	useReadiness = use{"readiness", 30, 3}
	useLink      = use{"link", 30, 1}
	useWait      = use{"wait", 60, 1}
)

// limits counts what each person does. It has two forms: in memory, for one copy of the service, and in a database, for
// several.
type limits interface {
	// take counts one use by a person, and returns 0. If it is one too many, it counts nothing, and returns how long the
	// person has to wait. It does not fail, and returns within limitWithin.
	take(ctx context.Context, owner string, what use) (wait time.Duration)

	// tidy forgets what does not count any more.
	tidy(ctx context.Context)
}

const (
	// limitFor is how long a use counts.
	limitFor = time.Minute
	// limitWithin is how long it takes to count one.
	limitWithin = 2 * time.Second
)

// countKey is what is counted for one person.
type countKey struct{ owner, what string }

// memoryLimits counts in memory.
type memoryLimits struct {
	mu     sync.Mutex
	recent map[countKey][]time.Time
}

func newMemoryLimits() *memoryLimits { return &memoryLimits{recent: map[countKey][]time.Time{}} }

func (l *memoryLimits) take(_ context.Context, owner string, what use) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, key := time.Now(), countKey{owner, what.name}
	recent := withoutOld(l.recent[key], now)
	if over := len(recent) - what.most; over >= 0 {
		l.recent[key] = recent
		return limitFor - now.Sub(recent[over])
	}
	l.recent[key] = append(recent, now)
	return 0
}

func (l *memoryLimits) tidy(context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(l.recent, func(_ countKey, times []time.Time) bool { return len(withoutOld(times, now)) == 0 })
}

func withoutOld(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= limitFor {
		times = times[1:]
	}
	return times
}
