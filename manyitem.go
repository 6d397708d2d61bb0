package intune

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
)

// manyItem is one device on its way to a result.
type manyItem struct {
	device   DeviceRef
	id       string // client-request-id of all tries
	pair     *journalPair
	attempts int
	left     bool // in one of them
	last     *manyAnswer
	ended    bool
}

// manyAnswer is what one try has come to for one device. Without an error, the service has accepted.
type manyAnswer struct {
	resp   *http.Response
	record graphpolicy.Record
	err    error

	// held marks a device that was held up by others: it goes again at once.
	held bool

	// notTaken marks, with held, a batch that the service did not take.
	notTaken bool
}

func (c *Client) newManyItem(device DeviceRef) *manyItem {
	return &manyItem{device: device, id: uuid.NewString(), pair: newPair(c.journal, c.tracer(), device, nil)}
}

// request is the request for this device alone.
func (i *manyItem) request(c *Client) *request { return c.newAsk(i.device, i.id) }

// take remembers a try.
func (i *manyItem) take(answer manyAnswer) {
	i.left = i.left || answer.record.Left
	if answer.record.Left || !answer.held {
		i.attempts++
		i.last = &answer
	}
}

// interrupted is the answer for a device when the context ends before its next try.
func (i *manyItem) interrupted(c *Client, err error) manyAnswer {
	if i.last != nil && !i.last.held {
		return *i.last
	}
	return manyAnswer{err: c.newError(i.request(c), true, graphpolicy.Record{}, nil, err)}
}

// errNotReturned is for a try that a panic ended.
var errNotReturned = errors.New("the transport or a policy did not return")

// errNotInBatch is for a device without an answer in a batch's.
var errNotInBatch = errors.New("the answer to the batch has none for this device")

// unanswered is the answer for a device of which nothing is known but that it may have been asked.
func (i *manyItem) unanswered(c *Client, authorization string, err error) manyAnswer {
	record := graphpolicy.Record{Verdict: graphpolicy.Open, RequestID: i.id, Authorization: authorization}
	return manyAnswer{record: record, err: c.newError(i.request(c), true, record, nil, err)}
}

// shared is the answer for a device of a batch that failed as a whole.
func (i *manyItem) shared(record graphpolicy.Record, whole Error) manyAnswer {
	record.RequestID = i.id
	whole.Device, whole.ClientRequestID = i.device, i.id
	return manyAnswer{record: record, err: &whole}
}

// result is what the caller gets.
func (i *manyItem) result(answer manyAnswer) RequestResult {
	result := RequestResult{Device: i.device, Outcome: outcomeOf(answer.record, answer.err), Err: answer.err, Attempts: i.attempts}
	if i.attempts > 0 {
		result.ClientRequestID = cmp.Or(i.pair.id(), answer.record.RequestID, i.id)
	}
	if failed, ok := errors.AsType[*Error](answer.err); ok {
		result.RequestID = failed.RequestID
	} else if answer.resp != nil {
		result.RequestID = graphcall.IDsOf(answer.resp).RequestID
	}
	return result
}

// manyVerdict is what comes after a try.
type manyVerdict uint8

const (
	manyEnds manyVerdict = iota
	manyAgain
	manyThrottled
)

const (
	throttledTries = 10
	unsentTries    = 4 // azcore's default
	firstRetry     = 800 * time.Millisecond
	longestWait    = 3 * time.Minute
)

// retry says whether a device goes again after a try, and how long it waits.
func (m *manyRun) retry(item *manyItem, answer manyAnswer) (wait time.Duration, verdict manyVerdict) {
	failed, ok := errors.AsType[*Error](answer.err)
	switch {
	case answer.held:
		return wait, manyAgain
	case !ok || m.client.retry.MaxRetries < 0:
		return wait, manyEnds
	}
	outcome, n := outcomeOf(answer.record, failed), item.attempts
	tries := unsentTries
	if most := m.client.retry.MaxRetries; most > 0 {
		tries = 1 + int(most)
	}
	switch {
	case outcome == OutcomeRejected && errors.Is(failed, ErrThrottled):
		if n < throttledTries {
			// Without a Retry-After, what Microsoft asks of its own clients.
			return cmp.Or(failed.RetryAfter, min(time.Duration(3*n*n)*time.Second, longestWait)), manyThrottled
		}
	case n >= tries:
	case outcome == OutcomeRejected && (failed.StatusCode == http.StatusServiceUnavailable || failed.StatusCode == http.StatusFailedDependency),
		outcome == OutcomeNotSent && isNetworkError(answer):
		if most := m.client.retry.MaxRetryDelay; most < 0 || failed.RetryAfter <= most {
			return max(failed.RetryAfter, m.client.retryDelay(n)), manyAgain
		}
	}
	return wait, manyEnds
}

// retryDelay is the wait after the nth try, as azcore's options give it.
func (c *Client) retryDelay(n int) time.Duration {
	delay, most := max(cmp.Or(c.retry.RetryDelay, firstRetry), 0), c.retry.MaxRetryDelay
	if most < 0 {
		most = 24 * time.Hour
	}
	for range n - 1 {
		delay = min(2*delay, most)
	}
	return min(delay, most)
}

// isNetworkError reports whether it was the network that kept a request from leaving.
func isNetworkError(answer manyAnswer) bool {
	_, network := errors.AsType[net.Error](answer.err)
	return network && answer.record.Token == nil && answer.record.Stopped == nil
}

// askMany sends once for one device or a batch of them.
func (c *Client) askMany(ctx context.Context, items []*manyItem) []manyAnswer {
	if len(items) > 1 {
		return c.askBatch(ctx, items)
	}
	item := items[0]
	resp, record, err := c.ask(ctx, item.request(c), item.pair)
	return []manyAnswer{{resp: resp, record: record, err: err}}
}
