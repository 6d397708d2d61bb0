package intunetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// maxBatch is how many items a batch may have. Source: https://learn.microsoft.com/graph/json-batching.
const maxBatch = 20

// batchItem is one request of a batch.
type batchItem struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// batchAnswer is the answer to one; an item without a body, such as a 204, has none.
type batchAnswer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body,omitempty"`
}

func isBatch(x *exchange) bool {
	version, segments, _ := splitPath(x.request.Path)
	return strings.EqualFold(version, "v1.0") && len(segments) == 1 && strings.EqualFold(segments[0], "$batch")
}

// batch carries out a JSON batch: 200 whatever becomes of the items, which are answered in another order than asked;
// 400 for the whole of it if a single item is malformed. The caller does not hold the lock.
func (t *Tenant) batch(ctx context.Context, x *exchange) (*answer, error) {
	if x.request.Method != http.MethodPost {
		return x.methodNotAllowed(), nil
	}
	var envelope struct {
		Requests []batchItem `json:"requests"`
	}
	if !unmarshals(x.request.Body, &envelope) {
		return x.badQuery(refusal("Invalid batch payload format.")), nil
	}
	if err := checkBatch(envelope.Requests); err != nil {
		return x.badQuery(err), nil
	}
	status := map[string]int{}
	answers := make([]batchAnswer, 0, len(envelope.Requests))
	for i, item := range envelope.Requests {
		a, err := t.serveItem(ctx, x, &item, status)
		switch {
		case errors.Is(err, errDropped):
			continue // no answer to this one
		case err != nil:
			return nil, err
		}
		status[strings.ToLower(item.ID)] = a.status
		answers = append(answers, a.item(item.ID, i%2 == 1))
	}
	// Clients have to go by the id.
	slices.Reverse(answers)
	return newAnswer(http.StatusOK, contentOData, encode(map[string]any{"responses": answers})), nil
}

// unmarshals reports whether data could be read. Why not is nothing the service tells.
func unmarshals(data []byte, to any) bool { return json.Unmarshal(data, to) == nil }

// checkBatch finds what makes the service refuse all items.
func checkBatch(items []batchItem) error {
	switch {
	case len(items) == 0:
		return refusal("Invalid batch payload format.")
	case len(items) > maxBatch:
		return refusal(fmt.Sprintf("Number of batch request steps exceeds the maximum value of %d.", maxBatch))
	}
	seen := map[string]bool{}
	for _, item := range items {
		id := strings.ToLower(item.ID)
		switch {
		case id == "", item.Method == "", item.URL == "":
			return refusal("Request id, method and url are required for every batch request step.")
		case seen[id]:
			return refusal("Duplicate batch request id: " + item.ID + ".")
		case strings.Contains(strings.ToLower(item.URL), "$batch"):
			return refusal("Batch request id " + item.ID + " is a batch itself.")
		}
		seen[id] = true
		switch strings.ToUpper(item.Method) {
		case http.MethodPost, http.MethodPut, http.MethodPatch:
			// The header's name counts as written: users report that lower case is refused.
			if body := bytes.TrimSpace(item.Body); item.Headers["Content-Type"] == "" || len(body) == 0 || string(body) == "null" {
				return refusal("Write request id : " + item.ID + " does not contain Content-Type header or body.")
			}
		}
	}
	for _, item := range items {
		for _, id := range item.DependsOn {
			if !seen[strings.ToLower(id)] {
				return refusal("Batch request id " + item.ID + " depends on " + id + ", which is not in the batch.")
			}
		}
	}
	return nil
}

// serveItem carries out one item as a request of its own: recorded, throttled and met by faults. status holds those
// answered before.
func (t *Tenant) serveItem(ctx context.Context, x *exchange, item *batchItem, status map[string]int) (*answer, error) {
	header := http.Header{}
	for name, value := range item.Headers {
		header.Set(name, value)
	}
	header.Set("Authorization", x.request.Header.Get("Authorization"))
	path, rawQuery, _ := strings.Cut(item.URL, "?")
	version, _, _ := strings.Cut(strings.TrimPrefix(x.request.Path, "/"), "/")
	sub := &exchange{
		scheme: x.scheme,
		request: RecordedRequest{
			Method: strings.ToUpper(item.Method), Path: "/" + version + "/" + strings.TrimPrefix(path, "/"), RawQuery: rawQuery,
			Host: x.request.Host, Header: header, Body: bytes.Clone(item.Body), BatchID: item.ID,
		},
	}
	for _, id := range item.DependsOn {
		if s := status[strings.ToLower(id)]; s < 200 || s > 299 {
			t.arrive(sub)
			return sub.finish(sub.graphError(http.StatusFailedDependency, "FailedDependency", "The request depends on one that failed.")), nil
		}
	}
	return t.serve(ctx, sub)
}

// item writes an answer as part of a batch's. Headers come in any case. A body that is no JSON is base64 text.
func (a *answer) item(id string, lower bool) batchAnswer {
	b := batchAnswer{ID: id, Status: a.status, Headers: map[string]string{}}
	for name := range a.header {
		value := a.header.Get(name)
		if lower {
			name = strings.ToLower(name)
		}
		b.Headers[name] = value
	}
	switch {
	case len(a.body) == 0:
	case json.Valid(a.body):
		b.Body = json.RawMessage(a.body)
	default:
		b.Body = a.body // encodes as base64
	}
	return b
}
