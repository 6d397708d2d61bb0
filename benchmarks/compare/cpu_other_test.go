//go:build !unix

package compare

import "time"

var begin = time.Now()

// cpuTime is the time of the clock where there is nothing better.
func cpuTime() time.Duration { return time.Since(begin) }
