package intunetest

import "time"

// ClockAhead is how far a client whose transport is the tenant moves its own clock, by which it measures MaxWait,
// ConfirmWithin, AcceptExistingAfter and MaxAge: the time that [Tenant.Advance] added if [TenantOptions.LookAgainAfter]
// is set. Otherwise it is 0, since the client then waits in real time or in a testing/synctest bubble.
func (t *Tenant) ClockAhead() time.Duration {
	if t.options.LookAgainAfter <= 0 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ahead
}

// LookAgainAfter is [TenantOptions.LookAgainAfter]. A client whose transport is the tenant asks for it, and waits so long
// between two reads of a session if it is above zero.
func (t *Tenant) LookAgainAfter() time.Duration { return t.options.LookAgainAfter }
