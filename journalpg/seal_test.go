package journalpg_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"

	"github.com/go-intune/intune/journalpg"
)

// Whoever can write the tables, but has no key, can't make a copy wait for the link of another device.
func TestOptions_KeySealsRows(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"token in Asked":  `UPDATE {request} SET asked = replace(asked, $1, $2) WHERE device_id = $1`,
		"token in Asking": `UPDATE {request} SET asking = replace(asking, $1, $2) WHERE device_id = $1`,
		"all that is open": `UPDATE {request} SET asked = replace(asked, $1, $2), asking = replace(asking, $1, $2), device_id = $2
			WHERE device_id = $1`,
		"device":   `UPDATE {request} SET device_id = $2 WHERE device_id = $1`,
		"no seals": `UPDATE {request} SET asked = replace(asked, $1, $2), asked_seal = NULL WHERE device_id = $1`,
		"entries of another request": `UPDATE {request} AS r SET
			asking = o.asking, asking_seal = o.asking_seal, asked = o.asked, asked_seal = o.asked_seal
			FROM {request} AS o WHERE r.device_id = $1 AND o.device_id = $2`,
		"Asked as Asking": `UPDATE {request} SET asking = asked, asking_seal = asked_seal WHERE device_id = $1 AND $2::text <> ''`,
		"scope":           `UPDATE {request} SET scope = 'other/' || $2::text WHERE device_id = $1`,
		"an entry is taken out": `UPDATE {request} SET asking = NULL, asking_seal = NULL, client_request_id = 'x' || $2::text
			WHERE device_id = $1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			j := f.journal()
			mine, victim := ask(t, j, device()), ask(t, j, device())
			must(t, j.Ended(t.Context(), ended(victim, intune.SessionReady)))
			must(t, j.Close())
			f.exec(change, mine.Device.DeviceID(), victim.Device.DeviceID())
			for _, of := range []string{scope, "other/" + victim.Device.DeviceID()} {
				j := f.journal(func(o *journalpg.Options) { o.Scope = of })
				wantNoClaim(t, j)
				refused := 0
				for request, err := range j.Requests(t.Context(), time.Time{}) {
					if err == nil {
						continue
					}
					refused++
					if request.ResumeToken() != "" {
						t.Error("the record tells a token that was changed")
					}
				}
				if want := f.count(`SELECT count(*) FROM {request} WHERE scope = $1 AND open`, of); refused != want {
					t.Errorf("%d rows are refused instead of %d", refused, want)
				}
			}
		})
	}
}

// An earlier entry that is put back into its row leads to no other device, and a wait that is opened again is no second request.
func TestOptions_KeyAndEarlierEntries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	entry := ask(t, j, device())
	var text, seal string
	must(t, f.db.QueryRowContext(t.Context(), `SELECT asked, asked_seal FROM `+f.schema+`.request`).Scan(&text, &seal))
	must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeRejected)))
	f.exec(`UPDATE {request} SET asked = $1, asked_seal = $2, outcome = 'accepted', open = true, has_token = true, key_used = true`,
		text, seal)
	claimed := claimOne(t, f.journal())
	if got := claimed.Request.Device(); got != entry.Device {
		t.Errorf("the device is %v", got)
	}
	if got := claimed.Request.ResumeToken(); got != entry.ResumeToken {
		t.Errorf("the token is %q", got)
	}
	wantBusy(t, j.Asking(t.Context(), asking(entry.Device)))
}

// With another key, devices stay busy and client-request-ids used.
func TestOptions_AnotherKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	entry := ask(t, f.journal(), device())
	other := f.journal(func(o *journalpg.Options) { o.Key = []byte(strings.Repeat("x", 32)) })
	wantBusy(t, other.Asking(t.Context(), asking(entry.Device)))
	again := bare(device())
	again.ClientRequestID = entry.ClientRequestID
	already, ok := errors.AsType[*intune.AlreadyAskedError](other.Asking(t.Context(), again))
	if !ok {
		t.Fatal("the key can be used again")
	}
	if got := already.Request.ResumeToken(); got != "" {
		t.Errorf("the error tells a token that this copy can't check: %q", got)
	}
	f.die()
	wantNoClaim(t, other)
	claimOne(t, f.journal())
}

// Rows that are refused do not stand in the way of others, and a copy with another key sees none.
func TestJournalClaim_PassesOverRefusedRows(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	for range 5 {
		ask(t, j, device())
	}
	f.exec(`UPDATE {request} SET asked_seal = 'x'`)
	last := ask(t, j, device())
	must(t, j.Close())
	wantNoClaim(t, f.journal(func(o *journalpg.Options) { o.Key = []byte(strings.Repeat("x", 40)) }))
	list, err := f.journal().Claim(t.Context(), 2)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("claimed %d", len(list))
	}
	if got := list[0].Request.Asking.ClientRequestID; got != last.ClientRequestID {
		t.Errorf("claimed %s", got)
	}
}

// A key is changed in steps, and no copy ever meets a row that it can't open.
func TestNew_OldKeys(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	keys := func(list ...string) func(*journalpg.Options) {
		return func(o *journalpg.Options) {
			o.Key, o.OldKeys = []byte(strings.Repeat(list[0], 32)), nil
			for _, old := range list[1:] {
				o.OldKeys = append(o.OldKeys, []byte(strings.Repeat(old, 32)))
			}
		}
	}
	steps := []func(*journalpg.Options){keys("a"), keys("a", "b"), keys("b", "a"), keys("b")}
	for i, before := range steps[:len(steps)-1] {
		j, next := f.journal(before), f.journal(steps[i+1])
		for _, copies := range [][2]*journalpg.Journal{{j, next}, {next, j}} {
			entry := ask(t, copies[0], device())
			must(t, copies[0].Ended(t.Context(), ended(entry, intune.SessionLeft)))
			if found := find(t, copies[1], entry.ClientRequestID); found.Err != nil {
				t.Errorf("step %d: %v", i, found.Err)
			}
			claimed, err := copies[1].ClaimRequest(t.Context(), entry.ClientRequestID)
			must(t, err)
			must(t, copies[1].Ended(claimed.Context, ended(entry, intune.SessionReady)))
		}
	}
	if found := find(t, f.journal(keys("b")), requests(t, f.journal(keys("a", "b")))[0].Asking.ClientRequestID); found.Err == nil {
		t.Error("a key opens what another one sealed")
	}
}

// A token is refused that is of another device, request or cloud than its entry.
func TestJournal_TokensOfOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	entry, other := asking(device()), asking(device())
	other.ClientRequestID = entry.ClientRequestID
	other.ResumeToken = token(other, "")
	sameDevice := asking(entry.Device)
	for name, foreign := range map[string]string{"device": other.ResumeToken, "request": sameDevice.ResumeToken} {
		bad := entry
		bad.ResumeToken = foreign
		if err := j.Asking(t.Context(), bad); !errors.Is(err, intune.ErrInvalidArgument) {
			t.Errorf("Asking with the token of another %s: %v", name, err)
		}
	}
	must(t, j.Asking(t.Context(), entry))
	cloud := entry
	cloud.ResumeToken = token(entry, "https://graph.microsoft.us/v1.0")
	for name, foreign := range map[string]string{
		"device": other.ResumeToken, "request": sameDevice.ResumeToken, "cloud": cloud.ResumeToken,
	} {
		bad := asked(entry, intune.OutcomeAccepted)
		bad.ResumeToken = foreign
		if err := j.Asked(t.Context(), bad); !errors.Is(err, intune.ErrInvalidArgument) {
			t.Errorf("Asked with the token of another %s: %v", name, err)
		}
	}
	must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeAccepted)))
}
