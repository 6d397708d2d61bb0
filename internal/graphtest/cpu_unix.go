//go:build unix

package graphtest

import (
	"syscall"
	"time"
)

// CPUTime is what the process has had of the processors, the garbage collector included. Other work on the machine disturbs
// it less than the time of the clock.
func CPUTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
