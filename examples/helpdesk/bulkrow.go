package main

import (
	"time"

	"github.com/go-intune/intune"
)

// What became of a line, besides the outcomes of the library.
const (
	outcomeNotFound  intune.Outcome = "notFound"
	outcomeAmbiguous intune.Outcome = "ambiguous"
	outcomeInvalid   intune.Outcome = "invalid"
	outcomeWouldAsk  intune.Outcome = "wouldAsk" // --dry-run
)

// What became of a session, with --wait.
const (
	sessionLink    = "link"
	sessionPending = "pending"
	sessionFailed  = "failed" // the service says that there is none
	sessionNone    = "none"   // the link cannot be waited for
)

// row is a line of the input, or a device of the app.
type row struct {
	line int
	text string // as in the input
	kind kind   // of the text

	fault string // why the line names no device for certain, whatever its text

	device *device // nil if the text names none, or several
	first  bool    // no line before it names the same device

	outcome intune.Outcome // of a line without a device
	detail  string
}

// device is a device with what became of its request. Lines that name the same device share it.
type device struct {
	id, name, serial string
	line             int // the first that names it

	outcome   intune.Outcome
	earlier   bool // from an earlier run
	askedAt   time.Time
	requestID string // at Microsoft
	clientID  string // client-request-id
	detail    string

	refused        bool // by the record: somebody else asked, or asks
	token          string
	earlierRequest *request // of an earlier run
	session        string
	link           intune.SessionURL
}

func (d *device) ref() intune.DeviceRef { return intune.Device(d.id) }

// asked reports that the user was asked, or may have been.
func (d *device) asked() bool {
	return d.outcome == intune.OutcomeAccepted || d.outcome == intune.OutcomeUnknown
}

// outcomeOf is what a journal says of a request. A link or an error text that came proves that the user was asked, also if
// no usable answer came to the request.
func outcomeOf(r *request) intune.Outcome {
	if r.Outcome() == intune.OutcomeUnknown && r.certain() {
		return intune.OutcomeAccepted
	}
	return r.Outcome()
}
