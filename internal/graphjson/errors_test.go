package graphjson_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphjson"
)

func TestErrorsNameThePropertyAndQuoteNothing(t *testing.T) {
	t.Parallel()
	const quoted = "s3cret"
	for _, test := range []struct{ json, want string }{
		{` {"id": 15}`, "JSON at byte 8: id is a number, want text"},
		{`{"ID":["s3cret"]}`, ": id is an array, want text"},
		{`{"kind":{"s3cret":1}}`, ": kind is an object, want text"},
		{`{"isSet":"s3cret"}`, ": isSet is text, want true or false"},
		{`{"maybe":0}`, ": maybe is a number, want true or false"},
		{`{"size":true}`, ": size is a Boolean, want an integer"},
		{`{"size":"s3cret"}`, ": size is not an integer of 64 bits"},
		{`{"size":1.5}`, ": size is not an integer"},
		{`{"size":9223372036854775808}`, ": size is not an integer"},
		{`{"code":2147483648}`, ": code is not an integer of 32 bits"},
		{`{"seen":"s3cret"}`, ": seen is not a date and time"},
		{`{"seen":1700000000}`, ": seen is a number, want a date and time"},
		{`{"part":[]}`, ": part is an array, want an object"},
		{`{"parts":{"s3cret":1}}`, ": parts is an object, want an array"},
		{`{"parts":[{},"s3cret"]}`, ": parts[1] is text, want an object"},
		{`{"parts":[{},{"other":"s3cret"}]}`, ": parts[1].other is not a number"},
		{`{"parts":[{"other":1e999}]}`, ": parts[0].other is too large"},
		{`{"parts":[{"place":{"speed":[]}}]}`, ": parts[0].place.speed is an array, want a number"},
		{`{"parts":[{"PLACE":{"SPEED":s3cret}}]}`, ": parts[0].place.speed is or holds malformed"},
		{`{"parts":[{},x]}`, ": parts[1] is or holds malformed"},
		{`{"parts":{"s3cret":x}}`, ": parts.? is or holds malformed"},
		{`{"parts":{"498912345":x}}`, ": parts.? is or holds malformed"},
		{`{"names":{"s3cret":"a"`, ": names breaks off"},
		{`{"parts":[{},["s3cret",x]]}`, ": parts[1].? is or holds malformed"},
		{`{"names":["a",1]}`, ": names[1] is a number, want text"},
		{`{"secret":{"s3cret":"s3cret"}}`, ": secret is an object that cannot be read"},
		{`{"level":"s3cret"}`, ": level is text that cannot be read"},
		{`{"level":7}`, ": level is a number, want text"},
		{`{"s3cret":{"s3cret":s3cret}}`, "JSON at byte 20: ? is or holds malformed JSON"},
		{`{"498912345":x}`, ": ? is or holds malformed JSON"},
		{`{"n":{"n":[]}}`, ": n.n is an array, want text"},
		{`{"":x}`, ": ? is or holds malformed JSON"},
		{`{"names":["a",nul]}`, ": names[1] is or holds malformed JSON"},
		{`{"i\u017fSet":x}`, ": ? is or holds malformed JSON"},
		{`{"part":{"498912345":x}}`, ": part.? is or holds malformed JSON"},
		{`{"raw":{"1234":x}}`, ": raw.? is or holds malformed JSON"},
		{`{"id":s3cret}`, "malformed JSON"},
		{`{"id":"s3cret` + "\n" + `"}`, "malformed JSON"},
		{`{"id":"a"} "s3cret"`, ": the answer is followed by more"},
		{`{"id":"a"}}`, ": the answer is followed by more"},
		{`["s3cret"]`, ": the answer is an array, want an object"},
		{`"s3cret"`, ": the answer is text, want an object"},
		{`<html>s3cret</html>`, ": the answer is or holds malformed JSON"},
		{``, ": the answer breaks off"},
		{` `, ": the answer breaks off"},
		{`{"id":"s3cret`, "breaks off"},
		{`{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "malformed JSON"},
	} {
		var got thing
		err := graphjson.Unmarshal([]byte(test.json), &got)
		if err == nil {
			t.Errorf("%.80s: no error, want %q", test.json, test.want)
			continue
		}
		for _, want := range []string{test.want, "byte "} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%.80s: %v\nwant %q", test.json, err, want)
			}
		}
		if strings.Contains(err.Error(), quoted) {
			t.Errorf("%.80s: it quotes the answer: %v", test.json, err)
		}
		if cause := errors.Unwrap(err); cause != nil && !errors.Is(cause, io.ErrUnexpectedEOF) {
			t.Errorf("%.80s: the cause is %v", test.json, cause)
		}
	}
}

func TestPageEnvelope(t *testing.T) {
	t.Parallel()
	const many = 50_000
	for name, test := range map[string]struct {
		json     string
		rows     int
		nextLink string
		problem  string
	}{
		"empty":            {json: `{"value":[]}`},
		"empty, more":      {json: `{"value":[],"@odata.nextLink":"l"}`, nextLink: "l"},
		"only a next link": {json: `{"@odata.nextLink":"l"}`, nextLink: "l"},
		"null value":       {json: `{"value":null,"@odata.nextLink":null,"@odata.count":null}`},
		"count as text":    {json: `{"@odata.count":"7","value":[{}]}`, rows: 1},
		"count after":      {json: `{"value":[{},{}],"@odata.count":2}`, rows: 2},
		"lying count":      {json: `{"@odata.count":2147483647,"value":[{}]}`, rows: 1},
		"negative count":   {json: `{"@odata.count":-5,"value":[{}]}`, rows: 1},
		"null rows":        {json: `{"value":[null,{"id":"a"},null]}`, rows: 1},
		"capitals":         {json: `{"Value":[{}],"@OData.NextLink":"l","@ODATA.COUNT":1}`, rows: 1, nextLink: "l"},
		"a name like it":   {json: "{\"value\":[{}],\"`odata.nextLink\":\"l\"}", rows: 1},
		"value twice":      {json: `{"value":[{},{}],"value":[{}]}`, rows: 1},
		"byte-order mark":  {json: "\ufeff" + `{"value":[{}]}`, rows: 1},
		"no page":          {json: `{"error":{"code":"x"}}`, problem: "no page"},
		"null":             {json: `null`, problem: "no page"},
		"array":            {json: `[]`, problem: "want an object"},
		"object as value":  {json: `{"value":{"id":"a"}}`, problem: ": value is an object, want an array"},
		"number as link":   {json: `{"value":[{}],"@odata.nextLink":5}`, rows: 1, problem: ": @odata.nextLink is a number, want text"},
		"bad row": {
			json: `{"@odata.nextLink":"l","value":[{"id":"a"},{"id":5},{"id":"b"}]}`, rows: 1, nextLink: "l",
			problem: ": value[1].id is a number, want text",
		},
		"bad count": {json: `{"value":[{}],"@odata.count":"x"}`, rows: 1, problem: ": @odata.count is not an integer"},
		"two pages": {json: `{"value":[{}]}{"value":[]}`, rows: 1, problem: "followed by more"},
		"most rows": {json: `{"value":[{}` + strings.Repeat(",{}", many-1) + `]}`, rows: many},
		"too many rows": {
			json: `{"value":[{}` + strings.Repeat(",{}", many) + `]}`, rows: many,
			problem: ": value[49999] is where the lists exceed 50000 elements",
		},
		"too many elements": {
			json: `{"value":[{},{"names":[""` + strings.Repeat(`,""`, many) + `]}]}`, rows: 1,
			problem: ": value[1].names[49997] is where the lists exceed 50000 elements",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, nextLink, err := graphjson.Page[thing]([]byte(test.json))
			if len(rows) != test.rows || nextLink != test.nextLink {
				t.Errorf("%d rows, next link %q", len(rows), nextLink)
			}
			if (err != nil) != (test.problem != "") || !strings.Contains(fmt.Sprint(err), test.problem) {
				t.Errorf("error %v, want %q", err, test.problem)
			}
		})
	}
}

// The count of a page sizes the list, if the page is long enough for it.
func TestPageCountSizesTheList(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		count, rest string
		capacity    int
	}{
		"right":    {"3", `"value":[{},{},{}]`, 3},
		"lying":    {"1000000", `"value":[{},{},{}]`, 4},
		"no rows":  {"3", `"value":[]`, 0},
		"no count": {"null", `"value":[{},{},{}]`, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			space := `,"space":"` + strings.Repeat(" ", 4*256) + `",`
			rows, _, err := graphjson.Page[thing]([]byte(`{"@odata.count":` + test.count + space + test.rest + `}`))
			if err != nil {
				t.Fatal(err)
			}
			if cap(rows) != test.capacity || (rows == nil) != (test.capacity == 0) {
				t.Errorf("got %#v of capacity %d, want %d", rows, cap(rows), test.capacity)
			}
		})
	}
}
