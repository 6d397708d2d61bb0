package intune

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/graphjson/graphjsontest"
)

// FuzzDecodeDevicePage wants the same devices as encoding/json whenever both accept a page.
func FuzzDecodeDevicePage(f *testing.F) {
	f.Add(fullPage(1))
	f.Add(listPage(2))
	for _, seed := range []string{
		`{"value":[{"id":"a","ID":"b","iſEncrypted":true}],"@odata.count":"1"}`,
		`{"value":[null,{"deviceActionResults":[null,{"deviceLocation":{"speed":"-INF","heading":"NaN"}}]}]}`,
		`{"VALUE":[{"lastSyncDateTime":"0001-01-01T00:00:00+05:00","azureADRegistered":null}],"value":null}`,
		`{"value":[{"freeStorageSpaceInBytes":"007","deviceName":"\ud800\u0000` + "\xff" + `"}]}`,
		`{"value":[{"enrolledDateTime":"2026-08-20T07:08:09.1234567+02:00","remoteAssistanceSessionUrl":"REDACTED"}]}`,
		`{"value":[{"deviceHealthAttestationState":{"pcr0":"a"},"deviceHealthAttestationState":{"resetCount":1}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		devices, nextLink, err := graphjson.Page[ManagedDevice](page)
		if err != nil {
			if text := err.Error(); len(text) > 300 {
				t.Errorf("long error: %s", text)
			}
			return
		}
		if err := graphjsontest.ComparePage(page, devices, nextLink); err != nil && !errors.Is(err, graphjsontest.ErrRefused) {
			t.Error(err)
		}
		if _, err := json.Marshal(devices); err != nil && !strings.Contains(err.Error(), "year outside") &&
			!strings.Contains(err.Error(), "timezone hour") {
			t.Errorf("cannot marshal what was decoded: %v", err)
		}
	})
}
