//go:build race

package journalfile_test

// smaller is by how much tests that measure are smaller, so that the race detector does not make them take minutes.
const smaller = 10
