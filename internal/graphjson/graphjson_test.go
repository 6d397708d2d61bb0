package graphjson_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/graphjson/graphjsontest"
)

// thing has a field of every kind.
type thing struct {
	ID       string         `json:"id,omitzero"`
	Kind     kind           `json:"kind"`
	IsSet    bool           `json:"isSet"`
	Maybe    *bool          `json:"maybe"`
	Total    int            `json:"total"`
	Size     int64          `json:"size"`
	Code     int32          `json:"code"`
	Seen     time.Time      `json:"seen"`
	Part     part           `json:"part"`
	Parts    []part         `json:"parts"`
	Names    []string       `json:"names"`
	Secret   secret         `json:"secret"`
	Level    level          `json:"level"`
	ODataTyp string         `json:"@odata.type"`
	Raw      jsontext.Value `json:"raw"`
	Short    short          `json:"n"`
	Untagged chan int
}

type short struct {
	Name string `json:"n"`
}

type kind string

type part struct {
	Name  string  `json:"name"`
	Count int64   `json:"count"`
	Other float64 `json:"other"`
	Place *place  `json:"place"`
}

// UnmarshalJSON makes json.Unmarshal as forgiving as the room.
func (p *part) UnmarshalJSON(data []byte) error { return graphjson.Unmarshal(data, p) }

type place struct {
	Speed float64   `json:"speed"`
	Seen  time.Time `json:"seen"`
}

// secret reads itself; it takes text only, and one text stands for none.
type secret struct{ text string }

func (s *secret) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil || string(data) == "null" {
		return errors.New("not text: " + string(data))
	}
	if s.text = text; text == "REDACTED" {
		s.text = ""
	}
	return nil
}

// level reads itself from text.
type level int

func (l *level) UnmarshalText(text []byte) error {
	known, ok := map[string]level{"low": 1, "high": 2}[string(text)]
	if !ok {
		return errors.New("no level: " + string(text))
	}
	*l = known
	return nil
}

const everything = `{"@odata.context":"c","@odata.count":1,"value":[{"id":"a","kind":"k","isSet":true,"maybe":false,"total":1,
	"size":9223372036854775807,"code":-2147483648,"seen":"2026-08-20T07:08:09.1234567Z","part":{"name":"n","count":"2"},
	"parts":[{"other":1.5,"place":{"speed":"NaN","seen":"9999-12-31T23:59:59.9999999Z"}}],"names":["x","y"],"secret":"s",
	"level":"high","@odata.type":"#t","raw":[1],"n":{"n":"s"}}],"@odata.nextLink":"https:\/\/h\/?$skiptoken=a%27b&c"}`

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	yes := true
	end := time.Date(9999, 12, 31, 23, 59, 59, 999999900, time.UTC)
	for name, test := range map[string]struct {
		json string
		want thing
	}{
		"empty":                {`{}`, thing{}},
		"byte-order mark":      {"\ufeff" + `{"id":"a"}`, thing{ID: "a"}},
		"space around":         {" \r\n\t{ \"id\" : \"a\" } \n", thing{ID: "a"}},
		"unknown properties":   {`{"x":[{"y":1e9}],"id":"a","untagged":null}`, thing{ID: "a"}},
		"case of names":        {`{"ID":"a","ISSET":true,"SiZe":1,"@OData.Type":"t"}`, thing{ID: "a", IsSet: true, Size: 1, ODataTyp: "t"}},
		"no Unicode folding":   {`{"i\u017fSet":true,"` + "\u212a" + `ind":"x"}`, thing{}},
		"no guessed delimiter": {`{"is_set":true,"is-Set":true}`, thing{}},
		"escaped name":         {`{"i\u0064":"a"}`, thing{ID: "a"}},
		"last wins":            {`{"id":"a","kind":"x","id":"b","kind":null,"ID":"c","isSet":true,"isSet":null}`, thing{ID: "c"}},
		"nulls": {
			`{"id":null,"kind":null,"isSet":null,"maybe":null,"total":null,"size":null,` +
				`"seen":null,"part":null,"parts":null,"secret":null,"level":null}`,
			thing{},
		},
		"blanks": {`{"id":"","size":"","seen":"","part":{"other":""}}`, thing{}},
		"null takes back": {
			`{"maybe":true,"maybe":null,"secret":"s","secret":null,"level":"low","level":null,"size":1,"size":null,` +
				`"seen":"2026-08-20T07:08:09Z","seen":null,"part":{"other":1,"other":null}}`,
			thing{},
		},
		"numbers as text":  {`{"total":"-7","size":"9223372036854775807","code":"007"}`, thing{Total: -7, Size: math.MaxInt64, Code: 7}},
		"nullable Boolean": {`{"maybe":true}`, thing{Maybe: &yes}},
		"year 1":           {`{"seen":"0001-01-01T00:00:00.0000000Z"}`, thing{}},
		"year 1 elsewhere": {`{"seen":"0002-01-01T00:00:00+05:00"}`, thing{}},
		"year 2":           {`{"seen":"0002-01-01T00:00:00Z"}`, thing{Seen: time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"year 9999":        {`{"seen":"9999-12-31T23:59:59.9999999Z"}`, thing{Seen: end}},
		"escaped date":     {`{"seen":"9999-12-31T23:59:59.9999999\u005a"}`, thing{Seen: end}},
		"infinities": {
			`{"parts":[{"other":"INF"},{"other":"-INF"},{"other":-1.5e1}]}`,
			thing{Parts: []part{{Other: math.Inf(1)}, {Other: math.Inf(-1)}, {Other: -15}}},
		},
		"escapes":             {`{"id":"a\"\\\/\b\n\u00e9\ud83d\ude00"}`, thing{ID: "a\"\\/\b\né😀"}},
		"not UTF-8":           {"{\"id\":\"a\xff\xfeb\",\"kind\":\"\\ud800\"}", thing{ID: "a\ufffd\ufffdb", Kind: "\ufffd"}},
		"long text":           {`{"id":"` + strings.Repeat("x", 5000) + `","kind":"k"}`, thing{ID: strings.Repeat("x", 5000), Kind: "k"}},
		"elements left out":   {`{"parts":[null,{"name":"a"},null],"names":[null,"b"]}`, thing{Parts: []part{{Name: "a"}}, Names: []string{"b"}}},
		"empty lists":         {`{"parts":[],"names":[null]}`, thing{}},
		"list replaced":       {`{"parts":[{"name":"1","count":1},{"name":"2"}],"parts":[{"other":3}]}`, thing{Parts: []part{{Other: 3}}}},
		"object replaced":     {`{"part":{"name":"1","place":{"speed":1}},"part":{"place":{}}}`, thing{Part: part{Place: &place{}}}},
		"types of their own":  {`{"secret":"s","level":"high"}`, thing{Secret: secret{"s"}, Level: 2}},
		"redacted":            {`{"secret":"s","secret":"REDACTED"}`, thing{}},
		"unknown enum member": {`{"kind":"brandNew"}`, thing{Kind: "brandNew"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got thing
			if err := graphjson.Unmarshal([]byte(test.json), &got); err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%.200s\n got %+v, %v\nwant %+v", test.json, got, err, test.want)
			}
			rows, _, err := graphjson.Page[thing]([]byte(`{"value":[` + strings.TrimPrefix(test.json, "\ufeff") + `]}`))
			if err != nil || !reflect.DeepEqual(rows, []thing{test.want}) {
				t.Errorf("as a row: %+v, %v", rows, err)
			}
		})
	}
}

func TestUnmarshalReplacesOrKeeps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]thing{
		`{"kind":"new"}`: {Kind: "new"}, `null`: {ID: "old"}, ` null `: {ID: "old"}, "\ufeffnull": {ID: "old"},
		`{"kind":"new"`: {ID: "old"}, `{"kind":"new","size":{}}`: {ID: "old"},
	} {
		for name, read := range map[string]func([]byte, *thing) error{
			"Unmarshal": graphjson.Unmarshal[thing], "UnmarshalEntity": graphjson.UnmarshalEntity[thing],
		} {
			got := thing{ID: "old"}
			if _ = read([]byte(text), &got); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s gave %+v", name, text, got)
			}
		}
	}
}

func TestUnmarshalEntity(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]thing{
		`{"id":"a"}`: {ID: "a"},
		`{"@odata.context":"c","value":{"id":"a","kind":"k"}}`: {ID: "a", Kind: "k"},
		`{"VALUE":{"id":"a"}}`:                                 {ID: "a"},
		`{"id":"x","kind":"y","value":{"id":"a"},"id":"z"}`:    {ID: "a"},
		`{"value":{"id":"a"},"value":{"kind":"k"}}`:            {Kind: "k"},
		`{"value":null}`: {},
		`{"id":"x","total":[],"value":{"id":"a"},"size":{}}`:                      {ID: "a"},
		`{"value":{"id":"a","value":{"id":"not the entity"}}}`:                    {ID: "a"},
		`{"value":{"id":"a"},"value":null}`:                                       {},
		"\ufeff" + `{"value":{"parts":[{"name":"a"}]}}`:                           {Parts: []part{{Name: "a"}}},
		`{"part":{"value":{"name":"not the entity"}},"names":["value"],"id":"a"}`: {Names: []string{"value"}, ID: "a"},
	} {
		var got thing
		if err := graphjson.UnmarshalEntity([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

// An entity that is wrapped and broken is not mistaken for one that is bare.
func TestUnmarshalEntityThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"value":{"total":true}}`:               "value.total is a Boolean, want an integer",
		`{"total":true}`:                         "total is a Boolean, want an integer",
		`{"id":"a","value":7}`:                   "value is a number, want an object",
		`{"id":"a","value":{"id":"b"}`:           "",
		`{"id":"a"} {}`:                          "",
		`{"total":{},"value":{"total":"seven"}}`: "value.total",
	} {
		got := thing{ID: "old"}
		err := graphjson.UnmarshalEntity([]byte(text), &got)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
		if !reflect.DeepEqual(got, thing{ID: "old"}) {
			t.Errorf("%s: got %+v", text, got)
		}
	}
}

// present is a member that was there.
func present[T any](value T) graphjson.Field[T] {
	return graphjson.Field[T]{Value: value, Present: true}
}

func TestFieldTellsWhatWasThere(t *testing.T) {
	t.Parallel()
	type session struct {
		ID      graphjson.Field[string] `json:"id"`
		Link    graphjson.Field[secret] `json:"link"`
		Details graphjson.Field[*part]  `json:"details"`
		Pointer *graphjson.Field[int]   `json:"pointer"`
		Raw     jsontext.Value          `json:"raw"`
	}
	var got session
	if err := graphjson.UnmarshalEntity([]byte(`{"value":{"ID":"a","link":null,"raw":null}}`), &got); err != nil {
		t.Fatal(err)
	}
	want := session{ID: present("a"), Link: present(secret{}), Raw: jsontext.Value("null")}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := graphjson.UnmarshalEntity([]byte(`{"details":{"name":"n"},"pointer":7,"raw":[{"x":1}]}`), &got); err != nil {
		t.Fatal(err)
	}
	seven := present(7)
	want = session{Details: present(&part{Name: "n"}), Pointer: &seven, Raw: jsontext.Value(`[{"x":1}]`)}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	err := graphjson.UnmarshalEntity([]byte(`{"details":{"count":true}}`), &got)
	if err == nil || !strings.Contains(err.Error(), ": details.count is a Boolean, want an integer") {
		t.Errorf("error %v", err)
	}
}

func TestPageAgreesWithPlainJSON(t *testing.T) {
	t.Parallel()
	rows, nextLink, err := graphjson.Page[thing]([]byte(everything))
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	if want := "https://h/?$skiptoken=a%27b&c"; nextLink != want {
		t.Errorf("next link %s, want %s", nextLink, want)
	}
	for field, value := range reflect.ValueOf(rows[0]).Fields() {
		if value.IsZero() && field.Tag != "" {
			t.Errorf("%s is zero", field.Name)
		}
	}
	if err := graphjsontest.ComparePage([]byte(everything), rows, nextLink); err != nil {
		t.Error(err)
	}
	rows[0].Parts[0].Place.Seen = rows[0].Seen
	if graphjsontest.ComparePage([]byte(everything), rows, nextLink) == nil {
		t.Error("a wrong date was not noticed")
	}
}

func TestTextDoesNotReferToTheJSON(t *testing.T) {
	t.Parallel()
	page := []byte(everything)
	rows, nextLink, err := graphjson.Page[thing](page)
	if err != nil {
		t.Fatal(err)
	}
	for i := range page {
		page[i] = 'X'
	}
	if err := graphjsontest.ComparePage([]byte(everything), rows, nextLink); err != nil {
		t.Error("the rows changed with the page:", err)
	}
}

func TestPageThatBreaksOff(t *testing.T) {
	t.Parallel()
	page := strings.ReplaceAll(everything, `"n":{"n":"s"}}`, `"n":{"n":"s"}},{"id":"b"},{"id":"c"}`)
	counts := map[int]bool{}
	for end := range page {
		rows, _, err := graphjson.Page[thing]([]byte(page[:end]))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d: %v", end, err)
		}
		if counts[len(rows)] = true; len(rows) > 0 && rows[0].ODataTyp != "#t" {
			t.Fatalf("cut at %d: the row is not whole", end)
		}
	}
	if len(counts) != 4 {
		t.Errorf("cuts gave %v rows", counts)
	}
}

func TestTypesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	defer func() {
		if got, want := recover(), "graphjson: cannot read chan int"; got != want {
			t.Errorf("panic %v, want %v", got, want)
		}
	}()
	var got struct {
		Channel chan int `json:"channel"`
	}
	_ = graphjson.Unmarshal([]byte(`{}`), &got)
}
