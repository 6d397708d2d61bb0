// Package compare holds this library beside its peers: what calls cost, what goes over the wire, and what becomes of a call
// when something fails. All of it is in tests, so that msgraph-sdk-go is linked once.
package compare
