package poller

import (
	"context"
	"slices"
	"sync"
	"time"
)

// rereads are the groups whose last write has an unknown outcome.
type rereads struct {
	mu    sync.Mutex
	ids   []string
	added chan struct{}
}

func newRereads() rereads { return rereads{added: make(chan struct{}, 1)} }

func (r *rereads) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.ids, id) {
		r.ids = append(r.ids, id)
	}
	select {
	case r.added <- struct{}{}:
	default:
	}
}

func (r *rereads) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := r.ids
	r.ids = nil
	return ids
}

// The pauses before doubted groups are read again. The first gives upstream
// time to finish what it did not answer.
const (
	firstReread = time.Second
	lastReread  = time.Minute
)

// runRereads reads doubted groups again until they are known or ctx ends.
func (p *Poller) runRereads(ctx context.Context) {
	for pause := firstReread; ; {
		select {
		case <-ctx.Done():
			return
		case <-p.rereads.added:
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, lastReread)
		if p.reread(ctx) {
			pause = firstReread
		}
	}
}

// reread reads every doubted group once and reports whether all are known.
func (p *Poller) reread(ctx context.Context) bool {
	known := true
	for _, id := range p.rereads.take() {
		if p.isKnown(id) {
			continue
		}
		if p.isRefused() {
			p.rereads.add(id)
			known = false
			continue
		}
		if _, err := p.RefreshGroup(ctx, id); err != nil {
			p.logger.Debug("a group is still in doubt", "group", id, "error", err)
			p.rereads.add(id)
			known = false
		}
	}
	return known
}

// isKnown reports whether a sweep or a read has settled a group already.
func (p *Poller) isKnown(id string) bool {
	p.applying.Lock()
	defer p.applying.Unlock()
	e, stored := p.groups.rows[id]
	return stored && !e.doubted
}

// sleep waits and reports whether ctx still holds.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
