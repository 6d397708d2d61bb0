package intune

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/redact"
	"github.com/go-intune/intune/internal/wait"
)

// sessionHandler is azcore's polling handler of one wait.
type sessionHandler struct {
	state  wait.State
	client *Client
	device DeviceRef
	readAt DeviceRef // where reads are served, once that is known

	refused    error         // why the outcome is unknown; nil if it is known, or if another process asked
	trouble    error         // error of the latest read, if it was tolerated
	retryAfter time.Duration // how long the latest answer asks to wait, 0 if it does not
	existing   SessionURL    // the unchanged link of the latest read, for AcceptExistingAfter
	done       bool
	session    RemoteAssistanceSession
	failure    error
}

// MarshalJSON is for Poller.ResumeToken, which puts it into an envelope of azcore's.
func (h *sessionHandler) MarshalJSON() ([]byte, error) { return h.state.JSON(h.client.root.String()) }

// resumeToken is what Poller.ResumeToken returns.
func (h *sessionHandler) resumeToken() string { return h.state.Token(h.client.root.String()) }

// Done implements runtime.PollingHandler.
func (h *sessionHandler) Done() bool { return h.done }

// Poll implements runtime.PollingHandler. Its error says that the user was asked.
func (h *sessionHandler) Poll(ctx context.Context) (*http.Response, error) {
	resp, err := h.look(ctx)
	if err != nil {
		return nil, h.pending(err)
	}
	return resp, nil
}

// look makes one read. It tolerates a failure that may be temporary.
func (h *sessionHandler) look(ctx context.Context) (resp *http.Response, err error) {
	record, err := h.client.readSession(ctx, h.readAt)
	failed, _ := errors.AsType[*Error](err)
	now := h.client.now()
	switch {
	case err == nil:
		h.trouble, h.readAt = nil, record.at
		h.judge(record)
		resp = bare(record.resp)
	case ctx.Err() != nil || failed == nil || !h.passing(failed, now):
		return nil, err
	default:
		h.trouble = err
		resp = bareFailure(failed)
	}
	h.retryAfter = graphpolicy.RetryAfter(resp.Header, now)
	if !h.done {
		h.judgeTime(now)
	}
	return resp, nil
}

// pending is the error of a wait that ends here without a link.
func (h *sessionHandler) pending(cause error) *PendingError {
	return &PendingError{
		Device: h.device, RequestID: h.state.RequestID, ClientRequestID: h.state.ClientRequestID, RequestedAt: h.state.RequestedAt,
		ResumeToken: h.resumeToken(), unknown: h.state.Unconfirmed, cause: cause,
	}
}

// Result implements runtime.PollingHandler.
func (h *sessionHandler) Result(_ context.Context, out *RemoteAssistanceSession) error {
	if h.failure != nil {
		return h.failure
	}
	*out = h.session
	return nil
}

// judge takes a read.
func (h *sessionHandler) judge(record sessionRecord) {
	switch h.state.Judge(record.link, record.details) {
	case wait.NewLink:
		if err := checkSessionLink(record.link); err != nil {
			h.fail(h.sessionError(err.Error(), ""))
		} else {
			h.succeed(NewSessionURL(record.link), redact.Text(record.details), false)
		}
	case wait.NewError:
		details := redact.Limit(redact.Text(record.details), 8<<10)
		h.fail(h.sessionError(details, sessionHint(details)))
	default:
		h.existing = NewSessionURL(record.link)
	}
}

// judgeTime ends a wait for which AcceptExistingAfter or ConfirmWithin has passed.
func (h *sessionHandler) judgeTime(now time.Time) {
	existing := !h.existing.IsZero() && checkSessionLink(h.existing.Reveal()) == nil
	switch h.state.JudgeTime(now, existing) {
	case wait.Existing:
		h.succeed(h.existing, "", true)
	case wait.NoSign:
		h.fail(h.pending(cmp.Or(h.refused, h.trouble)))
	default:
	}
}

func (h *sessionHandler) succeed(link SessionURL, details string, reused bool) {
	h.done = true
	h.session = RemoteAssistanceSession{
		Device: h.device, URL: link, ErrorDetails: details, Reused: reused,
		RequestID: h.state.RequestID, ClientRequestID: h.state.ClientRequestID, RequestedAt: h.state.RequestedAt,
	}
}

func (h *sessionHandler) sessionError(details, hint string) *SessionError {
	return &SessionError{Device: h.device, Details: details, Hint: hint, RequestID: h.state.RequestID, ClientRequestID: h.state.ClientRequestID}
}

func (h *sessionHandler) fail(err error) { h.done, h.failure = true, err }

// passing reports whether a failed read may succeed later.
func (h *sessionHandler) passing(failed *Error, now time.Time) bool {
	if errors.Is(failed, ErrNotFound) {
		return h.state.Missing(now)
	}
	switch failed.StatusCode {
	case 0:
		// No answer. Without a token, or with a text that cannot be one, there will be none later either.
		return !errors.Is(failed, ErrUnauthenticated) && !errors.Is(failed, ErrInvalidArgument)
	case http.StatusTooManyRequests, http.StatusRequestTimeout, 499 /* client closed request */ :
		return true
	default:
		return failed.StatusCode < 300 /* an answer that broke off */ || failed.StatusCode >= 500
	}
}

// bare copies a response without its body and most of its headers, which may hold the link or keep memory in use while
// a poller waits.
func bare(resp *http.Response) *http.Response {
	header := http.Header{}
	for _, name := range [...]string{"Request-Id", "Client-Request-Id", "Retry-After", "Retry-After-Ms"} {
		if value, ok := resp.Header[name]; ok {
			header[name] = value
		}
	}
	return &http.Response{
		Status: resp.Status, StatusCode: resp.StatusCode, Proto: resp.Proto, ProtoMajor: resp.ProtoMajor, ProtoMinor: resp.ProtoMinor,
		Header: header, Body: http.NoBody,
	}
}

// bareFailure is the response for a failed read that is tolerated.
func bareFailure(failed *Error) *http.Response {
	if failed.response != nil {
		return bare(failed.response.RawResponse)
	}
	return &http.Response{Header: http.Header{}, Body: http.NoBody}
}
