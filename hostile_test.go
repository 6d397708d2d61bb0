package intune_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/go-intune/intune"
)

// nested puts a text into an envelope as Intune does, levels times over.
func nested(text string, levels int) string {
	for range levels {
		text = `{"ErrorCode":"Forbidden","Message":` + quote(text) + `}`
	}
	return `{"error":{"code":"UnknownError","message":` + quote(text) + `}}`
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text always marshals
	}
	return string(quoted)
}

func TestOddErrorBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body    string
		code    string
		inner   string
		message string
	}{
		"empty":                      {"", "", "", ""},
		"blank":                      {" \r\n\t", "", "", ""},
		"byte-order mark":            {"\ufeff" + `{"error":{"code":"x","message":"m"}}`, "x", "", "m"},
		"plain text":                 {"upstream connect error\n", "", "", "upstream connect error"},
		"binary":                     {"\x00\xff\xfe", "", "", ""},
		"null":                       {"null", "", "", "null"},
		"array":                      {`[{"error":{"code":"x"}}]`, "", "", ""},
		"string":                     {`"text"`, "", "", "text"},
		"other object":               {`{"foo":{"bar":1}}`, "", "", ""},
		"error is a string":          {`{"error":"invalid_client","error_description":"AADSTS7000215"}`, "invalid_client", "", "AADSTS7000215"},
		"error is null":              {`{"error":null}`, "", "", ""},
		"error is a number":          {`{"error":5}`, "5", "", ""},
		"no envelope":                {`{"code":"x","message":"m"}`, "x", "", "m"},
		"Pascal case":                {`{"Error":{"Code":"x","Message":"m","InnerError":{"Code":"y"}}}`, "x", "y", "m"},
		"lower case innererror":      {`{"error":{"code":"x","message":"m","innererror":{"code":"y","innererror":{"code":"z"}}}}`, "x", "z", "m"},
		"OData v3":                   {`{"odata.error":{"code":"x","message":{"lang":"en-us","value":"m"}}}`, "x", "", "m"},
		"message is an object":       {`{"error":{"code":"x","message":{"value":"m"}}}`, "x", "", "m"},
		"message is a number":        {`{"error":{"code":"x","message":42}}`, "x", "", "42"},
		"message is an array":        {`{"error":{"code":"x","message":["m"]}}`, "x", "", ""},
		"code is a number":           {`{"error":{"code":404,"message":"m"}}`, "404", "", "m"},
		"innerError is a string":     {`{"error":{"code":"x","message":"m","innerError":"y"}}`, "x", "", "m"},
		"details is an object":       {`{"error":{"code":"x","message":"m","details":{"code":"y"}}}`, "x", "", "m"},
		"details holds odd things":   {`{"error":{"code":"x","message":"m","details":[1,null,"s",{"code":"y"}]}}`, "x", "y", "m"},
		"no message":                 {`{"error":{"code":"x"}}`, "x", "", ""},
		"nested three times":         {nested("inner sentence - Activity ID: 1", 3), "UnknownError", "Forbidden", "inner sentence"},
		"message is empty JSON":      {`{"error":{"code":"x","message":"{}"}}`, "x", "", "{}"},
		"message is other JSON":      {`{"error":{"code":"x","message":"{\"a\":1}"}}`, "x", "", `{"a":1}`},
		"message only begins as one": {`{"error":{"code":"x","message":"{not JSON"}}`, "x", "", "{not JSON"},
		"text with a JSON tail":      {`{"error":{"code":"x","message":"sentence {\"Message\":\"tail\"}"}}`, "x", "", `sentence {"Message":"tail"}`},
		"trailer only":               {`{"error":{"code":"x","message":" - Activity ID: 1"}}`, "x", "", ""},
		"label inside a sentence":    {`{"error":{"code":"x","message":"the Url: field is wrong"}}`, "x", "", "the Url: field is wrong"},
		"HTML with script":           {"<html><head><title>t</title></head><body><script>x<y</script><!-- c --><p>Blocked &amp; logged</p></body></html>", "", "", "Blocked & logged"},
		"HTML with title only":       {"<!DOCTYPE html><title>Gateway</title>", "", "", "Gateway"},
		"HTML unclosed":              {"<html><head><title>Gate", "", "", "Gate"},
		"XML":                        {"<Error><Code>x</Code></Error>", "", "", "<Error><Code>x</Code></Error>"},
		"cut in the message":         {`{"error":{"code":"Forbidden","message":"{\r\n \"Mess`, "Forbidden", "", ""},
		"cut behind the message":     {`{"error":{"code":"Forbidden","message":"m","innerError":{"request-id":"r","da`, "Forbidden", "", "m"},
		"cut in the code":            {`{"error":{"code":"Forb`, "", "", ""},
		"trailing garbage":           {`{"error":{"code":"x","message":"m"}}garbage`, "x", "", "m"},
		"duplicate members":          {`{"error":{"code":"x","code":"y","message":"m"}}`, "y", "", "m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, always(http.StatusBadRequest, c.body)).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			e := asError(t, err)
			if e.StatusCode != http.StatusBadRequest || e.Code != c.code || e.InnerCode != c.inner || e.Message != c.message {
				t.Errorf("code %q, inner %q, message %q", e.Code, e.InnerCode, e.Message)
			}
			checkText(t, err)
		})
	}
}

func checkText(tb testing.TB, err error) {
	tb.Helper()
	text := err.Error()
	if len(text) > 4096 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		tb.Errorf("the text is not one clean, short line: %.300q (%d bytes)", text, len(text))
	}
}

// countingReader is a body without an end.
type countingReader struct{ read int }

func (r *countingReader) Read(p []byte) (int, error) {
	if r.read == 0 {
		r.read = copy(p, `{"error":{"code":"Forbidden","message":"`)
		return r.read, nil
	}
	for i := range p {
		p[i] = 'A'
	}
	r.read += len(p)
	return len(p), nil
}

func (*countingReader) Close() error { return nil }

func TestEndlessErrorBodyIsCut(t *testing.T) {
	t.Parallel()
	body := &countingReader{}
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, http.StatusForbidden, nil, "")
		resp.Body, resp.ContentLength = body, 50<<20
		return resp, nil
	}))
	_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	e := asError(t, err)
	if body.read > 128<<10 || e.Code != "Forbidden" || !errors.Is(err, intune.ErrForbidden) {
		t.Errorf("read %d bytes, code %q", body.read, e.Code)
	}
	checkText(t, err)
	raw, _ := errors.AsType[*azcore.ResponseError](err)
	kept, err := io.ReadAll(raw.RawResponse.Body)
	if err != nil || len(kept) > 64<<10 {
		t.Errorf("kept %d bytes, error %v", len(kept), err)
	}
}

func TestDeepErrorBodies(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"objects":        strings.Repeat(`{"error":`, 10_000) + `{"code":"x"}` + strings.Repeat("}", 10_000),
		"inner errors":   `{"error":` + strings.Repeat(`{"code":"x","innerError":`, 2_000) + "null" + strings.Repeat("}", 2_001),
		"arrays":         strings.Repeat("[", 60_000),
		"in the message": `{"error":{"message":` + strings.Repeat("[", 60_000),
		"messages":       nested("text", 12),
		"open tags":      "<html>" + strings.Repeat("<", 60_000),
		"open heads":     "<html>" + strings.Repeat("<head>", 10_000),
		"labels":         strings.Repeat("Url:", 16_000),
		"details":        `{"error":{"code":"x","details":[` + strings.Repeat(`{"code":"y"},`, 4_000) + `{}]}}`,
		"backslashes":    `{"error":{"code":"x","message":"{` + strings.Repeat(`\\`, 30_000) + `"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, always(http.StatusBadRequest, body)).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if e := asError(t, err); e.StatusCode != http.StatusBadRequest || len(e.Details) > 16 {
				t.Errorf("got %v", err)
			}
			checkText(t, err)
		})
	}
}

func FuzzErrorBody(f *testing.F) {
	f.Add([]byte(nested("An error has occurred - Operation ID (for customer support): 0 - Activity ID: 1 - Url: https://x", 2)), 401)
	f.Add([]byte(`{"error":{"code":"x","message":"m","innerError":{"code":"y","innerError":{"code":"z"}},"details":[{"code":"d"}]}}`), 400)
	f.Add([]byte("<html><body>Bad &amp; Gateway</body></html>"), 502)
	f.Add([]byte(`{"responses":[{"id":"1","status":404}]}`), 400)
	f.Add([]byte("\ufeff{\"error\":\"text\"}"), 403)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		if status < 400 || status > 599 {
			status = 400 + (status&0x7fffffff)%200
		}
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			resp := answer(req, status, nil, "")
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return resp, nil
		}), noRetries)
		_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		e := asError(t, err)
		if e.StatusCode != status {
			t.Errorf("StatusCode %d, want %d", e.StatusCode, status)
		}
		kinds := 0
		for _, sentinel := range sentinels {
			if errors.Is(err, sentinel) {
				kinds++
			}
		}
		if kinds > 1 {
			t.Errorf("%d kinds", kinds)
		}
		checkText(t, err)
	})
}
