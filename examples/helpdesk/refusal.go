package main

import (
	"errors"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// askedBeforeError is why a user is not asked: somebody asked them in the last 24 hours, and nobody waits for that link.
type askedBeforeError struct{ request *request }

// Error implements error.
func (e *askedBeforeError) Error() string {
	r := e.request
	text := r.whoAsked("somebody") + ": " + r.cameOf()
	return text + "; --ask-again asks all the same"
}

// whoAsked says who asked the user, when, and why. me is whom "you" means.
func (r *request) whoAsked(me string) string {
	who := firstOf(r.actor(), "somebody")
	if who == me {
		who = "you"
	}
	asked := " asked this user "
	if !r.certain() {
		asked = " may have asked this user "
	}
	return who + asked + age(time.Since(r.when())) + forReference(r.Asking.Reference)
}

func forReference(reference string) string {
	if reference == "" {
		return ""
	}
	return " for " + reference
}

// cameOf says what came of a request.
func (r *request) cameOf() string {
	took := ""
	if end := r.Ended.Time; !end.IsZero() && !r.when().IsZero() {
		took = " after " + clock(end.Sub(r.when()))
	}
	switch {
	case r.linkCame():
		return "the link" + took
	case r.hasFailed():
		return "no session: " + firstOf(reason(r.Ended.Error), "the service said why")
	case r.Outcome() == intune.OutcomeRejected:
		return "refused: " + firstOf(reason(r.Asked.Error), "without a reason")
	case r.Outcome() == intune.OutcomeNotSent:
		return "not sent: " + firstOf(reason(r.Asked.Error), "without a reason")
	case r.Outcome() == intune.OutcomeAccepted && r.ResumeToken() == "":
		return "asked, link not awaited"
	case r.Outcome() == intune.OutcomeAccepted && r.isOpen():
		return "still open"
	case r.Outcome() == intune.OutcomeAccepted:
		return "no link"
	case r.Asked.Outcome == "":
		return "perhaps asked: the program ended first"
	default:
		return "perhaps asked: no answer came"
	}
}

// reason is the part of an error after the operation and the device, which are known.
func reason(text string) string {
	if rest, ok := strings.CutPrefix(text, "request remote assistance on "); ok {
		_, text, _ = strings.Cut(rest, ": ")
	}
	return words(text)
}

// busyText is a DeviceBusyError in words of the tool.
func busyText(busy *intune.DeviceBusyError, me string) string {
	who := firstOf(busy.Actor, "somebody")
	if who == me {
		who = "you"
	}
	verb := " is asking this user, or waits for the link, since "
	if who == "you" {
		verb = " are asking this user, or wait for the link, in another window, since "
	}
	text := who + verb + moment(busy.Since)
	return text + forReference(busy.Reference)
}

// refusedByRecord is why the record refused a request, in words of the tool.
func refusedByRecord(err error, me string) (text string, ok bool) {
	if busy, is := errors.AsType[*intune.DeviceBusyError](err); is {
		return busyText(busy, me), true
	}
	if before, is := errors.AsType[*askedBeforeError](err); is {
		r := before.request
		return r.whoAsked(me) + " (" + r.cameOf() + "); --ask-again asks all the same", true
	}
	if used, is := errors.AsType[*intune.AlreadyAskedError](err); is {
		r := &request{JournalRequest: used.Request}
		return r.whoAsked(me) + " in this round (" + r.cameOf() + ")", true
	}
	return "", false
}
