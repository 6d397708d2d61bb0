package intune

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/go-intune/intune/internal/redact"
)

// ErrSessionPending marks a wait that ended without a link after the request was sent. The error is a [*PendingError].
var ErrSessionPending = errors.New("session pending")

// PendingError means that the user was asked, or, with [ErrOutcomeUnknown], may have been, and that no link has come
// yet. [Client.WaitForRemoteAssistance] continues the wait; asking again prompts the user again. [errors.Is] finds
// [ErrSessionPending] in it, [ErrOutcomeUnknown] when nobody knows whether the request went through, and the cause: the
// context's error, that of the read that failed, or the journal's [ErrSuperseded]. If ConfirmWithin has passed without
// a sign of the request, the cause is the request's own error, unless the wait was resumed. A wait that has reached its
// MaxWait has no cause, unless its latest read failed.
type PendingError struct {
	// Device is the device whose user was asked.
	Device DeviceRef

	// RequestID and ClientRequestID identify the request at Microsoft and in the caller's own records. RequestID is
	// blank when no answer came.
	RequestID, ClientRequestID string

	// RequestedAt is when the request was made, on the local clock.
	RequestedAt time.Time

	// ResumeToken continues the wait, here or in another process. It holds no link; see Client.WaitForRemoteAssistance
	// for how to keep it.
	ResumeToken string

	// OutcomeUnknown says that errors.Is finds ErrOutcomeUnknown: nobody knows whether the request went through.
	OutcomeUnknown bool

	cause error
}

// Error is one line: the device, what is known, the cause, how to go on, the request's id.
func (e *PendingError) Error() string {
	text := "remote assistance on " + e.Device.redacted()
	if e.OutcomeUnknown {
		text += ": outcome unknown: the request was sent, or may have been, and there is no sign yet that it was carried out"
	} else {
		text += ": the request was accepted, but no link has come yet"
	}
	if e.cause != nil {
		text += ": " + causeLine(e.cause)
	}
	if errors.Is(e.cause, ErrSuperseded) {
		text += "; the link is withheld, for this wait is another request's or another program's now: look there, and do not ask again"
	} else {
		text += "; the user may see a prompt already, so do not ask again: go on with WaitForRemoteAssistance and this error's ResumeToken"
	}
	switch {
	case e.RequestID != "":
		text += "; request id " + redact.OneLine(e.RequestID, maxCodeText)
	case e.ClientRequestID != "":
		text += "; client request id " + redact.OneLine(e.ClientRequestID, maxCodeText)
	}
	return text
}

// GoString wraps [PendingError.Error], so that %#v does not show the resume token, which holds the user of a [UserDevice].
func (e *PendingError) GoString() string { return "intune.PendingError(" + e.Error() + ")" }

// Unwrap is the cause, which may be nil.
func (e *PendingError) Unwrap() error { return e.cause }

// Is reports whether target is [ErrSessionPending], or [ErrOutcomeUnknown] where that applies.
func (e *PendingError) Is(target error) bool {
	return target == ErrSessionPending || target == ErrOutcomeUnknown && e.OutcomeUnknown
}

// LogValue groups the fields for structured logs. The resume token is left out.
func (e *PendingError) LogValue() slog.Value {
	attributes := []slog.Attr{slog.String("device", e.Device.redacted())}
	if e.OutcomeUnknown {
		attributes = append(attributes, slog.Bool("outcome_unknown", true))
	}
	if e.cause != nil {
		attributes = append(attributes, slog.String("cause", causeLine(e.cause)))
	}
	return slog.GroupValue(appendRequest(attributes, e.RequestID, e.ClientRequestID, e.RequestedAt)...)
}

// SessionError means that the service reported that the session could not be made, or gave a link that must not be
// opened. No session will come of this request; asking again prompts the user again.
type SessionError struct {
	// Device is the device that was asked.
	Device DeviceRef

	// Details is the service's own text, with links taken out.
	Details string

	// Hint says what to do about the failure, if the library knows. It is for people, and its text may change. It
	// addresses the operator of the tenant and not the device's user.
	Hint string

	// RequestID and ClientRequestID identify the request that asked for the session.
	RequestID, ClientRequestID string
}

// Error is one line: the device, the service's text, the hint.
func (e *SessionError) Error() string {
	text := "remote assistance on " + e.Device.redacted() + " failed: " + redact.OneLine(e.Details, maxMessageText)
	if e.Hint != "" {
		text += "; hint: " + e.Hint
	}
	return text
}

// LogValue groups the fields for structured logs.
func (e *SessionError) LogValue() slog.Value {
	attributes := []slog.Attr{slog.String("device", e.Device.redacted()), slog.String("details", e.Details)}
	attributes = appendText(attributes, "hint", e.Hint)
	return slog.GroupValue(appendRequest(attributes, e.RequestID, e.ClientRequestID, time.Time{})...)
}

// sessionHint recognizes what the error text is about. The service documents no texts, so sessionHint looks for words
// only.
func sessionHint(details string) string {
	lower := strings.ToLower(details)
	mentions := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(lower, word) {
				return true
			}
		}
		return false
	}
	switch {
	case mentions("onboard", "connector", "not configured", "not set up", "teamviewer account"):
		return "the TeamViewer connector of the tenant is not set up: an administrator connects it in the Intune admin center; " +
			"RemoteAssistanceConnector shows its state"
	case mentions("not supported", "unsupported", "platform", "operating system"):
		return "remote assistance works on Windows, macOS, iOS/iPadOS and personally-owned Android work profiles, " +
			"and with Android device administrator, which is left only on devices without Google's services; with the Company Portal app; " +
			"not on company-owned Android Enterprise devices, and perhaps not on HoloLens or Surface Hub"
	case mentions("license", "licence"): //nolint:misspell // the British spelling occurs too
		return "TeamViewer needs a license with integration rights, bought separately"
	}
	return ""
}
