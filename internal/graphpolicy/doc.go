// Package graphpolicy holds what the client adds to azcore's pipeline: the guard that keeps a write from being sent
// twice, the readers of headers that azcore misreads, and the limits on what is sent where and how much is read back.
//
// The pieces of one call, in the order a request passes them:
//
//	azcore's retry policy
//	  Guard        ends the retrying of a write whose outcome is open
//	  Bearer       azcore's bearer token policy, pinned to one host, with a wait that respects the caller's context
//	  …            the caller's per-retry policies, azcore's tracing and logging
//	Transport      sees what really happens on the wire and records it in the Call
package graphpolicy
