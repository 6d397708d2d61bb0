// Package graphpolicy holds what the client adds to azcore's pipeline: the guard that keeps a write from being sent
// twice, the readers of headers that azcore misreads, and the limits on what is sent where and how much is read back.
//
// The pieces of one call, in the order a request passes them:
//
//	azcore's retry policy
//	  Guard        ends the retrying of a write whose outcome is open
//	  Bearer       azcore's bearer token policy, pinned to one host, with a wait that respects the caller's context
//	  Answering    returns an error if the policies below return neither an answer nor an error
//	  …            the caller's per-retry policies
//	  Sentry       puts the call back into a request that lost it in these policies
//	  …            azcore's tracing and logging
//	Transport      the last gate: sends the request and records in the Call what happened
//
// The Call keeps a write from being sent twice: it allows one try at a time, and none after one whose outcome is open.
// Everything above it only saves waiting. azcore's retry policy still decides when to try again.
package graphpolicy
