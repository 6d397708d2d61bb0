//go:build !race

package graphtest

// Smaller is by how much tests that measure are smaller: under the race detector only.
const Smaller = 1
