package intunetest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune/intunetest"
)

// C§7.3: a failed dependency fails what comes after it.
func TestBatchDependsOn(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	depending := func(id, device, on string) string {
		return strings.TrimSuffix(actionItem(id, device), "}") + `,"dependsOn":["` + on + `"]}`
	}
	_, answers := sendBatch(t, inProcess(tenant), graph, strings.Join([]string{
		actionItem("a", deviceID), depending("b", "gone", "A"), depending("c", deviceID, "b"), depending("d", deviceID, "c"),
	}, ","))
	var got []string
	for _, a := range answers {
		got = append(got, fmt.Sprint(a.ID, a.Status))
	}
	if want := []string{"d424", "c424", "b404", "a204"}; !slices.Equal(got, want) || tenant.TotalPrompts() != 1 {
		t.Errorf("got %v, want %v; %d prompts", got, want, tenant.TotalPrompts())
	}
}

// A dependency is met by a success that came before, and by nothing else.
func TestBatchDependsOnASuccess(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int{200: 204, 299: 204, 300: 424, 404: 424} {
		tenant := intunetest.NewTenant(nil)
		populate(tenant)
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: status, Body: "{}"})
		_, answers := sendBatch(t, inProcess(tenant), graph, `{"id":"a","method":"GET","url":"/deviceManagement/managedDevices"},`+
			strings.TrimSuffix(actionItem("b", deviceID), "}")+`,"dependsOn":["a"]}`)
		if len(answers) != 2 || answers[0].Status != want || answers[1].Status != status {
			t.Errorf("after %d: %+v", status, answers)
		}
	}
}

// What depends on an item that has no answer is not carried out either.
func TestBatchDependsOnALostAnswer(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	tenant.Inject(intunetest.Fault{PathSuffix: action, Drop: intunetest.DropBefore})
	_, answers := sendBatch(t, inProcess(tenant), graph, actionItem("a", deviceID)+","+strings.TrimSuffix(actionItem("b", deviceID), "}")+`,"dependsOn":["a"]}`)
	if len(answers) != 1 || answers[0].ID != "b" || answers[0].Status != http.StatusFailedDependency || tenant.TotalPrompts() != 0 {
		t.Errorf("%+v, %d prompts", answers, tenant.TotalPrompts())
	}
}

// C§7.3: dependsOn orders the items; that the other comes later in the text is no reason to fail. What fails for a
// dependency has ids of its own and is recorded like any request.
func TestBatchDependsOnALaterItem(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	first := strings.TrimSuffix(actionItem("b", deviceID), "}") + `,"dependsOn":["a"]},`
	_, answers := sendBatch(t, inProcess(tenant), graph, first+actionItem("a", deviceID))
	if len(answers) != 2 || answers[0].ID != "b" || answers[0].Status != 204 || answers[1].Status != 204 || tenant.TotalPrompts() != 2 {
		t.Fatalf("on a success: %+v", answers)
	}
	tenant.ResetRequests()
	_, answers = sendBatch(t, inProcess(tenant), graph, first+actionItem("a", "gone"))
	if len(answers) != 2 || answers[0].ID != "b" || answers[0].Status != http.StatusFailedDependency || tenant.TotalPrompts() != 2 {
		t.Fatalf("on a failure: %+v", answers)
	}
	if requests := tenant.Requests(); len(requests) != 3 || requests[2].BatchID != "b" || requests[2].Status != http.StatusFailedDependency || requests[2].Time.IsZero() {
		t.Errorf("recorded %v", requests)
	}
	if e := (reply{body: string(answers[0].Body)}).envelope(t).Error; !guid.MatchString(e.InnerError.RequestID) || e.InnerError.RequestID != answers[0].Headers["request-id"] {
		t.Errorf("ids of the failed dependency: %+v, headers %v", e, answers[0].Headers)
	}
}
