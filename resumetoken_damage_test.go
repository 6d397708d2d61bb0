package intune_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// Every change of one byte is refused, or means the same as before: a token whose baseline is damaged would take the
// old link for a new one.
func TestDamagedResumeTokens(t *testing.T) {
	t.Parallel()
	bubble(t, "every byte", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{
			RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink), RemoteAssistanceSessionErrorDetails: "old trouble",
		}, intunetest.SessionScript{Never: true})
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		client := tenant.Client()
		good := begin(t, tenant, device, &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Hour, ConfirmWithin: time.Hour})
		meaning := resumed(t, client, good)
		accepted := 0
		check := func(token string) {
			again := resumed(t, client, token)
			if again == "" {
				return
			}
			accepted++
			if again != meaning {
				t.Errorf("accepted with another meaning:\n%s", token)
			}
		}
		for at := 0; at < len(good); at += smaller {
			for _, flip := range []byte{0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80} {
				check(good[:at] + string([]byte{good[at] ^ flip}) + good[at+1:])
			}
			for _, other := range []byte(` "0A_=\,}`) {
				check(good[:at] + string([]byte{other}) + good[at+1:])
				check(good[:at] + string([]byte{other}) + good[at:])
			}
			check(good[:at] + good[at+1:])
		}
		if accepted == 0 {
			t.Error("white space is accepted nowhere, so that the test compares nothing")
		}
	})
}

// resumed is the token that a wait resumed from a token has itself, "" if that one is refused.
func resumed(t *testing.T, client *intune.Client, token string) string {
	t.Helper()
	poller, err := client.ResumeRemoteAssistance(t.Context(), token, nil)
	if err != nil {
		if !errors.Is(err, intune.ErrInvalidArgument) {
			t.Fatal(err)
		}
		return ""
	}
	again, err := poller.ResumeToken()
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// The checksum is of the members and not of their spelling, since a store may format JSON anew.
func TestReformattedResumeToken(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	client, token := tenant.Client(), begin(t, tenant, tenant.AddDevice(intune.ManagedDevice{}), nil)
	var members map[string]any
	if err := json.Unmarshal([]byte(token), &members); err != nil {
		t.Fatal(err)
	}
	formatted, err := json.MarshalIndent(members, "", "\t")
	if err != nil || strings.Count(string(formatted), "\n") < 10 {
		t.Fatalf("%v: %s", err, formatted)
	}
	if again := resumed(t, client, string(formatted)); again != token {
		t.Errorf("got %s\nwant %s", again, token)
	}
}
