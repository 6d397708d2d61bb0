package intunetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

type (
	entries = iter.Seq2[intune.JournalEntry, error]

	// reader is what reads a journal.
	reader = func() entries

	// opener is what opens one.
	opener = func() (intune.Journal, reader, error)
)

// entryLog is a journal in memory, which keeps its promises unless a func that is set breaks one.
type entryLog struct {
	take func(ctx context.Context, entry intune.JournalEntry) error // instead of add
	give func() entries                                             // instead of all

	mu      sync.Mutex
	entries []intune.JournalEntry
}

func (l *entryLog) add(entry intune.JournalEntry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry)
	return nil
}

func (l *entryLog) snapshot() []intune.JournalEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

func (l *entryLog) all() entries { return entriesIn(l.snapshot()) }

func entriesIn(list []intune.JournalEntry) entries {
	return func(yield func(intune.JournalEntry, error) bool) {
		for _, entry := range list {
			if !yield(entry, nil) {
				return
			}
		}
	}
}

// put adds an entry unless the context has ended.
func (l *entryLog) put(ctx context.Context, entry intune.JournalEntry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.add(entry)
}

func (l *entryLog) write(ctx context.Context, entry intune.JournalEntry) error {
	if l.take != nil {
		return l.take(ctx, entry)
	}
	return l.put(ctx, entry)
}

func (l *entryLog) Asking(ctx context.Context, entry intune.JournalEntry) error {
	return l.write(ctx, entry)
}

func (l *entryLog) Asked(ctx context.Context, entry intune.JournalEntry) error {
	return l.write(ctx, entry)
}

func (l *entryLog) Ended(ctx context.Context, entry intune.JournalEntry) error {
	return l.write(ctx, entry)
}

// open gives the same log each time.
func (l *entryLog) open() (intune.Journal, reader, error) {
	read := l.all
	if l.give != nil {
		read = l.give
	}
	return l, read, nil
}

// changed is a log that keeps what change makes of an entry, and nothing if that has no device.
func changed(change func(intune.JournalEntry) intune.JournalEntry) opener {
	l := &entryLog{}
	var mu sync.Mutex
	l.take = func(ctx context.Context, entry intune.JournalEntry) error {
		mu.Lock()
		defer mu.Unlock()
		if entry = change(entry); entry.Device.IsZero() {
			return nil
		}
		return l.put(ctx, entry)
	}
	return l.open
}

// refusing is a log that asks refuse before it keeps an entry of Asking.
func refusing(refuse func(l *entryLog, entry intune.JournalEntry) error) opener {
	l := &entryLog{}
	l.take = func(ctx context.Context, entry intune.JournalEntry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if entry.Outcome == "" && entry.Session == "" {
			if err := refuse(l, entry); err != nil {
				return err
			}
		}
		return l.put(ctx, entry)
	}
	return l.open
}

// requests are those of the log that are so.
func (l *entryLog) requests(are func(intune.JournalRequest) bool) []intune.JournalRequest {
	all, _ := intune.JournalRequests(l.all()) // which gives no error
	return slices.DeleteFunc(all, func(r intune.JournalRequest) bool { return !are(r) })
}

// used are the requests with an id.
func (l *entryLog) used(id string) []intune.JournalRequest {
	return l.requests(func(r intune.JournalRequest) bool { return idOf(r) == id })
}

// open requests of a device have no end.
func (l *entryLog) busy(device intune.DeviceRef) []intune.JournalRequest {
	return l.requests(func(r intune.JournalRequest) bool {
		return r.Device().DeviceID() == device.DeviceID() && r.Outcome() == intune.OutcomeAccepted && r.Ended.Session == ""
	})
}

func idOf(r intune.JournalRequest) string {
	for _, entry := range []intune.JournalEntry{r.Asking, r.Asked, r.Ended} {
		if entry.ClientRequestID != "" {
			return entry.ClientRequestID
		}
	}
	return ""
}

// rowStore is a table with a row for each request: the newest entries only, times of its own, an actor, and no request
// for a device that is busy or with an id that was used.
type rowStore struct {
	supersedes bool // another request takes a device instead

	mu    sync.Mutex
	order []string // ids
	rows  map[string]*intune.JournalRequest
}

func (s *rowStore) Asking(ctx context.Context, entry intune.JournalEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if row := s.rows[entry.ClientRequestID]; row != nil {
		return errors.Join(errors.New("unique index"), &intune.AlreadyAskedError{Request: *row})
	}
	for _, row := range s.rows {
		if row.Device().DeviceID() != entry.Device.DeviceID() || row.Ended.Session != "" {
			continue
		}
		if !s.supersedes {
			return &intune.DeviceBusyError{Device: row.Device(), Since: row.Asking.Time}
		}
		row.Ended = intune.JournalEntry{Device: row.Device(), ClientRequestID: row.Asking.ClientRequestID, Session: intune.SessionSuperseded}
	}
	entry.Time, entry.Actor = time.Now().Add(-time.Minute).Truncate(time.Second), "anna"
	s.rows[entry.ClientRequestID] = &intune.JournalRequest{Asking: entry}
	s.order = append(s.order, entry.ClientRequestID)
	return nil
}

func (s *rowStore) row(entry intune.JournalEntry) (*intune.JournalRequest, error) {
	row := s.rows[entry.ClientRequestID]
	if row == nil {
		return nil, errors.New("no such request")
	}
	return row, nil
}

func (s *rowStore) Asked(_ context.Context, entry intune.JournalEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, err := s.row(entry)
	if err != nil {
		return err
	}
	if row.Asked.Outcome != "" && row.Asked.Outcome != intune.OutcomeUnknown {
		return errors.New("the outcome is known")
	}
	if entry.ResumeToken == "" {
		entry.ResumeToken = row.Asked.ResumeToken
	}
	entry.Time = entry.Time.Truncate(time.Microsecond)
	row.Asked = entry
	return nil
}

func (s *rowStore) Ended(_ context.Context, entry intune.JournalEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, err := s.row(entry)
	if err != nil {
		return err
	}
	if row.Ended.Session != "" && row.Ended.Session != intune.SessionLeft {
		return intune.ErrSuperseded
	}
	row.Ended = entry
	return nil
}

// entries gives the newest request first.
func (s *rowStore) entries() entries {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []intune.JournalEntry
	for _, id := range slices.Backward(s.order) {
		for _, entry := range []intune.JournalEntry{s.rows[id].Asking, s.rows[id].Asked, s.rows[id].Ended} {
			if !entry.Device.IsZero() {
				list = append(list, entry)
			}
		}
	}
	return entriesIn(list)
}

func (s *rowStore) open() (intune.Journal, reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = map[string]*intune.JournalRequest{}
	}
	return s, s.entries, nil
}

func TestTestJournal_JournalsThatHoldIt(t *testing.T) {
	t.Parallel()
	used := &entryLog{}
	for _, id := range []string{"a", "b"} {
		entry := intune.JournalEntry{Device: intune.Device(id), ClientRequestID: id}
		used.entries = append(used.entries, entry, entry)
	}
	for name, open := range map[string]opener{
		"a log":                         (&entryLog{}).open,
		"a log that others use":         used.open,
		"a new log each time":           func() (intune.Journal, reader, error) { return (&entryLog{}).open() },
		"a table that refuses":          (&rowStore{}).open,
		"a table that supersedes":       (&rowStore{supersedes: true}).open,
		"a new table each time":         func() (intune.Journal, reader, error) { return (&rowStore{}).open() },
		"a log that refuses used ids":   refusing(refuseUsed),
		"a log that refuses busy ones":  refusing(refuseBusy),
		"a log with actors of its own":  changed(func(e intune.JournalEntry) intune.JournalEntry { e.Actor = "anna"; return e }),
		"a log with times of its own":   changed(func(e intune.JournalEntry) intune.JournalEntry { e.Time = time.Now(); return e }),
		"a log with times in one place": changed(func(e intune.JournalEntry) intune.JournalEntry { e.Time = e.Time.In(elsewhere); return e }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := intunetest.TestJournal(open); err != nil {
				t.Error(err)
			}
		})
	}
}

var elsewhere = time.FixedZone("elsewhere", 5*3600)

func refuseUsed(l *entryLog, entry intune.JournalEntry) error {
	if used := l.used(entry.ClientRequestID); len(used) > 0 {
		return &intune.AlreadyAskedError{Request: used[0]}
	}
	return nil
}

func refuseBusy(l *entryLog, entry intune.JournalEntry) error {
	if busy := l.busy(entry.Device); len(busy) > 0 {
		return &intune.DeviceBusyError{Device: entry.Device}
	}
	return nil
}

// The promises, as the suite names them.
const (
	together    = "the entries of a request are read back and belong together"
	learned     = "an outcome that is learned later corrects unknown, and unknown corrects nothing"
	alone       = "Asked and Ended may come without the entries before them"
	ids         = "ids are kept exactly as sent"
	addresses   = "each of the three addresses of a device is kept"
	fields      = "what is read back equals what was written, in every field"
	sizes       = "entries of any size that the library makes are kept"
	tokens      = "the newest resume token comes back byte for byte"
	contextEnds = "Asking whose context has ended returns an error and records nobody as asked"
	refusals    = "a refused Asking says why and records nothing"
	concurrency = "the methods are safe for concurrent use"
	whileWrites = "the journal can be read while it is written"
	anew        = "reading begins with the first entry each time, and can be broken off"
	twoJournals = "two journals on one store agree"
)

// brokenPromises are journals that each break one promise, and perhaps others with it.
var brokenPromises = []struct {
	name, promise string
	says          string // of the promise
	open          func() opener
}{
	{"drops Asking", together, "Asking is missing", changes(func(e *intune.JournalEntry) {
		if e.Outcome == "" && e.Session == "" {
			e.Device = intune.DeviceRef{}
		}
	})},
	{"drops Asked", together, "Asked is missing", changes(func(e *intune.JournalEntry) {
		if e.Outcome != "" {
			e.Device = intune.DeviceRef{}
		}
	})},
	{"swallows Ended", together, "Ended is missing; so Waiting() is true, want false", changes(func(e *intune.JournalEntry) {
		if e.Session != "" {
			e.Device = intune.DeviceRef{}
		}
	})},
	{"keeps the latest end", together, "Session of Ended is \"left\", want \"ready\"", latestOnly(func(e intune.JournalEntry) bool {
		return e.Session != ""
	})},
	{"mixes up devices", together, ": 0, want 1", func() opener {
		previous := intune.Device("first")
		return changed(func(e intune.JournalEntry) intune.JournalEntry {
			if e.Outcome == "" && e.Session == "" {
				previous, e.Device = e.Device, previous
			}
			return e
		})
	}},
	{"makes of left the end", together, "so Waiting() is false, want true", changes(func(e *intune.JournalEntry) {
		if e.Session == intune.SessionLeft {
			e.Session = intune.SessionFailed
		}
	})},
	{"tells the outcome before it is known", together, "there is an Asked that nobody wrote", func() opener {
		l := &entryLog{}
		l.give = func() entries {
			list := l.snapshot()
			for _, r := range l.requests(func(r intune.JournalRequest) bool { return r.Asked == intune.JournalEntry{} && r.Ended == r.Asked }) {
				r.Asking.Outcome = intune.OutcomeAccepted
				list = append(list, r.Asking)
			}
			return entriesIn(list)
		}
		return l.open
	}},
	{"loses an entry at the end of what it reads", alone, "Asking, Ended (left): Ended is missing", func() opener {
		l := &entryLog{}
		l.give = func() entries {
			list := l.snapshot()
			return entriesIn(list[:max(0, len(list)-1)])
		}
		return l.open
	}},
	{"keeps the first outcome", learned, `so Outcome() is "unknown", want "accepted"`, func() opener {
		l := &entryLog{}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			same := l.used(entry.ClientRequestID)
			if entry.Outcome != "" && len(same) > 0 && same[0].Asked.Outcome != "" {
				return nil
			}
			return l.put(ctx, entry)
		}
		return l.open
	}},
	{"keeps the latest outcome and no token", learned, "so ResumeToken() is not the newest", latestOnly(func(e intune.JournalEntry) bool {
		return e.Outcome != ""
	})},
	{"lets unknown correct", learned, `so Outcome() is "unknown", want "accepted"`, func() opener {
		l := &entryLog{}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			l.mu.Lock()
			for i, before := range l.entries {
				if entry.Outcome != "" && before.Outcome != "" && before.ClientRequestID == entry.ClientRequestID {
					l.entries[i].Outcome = entry.Outcome
				}
			}
			l.mu.Unlock()
			return l.put(ctx, entry)
		}
		return l.open
	}},
	{"swallows ends without a request", alone, "Ended (ready): requests with the client-request-id", func() opener {
		l := &entryLog{}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			if entry.Session != "" && len(l.used(entry.ClientRequestID)) == 0 {
				return nil
			}
			return l.put(ctx, entry)
		}
		return l.open
	}},
	{"refuses outcomes without a request, and keeps them", alone, ": 1, want 0", func() opener {
		l := &entryLog{}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			var err error
			if entry.Outcome != "" && len(l.used(entry.ClientRequestID)) == 0 {
				err = errors.New("no such request")
			}
			return errors.Join(err, l.put(ctx, entry))
		}
		return l.open
	}},
	{"gives an outcome without a request to another", alone, "the request before: ", func() opener {
		l := &entryLog{}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			if same := l.used(entry.ClientRequestID); entry.Outcome != "" && len(same) == 0 {
				asked := l.requests(func(r intune.JournalRequest) bool { return !r.Asking.Device.IsZero() })
				entry.Device, entry.ClientRequestID = asked[len(asked)-1].Device(), idOf(asked[len(asked)-1])
			}
			return l.put(ctx, entry)
		}
		return l.open
	}},
	{"panics at an end without a request", alone, "Ended returned an error: it panicked: nil row", func() opener {
		l := &entryLog{}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			if entry.Session != "" && len(l.used(entry.ClientRequestID)) == 0 {
				panic("nil row")
			}
			return l.put(ctx, entry)
		}
		return l.open
	}},
	{"lower-cases ids", ids, "the id \"", changes(func(e *intune.JournalEntry) { e.ClientRequestID = strings.ToLower(e.ClientRequestID) })},
	{"lower-cases ids at Microsoft", ids, "RequestID of Asked is", changes(func(e *intune.JournalEntry) {
		e.RequestID = strings.ToLower(e.RequestID)
	})},
	{"cuts ids to a GUID", ids, ": 0, want 1", changes(func(e *intune.JournalEntry) {
		e.ClientRequestID = e.ClientRequestID[:min(36, len(e.ClientRequestID))]
	})},
	{"composes characters", ids, ": 0, want 1", changes(func(e *intune.JournalEntry) {
		e.ClientRequestID = strings.ReplaceAll(e.ClientRequestID, "e\u0301", "é")
	})},
	{"takes leading zeros for a number's", ids, ": 0, want 1", changes(func(e *intune.JournalEntry) {
		e.ClientRequestID = strings.TrimLeft(e.ClientRequestID, "0")
	})},
	{"trims braces", ids, ": 0, want 1", changes(func(e *intune.JournalEntry) { e.ClientRequestID = strings.Trim(e.ClientRequestID, "{}") })},
	{"takes ids for the same in another case", ids, "Asking returned an error", func() opener {
		return refusing(func(l *entryLog, entry intune.JournalEntry) error {
			same := l.requests(func(r intune.JournalRequest) bool { return strings.EqualFold(idOf(r), entry.ClientRequestID) })
			if len(same) > 0 {
				return &intune.AlreadyAskedError{Request: same[0]}
			}
			return nil
		})
	}},
	{"keeps the id of the device alone", addresses, "UserDevice by name: ", changes(func(e *intune.JournalEntry) {
		e.Device = intune.Device(e.Device.DeviceID())
	})},
	{"lower-cases addresses", addresses, ": 0, want 1", changes(func(e *intune.JournalEntry) {
		e.Device, _ = intune.ParseDeviceRef(strings.ReplaceAll(strings.ReplaceAll(e.Device.String(), "Anna", "anna"), "Contoso", "contoso"))
	})},
	{"unescapes addresses", addresses, "UserDevice of a guest: ", func() opener {
		return refusing(func(_ *entryLog, entry intune.JournalEntry) error {
			_, err := intune.ParseDeviceRef(strings.ReplaceAll(entry.Device.String(), "%23", "#"))
			return err
		})
	}},
	{"swaps two fields", fields, "AppID of Asked is \"tenant ", changes(func(e *intune.JournalEntry) {
		e.AppID, e.TenantID = e.TenantID, e.AppID
	})},
	{"loses Waits", fields, "Waits of Asking is false, want true", changes(func(e *intune.JournalEntry) { e.Waits = false })},
	{"loses Reference", fields, "Reference of Asking is \"\", want \"ticket ", changes(func(e *intune.JournalEntry) { e.Reference = "" })},
	{"loses the status", fields, "StatusCode of Asked is 0, want 204", changes(func(e *intune.JournalEntry) { e.StatusCode = 0 })},
	{"loses the caller", fields, "CallerID of Asked is \"\"", changes(func(e *intune.JournalEntry) { e.CallerID = "" })},
	{"loses the error of an end", fields, "Error of Ended is \"\"", changes(func(e *intune.JournalEntry) {
		if e.Session != "" {
			e.Error = ""
		}
	})},
	{"puts texts into one line", fields, "Error of Asked is", changes(func(e *intune.JournalEntry) {
		e.Error = strings.Join(strings.Fields(e.Error), " ")
	})},
	{"knows one status that was not accepted", fields, `Outcome of Asked is "rejected", want "notSent"`, changes(func(e *intune.JournalEntry) {
		if e.Outcome == intune.OutcomeNotSent {
			e.Outcome = intune.OutcomeRejected
		}
	})},
	{"loses the time", fields, "Time of Asking is 0001-01-01", changes(func(e *intune.JournalEntry) { e.Time = time.Time{} })},
	{"loses the zone", fields, "Time of Asked is", changes(func(e *intune.JournalEntry) { e.Time = e.Time.Add(5 * time.Hour) })},
	{"cuts errors", sizes, "Error of Asked is \"Asked: it says", changes(func(e *intune.JournalEntry) {
		e.Error = e.Error[:min(1000, len(e.Error))]
	})},
	{"cuts tokens", sizes, "(8000 bytes), want", changes(func(e *intune.JournalEntry) {
		e.ResumeToken = e.ResumeToken[:min(8000, len(e.ResumeToken))]
	})},
	{"cuts references", sizes, "they differ from byte 255 on", changes(func(e *intune.JournalEntry) {
		e.Reference = e.Reference[:min(255, len(e.Reference))]
	})},
	{"cuts ids at Microsoft", sizes, "RequestID of Ended is", changes(func(e *intune.JournalEntry) {
		e.RequestID = e.RequestID[:min(199, len(e.RequestID))]
	})},
	{"refuses long users", sizes, "device address is too long", func() opener {
		return refusing(func(_ *entryLog, entry intune.JournalEntry) error {
			if len(entry.Device.String()) > 255 {
				return errors.New("device address is too long")
			}
			return nil
		})
	}},
	{"loses the token of Asked", tokens, "of Asked, after Asking: ResumeToken of Asked is \"\"", changes(func(e *intune.JournalEntry) {
		if e.Outcome != "" {
			e.ResumeToken = ""
		}
	})},
	{"keeps the old token", tokens, "so ResumeToken() is not the newest", func() opener {
		old := map[string]string{}
		return changed(func(e intune.JournalEntry) intune.JournalEntry {
			if old[e.ClientRequestID] == "" {
				old[e.ClientRequestID] = e.ResumeToken
			} else {
				e.ResumeToken = old[e.ClientRequestID]
			}
			return e
		})
	}},
	{"keeps tokens as JSON", tokens, "they differ from byte", changes(func(e *intune.JournalEntry) {
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(e.ResumeToken)) == nil {
			e.ResumeToken = compact.String()
		}
	})},
	{"ignores the context", contextEnds, "context canceled: Asking returned <nil>", func() opener {
		l := &entryLog{}
		l.take = func(_ context.Context, entry intune.JournalEntry) error { return l.add(entry) }
		return l.open
	}},
	{"ignores deadlines", contextEnds, "context deadline exceeded: Asking returned <nil>", func() opener {
		l := &entryLog{}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return l.add(entry)
		}
		return l.open
	}},
	{"looks at the context too late", contextEnds, "context canceled: the outcome is read as unknown", func() opener {
		l := &entryLog{}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			return errors.Join(l.add(entry), ctx.Err())
		}
		return l.open
	}},
	{"refuses used ids in words of its own", refusals, "neither a *DeviceBusyError nor an *AlreadyAskedError in: no", func() opener {
		return refusing(func(l *entryLog, entry intune.JournalEntry) error {
			if refuseUsed(l, entry) != nil {
				return errors.New("no")
			}
			return nil
		})
	}},
	{"refuses busy devices by a text", refusals, "a device that is waited for: Asking returned an error that", func() opener {
		return refusing(func(l *entryLog, entry intune.JournalEntry) error {
			if err := refuseBusy(l, entry); err != nil {
				return errors.New(err.Error())
			}
			return nil
		})
	}},
	{"refuses and records", refusals, ": 1, want 0", func() opener {
		return refusing(func(l *entryLog, entry intune.JournalEntry) error {
			err := refuseBusy(l, entry)
			if err != nil {
				_ = l.add(entry)
			}
			return err
		})
	}},
	{"refuses used ids and records", refusals, ": 2, want 1", func() opener {
		return refusing(func(l *entryLog, entry intune.JournalEntry) error {
			err := refuseUsed(l, entry)
			if err != nil {
				_ = l.add(entry)
			}
			return err
		})
	}},
	{"refuses without the earlier request", refusals, "is not the earlier one: its entries are of intune.DeviceRef(no device)", func() opener {
		return refusing(func(l *entryLog, entry intune.JournalEntry) error {
			if refuseUsed(l, entry) != nil {
				return &intune.AlreadyAskedError{}
			}
			return nil
		})
	}},
	{"refuses for another device", refusals, "the Device of the DeviceBusyError is", func() opener {
		return refusing(func(l *entryLog, entry intune.JournalEntry) error {
			if refuseBusy(l, entry) != nil {
				return &intune.DeviceBusyError{Device: intune.Device("other")}
			}
			return nil
		})
	}},
	{"ends the wait whose device it refuses", refusals, "there is an Ended that nobody wrote", func() opener {
		return refusing(func(l *entryLog, entry intune.JournalEntry) error {
			for _, r := range l.busy(entry.Device) {
				_ = l.add(intune.JournalEntry{Device: r.Device(), ClientRequestID: idOf(r), Session: intune.SessionSuperseded})
				return &intune.DeviceBusyError{Device: entry.Device}
			}
			return nil
		})
	}},
	{"loses what comes at once", concurrency, "of 24 at once: ", func() opener {
		l := &entryLog{}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			before := l.snapshot()
			<-time.After(time.Millisecond)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.entries = append(before, entry)
			return ctx.Err()
		}
		return l.open
	}},
	{"refuses what comes at once", concurrency, "returned an error: database is locked", func() opener {
		l, turn := &entryLog{}, make(chan struct{}, 1)
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			select {
			case turn <- struct{}{}:
				<-time.After(time.Millisecond)
				<-turn
				return l.put(ctx, entry)
			default:
				return errors.New("database is locked")
			}
		}
		return l.open
	}},
	{"cannot be read while it writes", whileWrites, "read failed: half an entry", writing(func(l *entryLog, now bool) entries {
		if now {
			return func(yield func(intune.JournalEntry, error) bool) {
				yield(intune.JournalEntry{}, errors.New("half an entry"))
			}
		}
		return l.all()
	})},
	{"is empty while it writes", whileWrites, ": 0, want 1", writing(func(l *entryLog, now bool) entries {
		if now {
			return entriesIn(nil)
		}
		return l.all()
	})},
	{"goes on reading where it was", anew, ": 0, want 1", func() opener {
		l, at := &entryLog{}, 0
		l.give = func() entries {
			return func(yield func(intune.JournalEntry, error) bool) {
				list := l.snapshot()
				for at < len(list) {
					at++
					if !yield(list[at-1], nil) {
						return
					}
				}
			}
		}
		return l.open
	}},
	{"cannot be broken off", anew, "it panicked: ", func() opener {
		l := &entryLog{}
		l.give = func() entries {
			return func(yield func(intune.JournalEntry, error) bool) {
				for _, entry := range l.snapshot() {
					yield(entry, nil)
				}
			}
		}
		return l.open
	}},
	{"reads what was there when it was opened", twoJournals, "a request of the second journal: ", func() opener {
		l := &entryLog{}
		return func() (intune.Journal, reader, error) {
			seen := l.snapshot()
			if len(seen) == 0 {
				return l.open()
			}
			return l, func() entries { return entriesIn(seen) }, nil
		}
	}},
	{"has a cache", twoJournals, "a request of the second journal: ", func() opener {
		store := &entryLog{}
		return func() (intune.Journal, reader, error) {
			cache := &entryLog{entries: store.snapshot()}
			cache.take = func(ctx context.Context, entry intune.JournalEntry) error {
				return errors.Join(store.put(ctx, entry), cache.put(ctx, entry))
			}
			return cache.open()
		}
	}},
	{"opens once only", twoJournals, "open returned an error: locked", func() opener {
		l := &entryLog{}
		return func() (intune.Journal, reader, error) {
			if len(l.snapshot()) > 0 {
				return nil, nil, errors.New("locked")
			}
			return l.open()
		}
	}},
}

// changes is a log that keeps what change makes of an entry.
func changes(change func(*intune.JournalEntry)) func() opener {
	return func() opener {
		return changed(func(e intune.JournalEntry) intune.JournalEntry { change(&e); return e })
	}
}

// latestOnly is a log that keeps of the entries of a kind the latest of each request.
func latestOnly(kind func(intune.JournalEntry) bool) func() opener {
	return func() opener {
		l := &entryLog{}
		l.give = func() entries {
			list, seen := l.snapshot(), map[string]bool{}
			slices.Reverse(list)
			list = slices.DeleteFunc(list, func(e intune.JournalEntry) bool {
				was := seen[e.ClientRequestID]
				seen[e.ClientRequestID] = was || kind(e)
				return was && kind(e)
			})
			slices.Reverse(list)
			return entriesIn(list)
		}
		return l.open
	}
}

// writing is a log whose reading depends on whether something is being written.
func writing(read func(l *entryLog, now bool) entries) func() opener {
	return func() opener {
		l := &entryLog{}
		var mu sync.Mutex
		now := 0
		count := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			now += n
			return now
		}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			count(1)
			defer count(-1)
			<-time.After(time.Millisecond)
			return l.put(ctx, entry)
		}
		l.give = func() entries { return read(l, count(0) > 0) }
		return l.open
	}
}

// Each promise that is broken is named.
func TestTestJournal_NoticesABrokenPromise(t *testing.T) {
	t.Parallel()
	for _, c := range brokenPromises {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				err := intunetest.TestJournal(c.open())
				if err == nil {
					t.Fatal("it was not noticed")
				}
				said := false
				for _, line := range linesOf(err) {
					promise, text, _ := strings.Cut(line, ": ")
					said = said || promise == c.promise && strings.Contains(text, c.says)
				}
				if !said {
					t.Errorf("nothing of %q says %q:\n%v", c.promise, c.says, err)
				}
			})
		})
	}
}

// linesOf are the faults that an error joins.
func linesOf(err error) (lines []string) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	for _, fault := range joined.Unwrap() {
		lines = append(lines, fault.Error())
	}
	return lines
}

// There is a broken journal for each promise, and a journal that breaks all of them is told so in few lines.
func TestTestJournal_NamesEachPromise(t *testing.T) {
	t.Parallel()
	lost := errors.New("disk full")
	l := &entryLog{take: func(context.Context, intune.JournalEntry) error { return lost }}
	l.give = func() entries {
		return func(yield func(intune.JournalEntry, error) bool) {
			yield(intune.JournalEntry{}, errors.New("no table"))
		}
	}
	err := intunetest.TestJournal(l.open)
	if !errors.Is(err, lost) {
		t.Errorf("error %v", err)
	}
	named, broken := map[string]int{}, map[string]bool{}
	for _, line := range linesOf(err) {
		promise, _, _ := strings.Cut(line, ": ")
		named[promise]++
	}
	for _, c := range brokenPromises {
		broken[c.promise] = true
	}
	if got, want := slices.Sorted(maps.Keys(broken)), slices.Sorted(maps.Keys(named)); !slices.Equal(got, want) {
		t.Errorf("broken are\n%q, and there are\n%q", got, want)
	}
	for promise, lines := range named {
		if lines > 7 {
			t.Errorf("%s: %d lines", promise, lines)
		}
	}
}

// A call that does not return ends the suite, which names it, within a minute.
func TestTestJournal_SaysWhatHangs(t *testing.T) {
	t.Parallel()
	forever := func(kind func(intune.JournalEntry) bool, released chan struct{}) opener {
		l := &entryLog{}
		l.take = func(ctx context.Context, entry intune.JournalEntry) error {
			if kind(entry) {
				<-released
			}
			return l.put(ctx, entry)
		}
		return l.open
	}
	for name, c := range map[string]struct {
		open func(released chan struct{}) opener
		says string
	}{
		"Asking": {func(released chan struct{}) opener {
			return forever(func(e intune.JournalEntry) bool { return e.Outcome == "" && e.Session == "" }, released)
		}, together + ": Asking hangs: it did not return within 13s"},
		"Asked": {func(released chan struct{}) opener {
			return forever(func(e intune.JournalEntry) bool { return e.Outcome != "" }, released)
		}, together + ": Asked hangs"},
		"Ended": {func(released chan struct{}) opener {
			return forever(func(e intune.JournalEntry) bool { return e.Session != "" }, released)
		}, together + ": Ended hangs"},
		"read": {func(released chan struct{}) opener {
			l := &entryLog{}
			l.give = func() entries { <-released; return l.all() }
			return l.open
		}, together + ": read hangs"},
		"open": {func(released chan struct{}) opener {
			return func() (intune.Journal, reader, error) { <-released; return nil, nil, nil }
		}, "open gives a journal: open hangs"},
		"when it is called at once": {func(released chan struct{}) opener {
			l, turn := &entryLog{}, make(chan struct{}, 1)
			l.take = func(ctx context.Context, entry intune.JournalEntry) error {
				select {
				case turn <- struct{}{}:
					<-time.After(time.Millisecond)
					<-turn
					return l.put(ctx, entry)
				default:
					<-released
					return nil
				}
			}
			return l.open
		}, concurrency + ": Asking hangs"},
		"until its context ends": {func(chan struct{}) opener {
			l := &entryLog{}
			l.take = func(ctx context.Context, _ intune.JournalEntry) error { <-ctx.Done(); return ctx.Err() }
			return l.open
		}, together + ": the journal is too slow: 40s have passed before this call of Asking"},
		"for a second": {func(chan struct{}) opener {
			l := &entryLog{}
			l.take = func(ctx context.Context, entry intune.JournalEntry) error {
				<-time.After(time.Second)
				return l.put(ctx, entry)
			}
			return l.open
		}, "the journal is too slow: 40s have passed before this call of "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				released := make(chan struct{})
				defer close(released)
				start := time.Now()
				err := intunetest.TestJournal(c.open(released))
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("error %v, want %q", err, c.says)
				}
				if took := time.Since(start); took >= time.Minute {
					t.Errorf("it took %v", took)
				}
				if n := strings.Count(err.Error(), "hangs") + strings.Count(err.Error(), "too slow"); n != 1 {
					t.Errorf("it says so %d times: %v", n, err)
				}
			})
		})
	}
}

func TestTestJournal_WithoutAJournal(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	read := (&entryLog{}).all
	for says, open := range map[string]opener{
		"open is nil":                           nil,
		"open returned an error: broken":        func() (intune.Journal, reader, error) { return nil, nil, broken },
		"open gave a journal that is nil":       func() (intune.Journal, reader, error) { return nil, read, nil },
		"open gave a read that is nil":          func() (intune.Journal, reader, error) { return &entryLog{}, nil, nil },
		"open returned an error: it panicked":   func() (intune.Journal, reader, error) { panic("of open") },
		"open returned an error: it ended its":  func() (intune.Journal, reader, error) { runtime.Goexit(); return nil, nil, nil },
		"read failed: what it gives is nil":     (&entryLog{give: func() entries { return nil }}).open,
		"Asking returned an error: it panicked": func() (intune.Journal, reader, error) { return (*entryLog)(nil), read, nil },
		"Asking returned an error: it ended its": (&entryLog{take: func(context.Context, intune.JournalEntry) error {
			runtime.Goexit()
			return nil
		}}).open,
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			err := intunetest.TestJournal(open)
			if err == nil || !strings.Contains(err.Error(), ": "+says) {
				t.Errorf("error %v", err)
			}
			if strings.Contains(says, "broken") && !errors.Is(err, broken) {
				t.Errorf("error %v does not wrap that of open", err)
			}
		})
	}
}
