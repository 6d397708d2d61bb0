package main

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalpg"
)

// The fates of a link.
const (
	fateOpened     = "opened"
	fateSuperseded = "superseded"
	fateGone       = "gone"
)

// linkRow is what the service has beside the journal.
type linkRow struct {
	hash   []byte
	fate   string
	fateAt time.Time
	change int64
}

// find reads sessions by their ids, in the order of asking. The journal is read first: a fate comes only after the journal says
// ready, so that what is a moment newer fits.
func (p *pgStore) find(ctx context.Context, ids ...string) ([]*session, error) {
	found, err := p.Find(ctx, ids...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	rows := map[string]*linkRow{}
	err = p.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		list, err := tx.QueryContext(ctx, p.sql(`SELECT id, link_hash, coalesce(fate, ''), coalesce(fate_at, 'epoch'), change
			FROM {schema}.service_session WHERE scope = $1 AND id = ANY ($2)`), p.scope, ids)
		if err != nil {
			return err
		}
		defer func() { _ = list.Close() }()
		for list.Next() {
			var id string
			var row linkRow
			if err := list.Scan(&id, &row.hash, &row.fate, &row.fateAt, &row.change); err != nil {
				return err
			}
			rows[id] = &row
		}
		return list.Err()
	})
	if err != nil {
		return nil, err
	}
	sessions := make([]*session, 0, len(found))
	for i := range found {
		f := &found[i]
		if f.Err != nil {
			p.log.ErrorContext(ctx, "a request is passed over", "session", f.Request.Asking.ClientRequestID, "error", f.Err.Error())
		}
		row := rows[f.Request.Asking.ClientRequestID]
		if row == nil { // of another program with the same journal
			row = &linkRow{}
		}
		if s := snapshot(f, row); s != nil {
			sessions = append(sessions, s)
		}
	}
	return sessions, nil
}

// snapshot is the session of a request, nil if the journal does not know whose it is: it was forgotten, or somebody changed the row.
func snapshot(f *journalpg.Found, row *linkRow) *session {
	r := &f.Request
	if f.Err != nil || r.Asking.Actor == "" {
		return nil
	}
	s := &session{
		id: r.Asking.ClientRequestID, owner: r.Asking.Actor, device: r.Device(), reference: r.Asking.Reference,
		asked: r.Asking.Time, changed: latest(r.Asking.Time, r.Asked.Time, r.Ended.Time),
		unsure: r.Outcome() == intune.OutcomeUnknown, linkHash: row.hash,
		number: 2 * max(f.Change, row.change), // the odd ones are those of waits whose lease lapsed, which changes no row
	}
	switch session, outcome := r.Ended.Session, r.Outcome(); {
	case row.fate != "":
		s.state, s.changed, s.unsure = map[string]state{
			fateOpened: stateOpened, fateSuperseded: stateSuperseded, fateGone: stateNoLink,
		}[row.fate], row.fateAt, false
	case outcome == intune.OutcomeRejected, outcome == intune.OutcomeNotSent:
		s.state, s.problem, s.unsure = stateRefused, refusalOf(r.Asked), false
	case session == intune.SessionSuperseded, session == intune.SessionReady && f.Later:
		s.state = stateSuperseded
	case session == intune.SessionReady:
		s.state = stateReady
		if len(s.linkHash) == 0 {
			s.token = r.ResumeToken()
		}
	case session == intune.SessionFailed:
		s.state, s.reason = stateFailed, reasonOf(r.Ended)
	case f.Asking:
		s.state = stateAsking
	case f.Held:
		s.state = stateWaiting
	default:
		s.state = stateNoLink
		if f.Interrupted {
			s.number++
		} else {
			s.reason = reasonOf(r.Ended)
		}
	}
	return s
}

func latest(times ...time.Time) (last time.Time) {
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
