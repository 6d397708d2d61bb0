package intunetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxBatch is how many items a batch may have. Source: https://learn.microsoft.com/graph/json-batching.
const maxBatch = 20

// batchItem is one request of a batch.
type batchItem struct {
	ID        batchID           `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []batchID         `json:"dependsOn"`
}

// batchID is the id of an item, which clients also send as a number. It is answered as text either way.
type batchID string

// UnmarshalJSON implements [json.Unmarshaler].
func (id *batchID) UnmarshalJSON(data []byte) error {
	var number int64
	if json.Unmarshal(data, &number) == nil && string(data) != "null" {
		*id = batchID(strconv.FormatInt(number, 10))
		return nil
	}
	return json.Unmarshal(data, (*string)(id))
}

// key is the form in which ids are compared.
func (id batchID) key() string { return strings.ToLower(string(id)) }

// batchAnswer is the answer to a batchItem. An answer without a body, such as a 204, has no body member.
type batchAnswer struct {
	ID      batchID           `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body,omitempty"`
}

func isBatch(x *exchange) bool {
	version, segments, _ := splitPath(x.request.Path)
	return strings.EqualFold(version, "v1.0") && len(segments) == 1 && isBatchSegment(segments[0])
}

// batch carries out a JSON batch. It answers 200 whatever becomes of the items, whose answers come in another order,
// and 400 for the whole batch if a single item is malformed. The caller does not hold the lock.
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
	if err := checkBatch(envelope.Requests, x.strict); err != nil {
		return x.badQuery(err), nil
	}
	order, err := executionOrder(envelope.Requests)
	if err != nil {
		return x.badQuery(err), nil
	}
	status := map[string]int{}
	answers := make([]batchAnswer, 0, len(order))
	for i, item := range order {
		a, err := t.serveItem(ctx, x, item, status)
		switch {
		case errors.Is(err, errDropped):
			continue // no answer to this one
		case err != nil:
			return nil, err
		}
		status[item.ID.key()] = a.status
		answers = append(answers, a.item(item.ID, i%2 == 1))
	}
	// Clients have to match answers by the id.
	slices.Reverse(answers)
	return newAnswer(http.StatusOK, contentOData, encode(map[string]any{"responses": answers})), nil
}

// unmarshals reports whether data could be read. The service does not tell why it could not.
func unmarshals(data []byte, to any) bool { return json.Unmarshal(data, to) == nil }

// checkBatch finds what makes the service refuse all items.
func checkBatch(items []batchItem, strict bool) error {
	switch {
	case len(items) == 0:
		return refusal("Invalid batch payload format.")
	case len(items) > maxBatch:
		return refusal(fmt.Sprintf("Number of batch request steps exceeds the maximum value of %d.", maxBatch))
	}
	seen := map[string]bool{}
	for i := range items {
		item := &items[i]
		id := item.ID.key()
		switch {
		case id == "", item.Method == "", item.URL == "":
			return refusal("Request id, method and url are required for every batch request step.")
		case seen[id]:
			return refusal("Duplicate batch request id: " + string(item.ID) + ".")
		case item.isBatch():
			return refusal("Batch request id " + string(item.ID) + " is a batch itself.")
		case item.writes() && !item.complete(strict):
			return refusal("Write request id : " + string(item.ID) + " does not contain Content-Type header or body.")
		}
		seen[id] = true
	}
	for _, item := range items {
		for _, id := range item.DependsOn {
			if !seen[id.key()] {
				return refusal("Batch request id " + string(item.ID) + " depends on " + string(id) + ", which is not in the batch.")
			}
		}
	}
	return nil
}

// isBatch reports whether an item is a batch itself, however its address is encoded.
func (item *batchItem) isBatch() bool {
	path, _, _ := strings.Cut(item.URL, "?")
	_, segments, _ := splitPath("v1.0/" + strings.TrimPrefix(path, "/"))
	return slices.ContainsFunc(segments, isBatchSegment)
}

func isBatchSegment(name string) bool { return strings.EqualFold(name, "$batch") }

// writes reports whether an item needs a body and a content type, whatever it addresses.
func (item *batchItem) writes() bool {
	switch strings.ToUpper(item.Method) {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return true
	default:
		return false
	}
}

// complete reports whether the item has both. For a strict tenant the case of the header's name matters.
func (item *batchItem) complete(strict bool) bool {
	typed := item.Headers["Content-Type"] != ""
	for name, value := range item.Headers {
		typed = typed || !strict && value != "" && strings.EqualFold(name, "Content-Type")
	}
	body := bytes.TrimSpace(item.Body)
	return typed && len(body) > 0 && string(body) != "null"
}

// executionOrder puts each item after those it depends on, and otherwise keeps the order.
func executionOrder(items []batchItem) ([]*batchItem, error) {
	order := make([]*batchItem, 0, len(items))
	done := map[string]bool{}
	for len(order) < len(items) {
		before := len(order)
		for i := range items {
			item := &items[i]
			waits := slices.ContainsFunc(item.DependsOn, func(id batchID) bool { return !done[id.key()] })
			if !done[item.ID.key()] && !waits {
				done[item.ID.key()] = true
				order = append(order, item)
			}
		}
		if len(order) == before {
			return nil, refusal("The batch requests depend on each other.")
		}
	}
	return order, nil
}

// serveItem carries out one item as a request of its own, which is recorded, throttled and subject to faults. status
// holds the statuses of the items answered before.
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
			Host: x.request.Host, Header: header, Body: bytes.Clone(item.Body), BatchID: string(item.ID),
		},
	}
	for _, id := range item.DependsOn {
		if s := status[id.key()]; s < 200 || s > 299 {
			t.arrive(sub)
			entry := t.record(sub)
			a := sub.finish(sub.graphError(http.StatusFailedDependency, "FailedDependency", "The request depends on one that failed."))
			t.answered(entry, a.status)
			return a, nil
		}
	}
	return t.serve(ctx, sub)
}

// item makes an answer part of the answer to a batch. The names of headers can be in any case. A body that is not JSON
// becomes base64 text.
func (a *answer) item(id batchID, lower bool) batchAnswer {
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
