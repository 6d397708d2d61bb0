package intunetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const batchPath = "/v1.0/$batch"

// batchAnswer is an item of the answer.
type batchAnswer struct {
	ID      string
	Status  int
	Headers map[string]string
	Body    json.RawMessage
}

func sendBatch(t *testing.T, client *http.Client, root, items string) (reply, []batchAnswer) {
	t.Helper()
	r := send(t, client, http.MethodPost, root+batchPath, `{"requests":[`+items+`]}`)
	var envelope struct{ Responses []batchAnswer }
	if r.status == http.StatusOK {
		if err := json.Unmarshal([]byte(r.body), &envelope); err != nil {
			t.Fatal(err)
		}
	}
	return r, envelope.Responses
}

func actionItem(id, device string) string {
	return fmt.Sprintf(`{"id":%q,"method":"POST","url":"/deviceManagement/managedDevices/%s/requestRemoteAssistance",`+
		`"headers":{"Content-Type":"application/json"},"body":{}}`, id, device)
}

// outcomes are the items of an answer in short, such as [b:404 a:204].
func outcomes(answers []batchAnswer) string {
	items := []string{}
	for _, a := range answers {
		items = append(items, fmt.Sprint(a.ID, ":", a.Status))
	}
	return fmt.Sprint(items)
}

// C§7.3: items of all kinds, answered in another order; each is a request of its own.
func TestBatch(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant)
		_, answers := sendBatch(t, client, root, strings.Join([]string{
			actionItem("a", deviceID),
			actionItem("b", "gone"),
			`{"id":"c","method":"get","url":"deviceManagement/managedDevices/` + deviceID + `?$select=id"}`,
			`{"id":"d","method":"GET","url":"/v1.0/deviceManagement/managedDevices"}`,
		}, ","))
		for _, a := range answers {
			id := a.Headers["Request-Id"]
			if id == "" {
				id = a.Headers["request-id"]
			}
			if !guid.MatchString(id) {
				t.Errorf("%s: headers %v", a.ID, a.Headers)
			}
			switch a.ID {
			case "a":
				if a.Body != nil {
					t.Errorf("a: body %s", a.Body)
				}
			case "b":
				if s := (reply{body: string(a.Body)}).nested(t); !trailer.MatchString(s) {
					t.Errorf("b: %q", s)
				}
			case "c":
				if !strings.Contains(string(a.Body), deviceID) {
					t.Errorf("c: %s", a.Body)
				}
			}
		}
		if got, want := outcomes(answers), "[d:400 c:200 b:404 a:204]"; got != want || tenant.Prompts(ref) != 1 {
			t.Errorf("got %s, want %s; %d prompts", got, want, tenant.Prompts(ref))
		}
		requests := tenant.Requests()
		if len(requests) != 5 {
			t.Fatalf("recorded %v", requests)
		}
		whole, a, b, c := requests[0], requests[1], requests[2], requests[3]
		for what, got := range map[string][2]string{ // and what is wanted
			"id of the whole": {whole.BatchID, ""},
			"id of a":         {a.BatchID, "a"},
			"path of a":       {a.Path, "/v1.0" + ref.String() + action},
			"body of a":       {string(a.Body), "{}"},
			"status of a":     {strconv.Itoa(a.Status), "204"},
			"token of a":      {a.Header.Get("Authorization"), "Bearer opaque"},
			"text of b":       {fmt.Sprintf("%.13s", b.String()), "item b: POST "},
			"query of c":      {c.RawQuery, "$select=id"},
			"host of c":       {c.Host, whole.Host},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: %q, want %q", what, got[0], got[1])
			}
		}
	})
}

// C§7.3, the trap: one malformed item takes its good siblings down.
func TestBatchIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	many := make([]string, 21)
	for i := range many {
		many[i] = actionItem(strconv.Itoa(i), deviceID)
	}
	good := actionItem("good", deviceID)
	const (
		incomplete = "Write request id : 1 does not contain Content-Type header or body."
		unnamed    = "Request id, method and url are required for every batch request step."
		nested     = "Batch request id 1 is a batch itself."
		format     = "Invalid batch payload format."
		circle     = "The batch requests depend on each other."
	)
	for name, c := range map[string]struct{ items, message string }{
		"no body": {good + `,{"id":"1","method":"POST","url":"/x","headers":{"Content-Type":"application/json"}}`, incomplete},
		"null body": {
			good + `,{"id":"1","method":"POST","url":"/x","headers":{"Content-Type":"application/json"},"body":null}`, incomplete,
		},
		"PUT without body": {good + `,{"id":"1","method":"PUT","url":"/x","headers":{"Content-Type":"application/json"}}`, incomplete},
		"no content type":  {good + `,{"id":"1","method":"PATCH","url":"/x","body":{}}`, incomplete},
		"empty type":       {good + `,{"id":"1","method":"POST","url":"/x","headers":{"Content-Type":""},"body":{}}`, incomplete},
		"another header":   {good + `,{"id":"1","method":"POST","url":"/x","headers":{"Accept":"application/json"},"body":{}}`, incomplete},
		"no id":            {good + `,{"method":"GET","url":"/x"}`, unnamed},
		"no method":        {good + `,{"id":"1","url":"/x"}`, unnamed},
		"no url":           {good + `,{"id":"1","method":"GET"}`, unnamed},
		"same id":          {good + "," + actionItem("GOOD", deviceID), "Duplicate batch request id: GOOD."},
		"batch in a batch": {
			good + `,{"id":"1","method":"POST","url":"/$batch","headers":{"Content-Type":"application/json"},"body":{}}`, nested,
		},
		"batch, encoded": {
			good + `,{"id":"1","method":"POST","url":"%24Batch/","headers":{"Content-Type":"application/json"},"body":{"requests":[` + good + `]}}`,
			nested,
		},
		"whole URL of one": {good + `,{"id":"1","method":"GET","url":"` + graph + batchPath + `"}`, nested},
		"same id, number":  {actionItem("1", deviceID) + `,{"id":1,"method":"GET","url":"/x"}`, "Duplicate batch request id: 1."},
		"id is an object":  {good + `,{"id":{},"method":"GET","url":"/x"}`, format},
		"id is a Boolean":  {good + `,{"id":true}`, format}, // it counts for nothing that the rest of the envelope can be read
		"id is a fraction": {good + `,{"id":1.5,"method":"GET","url":"/x"}`, format},
		"id is null":       {good + `,{"id":null,"method":"GET","url":"/x"}`, unnamed},
		"circle": {
			good + `,{"id":"1","method":"GET","url":"/x","dependsOn":["2"]},{"id":"2","method":"GET","url":"/x","dependsOn":["1"]}`,
			circle,
		},
		"on itself": {good + `,{"id":"1","method":"GET","url":"/x","dependsOn":["1"]}`, circle},
		"unknown dependsOn": {
			good + `,{"id":"1","method":"GET","url":"/x","dependsOn":["2"]}`,
			"Batch request id 1 depends on 2, which is not in the batch.",
		},
		"too many": {strings.Join(many, ","), "Number of batch request steps exceeds the maximum value of 20."},
		"none":     {"", format},
		"no JSON":  {good + ",", format},
	} {
		tenant := intunetest.NewTenant(nil)
		populate(tenant)
		r, _ := sendBatch(t, inProcess(tenant), graph, c.items)
		if got, want := r.refusal(t), (refusal{http.StatusBadRequest, "BadRequest", c.message}); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		expectPrompts(t, name, tenant, 0)
		if n := len(tenant.Requests()); n != 1 {
			t.Errorf("%s: recorded %d requests", name, n)
		}
	}
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	if r, answers := sendBatch(t, inProcess(tenant), graph, strings.Join(many[:20], ",")); r.status != 200 || len(answers) != 20 {
		t.Errorf("twenty: %d, %d answers", r.status, len(answers))
	}
	expectPrompts(t, "twenty", tenant, 20)
	if r := send(t, inProcess(tenant), http.MethodGet, graph+batchPath, ""); r.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", r.status)
	}
	r := send(t, inProcess(tenant), http.MethodPost, graph+batchPath, good, header("Authorization", ""))
	if r.status != http.StatusUnauthorized {
		t.Errorf("no token: %d", r.status)
	}
	r = send(t, inProcess(tenant), http.MethodPost, graph+"/beta/$batch", `{"requests":[`+good+`]}`)
	if r.status != http.StatusNotImplemented {
		t.Errorf("beta: %d %s", r.status, r.body)
	}
	expectPrompts(t, "refused", tenant, 20)
}

// A name that happens to be that of a batch makes no batch of an item.
func TestBatchItemThatMentionsABatch(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	tenant.AddDevice(intune.ManagedDevice{ID: "1", DeviceName: "$batch"})
	const item = `{"id":"a","method":"GET","url":"/deviceManagement/managedDevices?$filter=deviceName%20eq%20'$batch'"}`
	r, answers := sendBatch(t, inProcess(tenant), graph, item)
	if got, want := outcomes(answers), "[a:200]"; got != want {
		t.Fatalf("got %s, want %s: %s", got, want, r.body)
	}
	if !strings.Contains(string(answers[0].Body), `"deviceName":"$batch"`) {
		t.Errorf("got %s", answers[0].Body)
	}
}

// Header names are not case-sensitive ([M]: docs #1988, and Microsoft's JavaScript client sends content-type so), but a
// strict tenant refuses what a report says is refused (C§7.3, docs-contrib #8032). Ids may be numbers, as PowerShell
// makes them, and come back as text ([R]: a published exchange).
func TestBatchAsOtherClientsSendIt(t *testing.T) {
	t.Parallel()
	lower := `{"id":12,"method":"POST","url":"/deviceManagement/managedDevices/` + deviceID + `/requestRemoteAssistance",` +
		`"headers":{"content-type":"application/json"},"body":{}}`
	second := `{"id":"2","method":"GET","url":"/deviceManagement/managedDevices","dependsOn":[12]}`
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	r, answers := sendBatch(t, inProcess(tenant), graph, lower+","+second)
	if got, want := outcomes(answers), "[2:200 12:204]"; got != want {
		t.Errorf("got %s, want %s: %d %s", got, want, r.status, r.body)
	}
	expectPrompts(t, "not strict", tenant, 1)
	if !strings.Contains(r.body, `"id":"12"`) || tenant.Requests()[1].BatchID != "12" {
		t.Errorf("the id is not text: %s", r.body)
	}
	strict := intunetest.NewTenant(&intunetest.TenantOptions{Strict: true})
	populate(strict)
	if r, _ := sendBatch(t, inProcess(strict), graph, lower); r.status != http.StatusBadRequest || strict.TotalPrompts() != 0 {
		t.Errorf("strict: %d %s", r.status, r.body)
	}
	if r, answers := sendBatch(t, inProcess(strict), graph, actionItem("1", deviceID)); len(answers) != 1 || strict.TotalPrompts() != 1 {
		t.Errorf("strict, as Graph documents it: %d %s", r.status, r.body)
	}
}

// [C] msgraph-sdk-go 1.89 writes out what an item does not have, encodes the names of options, and gives GUIDs as ids.
// Its action, which has no body, makes the whole batch fail, as C§7.3 says of the service; given a body, it does not.
func TestBatchAsMsgraphSDKSendsIt(t *testing.T) {
	t.Parallel()
	const rest = `"headers":{"accept":"application/json"},"body":null,"dependsOn":[]}`
	list := `{"id":"0edb0bc0-e920-498a-9804-f853190f786d","method":"GET",` +
		`"url":"/deviceManagement/managedDevices?%24select=id&%24top=1",` + rest
	post := `{"id":"08f96d5c-144f-4505-ae71-ac176ef7f804","method":"POST",` +
		`"url":"/deviceManagement/managedDevices/` + deviceID + `/requestRemoteAssistance",`
	ask := post + rest
	askWithBody := post + `"headers":{"accept":"application/json","content-type":"application/json"},"body":{},"dependsOn":[]}`
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	r, answers := sendBatch(t, inProcess(tenant), graph, list+","+askWithBody)
	if len(answers) != 2 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if got, want := [2]int{answers[0].Status, answers[1].Status}, [2]int{204, 200}; got != want {
		t.Fatalf("got %d, want %d: %s", got, want, r.body)
	}
	page := reply{body: string(answers[1].Body)}.json(t)["value"].([]any)
	if len(page) != 1 || len(page[0].(map[string]any)) != 1 {
		t.Errorf("the options do not count: %v", page)
	}
	if r, _ := sendBatch(t, inProcess(tenant), graph, list+","+ask); r.status != http.StatusBadRequest || tenant.TotalPrompts() != 1 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// [R] The address of an item is relative to the version, with a slash before it or without; one that is whole or names
// the version is refused like any wrong segment (msgraph-sdk-python #1015, msgraph-sdk-javascript #1451).
func TestBatchItemAddresses(t *testing.T) {
	t.Parallel()
	for address, segment := range map[string]string{
		"/deviceManagement/managedDevices": "", "deviceManagement/managedDevices": "",
		"/v1.0/deviceManagement/managedDevices": "v1.0", graph + devicesPath: "https:",
	} {
		tenant := intunetest.NewTenant(nil)
		populate(tenant)
		_, answers := sendBatch(t, inProcess(tenant), graph, `{"id":"1","method":"GET","url":"`+address+`"}`)
		want, says := "[1:200]", `"value"`
		if segment != "" {
			want, says = "[1:400]", "Resource not found for the segment '"+segment+"'."
		}
		if got := outcomes(answers); got != want {
			t.Fatalf("%s: got %s, want %s", address, got, want)
		}
		if body := string(answers[0].Body); !strings.Contains(body, says) {
			t.Errorf("%s: %s does not say %s", address, body, says)
		}
	}
}

// Each item has headers of its own and the batch's scheme, host and token; the names of the answer's headers come in
// either case.
func TestBatchItemHeaders(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	item := func(id string) string {
		return `{"id":"` + id + `","method":"GET","url":"/deviceManagement/managedDevices?$top=1",` +
			`"headers":{"client-request-id":"own-` + id + `","authorization":"Bearer forged"}}`
	}
	_, answers := sendBatch(t, inProcess(tenant), graph, item("a")+","+item("b")+","+item("c")+","+item("d"))
	for i, id := range []string{"d", "c", "b", "a"} {
		name := map[string]string{"a": "Client-Request-Id", "b": "client-request-id", "c": "Client-Request-Id", "d": "client-request-id"}[id]
		a := answers[i]
		if a.ID != id || a.Headers[name] != "own-"+id {
			t.Errorf("%s: id %s, headers %v", id, a.ID, a.Headers)
		}
		if !strings.Contains(string(a.Body), `"@odata.nextLink":"`+graph+"/v1.0/") {
			t.Errorf("%s: body %s", id, a.Body)
		}
	}
	for _, r := range tenant.Requests()[1:] {
		if r.Header.Get("client-request-id") != "own-"+r.BatchID || r.Header.Get("Authorization") != "Bearer opaque" {
			t.Errorf("%s: headers %v", r, r.Header)
		}
	}
}

// A batch whose context ends while an item waits has no answer.
func TestBatchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		populate(tenant)
		tenant.Inject(intunetest.Fault{PathSuffix: action, Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		body := `{"requests":[` + actionItem("a", deviceID) + `]}`
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, graph+batchPath, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer opaque")
		if resp, err := tenant.RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, %v", resp, err)
		}
	})
}

// C§7.3: every item counts against the limits on its own, and a throttled one has its own Retry-After.
func TestBatchItemsAreThrottled(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{ThrottleLimits: true})
	populate(tenant)
	items := make([]string, 20)
	for i := range items {
		items[i] = actionItem(strconv.Itoa(i), deviceID)
	}
	for round := range 11 {
		_, answers := sendBatch(t, inProcess(tenant), graph, strings.Join(items, ","))
		for _, a := range answers {
			after := a.Headers["Retry-After"] + a.Headers["retry-after"]
			if want := map[bool]int{true: 204, false: 429}[round < 10]; a.Status != want || (after != "") != (want == 429) {
				t.Fatalf("round %d: %d, Retry-After %q", round, a.Status, after)
			}
		}
	}
	if n := tenant.TotalPrompts(); n != 200 {
		t.Errorf("%d prompts", n)
	}
}

// Faults meet the batch, or items of it.
func TestBatchFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fault   intunetest.Fault
		want    string // outer status, items
		prompts int
	}{
		{"the whole", intunetest.Fault{PathSuffix: "/$batch", Status: 504, Effect: true}, "504 []", 2},
		{"every request, first the batch", intunetest.Fault{Status: 500}, "500 []", 0},
		{"one item", intunetest.Fault{PathSuffix: action, Status: 429}, "200 [b:204 a:429]", 1},
		{"one item, with effect", intunetest.Fault{PathSuffix: action, Status: 504, Effect: true}, "200 [b:204 a:504]", 2},
		{
			"no answer",
			intunetest.Fault{Match: func(r intunetest.RecordedRequest) bool { return r.BatchID == "b" }, Drop: intunetest.DropAfter},
			"200 [a:204]", 2,
		},
		{"never came", intunetest.Fault{PathSuffix: action, Drop: intunetest.DropConnect}, "200 [b:204]", 1},
		{"HTML", intunetest.Fault{PathSuffix: action, Status: 502, Body: "<html>"}, "200 [b:204 a:502]", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(nil)
			populate(tenant)
			tenant.Inject(c.fault)
			r, answers := sendBatch(t, inProcess(tenant), graph, actionItem("a", deviceID)+","+actionItem("b", "other"))
			for _, a := range answers {
				if a.Status == 502 && string(a.Body) != `"PGh0bWw+"` {
					t.Errorf("a body that is no JSON: %s", a.Body)
				}
			}
			if got := fmt.Sprint(r.status, " ", outcomes(answers)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			expectPrompts(t, c.name, tenant, c.prompts)
		})
	}
	tenant := intunetest.NewTenant(nil)
	ref := populate(tenant)
	tenant.Inject(intunetest.Fault{PathSuffix: "/$batch", Drop: intunetest.DropAfter})
	_, err := try(t, inProcess(tenant), http.MethodPost, graph+batchPath, `{"requests":[`+actionItem("1", deviceID)+`]}`)
	if n := tenant.Prompts(intune.Device(ref.DeviceID())); err == nil || n != 1 {
		t.Errorf("%v, %d prompts", err, n)
	}
}
