package intune_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
)

// A next link and the answer to it come from outside and may both be large; what is looked for in what must stay cheap.
func TestHugeNextLinkAndTarget(t *testing.T) {
	t.Parallel()
	// Every operand fits nearly everywhere in the target, and the last character tells.
	link := graphLists + "managedDevices?$skiptoken=" + strings.Repeat("%27"+strings.Repeat("a", 6000)+"b%27,", 65)
	pages := 0
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		if pages++; pages == 1 {
			return answer(req, http.StatusOK, nil, pageOf(link, deviceRow("1", "A"))), nil
		}
		return answer(req, http.StatusBadRequest, nil, `{"error":{"code":"x","target":"`+strings.Repeat("a", 48<<10)+`"}}`), nil
	}), noRetries)
	began := time.Now()
	_, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), nil))
	if e := asError(t, err); e.Code != "x" || len(link) < 390_000 {
		t.Errorf("got %v", err)
	}
	// It took 17 seconds once, and takes milliseconds; the rest is for busy machines.
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}
