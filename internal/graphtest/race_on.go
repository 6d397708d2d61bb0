//go:build race

package graphtest

// Smaller is by how much tests that measure are smaller, so that the race detector does not make them take minutes.
const Smaller = 10
