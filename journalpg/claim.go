package journalpg

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-intune/intune"
)

// resumeFor is how long a wait goes on that was left, counted from Asking: as long as WaitForRemoteAssistance waits unless
// told otherwise. Without an end, the device of a user who did not answer would never be free.
const resumeFor = 10 * time.Minute

// Claimed is a wait that this copy holds. Pass Request.ResumeToken() to [intune.Client.WaitForRemoteAssistance], with
// Context, of a client that has this journal: it tells Ended who waits. The wait is left again when its Ended is recorded, or when
// Context has ended.
type Claimed struct {
	Request intune.JournalRequest

	// Context is derived from that of Claim. It ends when the lease does, for example because the database can't be reached
	// for longer than Options.Lease; its cause is then [intune.ErrSuperseded]. It is kept in memory until it ends, so end that of
	// Claim once the waits are over.
	Context context.Context //nolint:containedctx // each wait has its own

	end context.CancelCauseFunc // of Context
}

// claimKey is the key of the claim in a context.
type claimKey struct{}

type claim struct {
	journal       string
	id, fence     int64
	deviceID, key string
}

// isOf reports whether an entry is of the request that was claimed. Whoever asks anew with its context does so for himself.
func (c claim) isOf(j *Journal, entry intune.JournalEntry) bool {
	return c.journal == j.copy && c.deviceID == deviceIDOf(entry.Device) && c.key == entry.ClientRequestID
}

// Claim takes waits that nobody holds, at most limit of them, oldest first: those that were left, and those whose copy died, also
// before it learned the outcome. It passes over
//
//   - requests that are older than 24 hours,
//   - requests whose outcome is unknown, and whose wait was left after the time of confirmation (ConfirmWithin after Asking): most
//     likely nobody was asked,
//   - requests with a poller, until Options.Busy after Asking, unless their wait was left,
//   - rows that were changed by somebody without Options.Key, or whose token is of another device, request or cloud than
//     they are. [Journal.Requests] returns an error for each of those.
//
// A wait that is claimed and left can be claimed again; [Resume] knows when to stop.
func (j *Journal) Claim(ctx context.Context, limit int) ([]Claimed, error) {
	return j.claim(ctx, limit, false)
}

// claim is Claim. givenUp leaves out what was waited for long enough.
func (j *Journal) claim(ctx context.Context, limit int, givenUp bool) ([]Claimed, error) {
	if err := j.usable(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, invalidArgument("limit", "is not above zero; say how many waits this copy can take")
	}
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	if err := j.startClaim(bounded); err != nil {
		return nil, fmt.Errorf("claim waits of the journal: %w", err)
	}
	taken, err := run(bounded, j.db, func(ctx context.Context, tx *sql.Tx) ([]taken, error) {
		return j.take(ctx, tx, limit, givenUp)
	})
	if err != nil {
		return nil, fmt.Errorf("claim waits of the journal: %w", err)
	}
	list := make([]Claimed, 0, len(taken))
	for _, t := range taken {
		list = append(list, j.holdClaimed(ctx, t))
	}
	return list, nil
}

// startClaim checks that this copy can hold a wait.
func (j *Journal) startClaim(ctx context.Context) error {
	if err := j.ready(ctx); err != nil {
		return err
	}
	if err := j.keep(ctx); err != nil {
		return fmt.Errorf("no connection for the leases: %w", err)
	}
	return nil
}

// taken is a request that was claimed.
type taken struct {
	row     *row
	request intune.JournalRequest
	before  time.Time // the lease began after that
}

// take claims rows whose seals and tokens are right.
func (j *Journal) take(ctx context.Context, tx *sql.Tx, limit int, givenUp bool) (list []taken, err error) {
	held := j.holds.notToClaim()
	before := time.Now()
	after := &row{}
	for len(list) < limit {
		rows, err := query(ctx, tx, j.sql(`SELECT `+columns+` FROM {request}
			WHERE scope = $1::text AND open AND has_token AND coalesce(lease_until <= clock_timestamp(), true)
				AND (waits OR session = 'left' OR busy_until <= clock_timestamp())
				AND asking_at > clock_timestamp() - $2::bigint * interval '1 microsecond'
				AND NOT (outcome IS DISTINCT FROM 'accepted' AND coalesce(session = 'left' AND ended_at >= confirm_until, false))
				AND NOT ($3::boolean AND coalesce(session = 'left' AND ended_at >= asking_at + $4::bigint * interval '1 microsecond', false))
				AND NOT id = ANY ($5::text::bigint[]) AND (asking_at, id) > ($6::timestamptz, $7::bigint)
			ORDER BY asking_at, id LIMIT $8::bigint FOR UPDATE SKIP LOCKED`),
			j.scope, microseconds(maxAge), givenUp, microseconds(resumeFor), held, after.askingAt, after.id, limit-len(list))
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			break
		}
		after = rows[len(rows)-1]
		for _, r := range rows {
			if request, err := j.request(r); err == nil && request.Waiting() {
				list = append(list, taken{r, request, before})
			}
		}
	}
	return list, j.own(ctx, tx, list)
}

// own gives this copy the leases of rows that are locked.
func (j *Journal) own(ctx context.Context, tx *sql.Tx, list []taken) error {
	if len(list) == 0 {
		return nil
	}
	array := idArray(func(yield func(int64) bool) {
		for _, t := range list {
			if !yield(t.row.id) {
				return
			}
		}
	})
	_, err := tx.ExecContext(ctx, j.sql(`UPDATE {request} SET copy = $2::text, fence = fence + 1, waits = true,
			lease_until = clock_timestamp() + $3::bigint * interval '1 microsecond' WHERE id = ANY ($1::text::bigint[])`),
		array, j.copy, microseconds(j.lease))
	if err != nil {
		return err
	}
	for _, t := range list {
		t.row.fence++
	}
	return nil
}

// holdClaimed makes the context of a claim.
func (j *Journal) holdClaimed(parent context.Context, t taken) Claimed {
	until := t.before.Add(j.lease)
	of := claim{j.copy, t.row.id, t.row.fence, t.row.deviceID, t.row.key}
	ctx, cancel := context.WithCancelCause(context.WithValue(parent, claimKey{}, of))
	h := &hold{id: t.row.id, fence: t.row.fence, claimed: true, cancel: cancel, until: until}
	h.mu.Lock() // the timer must not look before it is there
	h.timer = time.AfterFunc(time.Until(until), func() { j.lapsed(h) })
	h.mu.Unlock()
	j.holds.add(h)
	context.AfterFunc(ctx, func() { j.holds.remove(h) })
	if j.life.Err() != nil {
		h.stop(errClosed)
	}
	return Claimed{t.request, ctx, cancel}
}

// lapsed ends a claim whose lease was not renewed.
func (j *Journal) lapsed(h *hold) {
	h.mu.Lock()
	left := time.Until(h.until)
	if left > 0 {
		h.timer.Reset(left)
	}
	h.mu.Unlock()
	if left <= 0 {
		j.holds.remove(h)
		h.cancel(intune.ErrSuperseded)
	}
}
