package intunetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/go-intune/intune"
)

// How long TestJournal waits. A call gets a context of callLasts, as Asked and Ended do from the client, and a little
// longer to return. Together they stay below a minute.
const (
	suiteLasts = 40 * time.Second
	callLasts  = 10 * time.Second
	callGrace  = 3 * time.Second
)

// TestJournal checks what every [intune.Journal] must hold, and returns what it does not, as one error with a line for
// each fault that names the promise that is broken. In a test:
//
//	err := intunetest.TestJournal(func() (intune.Journal, func() iter.Seq2[intune.JournalEntry, error], error) {
//		return store, store.Entries, nil
//	})
//	if err != nil {
//		t.Error(err)
//	}
//
// Each call of open gives a journal, and a func that reads all its entries from the first one on, in the order in which
// those of a request were written. A store may be a used one, or one that others use, such as a table of a database:
// TestJournal makes a new device and a new client-request-id for each request, and passes over what is of others. It
// leaves about 300 entries behind. Open is called twice; if the second journal reads what the first one wrote, they must
// agree.
//
// What is written must be read back in every field, as [intune.JournalRequests] puts it together. Time may lose what is below a
// microsecond, or be the store's own, and Actor is the journal's. What a journal refuses it must not have recorded. It may
// refuse
//
//   - a request whose device was asked before, or whose client-request-id was used, by a [*intune.DeviceBusyError] or an
//     [*intune.AlreadyAskedError]
//   - the end of a wait that is over, or that another journal has, by [intune.ErrSuperseded]
//   - a second outcome, and an outcome or an end without the entry before it, by any error
//
// TestJournal ends within a minute, and says which call did not return. The goroutine of such a call stays behind.
func TestJournal(open func() (journal intune.Journal, read func() iter.Seq2[intune.JournalEntry, error], err error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), suiteLasts)
	defer cancel()
	s := &journalSuite{ctx: ctx, open: open}
	s.promise = "open gives a journal"
	if s.store = s.openStore(); s.store == nil {
		return errors.Join(s.faults...)
	}
	for _, p := range journalPromises {
		s.promise, s.told = p.text, 0
		if p.check(s); s.over() {
			break
		}
	}
	return errors.Join(s.faults...)
}

// journalSuite is one call of TestJournal.
type journalSuite struct {
	ctx   context.Context
	open  func() (intune.Journal, func() iter.Seq2[intune.JournalEntry, error], error)
	store *journalStore // of the first open

	mu      sync.Mutex
	promise string  // that is checked
	faults  []error // one a line
	told    int     // faults of the promise
	stopped bool    // nothing more can be asked of the journal
}

// journalStore is what one call of open gave.
type journalStore struct {
	journal intune.Journal
	entries func() iter.Seq2[intune.JournalEntry, error]
}

var (
	errStopped = errors.New("the journal is not asked any more")
	errExited  = errors.New("it ended its goroutine; t.FailNow and t.Fatal may not be called there, so return an error")
)

// panicError is a panic of a call.
type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("it panicked: %v", e.value) }

// fault adds what is wrong, unless much of the same is told already.
func (s *journalSuite) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const most = 3
	if s.told++; s.told <= most {
		s.faults = append(s.faults, fmt.Errorf("%s: %w", s.promise, fmt.Errorf(format, args...)))
	}
	if s.told == most+1 {
		s.faults = append(s.faults, fmt.Errorf("%s: and more of this kind", s.promise))
	}
}

// stop adds what ends the suite, whatever is told already. It does so once.
func (s *journalSuite) stop(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.stopped = true
		s.faults = append(s.faults, fmt.Errorf("%s: %s", s.promise, fmt.Sprintf(format, args...)))
	}
}

// call runs f, and waits for it no longer than it may take. errStopped means that the fault is told.
func (s *journalSuite) call(name string, f func(context.Context) error) error {
	if s.ctx.Err() != nil {
		s.stop("the journal is too slow: %v have passed before this call of %s, and more checks are to come", suiteLasts, name)
	}
	if s.over() {
		return errStopped
	}
	ctx, cancel := context.WithTimeout(s.ctx, callLasts)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := errExited
		defer func() {
			if value := recover(); value != nil {
				err = &panicError{value}
			}
			done <- err
		}()
		err = f(ctx)
	}()
	late := time.NewTimer(callLasts + callGrace)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		s.stop("%s hangs: it did not return within %v, %v after its context had ended", name, callLasts+callGrace, callGrace)
		return errStopped
	}
}

func (s *journalSuite) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// openStore calls open. A store that is nil was told as a fault.
func (s *journalSuite) openStore() *journalStore {
	if s.open == nil {
		s.fault("open is nil; pass a func that gives a journal and what reads its entries")
		return nil
	}
	var store journalStore
	err := s.call("open", func(context.Context) (err error) {
		store.journal, store.entries, err = s.open()
		return err
	})
	switch {
	case errors.Is(err, errStopped):
		return nil
	case err != nil:
		s.fault("open returned an error: %w", err)
	case store.journal == nil:
		s.fault("open gave a journal that is nil")
	case store.entries == nil:
		s.fault("open gave a read that is nil")
	default:
		return &store
	}
	return nil
}

// write gives an entry to the method that it is for.
func (s *journalSuite) write(store *journalStore, entry intune.JournalEntry) error {
	name := methodOf(entry)
	return s.call(name, func(ctx context.Context) error {
		switch name {
		case "Asked":
			return store.journal.Asked(ctx, entry)
		case "Ended":
			return store.journal.Ended(ctx, entry)
		default:
			return store.journal.Asking(ctx, entry)
		}
	})
}

func methodOf(entry intune.JournalEntry) string {
	switch {
	case entry.Outcome != "":
		return "Asked"
	case entry.Session != "":
		return "Ended"
	default:
		return "Asking"
	}
}

// read returns the requests of the journal, by the id of the device, without those of others, and whether it could.
func (s *journalSuite) read(store *journalStore, of ...*journalCase) (map[string][]intune.JournalRequest, bool) {
	own := map[string]bool{}
	for _, c := range of {
		own[c.device.DeviceID()] = true
	}
	var entries []intune.JournalEntry
	err := s.call("read", func(context.Context) error {
		all := store.entries()
		if all == nil {
			return errors.New("what it gives is nil")
		}
		for entry, err := range all {
			if err != nil {
				return err
			}
			if own[entry.Device.DeviceID()] {
				entries = append(entries, entry)
			}
		}
		return nil
	})
	if err != nil {
		if !errors.Is(err, errStopped) {
			s.fault("read failed: %w", err)
		}
		return nil, false
	}
	byDevice := map[string][]intune.JournalRequest{}
	for _, r := range requestsOf(entries) {
		id := r.Device().DeviceID()
		byDevice[id] = append(byDevice[id], r)
	}
	return byDevice, true
}

// requestsOf puts entries together.
func requestsOf(entries []intune.JournalEntry) []intune.JournalRequest {
	requests, _ := intune.JournalRequests(func(yield func(intune.JournalEntry, error) bool) { // without an error there is none
		for _, entry := range entries {
			if !yield(entry, nil) {
				return
			}
		}
	})
	return requests
}
