package poller

import (
	"sync"
	"time"

	"rollcall/internal/directory"
)

// A tracker tells how far a running sweep has come.
type tracker struct {
	mu       sync.Mutex
	requests int
	progress directory.Progress
}

// request counts one about to be sent.
func (t *tracker) request() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests++
}

func (t *tracker) sent() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.requests
}

func (t *tracker) page(listing string, done, expected, rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.progress.Listing = listing
	t.progress.PagesDone, t.progress.PagesExpected, t.progress.RowsDone = done, expected, rows
}

func (t *tracker) now() directory.Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.progress
}

// progressInterval is how often a long sweep says how far it has come.
const progressInterval = 30 * time.Second

// reportProgress logs until the returned function is called, which waits for
// the last line.
func (p *Poller) reportProgress(t *tracker) (stop func()) {
	ended := make(chan struct{})
	var lines sync.WaitGroup
	lines.Go(func() {
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				now := t.now()
				p.logger.Info("sweep goes on", "listing", now.Listing,
					"pages_done", now.PagesDone, "pages_expected", now.PagesExpected, "rows", now.RowsDone)
			}
		}
	})
	return func() {
		close(ended)
		lines.Wait()
	}
}
