package intune

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune/internal/graphjson"
)

func TestDecodePartner(t *testing.T) {
	t.Parallel()
	connected := time.Date(2026, 8, 20, 7, 8, 9, 123456700, time.UTC)
	for name, test := range map[string]struct {
		json string
		want RemoteAssistancePartner
	}{
		"as documented": {
			`{"@odata.type":"#x","id":"a","displayName":"d","onboardingStatus":"onboarded","lastConnectionDateTime":"2026-08-20T07:08:09.1234567Z"}`,
			RemoteAssistancePartner{ID: "a", DisplayName: "d", OnboardingStatus: RemoteAssistanceOnboardingStatusOnboarded, LastConnectionDateTime: connected},
		},
		"wrapped":        {`{"value":{"id":"a"}}`, RemoteAssistancePartner{ID: "a"}},
		"nulls":          {`{"id":"a","displayName":null,"onboardingUrl":null,"onboardingStatus":null,"lastConnectionDateTime":null}`, RemoteAssistancePartner{ID: "a"}},
		"never":          {`{"id":"a","onboardingUrl":"","lastConnectionDateTime":"0001-01-01T00:00:00Z"}`, RemoteAssistancePartner{ID: "a"}},
		"blank date":     {`{"id":"a","lastConnectionDateTime":""}`, RemoteAssistancePartner{ID: "a"}},
		"unknown member": {`{"ID":"a","ONBOARDINGSTATUS":"paused"}`, RemoteAssistancePartner{ID: "a", OnboardingStatus: "paused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got RemoteAssistancePartner
			if err := graphjson.UnmarshalEntity([]byte(test.json), &got); err != nil || got != test.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	partner := RemoteAssistancePartner{ID: "kept"}
	err := json.Unmarshal([]byte(`{"id":"a","onboardingUrl":["s3cret"]}`), &partner)
	if err == nil || !strings.Contains(err.Error(), "onboardingUrl is an array") || strings.Contains(err.Error(), "s3cret") || partner.ID != "kept" {
		t.Errorf("got %v, %v", partner, err)
	}
	rows, nextLink, err := graphjson.Page[RemoteAssistancePartner]([]byte(`{"@odata.nextLink":"l","value":[{"id":"a"},{"id":"b"`))
	if err == nil || nextLink != "l" || len(rows) != 1 || rows[0].ID != "a" {
		t.Errorf("got %v, %q, %v", rows, nextLink, err)
	}
}
