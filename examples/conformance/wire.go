package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/uuid"
)

// wire sends requests that the library would not send, and gives answers as they are: the library hides most of the
// facts on purpose.
type wire struct {
	root      string // of Graph, with the version
	signedIn  runtime.Pipeline
	anonymous runtime.Pipeline
}

func newWire(root string, credential azcore.TokenCredential, scopes []string, options *azcore.ClientOptions) *wire {
	const name, version = "conformance", "v0.1.0"
	bearer := runtime.NewBearerTokenPolicy(credential, scopes, nil)
	return &wire{
		root:      strings.TrimSuffix(root, "/") + "/v1.0",
		signedIn:  runtime.NewPipeline(name, version, runtime.PipelineOptions{PerRetry: []policy.Policy{bearer}}, options),
		anonymous: runtime.NewPipeline(name, version, runtime.PipelineOptions{}, options),
	}
}

// answer is what came back.
type answer struct {
	err    error // no answer came
	status int
	header http.Header
	body   []byte
	sentID string // client-request-id of the request

	parsed record // the body, once it was read as JSON
}

// get reads an address below the version, with its query, which is sent exactly as given.
func (w *wire) get(ctx context.Context, address string) *answer {
	return w.send(ctx, w.signedIn, http.MethodGet, w.root+address, nil)
}

// getAnonymously sends no token.
func (w *wire) getAnonymously(ctx context.Context, address string) *answer {
	return w.send(ctx, w.anonymous, http.MethodGet, w.root+address, nil)
}

// follow reads a next link of the service, unless it leads elsewhere, where the token must not go.
func (w *wire) follow(ctx context.Context, link string) *answer {
	if !w.owns(link) {
		return &answer{err: errForeignLink}
	}
	return w.send(ctx, w.signedIn, http.MethodGet, link, nil)
}

// post sends once, and never again.
func (w *wire) post(ctx context.Context, address string, body []byte) *answer {
	ctx = policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: -1})
	return w.send(ctx, w.signedIn, http.MethodPost, w.root+address, body)
}

// owns reports whether a link leads to the version of Graph that is looked at.
func (w *wire) owns(link string) bool {
	target, err := url.Parse(link)
	root, _ := url.Parse(w.root)
	return err == nil && target.User == nil && target.Scheme == root.Scheme &&
		target.Host == root.Host && strings.HasPrefix(target.EscapedPath(), root.EscapedPath()+"/")
}

type wireError string

func (e wireError) Error() string { return string(e) }

const errForeignLink wireError = "the next link leads elsewhere"

func (w *wire) send(ctx context.Context, through runtime.Pipeline, method, target string, body []byte) *answer {
	a := &answer{sentID: uuid.NewString()}
	req, err := runtime.NewRequest(ctx, method, target)
	if err != nil {
		a.err = err
		return a
	}
	req.Raw().Header.Set("Accept", "application/json")
	req.Raw().Header.Set("client-request-id", a.sentID)
	if body != nil {
		if a.err = req.SetBody(nopCloser{bytes.NewReader(body)}, "application/json"); a.err != nil {
			return a
		}
	}
	resp, err := through.Do(req)
	if err != nil {
		a.err = err
		return a
	}
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, a.err = runtime.Payload(resp)
	return a
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// graphError is the part of an error's envelope that the facts are about.
type graphError struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	InnerError struct {
		Date            string `json:"date"`
		RequestID       string `json:"request-id"`
		ClientRequestID string `json:"client-request-id"`
	} `json:"innerError"`
}

func (a *answer) graphError() graphError {
	var envelope struct {
		Error graphError `json:"error"`
	}
	_ = json.Unmarshal(a.body, &envelope) // what is no error has a blank one
	return envelope.Error
}

// nested is how many JSON texts are within an error's message, and the sentence in the innermost.
func (e graphError) nested() (depth int, sentence string) {
	sentence = e.Message
	for depth < 4 && strings.HasPrefix(strings.TrimSpace(sentence), "{") {
		var inner struct{ Message *string }
		if json.Unmarshal([]byte(sentence), &inner) != nil || inner.Message == nil {
			break
		}
		depth++
		sentence = *inner.Message
	}
	return depth, sentence
}

// record is an entity or a page as JSON.
type record map[string]any

func (a *answer) record() record {
	if a.parsed == nil {
		decoder := json.NewDecoder(bytes.NewReader(a.body))
		decoder.UseNumber()
		_ = decoder.Decode(&a.parsed) // a body that is no object has no members
	}
	return a.parsed
}

// text is a member if it is a string, else "".
func (r record) text(name string) string {
	value, _ := r[name].(string)
	return value
}

// filled reports whether a member holds other than a default of the service.
func (r record) filled(name string) bool {
	switch v := r[name].(type) {
	case nil:
		return false
	case string:
		return v != ""
	case json.Number:
		return v.String() != "0"
	default:
		return true
	}
}

// rows are the entities of a page.
func (r record) rows() []record {
	list, _ := r["value"].([]any)
	rows := make([]record, 0, len(list))
	for _, item := range list {
		if row, ok := item.(map[string]any); ok {
			rows = append(rows, row)
		}
	}
	return rows
}

// next is the next link of a page, "" on the last.
func (r record) next() string { return r.text("@odata.nextLink") }

// count is the @odata.count of a page, -1 if it has none.
func (r record) count() int64 { return r.number("@odata.count") }

// quoted is a text as an operand of $filter within a query.
func quoted(text string) string { return "'" + escaped(strings.ReplaceAll(text, "'", "''")) + "'" }

// escaped is a text as a value of a query.
func escaped(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// number is a member if it is a whole number, else -1.
func (r record) number(name string) int64 {
	value, _ := r[name].(json.Number)
	if n, err := value.Int64(); err == nil {
		return n
	}
	return -1
}

// encode is the JSON of a value that always has one.
func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic("conformance: " + err.Error())
	}
	return data
}
