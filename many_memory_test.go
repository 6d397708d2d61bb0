package intune_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

// Nothing grows with the input but the addresses seen: what is taken from the input and has no result yet is bounded.
func TestManyMemory(t *testing.T) { //nolint:paralleltest // it measures the heap
	var items []string
	for i := range 20 {
		items = append(items, fmt.Sprintf(`{"id":"%d","status":204}`, i+1))
	}
	accepted := `{"responses":[` + strings.Join(items, ",") + `]}`
	for size, devices := range map[int]int{1: 5_000} { //nolint:paralleltest // as above
		t.Run(fmt.Sprintf("batches of %d", size), func(t *testing.T) {
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				if size == 1 {
					return answer(req, http.StatusNoContent, nil, ""), nil
				}
				return answer(req, http.StatusOK, nil, accepted), nil
			}))
			input := func(yield func(intune.DeviceRef) bool) {
				for i := range devices {
					if !yield(intune.Device(fmt.Sprintf("705c034c-034c-705c-4c03-%012d", i))) {
						return
					}
				}
			}
			before, grown, done, most := heap(), 0, 0, 0
			for r := range client.RequestRemoteAssistanceMany(t.Context(), input, &intune.RequestManyOptions{
				PerSecond: -1, Concurrency: 1,
				OnProgress: func(p intune.Progress) { most = max(most, p.Pending) },
			}) {
				if done++; r.Outcome == intune.OutcomeAccepted && done == devices-100 {
					grown = heap() - before
				}
			}
			// An address of 36 letters takes 48 bytes, and its place in a map of 100,000 some 80.
			if done != devices || most > 4*size || grown < devices*32 || grown > devices*200 {
				t.Errorf("%d results, %d pending at most, %d bytes for an address", done, most, grown/devices)
			}
		})
	}
}
