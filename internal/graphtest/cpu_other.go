//go:build !unix

package graphtest

import "time"

var begin = time.Now()

// CPUTime is the time of the clock where there is nothing better.
func CPUTime() time.Duration { return time.Since(begin) }
