package main

import (
	"maps"
	"slices"
	"sync"
)

// watchers are those who wait for changes of a session, or of any session of an owner. The zero value is ready for use.
type watchers struct {
	mu    sync.Mutex
	byKey map[string]map[chan struct{}]struct{} // by the id of a session, or by its owner
}

// watch is that of [store].
func (w *watchers) watch(idOrOwner string) (<-chan struct{}, func()) {
	changed := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byKey == nil {
		w.byKey = map[string]map[chan struct{}]struct{}{}
	}
	if w.byKey[idOrOwner] == nil {
		w.byKey[idOrOwner] = map[chan struct{}]struct{}{}
	}
	w.byKey[idOrOwner][changed] = struct{}{}
	return changed, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.byKey[idOrOwner], changed)
		if len(w.byKey[idOrOwner]) == 0 {
			delete(w.byKey, idOrOwner)
		}
	}
}

// tell wakes those who watch.
func (w *watchers) tell(idsAndOwners ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range idsAndOwners {
		for changed := range w.byKey[key] {
			wakeUp(changed)
		}
	}
}

// watched are the ids and owners that somebody watches.
func (w *watchers) watched() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Keys(w.byKey))
}

// wakeUp puts a value into a channel that has room for one, unless there is one already.
func wakeUp(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}
