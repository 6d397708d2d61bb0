package journalpg

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// row is a request in the database.
type row struct {
	id                       int64
	deviceID, key, nonce     string
	fence                    int64
	copy                     sql.NullString
	leased                   bool // the lease lives
	outcome, session         sql.NullString
	askingAt                 time.Time
	askedAt, endedAt         sql.NullTime
	busyUntil                time.Time
	hasToken                 bool
	forgotten                bool
	asking, asked, endedText sealedText
}

// sealedText is an entry as JSON with its seal.
type sealedText struct{ text, seal sql.NullString }

// columns are those of a row, in the order of scan.
const columns = `id, device_id, client_request_id, nonce, fence, copy, coalesce(lease_until > clock_timestamp(), false),
	outcome, session, asking_at, asked_at, ended_at, busy_until, has_token, forgotten,
	asking, asking_seal, asked, asked_seal, ended, ended_seal`

// scan reads a row, and what follows its columns.
func scan(from interface{ Scan(into ...any) error }, more ...any) (*row, error) {
	var r row
	err := from.Scan(append([]any{
		&r.id, &r.deviceID, &r.key, &r.nonce, &r.fence, &r.copy, &r.leased,
		&r.outcome, &r.session, &r.askingAt, &r.askedAt, &r.endedAt, &r.busyUntil, &r.hasToken, &r.forgotten,
		&r.asking.text, &r.asking.seal, &r.asked.text, &r.asked.seal, &r.endedText.text, &r.endedText.seal,
	}, more...)...)
	return &r, err
}

// query reads rows.
func query(ctx context.Context, tx *sql.Tx, text string, args ...any) (list []*row, err error) {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// request is what a row says. If there is an error, what it returns has no token.
func (j *Journal) request(r *row) (intune.JournalRequest, error) {
	if r.forgotten {
		return r.bare(), nil
	}
	var request intune.JournalRequest
	var err error
	for _, part := range [...]struct {
		kind  kind
		text  sealedText
		at    time.Time
		entry *intune.JournalEntry
	}{
		{kindAsking, r.asking, r.askingAt, &request.Asking},
		{kindAsked, r.asked, r.askedAt.Time, &request.Asked},
		{kindEnded, r.endedText, r.endedAt.Time, &request.Ended},
	} {
		if *part.entry, err = j.open(r, part.kind, part.text); err != nil {
			return r.bare(), err
		}
		if part.text.text.Valid {
			part.entry.Time = part.at.UTC()
		}
	}
	if err := checkClouds(request); err != nil {
		return r.bare(), err
	}
	if r.session.String == string(intune.SessionSuperseded) {
		request.Ended = r.superseded(request.Device(), request.Asking.ClientRequestID)
	}
	return request, nil
}

// bare is what the row says of the request without its entries.
func (r *row) bare() intune.JournalRequest {
	device := intune.Device(r.deviceID)
	request := intune.JournalRequest{Asking: intune.JournalEntry{Time: r.askingAt.UTC(), Device: device, ClientRequestID: r.key}}
	if r.outcome.Valid {
		request.Asked = intune.JournalEntry{
			Time: r.askedAt.Time.UTC(), Device: device, ClientRequestID: r.key, Outcome: intune.Outcome(r.outcome.String),
		}
	}
	if r.session.Valid {
		request.Ended = r.superseded(device, r.key)
		request.Ended.Session = intune.SessionOutcome(r.session.String)
	}
	return request
}

func (r *row) superseded(device intune.DeviceRef, clientRequestID string) intune.JournalEntry {
	return intune.JournalEntry{
		Time: r.endedAt.Time.UTC(), Device: device, ClientRequestID: clientRequestID, Session: intune.SessionSuperseded,
	}
}

// with is the request of a row after one more entry, by the rules of intune.JournalRequests.
func (j *Journal) with(r *row, entry intune.JournalEntry) intune.JournalRequest {
	entries := make([]intune.JournalEntry, 0, 4)
	for _, part := range [...]struct {
		kind kind
		text sealedText
	}{{kindAsking, r.asking}, {kindAsked, r.asked}, {kindEnded, r.endedText}} {
		earlier, err := j.open(r, part.kind, part.text)
		if err == nil && part.text.text.Valid { // what somebody else wrote counts for nothing
			earlier.Device, earlier.ClientRequestID = entry.Device, entry.ClientRequestID
			entries = append(entries, earlier)
		}
	}
	if r.forgotten {
		if r.outcome.Valid {
			entries = append(entries, intune.JournalEntry{
				Device: entry.Device, ClientRequestID: entry.ClientRequestID, Outcome: intune.Outcome(r.outcome.String),
			})
		}
		entry.ResumeToken = ""
	}
	return together(append(entries, entry))
}

// together is the one request that entries with one device and one client-request-id are of.
func together(entries []intune.JournalEntry) intune.JournalRequest {
	list, err := intune.JournalRequests(each(entries))
	if err != nil || len(list) == 0 {
		return intune.JournalRequest{}
	}
	return list[len(list)-1]
}

func each(entries []intune.JournalEntry) iter.Seq2[intune.JournalEntry, error] {
	return func(yield func(intune.JournalEntry, error) bool) {
		for _, entry := range entries {
			if !yield(entry, nil) {
				return
			}
		}
	}
}

// prepare checks an entry and fills in what is missing.
func prepare(entry intune.JournalEntry) (intune.JournalEntry, error) {
	switch {
	case entry.Device.IsZero():
		return entry, invalidArgument("entry", "has no device")
	case entry.ClientRequestID == "" || len(entry.ClientRequestID) > maxKey:
		return entry, invalidArgument("entry.ClientRequestID", fmt.Sprintf("is blank or longer than %d bytes", maxKey))
	case oneLine(entry.ClientRequestID, maxKey) != entry.ClientRequestID:
		return entry, invalidArgument("entry.ClientRequestID", "holds what is no text")
	}
	if entry.Time.IsZero() {
		entry.Time = time.Now().UTC().Round(0)
	}
	return entry, checkToken(entry)
}

// encode is an entry as JSON, which also checks the address of the device. PostgreSQL can't read JSON with a zero byte.
func encode(entry intune.JournalEntry) (string, error) {
	for _, text := range [...]*string{
		&entry.Reference, &entry.Actor, &entry.Error, &entry.RequestID, &entry.CallerID, &entry.AppID, &entry.TenantID,
	} {
		*text = strings.ReplaceAll(*text, "\x00", "\ufffd")
	}
	text, err := json.Marshal(entry)
	if err != nil {
		return "", fmt.Errorf("journal entry: %w", err)
	}
	if len(text) > maxText {
		return "", invalidArgument("entry", fmt.Sprintf("is too long for a journal: %d bytes, at most %d are kept", len(text), maxText))
	}
	return string(text), nil
}
