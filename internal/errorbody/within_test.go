package errorbody_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/errorbody"
	"github.com/go-intune/intune/internal/redact"
)

func TestWithin(t *testing.T) {
	t.Parallel()
	const object = `"error":{"code":"x","innerError":{"code":"y"}}`
	for name, c := range map[string]struct{ body, object, before string }{
		"alone":                     {`{` + object + `}`, `{` + object + `}`, `{`},
		"behind a mark":             {"\ufeff{" + object + `}`, `{` + object + `}`, "\ufeff{"},
		"beside a context":          {`{"@odata.context":"c",` + object + `,"a":1}`, `{` + object + `}`, `{"@odata.context":"c",`},
		"beside the rows":           {`{"value":[{}],` + object + `}`, `{` + object + `}`, `{"value":[{}],`},
		"old":                       {`{"odata.error" :` + "\n" + `{"code":"x"}}`, `{"odata.error" :` + "\n" + `{"code":"x"}}`, `{`},
		"as a row":                  {`{"value":[{"id":"1"},{` + object + `}`, `{` + object + `}`, `{"value":[{"id":"1"},{`},
		"as a row, closed":          {`{"value":[{"id":"1"}, { ` + object + " } ]\n}", `{` + object + `}`, `{"value":[{"id":"1"}, { `},
		"in place of a row, closed": {`{"value":[{` + object + `}]}`, `{` + object + `}`, `{"value":[{`},
		"behind a row":              {`{"value":[{"id":"1"}{` + object + `}`, `{` + object + `}`, `{"value":[{"id":"1"}{`},
		"within a row":              {`{"value":[{"id":"1",` + object, `{` + object + `}`, `{"value":[{"id":"1",`},
		"cut off":                   {`{"value":[{"id":"1"},{"error":{"code":"x`, `{"error":{"code":"x`, `{"value":[{"id":"1"},{`},
		"an error in it":            {`{"value":[{"error":{"error":{"code":"x"}}`, `{"error":{"error":{"code":"x"}}}`, `{"value":[{`},
		"names twice": {
			`{"value":[{"error":{"code":"` + "\xff" + `","code":"x"}},`, `{"error":{"code":"` + "\xff" + `","code":"x"}}`, `{"value":[{`,
		},
		"names twice in a row":       {`{"value":[{"a":{"error":{"code":"` + "\xff" + `","code":"x"}}}]}`, ``, ``},
		"a member of a row":          {`{"value":[{"id":"1",` + object + `}]}`, ``, ``},
		"a member of a member":       {`{"value":[{"a":{` + object + `}}]}`, ``, ``},
		"a row of a row":             {`{"value":[{"a":[{` + object + `}]}]}`, ``, ``},
		"a row with more":            {`{"value":[{` + object + `,"id":"1"}]}`, ``, ``},
		"a row before others":        {`{"value":[{` + object + `},{}]}`, ``, ``},
		"a row before the next link": {`{"value":[{` + object + `}],"@odata.nextLink":"x"}`, ``, ``},
		"in a text":                  {`{"value":[{"a":"{\"error\":{\"code\":\"x\"}}"`, ``, ``},
		"no object":                  {`{"value":[{"error":"x"`, ``, ``},
		"another name":               {`{"value":[{"xerror":{"code":"x"}`, ``, ``},
		"its beginning":              {`{"value":[{"error":`, ``, ``},
		"nothing":                    {``, ``, ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, before := errorbody.Within([]byte(c.body))
			if string(got) != c.object || (got == nil) != (c.object == "") {
				t.Errorf("got %#q, want %#q", got, c.object)
			}
			if c.body[:before] != c.before {
				t.Errorf("after %#q, want %#q", c.body[:before], c.before)
			}
		})
	}
}

// Only the end of a long answer is searched.
func TestWithinTheTail(t *testing.T) {
	t.Parallel()
	const tail, object = 64 << 10, `"error":{"code":"x"}}`
	for _, length := range []int{tail - len(object), tail - len(object) + 1, 8 << 20} {
		body := []byte(`{"value":[{` + object + strings.Repeat(" ", length))
		if got, _ := errorbody.Within(body); (got != nil) != (length <= tail-len(object)) {
			t.Errorf("%d bytes behind it: got %s", length, got)
		}
		page := []byte(`{"value":["` + strings.Repeat(" ", length) + `",{` + object)
		got, before := errorbody.Within(page)
		if b := errorbody.Parse(got, redact.Private{}); b.Code != "x" || !bytes.HasSuffix(page[:before], []byte(`",{`)) {
			t.Errorf("%d bytes before it: got %s", length, got)
		}
	}
}

// Every page of a listing is looked at, so that costs nothing unless there is something to see.
func TestWithinAnOrdinaryPage(t *testing.T) { //nolint:paralleltest // it counts allocations of the process
	page := []byte(`{"value":[` + strings.Repeat(`{"id":"1","remoteAssistanceSessionErrorDetails":null},`, 1000) + `{}]}`)
	if allocations := testing.AllocsPerRun(10, func() { errorbody.Within(page) }); allocations > 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func FuzzWithin(f *testing.F) {
	f.Add([]byte(`{"value":[{"id":"1"},{"error":{"code":"x"}}`))
	f.Add([]byte(`{"odata.error":{},"error":{"error":{"code":"x"}}}]}`))
	f.Add([]byte(`{"value":[{"error":{"code":"x"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		object, before := errorbody.Within(body)
		if object == nil {
			return
		}
		rest := body[before:]
		inner, ok := bytes.CutPrefix(object, []byte("{"))
		if !ok {
			t.Fatalf("%q is no object", object)
		}
		if !bytes.Equal(inner, rest) && !bytes.HasPrefix(rest, inner[:len(inner)-1]) {
			t.Errorf("%q of %q", object, rest)
		}
	})
}
