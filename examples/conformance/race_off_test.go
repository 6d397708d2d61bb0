//go:build !race

package main

// smaller is by how much tests that measure are smaller: under the race detector only.
const smaller = 1
