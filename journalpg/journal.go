package journalpg

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/go-intune/intune"
)

const (
	defaultSchema = "intune"
	defaultLease  = 30 * time.Second
	leastLease    = 100 * time.Millisecond
	leastBusy     = 30 * time.Minute
	leastKey      = 32
	maxScope      = 256

	// maxAge is how old a request may be whose wait goes on, as for WaitForRemoteAssistance.
	maxAge = 24 * time.Hour

	// maxText is the maximum length of an entry, in bytes. Entries have less than a tenth of it.
	maxText = 256 << 10

	// maxActor and maxKey are the lengths of an actor and a client-request-id, in bytes.
	maxActor = 200
	maxKey   = 256
)

var errClosed = errors.New("the journal is closed")

// Options configures [New].
type Options struct {
	// Schema is the schema of the tables, by default "intune". It begins with a lower-case letter and has lower-case letters,
	// digits and underscores, at most 48.
	Schema string

	// Scope says whose devices these are: the host of Graph and the id of the tenant, such as
	// "graph.microsoft.com/6babcaad-604b-40ac-a9d7-9fd97c0b779f". Ids of devices and tokens belong to a tenant, so that requests of
	// one scope know nothing of those of another. It must not be blank or hold white space, all copies need the same, and case
	// does not matter.
	Scope string

	// Busy is how long after Asking a device is busy if nobody learns the outcome, or if nobody waits for a link. Zero means 30
	// minutes, which is also the least: a request may still go out ten minutes after Asking, and its user needs time.
	Busy time.Duration

	// Lease is how long the waits of this copy are its own without a sign of life, and so how long they pause when it dies.
	// Zero means 30 seconds; 100 milliseconds is the least. It is renewed at a third of it.
	Lease time.Duration

	// Actor, if not nil, returns the person that a request is made for, from the context of the call. At most 200 bytes are
	// kept, in one line. It is called from several goroutines.
	Actor func(ctx context.Context) string

	// Key seals the rows: whoever can write the tables but doesn't have it can't make a copy hand out the link of another
	// device. It is needed, has at least 32 bytes, is kept outside of the database, and is the same in all copies.
	Key []byte

	// OldKeys open rows too, and seal none. To change the key, give the new one to all copies here, then make it their Key and the
	// one of before an old one, and leave that out when its rows are too old to matter.
	OldKeys [][]byte
}

// Journal is an [intune.Journal] in PostgreSQL. Each method takes ten seconds at most, or says so. It is safe for concurrent
// use.
type Journal struct {
	db     *sql.DB
	schema string
	scope  string
	busy   time.Duration
	lease  time.Duration
	actor  func(context.Context) string
	keys   [][]byte // the first one seals
	copy   string   // names this journal among all copies
	names  *strings.Replacer

	versionSeen atomic.Bool

	life  context.Context //nolint:containedctx // ends with Close
	close context.CancelFunc

	closing sync.Mutex
	work    sync.WaitGroup // the keeper of the leases, and entries that are written later

	holds  holds
	keeper keeper
	later  atomic.Int64 // entries to be written later
}

var _ intune.Journal = (*Journal)(nil)

// New makes a journal. It doesn't use the database yet: call [Journal.Migrate] once for each deployment. The errors are
// [intune.ErrInvalidArgument].
//
// The journal keeps one connection of db for itself once it waits for a link, so that others who use up the pool can't
// take its leases away: db needs at least two.
func New(db *sql.DB, options *Options) (*Journal, error) {
	var o Options
	if options != nil {
		o = *options
	}
	if o.Schema == "" {
		o.Schema = defaultSchema
	}
	if o.Busy == 0 {
		o.Busy = leastBusy
	}
	if o.Lease == 0 {
		o.Lease = defaultLease
	}
	if err := check(db, o); err != nil {
		return nil, err
	}
	j := &Journal{
		db: db, schema: o.Schema, scope: strings.ToLower(o.Scope), busy: o.Busy, lease: o.Lease, actor: o.Actor,
		copy:  rand.Text(),
		names: strings.NewReplacer("{schema}", `"`+o.Schema+`"`, "{request}", `"`+o.Schema+`".request`),
	}
	for _, key := range append([][]byte{o.Key}, o.OldKeys...) {
		j.keys = append(j.keys, bytes.Clone(key))
	}
	j.keeper.turn = make(chan struct{}, 1)
	j.life, j.close = context.WithCancel(context.Background())
	return j, nil
}

func check(db *sql.DB, o Options) error {
	switch {
	case db == nil:
		return invalidArgument("db", "is nil; pass what sql.Open returned")
	case db.Stats().MaxOpenConnections == 1:
		return invalidArgument("db", "has one connection; the journal keeps one for its leases, so allow at least two with SetMaxOpenConns")
	case !regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`).MatchString(o.Schema):
		return invalidArgument("options.Schema", "is no name of lower-case letters, digits and underscores, of at most 48, with a letter first")
	case strings.TrimSpace(o.Scope) == "":
		return invalidArgument("options.Scope", "is blank; set the host of Graph and the id of the tenant")
	case len(o.Scope) > maxScope || strings.ContainsFunc(o.Scope, unseen) || strings.ToValidUTF8(o.Scope, "") != o.Scope:
		return invalidArgument("options.Scope",
			fmt.Sprintf("%q is longer than %d bytes, or holds white space, an invisible character or what is no text", o.Scope, maxScope))
	case o.Busy < leastBusy:
		return invalidArgument("options.Busy", fmt.Sprintf("is below %v; use 0 for that", leastBusy))
	case o.Lease < leastLease:
		return invalidArgument("options.Lease", fmt.Sprintf("is below %v; use 0 for %v", leastLease, defaultLease))
	case len(o.Key) < leastKey:
		return invalidArgument("options.Key",
			fmt.Sprintf("has %d bytes; set at least %d random ones, the same in all copies", len(o.Key), leastKey))
	case slices.ContainsFunc(o.OldKeys, func(key []byte) bool { return len(key) < leastKey }):
		return invalidArgument("options.OldKeys", fmt.Sprintf("has a key of less than %d bytes; leave it out", leastKey))
	default:
		return nil
	}
}

// Close gives up the leases of this copy, so that others can claim its waits at once, and ends the contexts of what it
// has claimed. It does not close the database. The journal can't be used any more: what waits on goes without its link, as after
// [intune.ErrSuperseded].
func (j *Journal) Close() error {
	if j == nil || j.db == nil || j.life.Err() != nil {
		return nil
	}
	j.closing.Lock()
	j.close()
	j.closing.Unlock()
	j.work.Wait()
	j.holds.end(errClosed)
	if !j.versionSeen.Load() {
		return nil // it never held anything
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	_, err := run(ctx, j.db, func(ctx context.Context, tx *sql.Tx) (sql.Result, error) {
		// That it keeps its copy tells the wait from one that was left.
		return tx.ExecContext(ctx, j.sql(`UPDATE {request} SET copy = copy, lease_until = clock_timestamp()
			WHERE scope = $1::text AND open AND copy = $2::text`),
			j.scope, j.copy)
	})
	if err != nil {
		return fmt.Errorf("give up the leases of the journal, which others can take after %v: %w", j.lease, err)
	}
	return nil
}

// unseen reports whether a person does not see a character, so that two copies could have two scopes that look the same.
func unseen(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// sql puts the names into a statement.
func (j *Journal) sql(text string) string { return j.names.Replace(text) }

// deviceIDOf is the id of a device, which is the same at all addresses.
func deviceIDOf(device intune.DeviceRef) string { return strings.ToLower(device.DeviceID()) }

// oneLine is a text of at most limit bytes without control characters.
func oneLine(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "")
	}
	return strings.TrimSpace(text)
}

func invalidArgument(argument, problem string) error {
	return fmt.Errorf("%w: %s %s", intune.ErrInvalidArgument, argument, problem)
}
