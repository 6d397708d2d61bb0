package intune_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// tokenMembers are those of a resume token.
func tokenMembers(tb testing.TB, token string) (envelope, inner map[string]any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(token), &envelope); err != nil {
		tb.Fatal(err)
	}
	return envelope, envelope["token"].(map[string]any)
}

// Without a salt of its own a token's hashes would tell which devices have the same link.
func TestSaltOfAResumeToken(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := waiting(tenant, intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}, intunetest.SessionScript{Never: true}, intunetest.SessionScript{Never: true})
	_, one := tokenMembers(t, begin(t, tenant, device, nil))
	_, two := tokenMembers(t, begin(t, tenant, device, nil))
	for _, member := range []string{"salt", "link", "details"} {
		if one[member] == two[member] {
			t.Errorf("two tokens have the same %s: %v", member, one[member])
		}
	}
	if strings.Trim(one["salt"].(string), "A=") == "" {
		t.Errorf("the salt is %v", one["salt"])
	}
}

// What a token holds of AcceptExistingAfter, and what is taken of it.
func TestAcceptExistingAfterInAToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, second time.Duration
		member        any
		after         time.Duration // of the wait, whose pace is an hour
	}{
		"none":                {0, 0, nil, 2 * time.Hour},
		"the shortest":        {1, 0, "1ns", 0},
		"the shortest, again": {time.Minute, 1, "1m0s", 0},
		"kept":                {time.Minute, 0, "1m0s", time.Minute},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}, intunetest.SessionScript{Never: true})
			token := begin(t, tenant, device, &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: c.first})
			if _, inner := tokenMembers(t, token); inner["acceptExistingAfter"] != c.member {
				t.Errorf("the token holds %v", inner["acceptExistingAfter"])
			}
			time.Sleep(time.Nanosecond) //nolint:forbidigo // the bubble's clock
			start := time.Now().Add(-1)
			_, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, &intune.WaitForRemoteAssistanceOptions{AcceptExistingAfter: c.second, Frequency: time.Hour, MaxWait: 2 * time.Hour})
			if (err == nil) != (c.member != nil) || time.Since(start).Truncate(time.Second) != c.after {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
	}
}

// Where each limit of a token lies. What is within it is refused later, for its checksum.
func TestLimitsOfAResumeToken(t *testing.T) {
	t.Parallel()
	const passes, most = "changed or damaged", 8 << 10
	for name, c := range map[string]struct {
		member string
		value  any
		says   string
	}{
		"short salt":              {"salt", "AAAAAAAAAAAAAAAAAAAA", "hash"},
		"short link":              {"link", "AAAAAAAAAAAAAAAAAAAAAAAA", "hash"},
		"short details":           {"details", "AAAAAAAAAAAAAAAAAAAAAAAA", "hash"},
		"long link":               {"link", strings.Repeat("AAAA", 11), "hash"},
		"a day ahead":             {"requestedAt", 24 * time.Hour, passes},
		"more than a day ahead":   {"requestedAt", 24*time.Hour + 1, "not made in the past"},
		"nothing to accept after": {"acceptExistingAfter", "0s", passes},
		"negative":                {"acceptExistingAfter", "-1ns", "acceptExistingAfter"},
		"version 1 and a text":    {"version", json.RawMessage(`1,"version":"x"`), "malformed"},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			token := begin(t, tenant, waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true}), nil)
			envelope, inner := tokenMembers(t, token)
			switch value := c.value.(type) {
			case time.Duration:
				inner[c.member] = time.Now().Add(value).UTC()
			case json.RawMessage:
				inner[c.member] = "HERE"
			default:
				inner[c.member] = value
			}
			changed, err := json.Marshal(envelope)
			if err != nil {
				t.Fatal(err)
			}
			text := string(changed)
			if raw, ok := c.value.(json.RawMessage); ok {
				text = strings.Replace(text, `"HERE"`, string(raw), 1)
			}
			if _, err := tenant.Client().ResumeRemoteAssistance(t.Context(), text, nil); !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	bubble(t, "length", func(t *testing.T, tenant *intunetest.Tenant) {
		token := begin(t, tenant, waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true}), nil)
		token += strings.Repeat(" ", most-len(token))
		_, errMost := tenant.Client().ResumeRemoteAssistance(t.Context(), token, nil)
		_, errMore := tenant.Client().ResumeRemoteAssistance(t.Context(), token+" ", nil)
		if errMost != nil || !errors.Is(errMore, intune.ErrInvalidArgument) {
			t.Errorf("got %v and %v", errMost, errMore)
		}
	})
}

// The ids of the request come from outside. Whatever they are, the wait can continue, because asking again would prompt
// the user twice.
func TestResumeTokenWithOddIDs(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{
		"not UTF-8": "a\xffb", "long": strings.Repeat("x", 9<<10), "long, of two bytes each": strings.Repeat("ü", 5<<10), "marked up": "<a&b>\u2028",
	} {
		for _, outcome := range []int{http.StatusNoContent, http.StatusGatewayTimeout} {
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					if req.Method == http.MethodGet {
						return says(200, sessionOf("", ""))(req)
					}
					return says(outcome, "", "Request-Id", id)(req)
				}))
				ctx := policy.WithHTTPHeader(t.Context(), http.Header{"Client-Request-Id": {id}})
				_, err := client.OpenRemoteAssistance(ctx, intune.Device("d1"), &intune.OpenRemoteAssistanceOptions{MaxWait: 1})
				pending, ok := errors.AsType[*intune.PendingError](err)
				if !ok {
					t.Fatalf("%s: %v", name, err)
				}
				if _, err := client.ResumeRemoteAssistance(t.Context(), pending.ResumeToken, nil); err != nil {
					t.Errorf("%s, status %d: %v", name, outcome, err)
				}
			})
		}
	}
}
