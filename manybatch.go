package intune

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphbatch"
	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/odata"
	"github.com/go-intune/intune/internal/redact"
)

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
			answers[i] = manyAnswer{held: true}
			if cause := unrecorded.of(i); cause != nil {
				e := *failed
				e.cause = redact.Error(cause, privateOf(&r.URL, r.record.Authorization, r.users...))
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
	r := newRequest(opRequestMany, DeviceRef{}, http.MethodPost, c.at("/$batch"))
	var posts []graphbatch.Post
	for _, item := range items {
		posts = append(posts, graphbatch.Post{Path: actionPath(item.device), ClientRequestID: item.id})
		r.users = append(r.users, odata.UserOf(item.device.String()))
	}
	r.Body = graphbatch.Encode(posts)
	u := &unrecorded{errs: make([]error, len(items))}
	if c.journal != nil {
		r.Before = func(*http.Request) error { return u.record(ctx, items) }
	}
	return r, u
}

// readBatch gives each device its answer, and nobody one if the whole cannot be read.
func (c *Client) readBatch(r *request, items []*manyItem, resp *http.Response) []manyAnswer {
	answers := make([]manyAnswer, len(items))
	payload, err := runtime.Payload(resp)
	var found []*graphbatch.Answer
	if err == nil {
		found, err = graphbatch.Decode(payload, len(items))
	}
	if err != nil {
		whole := c.unexpectedAnswer(r, resp, "the answer to the batch could not be read")
		whole.cause = err
		for i, item := range items {
			answers[i] = item.shared(r.record, *whole)
		}
		return answers
	}
	for i, item := range items {
		if found[i] != nil {
			answers[i] = c.readItem(item, found[i], r.record.Authorization)
		} else {
			answers[i] = item.unanswered(c, r.record.Authorization, errNotInBatch)
		}
	}
	return answers
}

// readItem judges an item's answer as if it had come alone.
func (c *Client) readItem(item *manyItem, answer *graphbatch.Answer, authorization string) manyAnswer {
	r := item.request(c)
	resp := &http.Response{
		Status: strconv.Itoa(answer.Status) + " " + http.StatusText(answer.Status), StatusCode: answer.Status,
		Header: answer.Header, Body: io.NopCloser(bytes.NewReader(answer.Body)),
		Request: &http.Request{Method: r.Method, URL: &r.URL, Header: http.Header{"Client-Request-Id": {r.ID}}},
	}
	record := graphpolicy.Record{Verdict: graphpolicy.VerdictOf(answer.Status, answer.Body), Authorization: authorization, Left: true}
	var err error
	if record.Verdict != graphpolicy.Answered {
		err = c.newError(r, true, record, resp, nil)
	} else if !graphcall.EmptySuccess(resp) {
		err = c.unexpectedAnswer(r, resp, notEmpty)
	}
	return manyAnswer{resp: resp, record: record, err: err}
}
