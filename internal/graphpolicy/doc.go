// Package graphpolicy holds what the client adds to azcore's pipeline: the guard that keeps a write from being sent
// twice, the readers of headers that azcore misreads, and the limits on what is sent where and how much is read back.
//
// The pieces of one call, in the order a request passes them:
//
//	azcore's retry policy
//	  Guard        ends the retrying of a write whose outcome is open
//	  Bearer       azcore's bearer token policy, pinned to one host, with a wait that respects the caller's context
//	  Answering    an error instead of neither answer nor error
//	  …            the caller's per-retry policies
//	  Sentry       gives a request its call back when they have lost it
//	  …            azcore's tracing and logging
//	Transport      the last gate: sees what really happens on the wire and records it in the Call
//
// The Call keeps a write from being sent twice: it allows one try at a time, and none after one whose outcome is open.
// Everything above it only saves waiting. azcore's retry policy still decides when to try again.
package graphpolicy
