package db

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/internal/directory"
)

// A memory holds the present state between publications, for those who want
// to know no more than that. A state is forgotten before another can be
// committed, so nobody is told one that a read had already found replaced, and
// who finds one held before and after a read knows that the read saw it.
type memory struct {
	present atomic.Pointer[remembered]

	publishing sync.Mutex // held by the publication that may change the rest
	single     time.Time  // latest confirmation by something else than a sweep
}

// A remembered state is one whose rows were all confirmed by the last sweep or
// later.
type remembered struct {
	directory.Present
	mirror  Mirror
	instant atomic.Pointer[askedAbout] // the last
}

// askedAbout is a moment, and by what it was asked for.
type askedAbout struct {
	at directory.AsOf
	moment
}

// isStill reports whether a state was remembered all the time since it was.
func (m *memory) isStill(known *remembered) bool { return m.present.Load() == known }

// Present returns the present state without reading it, if every row was
// confirmed by the last sweep or later, and that is known.
func (db *DB) Present() (directory.Present, bool) {
	known := db.memory.present.Load()
	if known == nil {
		return directory.Present{}, false
	}
	return known.Present, true
}

// change is a write after which the present state may be another. p is what it
// publishes; fresh is what it leaves.
func (db *DB) change(ctx context.Context, p directory.Publication, fn func(context.Context, *writing) error) (fresh directory.Freshness, err error) {
	db.memory.publishing.Lock()
	defer db.memory.publishing.Unlock()
	var present *remembered
	err = db.write(ctx, func(ctx context.Context, w *writing) error {
		if err := fn(ctx, w); err != nil {
			return err
		}
		if fresh, err = freshness(ctx, w.q); err != nil {
			return err
		}
		present, err = db.memory.after(ctx, w.q, p, fresh)
		db.memory.present.Store(nil)
		return err
	})
	if err == nil {
		db.memory.present.Store(present)
	}
	return fresh, err
}

// recall remembers what an earlier life of the process published. When it
// confirmed single rows is not looked for: the next sweep tells.
func (m *memory) recall(ctx context.Context, q *Queries) error {
	m.single = time.Now()
	fresh, err := freshness(ctx, q)
	if err != nil {
		return err
	}
	present, err := m.after(ctx, q, directory.Publication{}, fresh)
	m.present.Store(present)
	return err
}

// after returns the state that a publication leaves, nil if there is none or
// some row was last confirmed before the last sweep. The caller holds
// publishing.
func (m *memory) after(ctx context.Context, q *Queries, p directory.Publication, fresh directory.Freshness) (*remembered, error) {
	mirror, err := q.Mirror(ctx)
	m.single = latest(m.single, p)
	if err != nil || fresh.Revision == 0 || toMS(fresh.ConfirmedAt) != mirror.ConfirmedMs {
		return nil, err
	}
	present := directory.Present{Freshness: fresh, Uniform: toMS(m.single) <= mirror.ConfirmedMs}
	return &remembered{Present: present, mirror: mirror}, nil
}

// latest returns the latest instant at which p confirms a row, at least at.
func latest(at time.Time, p directory.Publication) time.Time {
	later := func(other time.Time) {
		if other.After(at) {
			at = other
		}
	}
	for _, u := range p.Groups {
		later(u.ConfirmedAt)
	}
	for _, u := range p.Members {
		later(u.ConfirmedAt)
	}
	for _, c := range p.ConfirmedGroups {
		later(c.At)
	}
	for _, c := range p.ConfirmedMembers {
		later(c.At)
	}
	return at
}
