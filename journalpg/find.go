package journalpg

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/go-intune/intune"
)

// Found is a request as it is in the database now.
type Found struct {
	// Request is what the record says. Its times are those of the database.
	Request intune.JournalRequest

	// Change grows with each change of what is here, except that a lease lapses. All requests share the numbers, which the
	// sequence "change" of the schema gives. It is 0 for what has not changed since version 1.0 of the tables.
	Change int64

	// Held is whether a copy asks or waits for the link, and its lease lives.
	Held bool

	// Asking is whether the copy that asks holds it, and may still say what became of the request. If another one has taken the
	// wait, the outcome is unknown.
	Asking bool

	// Interrupted is whether nobody waits for the link because the copy that did so died or was closed. A wait that was left
	// otherwise is not interrupted.
	Interrupted bool

	// Later is whether somebody asked for the device after this request, or may have, so that a link that is there now may be theirs.
	Later bool

	// Err is about a row that somebody changed who does not have Options.Key. Request has what its columns say, then.
	Err error
}

// interruptedRow is whether a wait ended with its copy. One that was left otherwise has no copy. $2 is how old it may be.
const interruptedRow = `(r.open AND r.has_token AND r.waits AND coalesce(r.lease_until <= clock_timestamp(), true)
	AND (r.session IS NULL OR r.copy IS NOT NULL) AND r.asking_at > clock_timestamp() - $2::bigint * interval '1 microsecond')`

// Find returns the requests with client-request-ids, the oldest first. Those that there are not are missing. Of several requests
// with one client-request-id, of which all but one asked nobody, it returns the one that used it up, or else the latest.
// What [Journal.Forget] has removed is missing in it.
func (j *Journal) Find(ctx context.Context, clientRequestIDs ...string) ([]Found, error) {
	list, err := j.findRows(ctx, `r.id IN (SELECT DISTINCT ON (client_request_id) id FROM {request}
			WHERE scope = $1::text AND client_request_id = ANY ($3::text::text[]) ORDER BY client_request_id, key_used DESC, id DESC)
		ORDER BY r.asking_at, r.id`,
		textArray(clientRequestIDs))
	if err != nil {
		return nil, fmt.Errorf("find requests in the journal: %w", err)
	}
	return list, nil
}

// Interrupted returns the requests of which Found.Interrupted is true and that this copy does not hold, at most limit of them, the
// oldest first. It changes nothing: a program that can't go on with each of them takes one with [Journal.ClaimRequest]. Rows that
// somebody changed who does not have Options.Key are left out.
func (j *Journal) Interrupted(ctx context.Context, limit int) ([]Found, error) {
	if err := j.usable(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, invalidArgument("limit", "is not above zero; say how many requests there may be")
	}
	list, err := j.findRows(ctx, fmt.Sprintf(interruptedRow+` AND NOT r.id = ANY ($3::text::bigint[])
		ORDER BY r.asking_at, r.id LIMIT %d`, limit), j.holds.notToClaim())
	if err != nil {
		return nil, fmt.Errorf("find interrupted waits in the journal: %w", err)
	}
	return slices.DeleteFunc(list, func(f Found) bool { return !f.Interrupted }), nil
}

// findRows reads rows, whose table is r.
func (j *Journal) findRows(ctx context.Context, where, argument string) ([]Found, error) {
	if err := j.usable(ctx); err != nil {
		return nil, err
	}
	if err := j.ready(ctx); err != nil {
		return nil, err
	}
	const later = `{request} AS o WHERE o.scope = r.scope AND o.device_id = r.device_id AND o.id > r.id`
	text := j.sql(`SELECT ` + columns + `, ` + interruptedRow + `,
			EXISTS (SELECT FROM ` + later + ` AND o.outcome IS DISTINCT FROM 'rejected' AND o.outcome IS DISTINCT FROM 'notSent'),
			greatest(change, CASE WHEN session = 'ready' THEN (SELECT max(o.change) FROM ` + later + `) END)
		FROM {request} AS r WHERE r.scope = $1::text AND ` + where)
	return run(ctx, j.db, func(ctx context.Context, tx *sql.Tx) (list []Found, err error) {
		rows, err := tx.QueryContext(ctx, text, j.scope, microseconds(maxAge), argument)
		if err != nil {
			return nil, err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var f Found
			r, err := scan(rows, &f.Interrupted, &f.Later, &f.Change)
			if err != nil {
				return nil, err
			}
			f.Held, f.Asking = r.leased, r.leased && !r.outcome.Valid && r.fence == 1
			f.Request, f.Err = j.request(r)
			f.Interrupted = f.Interrupted && f.Request.Waiting()
			list = append(list, f)
		}
		return list, rows.Err()
	})
}

// textArray is an array of PostgreSQL, as a text that each driver can send. What can't be in the table is left out.
func textArray(texts []string) string {
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	var b strings.Builder
	for _, text := range texts {
		if oneLine(text, maxKey) != text {
			continue
		}
		if b.Len() > 0 {
			_ = b.WriteByte(',')
		}
		_, _ = b.WriteString(`"` + escaped.Replace(text) + `"`)
	}
	return "{" + b.String() + "}"
}
