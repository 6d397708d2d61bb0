//go:build !race

package journalfile_test

const smaller = 1
