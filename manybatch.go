package intune

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/redact"
)

// batchItem is one request of a JSON batch. An item without Content-Type and body makes the service refuse the whole
// batch, although the action takes no body.
//
// Source: https://learn.microsoft.com/graph/json-batching
type batchItem struct {
	ID      string       `json:"id"`
	Method  string       `json:"method"`
	URL     string       `json:"url"`
	Headers batchHeaders `json:"headers"`
	Body    struct{}     `json:"body"`
}

type batchHeaders struct {
	ContentType     string `json:"Content-Type"`
	ClientRequestID string `json:"client-request-id"`
}

// batchAnswer is the answer to one. Ids may come as numbers, headers in any case.
type batchAnswer struct {
	ID      jsontext.Value `json:"id"`
	Status  int            `json:"status"`
	Headers jsontext.Value `json:"headers"`
	Body    jsontext.Value `json:"body"`
}

// askBatch sends one batch and returns an answer for each device, in their order.
func (c *Client) askBatch(ctx context.Context, items []*manyItem) []manyAnswer {
	r, unrecorded := c.newBatch(ctx, items)
	resp, err := c.send(ctx, r)
	if err == nil {
		return c.readBatch(r, items, resp)
	}
	failed, _ := errors.AsType[*Error](err)
	answers := make([]manyAnswer, len(items))
	switch {
	case r.record.Stopped != nil:
		for i, item := range items {
			answers[i] = manyAnswer{record: r.record, held: true}
			if cause := unrecorded.of(i); cause != nil {
				e := *failed
				e.cause = redact.Error(cause, privateOf(&r.url, r.record.Authorization, r.users...))
				answers[i] = item.shared(r.record, e)
			}
		}
		return answers
	case errors.Is(failed, errBatchAnswer):
		// With items that were throttled, the status of the whole can be 424.
		return c.readBatch(r, items, failed.response.RawResponse)
	case failed.StatusCode == http.StatusFailedDependency:
		// Some of the items may have been carried out.
		failed.unknown, failed.Hint = true, hintUnknown
	}
	for i, item := range items {
		answers[i] = item.shared(r.record, *failed)
		if !failed.unknown && slices.Contains(batchNotTaken, failed.StatusCode) && !errors.Is(failed, ErrThrottled) {
			answers[i].held, answers[i].notTaken = true, true
		}
	}
	return answers
}

// batchNotTaken are the statuses of a service, or of a proxy before it, that does not take the batch at all.
var batchNotTaken = []int{
	http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusNotImplemented,
}

// batchID is the id of an item.
func batchID(i int) string { return strconv.Itoa(i + 1) }

// unrecorded holds what the journal said of each device of a batch. A policy may abandon the request meanwhile.
type unrecorded struct {
	mu   sync.Mutex
	errs []error
}

func (u *unrecorded) of(i int) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.errs[i]
}

// record calls Asking for each device that has no entry yet.
func (u *unrecorded) record(ctx context.Context, items []*manyItem) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i, item := range items {
		if item.pair.id() == "" {
			u.errs[i] = item.pair.begin(ctx, item.id)
		}
	}
	return errors.Join(u.errs...)
}

func (c *Client) newBatch(ctx context.Context, items []*manyItem) (*request, *unrecorded) {
	r := &request{op: opRequestMany, method: http.MethodPost, url: c.at("/$batch")}
	var envelope struct {
		Requests []batchItem `json:"requests"`
	}
	for i, item := range items {
		envelope.Requests = append(envelope.Requests, batchItem{
			ID: batchID(i), Method: http.MethodPost, URL: actionPath(item.device),
			Headers: batchHeaders{ContentType: "application/json", ClientRequestID: item.id},
		})
		r.users = append(r.users, userOf(item.device.String()))
	}
	r.body, _ = json.Marshal(envelope) //nolint:errchkjson // texts only
	u := &unrecorded{errs: make([]error, len(items))}
	if c.journal != nil {
		r.before = func(*http.Request) error { return u.record(ctx, items) }
	}
	return r, u
}

// readBatch finds each device's answer by its id. What cannot be read as a whole answers nobody.
func (c *Client) readBatch(r *request, items []*manyItem, resp *http.Response) []manyAnswer {
	payload, err := runtime.Payload(resp)
	var envelope struct {
		Responses []batchAnswer `json:"responses"`
	}
	if err == nil {
		err = graphjson.Unmarshal(payload, &envelope)
	}
	answers := make([]manyAnswer, len(items))
	if err != nil {
		whole := c.unexpectedAnswer(r, resp, "the answer to the batch could not be read")
		whole.cause = err
		for i, item := range items {
			answers[i] = item.shared(r.record, *whole)
		}
		return answers
	}
	found := map[string]*batchAnswer{}
	for i := range envelope.Responses {
		answer := &envelope.Responses[i]
		id := strings.ToLower(textOf(answer.ID))
		if _, twice := found[id]; twice {
			answer = nil // nobody knows which of them holds
		}
		found[id] = answer
	}
	for i, item := range items {
		if answer := found[batchID(i)]; answer != nil {
			answers[i] = c.readItem(item, answer, r.record.Authorization)
		} else {
			answers[i] = item.unanswered(c, r.record.Authorization, errNotInBatch)
		}
	}
	return answers
}

// readItem judges an item's answer as if it had come alone.
func (c *Client) readItem(item *manyItem, answer *batchAnswer, authorization string) manyAnswer {
	r := item.request(c)
	resp := answer.response(r)
	record := graphpolicy.Record{
		Verdict: graphpolicy.VerdictOf(answer.Status), Response: resp, Authorization: authorization, RequestID: item.id, Left: true,
	}
	switch {
	case record.Verdict != graphpolicy.Answered:
		return manyAnswer{resp: resp, record: record, err: c.newError(r, true, record, resp, nil)}
	case !emptySuccess(resp):
		return manyAnswer{resp: resp, record: record, err: c.unexpectedAnswer(r, resp, "the answer is neither 204 nor an empty 200")}
	}
	return manyAnswer{resp: resp, record: record}
}

// response is the answer as it would have come outside of a batch.
func (a *batchAnswer) response(r *request) *http.Response {
	body := []byte(a.Body)
	if kind := a.Body.Kind(); kind == jsontext.KindNull {
		body = nil
	} else if kind == jsontext.KindString { // not JSON: base64, or the text itself
		text := textOf(a.Body)
		var err error
		if body, err = base64.StdEncoding.DecodeString(text); err != nil {
			body = []byte(text)
		}
	}
	return &http.Response{
		Status: http.StatusText(a.Status), StatusCode: a.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header(), Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Request: &http.Request{Method: r.method, URL: &r.url, Header: http.Header{"Client-Request-Id": {r.id}}},
	}
}

func (a *batchAnswer) header() http.Header {
	var values map[string]any
	_ = json.Unmarshal(a.Headers, &values) // no headers if they are none
	header := http.Header{}
	for name, value := range values {
		switch value := value.(type) {
		case string:
			header.Set(name, value)
		case float64:
			header.Set(name, strconv.FormatFloat(value, 'f', -1, 64))
		}
	}
	return header
}

// textOf is a JSON string without its quotes, and any other value as it is written.
func textOf(value jsontext.Value) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
