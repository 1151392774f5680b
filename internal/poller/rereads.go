package poller

import (
	"context"
	"slices"
	"sync"
	"time"
)

// rereads are the rows whose last write has an unknown outcome.
type rereads struct {
	mu    sync.Mutex
	rows  []doubtful
	added chan struct{}
}

// A doubtful row is a group or, where that is empty, a member.
type doubtful struct {
	group  string
	member int64
}

func newRereads() rereads { return rereads{added: make(chan struct{}, 1)} }

func (r *rereads) add(row doubtful) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.rows, row) {
		r.rows = append(r.rows, row)
	}
	select {
	case r.added <- struct{}{}:
	default:
	}
}

func (r *rereads) take() []doubtful {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows := r.rows
	r.rows = nil
	return rows
}

// The pauses before doubted rows are read again. The first gives upstream
// time to finish what it did not answer.
const (
	firstReread = time.Second
	lastReread  = time.Minute
)

// runRereads reads doubted rows again until they are known or ctx ends.
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

// reread reads every doubted row once and reports whether all are known.
func (p *Poller) reread(ctx context.Context) bool {
	known := true
	for _, row := range p.rereads.take() {
		if p.isKnown(row) {
			continue
		}
		if p.isRefused() {
			p.rereads.add(row)
			known = false
			continue
		}
		if err := p.readAgain(ctx, row); err != nil {
			p.logger.Debug("a row is still in doubt", "group", row.group, "member", row.member, "error", err)
			p.rereads.add(row)
			known = false
		}
	}
	return known
}

func (p *Poller) readAgain(ctx context.Context, row doubtful) (err error) {
	if row.group != "" {
		_, err = p.RefreshGroup(ctx, row.group)
	} else {
		_, err = p.RefreshMember(ctx, row.member)
	}
	return err
}

// isKnown reports whether a sweep or a read has settled a row already.
func (p *Poller) isKnown(row doubtful) bool {
	p.applying.Lock()
	defer p.applying.Unlock()
	if row.group != "" {
		return p.groups.isKnown(row.group)
	}
	return p.members.isKnown(row.member)
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
