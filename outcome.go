package intune

// Outcome is what became of a request for remote assistance to one device. A member that is not listed here is kept as
// read.
type Outcome string

const (
	// OutcomeAccepted means: the service accepted the request, and the user sees a prompt or soon will.
	OutcomeAccepted Outcome = "accepted"

	// OutcomeRejected means: the service refused the request, and this request did not ask the user.
	OutcomeRejected Outcome = "rejected"

	// OutcomeUnknown means: the request was sent, or may have been, and nobody knows whether the user was asked.
	OutcomeUnknown Outcome = "unknown"

	// OutcomeNotSent means: it is certain that no request was sent.
	OutcomeNotSent Outcome = "notSent"
)

// PossibleOutcomeValues returns the possible values of Outcome.
func PossibleOutcomeValues() []Outcome {
	return []Outcome{OutcomeAccepted, OutcomeRejected, OutcomeUnknown, OutcomeNotSent}
}
