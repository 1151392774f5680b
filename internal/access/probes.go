package access

import (
	"context"
	"errors"
	"time"
)

var errClosed = errors.New("the server is stopping")

// start begins a probe if one may be made now. It needs the lock.
func (g *Grants) start(ctx context.Context, now time.Time, hash tokenHash, token string) (*probe, error) {
	if g.closed {
		return nil, retryLater(0, errClosed)
	}
	r := g.records[hash]
	admission := &g.strange
	if r != nil && r.wasOurs {
		admission = &r.probes
	}
	if wait := admission.take(now); wait > 0 {
		return nil, retryLater(wait, nil)
	}
	if r == nil {
		g.makeRoom(now)
		r = &record{}
		g.records[hash] = r
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.o.Limit)
	p := &probe{done: make(chan struct{}), cancel: cancel}
	r.running, r.began = p, now
	g.probes.Go(func() {
		defer cancel()
		g.finish(r, p, now, ask(ctx, g.o.Prober, token))
	})
	return p, nil
}

// finish hands what the probe found to the record and to those who wait.
func (g *Grants) finish(r *record, p *probe, began time.Time, f findings) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer close(p.done)
	if r.running != p {
		p.overtaken = true
		return
	}
	r.running = nil
	now := time.Now()
	r.settle(began, now, f)
	switch {
	case f.err == nil:
		p.grant = f.grant
	case f.refused:
		p.err = errRefused
	default:
		p.grant, _, p.err = r.answer(now, g.o)
	}
}

// makeRoom drops records that can answer no more, and the oldest if there are
// still too many.
func (g *Grants) makeRoom(now time.Time) {
	var oldest tokenHash
	var oldestBegan time.Time
	for hash, r := range g.records {
		if r.running != nil {
			continue
		}
		if now.Sub(r.began) > max(g.o.Memory, g.o.Grace) {
			delete(g.records, hash)
		} else if oldestBegan.IsZero() || r.began.Before(oldestBegan) {
			oldest, oldestBegan = hash, r.began
		}
	}
	if len(g.records) >= maxRecords {
		delete(g.records, oldest)
	}
}
