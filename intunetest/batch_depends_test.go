package intunetest_test

import (
	"fmt"
	"net/http"
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
	if got, want := outcomes(answers), "[d:424 c:424 b:404 a:204]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	expectPrompts(t, "in a row", tenant, 1)
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
		if got, want := outcomes(answers), fmt.Sprintf("[b:%d a:%d]", want, status); got != want {
			t.Errorf("after %d: got %s, want %s", status, got, want)
		}
	}
}

// What depends on an item that has no answer is not carried out either.
func TestBatchDependsOnALostAnswer(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	tenant.Inject(intunetest.Fault{PathSuffix: action, Drop: intunetest.DropBefore})
	depending := strings.TrimSuffix(actionItem("b", deviceID), "}") + `,"dependsOn":["a"]}`
	_, answers := sendBatch(t, inProcess(tenant), graph, actionItem("a", deviceID)+","+depending)
	if got, want := outcomes(answers), "[b:424]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	expectPrompts(t, "after a lost answer", tenant, 0)
}

// C§7.3: dependsOn orders the items; that the other comes later in the text is no reason to fail. What fails for a
// dependency has ids of its own and is recorded like any request.
func TestBatchDependsOnALaterItem(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	first := strings.TrimSuffix(actionItem("b", deviceID), "}") + `,"dependsOn":["a"]},`
	_, answers := sendBatch(t, inProcess(tenant), graph, first+actionItem("a", deviceID))
	if got, want := outcomes(answers), "[b:204 a:204]"; got != want {
		t.Fatalf("on a success: got %s, want %s", got, want)
	}
	expectPrompts(t, "on a success", tenant, 2)
	tenant.ResetRequests()
	_, answers = sendBatch(t, inProcess(tenant), graph, first+actionItem("a", "gone"))
	if got, want := outcomes(answers), "[b:424 a:404]"; got != want {
		t.Fatalf("on a failure: got %s, want %s", got, want)
	}
	expectPrompts(t, "on a failure", tenant, 2)
	requests := tenant.Requests()
	if len(requests) != 3 || requests[2].Time.IsZero() {
		t.Fatalf("recorded %v", requests)
	}
	if last := requests[2]; last.BatchID != "b" || last.Status != http.StatusFailedDependency {
		t.Errorf("recorded %v", last)
	}
	e, id := (reply{body: string(answers[0].Body)}).envelope(t).Error, answers[0].Headers["request-id"]
	if !guid.MatchString(id) || e.InnerError.RequestID != id {
		t.Errorf("ids of the failed dependency: %+v, header %q", e, id)
	}
}
