//go:build !unix

package dbtest

import "time"

// cpuTime is not told here: nothing is reported.
func cpuTime() time.Duration { return 0 }
