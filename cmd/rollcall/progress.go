package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// A progressLine keeps one line below a terminal's log that says how far the
// first sweep has come. It is the log's writer: each entry takes the line's
// place and the line is drawn anew.
type progressLine struct {
	mu       sync.Mutex
	terminal io.Writer
	text     string
}

// clearLine moves to the beginning of the line and erases it.
const clearLine = "\r\x1b[K"

// Write passes a log entry, which ends in a newline, to the terminal.
func (p *progressLine) Write(entry []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.text != "" {
		fmt.Fprint(p.terminal, clearLine)
	}
	n, err := p.terminal.Write(entry)
	fmt.Fprint(p.terminal, p.text)
	return n, err
}

func (p *progressLine) draw(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.text != text {
		fmt.Fprint(p.terminal, clearLine, text)
		p.text = text
	}
}

// progressInterval is how often the line is drawn.
const progressInterval = 200 * time.Millisecond

// follow draws the progress of sweeps until ctx ends or one succeeded, then
// takes the line away.
func (p *progressLine) follow(ctx context.Context, status func() directory.PollStatus) {
	defer p.draw("")
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	for {
		now := status()
		if now.State == directory.StateFresh {
			return
		}
		p.draw(progressText(now.Progress))
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func progressText(p *directory.Progress) string {
	switch {
	case p == nil:
		return ""
	case p.RowsDone == 0:
		return "first sweep: waiting for the first page"
	case p.PagesExpected == 0:
		return fmt.Sprintf("first sweep: %s, page %d, %d rows", p.Listing, p.PagesDone, p.RowsDone)
	}
	return fmt.Sprintf("first sweep: %s, page %d of %d, %d rows", p.Listing, p.PagesDone, p.PagesExpected, p.RowsDone)
}
