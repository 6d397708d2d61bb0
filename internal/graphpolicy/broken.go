package graphpolicy

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/errorbody"
	"github.com/go-intune/intune/internal/redact"
)

// ErrBroken makes azcore's retry policy read again. If it has no try left, it returns the answer together with this error.
var ErrBroken = errors.New("the service broke its answer off with an error")

// broken returns an error for a read whose answer, although its status is a success, is or ends in an error of the service
// that may pass. azcore repeats such a read as it does after a 429 or 503, and waits for as long as the error asks.
func (c *Call) broken(resp *http.Response) error {
	if c.Write || resp == nil || resp.StatusCode/100 != 2 {
		return nil
	}
	body, _ := runtime.Payload(resp) // read already
	object, _ := errorbody.Within(body)
	if object == nil {
		return nil
	}
	said := errorbody.Parse(object, redact.Private{})
	switch said.Kind(resp.StatusCode) {
	case errorbody.Throttled, errorbody.Unavailable, errorbody.Server:
	default:
		return nil
	}
	if delay := ParseRetryAfter(said.RetryAfter, "", time.Now()); delay > RetryAfter(resp.Header, time.Now()) {
		setHeader(resp, headerRetryAfterMS, strconv.FormatInt(delay.Milliseconds(), 10))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record.Broken = true
	return ErrBroken
}
