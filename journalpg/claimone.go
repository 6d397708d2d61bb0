package journalpg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-intune/intune"
)

// ErrNotWaiting is the error of [Journal.ClaimRequest] about a request that there is nothing to go on with.
var ErrNotWaiting = errors.New("there is no wait to go on with")

// ClaimRequest takes the wait of one request, as [Journal.Claim] does with those that it finds, for a person who wants to go on with
// it. It does not mind when the wait was left. The errors are
//
//   - an [*intune.DeviceBusyError] while somebody asks or waits for the device, be it for this request or for another one,
//   - [ErrNotWaiting] if the request has ended, asked nobody or was superseded, is older than 24 hours, is not known, or
//     was changed by somebody without Options.Key,
//   - any other one if the database can't be asked. If its answer is lost, the wait may be nobody's until Options.Lease has passed.
func (j *Journal) ClaimRequest(ctx context.Context, clientRequestID string) (Claimed, error) {
	if err := j.usable(ctx); err != nil {
		return Claimed{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	if err := j.startClaim(bounded); err != nil {
		return Claimed{}, fmt.Errorf("claim a wait of the journal: %w", err)
	}
	t, err := run(bounded, j.db, func(ctx context.Context, tx *sql.Tx) (taken, error) {
		return j.takeOne(ctx, tx, clientRequestID)
	})
	if busy, ok := errors.AsType[*intune.DeviceBusyError](err); ok {
		return Claimed{}, busy
	}
	if err != nil {
		return Claimed{}, fmt.Errorf("claim a wait of the journal: %w", err)
	}
	return j.holdClaimed(ctx, t), nil
}

func (j *Journal) takeOne(ctx context.Context, tx *sql.Tx, clientRequestID string) (taken, error) {
	before := time.Now()
	held, _ := j.holds.ids()
	list, err := query(ctx, tx, j.sql(`SELECT `+columns+` FROM {request}
		WHERE scope = $1::text AND client_request_id = ANY ($2::text::text[]) AND key_used
			AND asking_at > clock_timestamp() - $3::bigint * interval '1 microsecond' FOR UPDATE`),
		j.scope, textArray([]string{clientRequestID}), microseconds(maxAge))
	if err != nil {
		return taken{}, err
	}
	if len(list) == 0 {
		return taken{}, refusal{fmt.Errorf("%w: the request is not known, too old, or asked nobody", ErrNotWaiting)}
	}
	r := list[0]
	// A copy that died while it was asking makes the device busy for other requests only.
	list, err = query(ctx, tx, j.sql(`SELECT `+columns+` FROM {request}
		WHERE scope = $1::text AND device_id = $2::text AND open AND CASE WHEN id = $3::bigint
			THEN id = ANY ($4::text::bigint[]) OR coalesce(lease_until > clock_timestamp(), false)
				OR NOT waits AND session IS NULL AND busy_until > clock_timestamp()
			ELSE `+busyRow("false")+` END`), j.scope, r.deviceID, r.id, held)
	if err != nil {
		return taken{}, err
	}
	request, err := j.request(r)
	if len(list) > 0 {
		return taken{}, refusal{j.busyError(intune.Device(r.deviceID), list[0])}
	}
	why := ""
	switch {
	case err != nil:
		why = err.Error()
	case !request.Waiting():
		why = "the wait is over"
	case !r.hasToken:
		why = "the journal does not know how it began"
	}
	if why != "" {
		return taken{}, refusal{fmt.Errorf("%w: %s", ErrNotWaiting, why)}
	}
	t := taken{r, request, before}
	return t, j.own(ctx, tx, []taken{t})
}
