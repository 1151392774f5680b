package poller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"rollcall/internal/directory"
)

// errHeld ends a sweep whose removals are not believed.
var errHeld = errors.New("the removals are held")

// guarded lets the plans of a whole sweep pass or holds them, all of them. The
// verdict says what to publish as proven. The caller holds applying.
//
// Whatever the sweep lacks counts, be its absence proven or not: else a list
// that shows a part would lose the rest piece by piece, as far as the proofs of
// each sweep go.
func (p *Poller) guarded(ctx context.Context, sw *sweep, todo plans) (verdict, error) {
	if !p.guard.isOn && p.held == nil {
		return verdict{}, nil
	}
	shown, err := p.lacking(ctx, todo)
	if err != nil {
		return verdict{}, err
	}
	g := p.guard
	for _, d := range sw.demands {
		if d.accept != "" {
			g.accepted = append(g.accepted, d.accept)
		}
	}
	v := g.decide(p.held, shown.removals, shown.of, sw.obs.BeganAt)
	if v.hold == nil {
		return v, nil
	}
	if err := p.hold(ctx, sw, v.hold, shown); err != nil {
		return v, err
	}
	return v, errHeld
}

// hold stores the note of a held sweep and what it lacked.
func (p *Poller) hold(ctx context.Context, sw *sweep, h *hold, shown lack) error {
	held, err := p.tell(ctx, h, shown)
	if err != nil {
		return err
	}
	sw.count()
	sw.note.Result, sw.note.Detail = directory.SweepHeld, h.id
	pub := directory.Publication{
		Sweep:         &sw.note,
		MissedMembers: p.members.witness(sw.members, sw.obs),
		MissedGroups:  p.groups.witness(sw.groups, sw.obs),
	}
	if err := p.publish(ctx, pub); err != nil {
		return err
	}
	p.held, sw.held = h, held
	return nil
}

// A lack is what a sweep would remove if it were believed.
type lack struct {
	removals
	of   stock
	lost map[string]int // edges, by group
}

// lacking finds what the sweep lacks. The edges of changed groups are looked
// at singly only where all of them together would weigh anything.
func (p *Poller) lacking(ctx context.Context, todo plans) (lack, error) {
	shown := lack{removals: newRemovals(), lost: map[string]int{}}
	shown.of = stock{groups: len(p.groups.rows), members: len(p.members.rows)}
	for _, e := range p.groups.rows {
		shown.of.edges += e.edges
	}
	for id := range todo.members.lacking() {
		shown.members[id] = struct{}{}
	}
	touched := map[string]*directory.GroupRow{}
	for id := range todo.groups.lacking() {
		shown.groups[id] = struct{}{}
		touched[id] = &directory.GroupRow{}
	}
	for _, u := range todo.groups.updates {
		touched[u.row.ID] = u.row
	}
	atMost := 0
	for id := range touched {
		atMost += p.groups.rows[id].edges
	}
	if p.held == nil && shown.weigh(shown.of, p.share) == light && weigh(atMost, shown.of.edges, p.share) == light {
		return shown, nil
	}
	for id, after := range touched {
		if err := p.loseEdges(ctx, shown, id, after); err != nil {
			return shown, err
		}
	}
	return shown, nil
}

// lacking is all rows that are absent, whether or not that is proven.
func (p *plan[ID, R]) lacking() iter.Seq[ID] {
	return func(yield func(ID) bool) {
		for _, g := range p.gone {
			if !yield(g.ID) {
				return
			}
		}
		for _, id := range p.missed {
			if !yield(id) {
				return
			}
		}
	}
}

// loseEdges adds the stored edges of a group that it does not have after.
func (p *Poller) loseEdges(ctx context.Context, shown lack, id string, after *directory.GroupRow) error {
	if p.groups.rows[id].edges == 0 {
		return nil
	}
	before, err := p.groups.storedRow(ctx, id)
	if err != nil {
		return err
	}
	if n := shown.addEdges(before, after); n > 0 {
		shown.lost[id] = n
	}
	return nil
}

// believe makes absences count as shown by two sweeps running. The caller
// holds applying.
func (s *shelf[ID, R]) believe(ids map[ID]struct{}) {
	for id := range ids {
		if e, stored := s.rows[id]; stored {
			e.missed = true
			s.rows[id] = e
		}
	}
}

// told bounds how many rows of each kind the status names.
const told = 20

// outline is what is known of a hold without a look at the rows.
func (p *Poller) outline(h *hold) *directory.Held {
	held := &directory.Held{ID: h.id, Since: h.since}
	if p.guard.release > 0 {
		held.ReleaseAt = h.since.Add(p.guard.release)
	}
	return held
}

// restoreHold goes on with the hold of an earlier life. It knows its name
// alone: a sweep that lacks anything else begins another.
func (p *Poller) restoreHold(ctx context.Context) error {
	id, since, err := p.store.LastHold(ctx)
	if err != nil {
		return fmt.Errorf("read the notes of sweeps: %w", err)
	}
	if id != "" {
		p.held = &hold{id, since, newRemovals()}
	}
	return nil
}

// tell describes a hold: the name it goes on under, and what this sweep lacks.
func (p *Poller) tell(ctx context.Context, h *hold, shown lack) (*directory.Held, error) {
	held := p.outline(h)
	held.Groups, held.Members, held.Memberships = len(shown.groups), len(shown.members), len(shown.edges)
	for _, id := range sorted(shown.groups) {
		if len(held.GoneGroups) == told {
			break
		}
		row, err := p.groups.storedRow(ctx, id)
		if err != nil {
			return nil, err
		}
		held.GoneGroups = append(held.GoneGroups, directory.HeldGroup{ID: id, Name: row.Name, Memberships: shown.lost[id]})
	}
	for _, id := range sorted(shown.members) {
		if len(held.GoneMembers) == told {
			break
		}
		row, err := p.members.storedRow(ctx, id)
		if err != nil {
			return nil, err
		}
		held.GoneMembers = append(held.GoneMembers, directory.HeldMember{ID: id, Email: row.Email})
	}
	if err := p.tellThinned(ctx, held, shown); err != nil {
		return nil, err
	}
	held.Truncated = held.Truncated || len(shown.groups) > told || len(shown.members) > told
	return held, nil
}

// tellThinned names groups that stay and lose edges, most first.
func (p *Poller) tellThinned(ctx context.Context, held *directory.Held, shown lack) error {
	var groups []directory.HeldGroup
	for id, lost := range shown.lost {
		if _, gone := shown.groups[id]; !gone {
			groups = append(groups, directory.HeldGroup{ID: id, Memberships: lost})
		}
	}
	slices.SortFunc(groups, func(a, b directory.HeldGroup) int {
		return cmp.Or(cmp.Compare(b.Memberships, a.Memberships), cmp.Compare(a.ID, b.ID))
	})
	held.Truncated = len(groups) > told
	held.ThinnedGroups = groups[:min(len(groups), told)]
	for i := range held.ThinnedGroups {
		row, err := p.groups.storedRow(ctx, groups[i].ID)
		if err != nil {
			return err
		}
		held.ThinnedGroups[i].Name = row.Name
	}
	return nil
}

// logHold writes one line when a hold begins, takes another name or ends.
func (p *Poller) logHold(ctx context.Context, before, after *directory.Held, why string) {
	switch {
	case after == nil && before != nil:
		p.logger.LogAttrs(ctx, slog.LevelInfo, "removals are held no longer", slog.String("id", before.ID),
			slog.String("why", why), slog.Duration("after", time.Since(before.Since)))
	case after == nil || before != nil && before.ID == after.ID:
	default:
		text := "removals are held, nothing of the sweep is published"
		if before != nil {
			text = "other removals are held, nothing of the sweep is published"
		}
		p.logger.LogAttrs(ctx, slog.LevelWarn, text, slog.String("id", after.ID),
			slog.Int("groups", after.Groups), slog.Int("members", after.Members), slog.Int("memberships", after.Memberships),
			slog.String("accept", "rollcall sync --accept-removals "+after.ID))
	}
}

// witness notes what a whole sweep lacked although it was held, and returns
// it: the sweep is one of the two running that prove an absence, and breaks the
// run of what it showed. It confirms nothing, and no row counts as observed by
// it. The caller holds applying.
func (s *shelf[ID, R]) witness(l *listing[ID, R], obs directory.Observation) (missed []ID) {
	for id, e := range s.rows {
		if _, listed := l.seen[id]; listed || e.number < obs.Number {
			e.missed = !listed
			s.rows[id] = e
		}
		if e.missed {
			missed = append(missed, id)
		}
	}
	return missed
}

// AcceptRemovals is Sync for a sweep that may remove what is held under an id,
// and whatever else needs no hold. Where it would remove anything beyond that,
// it is held, and the error is a *directory.HeldChangedError.
func (p *Poller) AcceptRemovals(ctx context.Context, id string, wait time.Duration) (directory.Sweep, error) {
	d := &demand{done: make(chan struct{}), accept: id}
	p.mu.Lock()
	p.agenda.demands = append(p.agenda.demands, d)
	p.agenda.stir()
	p.mu.Unlock()
	return d.await(ctx, wait)
}
