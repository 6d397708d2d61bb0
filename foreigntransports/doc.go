// Package foreigntransports holds tests with transports that others publish, which retry requests by themselves. It is a
// module of its own, so that nobody who imports the library gets them.
package foreigntransports
