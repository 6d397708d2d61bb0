package errorbody_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-intune/intune/internal/errorbody"
	"github.com/go-intune/intune/internal/redact"
)

// C§6.1 and C§6.2: the members of the envelope and the two shapes of JSON within JSON.
func TestParse(t *testing.T) {
	t.Parallel()
	v3 := `{"_version":3,"Message":"An error has occurred - Operation ID (for customer support): op-1` +
		` - Activity ID: act-1 - Url: https://fef.manage.microsoft.com/x",` +
		`"CustomApiErrorPhrase":"FeatureDisabled","RetryAfter":"2.5","Target":"t"}`
	for name, c := range map[string]struct {
		body  string
		want  errorbody.Body
		codes string
	}{
		"plain": {
			`{"error":{"code":"NotFound","message":"gone","target":"device",` +
				`"innerError":{"code":"Inner","date":"2026-11-01","request-id":"r","client-request-id":"c"},` +
				`"details":[{"code":"d","message":"m","target":"x"}]}}`,
			errorbody.Body{
				Code: "NotFound", InnerCode: "Inner", Message: "gone", Target: "device", Date: "2026-11-01", RequestID: "r", ClientRequestID: "c",
				Details: []errorbody.Detail{{"d", "m", "x"}},
			},
			"NotFound Inner d",
		},
		"single": {
			`{"error":{"code":"Forbidden","message":` + quote(v3) + `}}`,
			errorbody.Body{
				Code: "Forbidden", Message: "An error has occurred", Phrase: "FeatureDisabled", Target: "t", OperationID: "op-1", ActivityID: "act-1",
				RetryAfter: "2.5",
			},
			"Forbidden",
		},
		"double": {
			`{"error":{"code":"UnknownError","message":` + quote(`{"ErrorCode":"Forbidden","Message":`+quote(v3)+`}`) + `}}`,
			errorbody.Body{
				Code: "UnknownError", InnerCode: "Forbidden", Message: "An error has occurred", Phrase: "FeatureDisabled", Target: "t",
				OperationID: "op-1", ActivityID: "act-1", RetryAfter: "2.5",
			},
			"UnknownError Forbidden",
		},
		"wait": {`{"error":{"code":"x","RetryAfter":7,"innerError":{"retryAfter":8}}}`, errorbody.Body{Code: "x", RetryAfter: "7"}, "x"},
		"wait, further in": {
			`{"error":{"code":"x","innerError":{"retryAfter":"8"}}}`, errorbody.Body{Code: "x", RetryAfter: "8"}, "x",
		},
		"old": {`{"odata.error":{"code":"x","message":{"lang":"en","value":"m"}}}`, errorbody.Body{Code: "x", Message: "m"}, "x"},
		"no more than sixteen details": {
			`{"error":{"code":"x","details":[{}` + strings.Repeat(`,{"code":"y"}`, 17) + `]}}`,
			errorbody.Body{Code: "x", InnerCode: "y", Details: slices.Repeat([]errorbody.Detail{{Code: "y"}}, 16)},
			"x y",
		},
		"a text in JSON": {`"gone"`, errorbody.Body{Message: "gone"}, ""},
		"an object without a message": {
			`{"error":{"code":"x","message":"{\"a\":1}"}}`, errorbody.Body{Code: "x", Message: `{"a":1}`}, "x",
		},
		"not UTF-8": {"\xffgone", errorbody.Body{}, ""},
		"a list":    {`["gone"]`, errorbody.Body{}, ""},
		"batch":     {`{"responses":[{"id":"1","status":404}]}`, errorbody.Body{}, ""},
		"batch that says more": {
			`{"responses":[],"code":"x","message":"m","error_description":"d"}`, errorbody.Body{}, "",
		},
		"batch and error": {`{"responses":[],"error":{"code":"x"}}`, errorbody.Body{Code: "x"}, "x"},
		"text":            {"upstream failed", errorbody.Body{Message: "upstream failed"}, ""},
		"token endpoint": {
			`{"error":"invalid_client","error_description":"d"}`, errorbody.Body{Code: "invalid_client", Message: "d"}, "invalid_client",
		},
		"phrase in trailer": {
			`{"error":{"code":"x","message":"m - CustomApiErrorPhrase: P"}}`, errorbody.Body{Code: "x", Message: "m", Phrase: "P"}, "x",
		},
		"code in details": {
			`{"error":{"code":"x","details":[{"code":"y"}]}}`,
			errorbody.Body{Code: "x", InnerCode: "y", Details: []errorbody.Detail{{Code: "y"}}},
			"x y",
		},
		"phrase and ids outside": {
			`{"error":{"code":"x","CustomApiErrorPhrase":"P","request-id":"r","client-request-id":"c","date":"d","innerError":{"request-id":"r2"}}}`,
			errorbody.Body{Code: "x", Phrase: "P", RequestID: "r", ClientRequestID: "c", Date: "d"},
			"x",
		},
		"inner codes": {
			`{"error":{"code":"x","innerError":{"code":"y","details":[{"code":"d"}],"innerError":{"message":"no code"}}}}`,
			errorbody.Body{Code: "x", InnerCode: "y", Details: []errorbody.Detail{{Code: "d"}}},
			"x y d",
		},
		"inner code at the limit": {inner(8, "y"), errorbody.Body{Code: "x", InnerCode: "y"}, "x y"},
		"inner code behind it":    {inner(9, "y"), errorbody.Body{Code: "x"}, "x"},
		"details in the message": {
			`{"error":{"code":"x","message":"{\"Message\":\"m\",\"Details\":[{\"Code\":\"d\"}]}"}}`,
			errorbody.Body{Code: "x", Message: "m", Details: []errorbody.Detail{{Code: "d"}}},
			"x d",
		},
		"message of a code": {`{"error":{"code":"x","message":"{\"Code\":\"y\"}"}}`, errorbody.Body{Code: "x", InnerCode: "y"}, "x y"},
		"message in quotes": {`{"error":{"code":"x","message":"\"m\""}}`, errorbody.Body{Code: "x", Message: `"m"`}, "x"},
		"blank code":        {`{"error":{"errorCode":"","code":"x"}}`, errorbody.Body{Code: "x"}, "x"},
		"message below a blank": {
			`{"error":{"code":"x","message":{"value":"","Value":5,"message":"m"}}}`, errorbody.Body{Code: "x", Message: "m"}, "x",
		},
		"number with a point": {`{"error":{"code":0.25}}`, errorbody.Body{Code: "0.25"}, ""},
		"trailer alone":       {`{"error":{"code":"x","message":"Activity ID: a"}}`, errorbody.Body{Code: "x", ActivityID: "a"}, "x"},
		"trailer behind spaces": {
			`{"error":{"code":"x","message":"m   Activity ID:a\r\nmore"}}`, errorbody.Body{Code: "x", Message: "m", ActivityID: "a"}, "x",
		},
		"trailer in lines": {
			`{"error":{"code":"x","message":"m - Activity ID: a\nmore"}}`, errorbody.Body{Code: "x", Message: "m", ActivityID: "a"}, "x",
		},
		"label in the sentence": {
			`{"error":{"code":"x","message":"an Activity ID: b - Activity ID: a"}}`,
			errorbody.Body{Code: "x", Message: "an Activity ID: b", ActivityID: "a"},
			"x",
		},
		"labels of the sentence": {
			`{"error":{"code":"x","message":"of Url: of Url: of - Url: https://fef.manage.microsoft.com/x"}}`,
			errorbody.Body{Code: "x", Message: "of Url: of Url: of"},
			"x",
		},
		"cut": {
			`{"error":{"x":["code","no"],"n":1,"ErrorCode":"x","code":"y","Message":"m",` +
				`"innerError":{"request-id":"r","client-request-id":"c","date":"d","message":"n"},"o":{"code":"z"`,
			errorbody.Body{Code: "x", Message: "m", RequestID: "r", ClientRequestID: "c", Date: "d"},
			"x",
		},
		"cut, not texts": {`{"error":{"code":{"value":5},"message":["m"`, errorbody.Body{}, ""},
		"cut, odd":       {`{"error":{"a":1,"a":2,"b":"` + "\xff" + `","code":"x","message`, errorbody.Body{Code: "x"}, "x"},
		"cut text":       {`"m`, errorbody.Body{}, ""},
		"array":          {`["m"]`, errorbody.Body{}, ""},
		"empty":          {"", errorbody.Body{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := errorbody.Parse([]byte(c.body), redact.Private{})
			if shown, want := asJSON(got), asJSON(c.want); shown != want {
				t.Errorf("got  %s\nwant %s", shown, want)
			}
			for _, code := range []string{"NotFound", "Inner", "d", "Forbidden", "UnknownError", "invalid_client", "x", "y"} {
				if want := slices.Contains(strings.Fields(c.codes), code); got.HasCode(code) != want {
					t.Errorf("HasCode(%s) = %v", code, !want)
				}
			}
		})
	}
}

// The status of a batch says nothing of an answer within it, and its texts are those of other requests.
func TestBatchAnswerIsOfNoKind(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]errorbody.Kind{
		`{"responses":[{"id":"1","status":404,"body":{"error":{"code":"ResourceNotFound"}}}]}`: errorbody.Other,
		`{"responses":[],"code":"Forbidden","message":"the tenant has no license"}`:            errorbody.Other,
		`{"responses":[],"error":{"code":"Forbidden"}}`:                                        errorbody.Forbidden,
	} {
		b := errorbody.Parse([]byte(body), redact.Private{})
		for _, status := range []int{http.StatusBadRequest, http.StatusNotFound, http.StatusFailedDependency, http.StatusBadGateway} {
			if got := b.Kind(status); got != want {
				t.Errorf("%d with %s is of kind %d, want %d", status, body, got, want)
			}
		}
	}
}

// inner is an error with a code so far in.
func inner(depth int, code string) string {
	return `{"error":{"code":"x"` + strings.Repeat(`,"innerError":{"a":0`, depth) + `,"code":"` + code + `"}` + strings.Repeat("}", depth+1)
}

// asJSON is what a body shows.
func asJSON(b errorbody.Body) string {
	text, err := json.Marshal(b)
	if err != nil {
		panic(err) // texts always marshal
	}
	return string(text)
}

// The kind of an error does not depend on what its request looked for, and fmt shows none of what tells it.
func TestQuestionsDoNotDependOnPrivateParts(t *testing.T) {
	t.Parallel()
	private := redact.Of("$filter=a%20eq%20%27Forbidden%27%20or%20b%20eq%20%27LICENSE-1%27")
	const body = `{"error":{"code":"Forbidden","message":"no 'LICENSE-1' in A Page","innerError":{"code":"ObjectConflict"}}}`
	b := errorbody.Parse([]byte(body), private)
	if b.Code != redact.Placeholder || strings.Contains(fmt.Sprintf("%+v %#v", b, b), "orbidden") {
		t.Errorf("it shows what is private: %+v", b)
	}
	made, none := errorbody.Made("No License", "a", "Forbidden"), errorbody.Body{}
	for question, c := range map[string]struct{ got, want bool }{
		"code x or forbidden":     {b.HasCode("x", "forbidden"), true},
		"code Conflict":           {b.HasCode("Conflict"), false},
		"code like x or conflict": {b.HasCodeLike("x", "conflict"), true},
		"code like license":       {b.HasCodeLike("license"), false},
		"says x or a page":        {b.Says("x", "a page"), true},
		"says license":            {b.Says("license"), false},
		"made: says license":      {made.Says("license"), true},
		"made: code forbidden":    {made.HasCode("forbidden"), true},
		"made: code like forb":    {made.HasCodeLike("forb"), true},
		"made: says forbidden":    {made.Says("forbidden"), false},
		"zero: says nothing":      {none.Says(""), false},
		"zero: no code":           {none.HasCode(""), false},
		"zero: code like nothing": {none.HasCodeLike(""), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", question, c.got)
		}
	}
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text always marshals
	}
	return string(quoted)
}

// A link, or a private part of the request, goes wherever it stands.
func TestEveryTextIsCleaned(t *testing.T) {
	t.Parallel()
	private := redact.Of("", "anna@contoso.com")
	for _, secret := range []string{
		"https://get.teamviewer.com/s12", `https:\/\/get.teamviewer.com\/s12`, "anna@contoso.com", "anna%40contoso.com", "\x1b[31m",
	} {
		for _, form := range []string{
			`{"error":{"code":%s}}`, `{"error":{"message":%s}}`, `{"error":{"target":%s}}`, `{"error":{"CustomApiErrorPhrase":%s}}`,
			`{"error":{"details":[{"code":%s}]}}`, `{"error":{"details":[{"message":%s}]}}`, `{"error":{"details":[{"code":"c","target":%s}]}}`,
			`{"error":{"innerError":{"code":%s}}}`, `{"error":{"innerError":{"request-id":%s}}}`,
			`{"error":{"innerError":{"client-request-id":%s}}}`,
			`{"error":{"innerError":{"date":%s}}}`, `{"error":{"code":"x","message":"{\"Message\":\"m\",\"RetryAfter\":7}"},"error_description":%s}`,
			`{"error":%s}`, `{"error":{"code":"x","message":"m - Activity ID: ` + "%[2]s" + `"}}`,
			`{"error":{"code":"x","message":"m - Operation ID (for customer support): ` + "%[2]s" + `"}}`,
			`{"error":{"code":"x","message":"m - CustomApiErrorPhrase: ` + "%[2]s" + `"}}`, `%s`, `<html><body>%[2]s</body></html>`,
		} {
			raw := strings.Trim(quote(secret), `"`)
			body := fmt.Sprintf(strings.ReplaceAll(form, "%s", "%[1]s"), quote(secret), raw)
			body, _, _ = strings.Cut(body, "%!(EXTRA")
			got := fmt.Sprintf("%+v", errorbody.Parse([]byte(body), private))
			for _, part := range []string{"s12", "anna", "\x1b"} {
				if strings.Contains(got, part) {
					t.Errorf("%s\ngives %s", body, got)
				}
			}
		}
	}
}

func TestTextsAreBounded(t *testing.T) {
	t.Parallel()
	long := quote(strings.Repeat("é", 40_000))
	body := fmt.Sprintf(`{"error":{"code":%[1]s,"message":%[1]s,"target":%[1]s,"innerError":{"date":%[1]s},`+
		`"details":[{"code":%[1]s,"message":%[1]s}]}}`, long)
	b := errorbody.Parse([]byte(body), redact.Private{})
	for name, c := range map[string]struct {
		text  string
		limit int
	}{
		"code": {b.Code, 1 << 10}, "message": {b.Message, 8 << 10}, "target": {b.Target, 1 << 10}, "date": {b.Date, 1 << 10},
		"detail code": {b.Details[0].Code, 1 << 10}, "detail message": {b.Details[0].Message, 8 << 10},
	} {
		if len(c.text) != c.limit || !utf8.ValidString(c.text) {
			t.Errorf("%s has %d bytes, want %d", name, len(c.text), c.limit)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"error":{"code":"UnknownError","message":"{\"ErrorCode\":\"x\",\"Message\":\"y - Activity ID: 1\"}"}}`), "anna@contoso.com")
	f.Add([]byte("<html><head><title>t</title><body>Bad &amp; Gateway"), "")
	f.Add([]byte(`{"error":{"code":"x","innerError":{"innerError":{"code":"y"`), "x")
	f.Fuzz(func(t *testing.T, body []byte, key string) {
		b := errorbody.Parse(body, redact.Of("", key))
		if len(b.Message) > 8<<10 || !utf8.ValidString(b.Message) {
			t.Errorf("the message has %d bytes, or is not UTF-8: %.100q", len(b.Message), b.Message)
		}
		if len(b.Details) > 16 {
			t.Errorf("%d details", len(b.Details))
		}
		if len(b.Code) > 1<<10 {
			t.Errorf("the code has %d bytes", len(b.Code))
		}
	})
}
