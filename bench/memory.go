package main

import (
	"sync"
	"time"
)

// A memoryWatch looks at the anonymous memory of a process all the time.
type memoryWatch struct {
	quit  chan struct{}
	ended sync.WaitGroup
	peak  int64
}

const memoryInterval = 50 * time.Millisecond

func watchMemory(pid int) *memoryWatch {
	w := &memoryWatch{quit: make(chan struct{})}
	w.ended.Go(func() {
		ticker := time.NewTicker(memoryInterval)
		defer ticker.Stop()
		for {
			if bytes, err := anonymous(pid); err == nil { // else it has ended
				w.peak = max(w.peak, bytes)
			}
			select {
			case <-ticker.C:
			case <-w.quit:
				return
			}
		}
	})
	return w
}

// stop returns the most that was seen, in bytes.
func (w *memoryWatch) stop() int64 {
	close(w.quit)
	w.ended.Wait()
	return w.peak
}

const megabyte = 1 << 20

// underLoad is the figure of the memory that reads take. Its goal is about
// the small size.
func underLoad(of size, peak int64) figure {
	mb := []float64{float64(peak) / megabyte}
	f := figure{Row: "RssAnon under load", Size: of.name, Values: mb, Unit: "MB", Cost: mb, CostUnit: "MB", Input: float64(of.edges)}
	if of.name == "S" {
		f.Goal = atMost(100)
	}
	return f
}
