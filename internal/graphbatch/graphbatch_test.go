package graphbatch_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphbatch"
)

// C§7.3: each item has a Content-Type, spelled so, and a body; or the whole batch is refused.
func TestEncode(t *testing.T) {
	t.Parallel()
	got := string(graphbatch.Encode([]graphbatch.Post{{"/a%2Fb/x", "id-1"}, {`/"`, "id-2"}}))
	want := `{"requests":[` +
		`{"id":"1","method":"POST","url":"/a%2Fb/x","headers":{"Content-Type":"application/json","client-request-id":"id-1"},"body":{}},` +
		`{"id":"2","method":"POST","url":"/\"","headers":{"Content-Type":"application/json","client-request-id":"id-2"},"body":{}}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// An answer in short: its status, headers and body; "-" for none.
func short(a *graphbatch.Answer) string {
	if a == nil {
		return "-"
	}
	return fmt.Sprint(a.Status, map[string][]string(a.Header)) + string(a.Body)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ responses, first, second string }{
		"in another order":   {`{"id":"2","status":404},{"id":"1","status":204}`, "204 map[]", "404 map[]"},
		"numbers as ids":     {`{"id":2,"status":404},{"id":1,"status":204}`, "204 map[]", "404 map[]"},
		"status as text":     {`{"id":"1","status":"204"}`, "204 map[]", "-"},
		"strangers":          {`{"id":"0","status":204},{"id":"3","status":204},{"status":204},{"id":null,"status":204},{"id":["1"],"status":204}`, "-", "-"},
		"one twice":          {`{"id":"1","status":204},{"id":"2","status":204},{"id":1,"status":404},{"id":"1","status":204}`, "-", "204 map[]"},
		"none":               {``, "-", "-"},
		"headers":            {`{"id":"1","status":429,"headers":{"retry-after":"0.124","X-Number":7.50,"x-list":["a"],"x-null":null}}`, "429 map[Retry-After:[0.124] X-Number:[7.50]]", "-"},
		"no headers":         {`{"id":"1","status":204,"headers":null},{"id":"2","status":204,"headers":"none"}`, "204 map[]", "204 map[]"},
		"bodies":             {`{"id":"1","status":400,"body":{"error": {}}},{"id":"2","status":500,"body":["x"]}`, `400 map[]{"error": {}}`, `500 map[]["x"]`},
		"no bodies":          {`{"id":"1","status":204,"body":null},{"id":"2","status":200,"body":""}`, "204 map[]", "200 map[]"},
		"bodies not in JSON": {`{"id":"1","status":502,"body":"PGh0bWw+"},{"id":"2","status":502,"body":"<html>"}`, "502 map[]<html>", "502 map[]<html>"},
	} {
		answers, err := graphbatch.Decode([]byte(`{"responses":[`+c.responses+`]}`), 2)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := []string{short(answers[0]), short(answers[1])}; got[0] != c.first || got[1] != c.second {
			t.Errorf("%s: got %q, want %q and %q", name, got, c.first, c.second)
		}
	}
}

// What cannot be read as a whole is not believed in part, and not quoted.
func TestDecodeFails(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		``, `marker`, `"marker"`, `[]`, `{"responses":[{"id":"1","status":204}`, `{"responses":[{"id":"1","status":204}]}marker`,
		`{"responses":[{"id":"1","status":204},{"id":"2","status":"marker"}]}`, `{"responses":"marker"}`, `{"responses":["marker"]}`,
	} {
		answers, err := graphbatch.Decode([]byte(data), 2)
		if err == nil || answers != nil || strings.Contains(err.Error(), "marker") {
			t.Errorf("%q: got %v, %v", data, answers, err)
		}
	}
	for _, data := range []string{`{}`, `null`, `{"responses":null}`, `{"responses":[null]}`} {
		if answers, err := graphbatch.Decode([]byte(data), 1); err != nil || len(answers) != 1 || answers[0] != nil {
			t.Errorf("%q: got %v, %v", data, answers, err)
		}
	}
}

// What Encode writes has an answer in each place of what Decode reads, whatever the paths are.
func FuzzEncode(f *testing.F) {
	f.Add("/a", "id")
	f.Add("/\xff\"", "\n")
	f.Fuzz(func(t *testing.T, path, id string) {
		var envelope struct {
			Requests []struct{ ID, URL string }
		}
		if err := json.Unmarshal(graphbatch.Encode([]graphbatch.Post{{path, id}, {path, id}}), &envelope); err != nil || len(envelope.Requests) != 2 {
			t.Fatal(err)
		}
		answers, err := graphbatch.Decode(fmt.Appendf(nil, `{"responses":[{"id":%q,"status":1},{"id":%q,"status":2}]}`, envelope.Requests[1].ID, envelope.Requests[0].ID), 2)
		if err != nil || answers[0].Status != 2 || answers[1].Status != 1 {
			t.Errorf("%v, %v", answers, err)
		}
	})
}

// Whatever is read, there are as many answers as items or an error, and each can be sent on.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"responses":[{"id":"1","status":429,"headers":{"retry-after":"1"},"body":{"error":{}}},{"id":2,"status":204,"body":"bm8="}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		answers, err := graphbatch.Decode(data, 2)
		if (err == nil) != (len(answers) == 2) {
			t.Fatalf("%d answers, %v", len(answers), err)
		}
		for _, a := range answers {
			if a != nil && a.Header == nil {
				t.Errorf("%+v has no header", a)
			}
		}
	})
}
