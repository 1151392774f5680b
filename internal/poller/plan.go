package poller

import (
	"cmp"
	"context"
	"slices"
	"time"

	"rollcall/internal/directory"
)

// A plan is what a whole listing changes in the mirror.
type plan[ID cmp.Ordered, R any] struct {
	updates []update[R]
	quiet   []update[R] // churn, and list forms of rows known from elsewhere
	gone    []directory.Gone[ID]
	missed  []ID // absent, not proven to be gone
	doubted []directory.Confirmation[ID]
}

// plan compares a listing with what is stored, under the rule for
// observations. The caller holds applying.
func (s *shelf[ID, R]) plan(ctx context.Context, l *listing[ID, R], sw *sweep) (*plan[ID, R], error) {
	p := &plan[ID, R]{}
	for _, id := range sorted(l.changed) {
		if s.last(id) > sw.obs.Number {
			continue
		}
		if err := s.planRow(ctx, p, l.changed[id], sw); err != nil {
			return nil, err
		}
	}
	gone, missed := s.judged(l, sw.obs, sw.share)
	for _, id := range gone {
		p.gone = append(p.gone, directory.Gone[ID]{ID: id, Origin: s.origin(id, sw)})
	}
	p.missed = missed
	for _, id := range missed {
		p.doubted = append(p.doubted, directory.Confirmation[ID]{ID: id, At: s.rows[id].confirmed})
	}
	p.doubted = append(p.doubted, s.leftBehind(sw.obs)...)
	return p, nil
}

// planRow plans one listed row that is not stored as it is.
func (s *shelf[ID, R]) planRow(ctx context.Context, p *plan[ID, R], row *R, sw *sweep) error {
	f := s.facts(row)
	old, stored := s.rows[f.id]
	change := update[R]{row: row, origins: sameOrigin(s.origin(f.id, sw))}
	switch {
	case f.deleted && stored:
		p.gone = append(p.gone, directory.Gone[ID]{ID: f.id, Origin: s.origin(f.id, sw)})
		return nil
	case f.deleted:
		return nil
	case !stored:
		p.updates = append(p.updates, change)
		if f.partial {
			p.doubted = append(p.doubted, directory.Confirmation[ID]{ID: f.id, At: sw.obs.BeganAt})
		}
		return nil
	case f.partial:
		p.doubted = append(p.doubted, directory.Confirmation[ID]{ID: f.id, At: old.confirmed})
	}
	same, err := s.isSame(ctx, change.row, old)
	switch {
	case err != nil:
		return err
	case !same && old.doubted:
		before, err := s.storedRow(ctx, f.id)
		if err != nil {
			return err
		}
		change.origins = s.origins(directory.Applied{Cause: sw.cause}, change.origins.attributes.Bounds, before, change.row)
		p.updates = append(p.updates, change)
	case !same:
		p.updates = append(p.updates, change)
	case s.facts(change.row).print != old.Fingerprint || old.form != directory.ListForm:
		change.quiet = true
		p.quiet = append(p.quiet, change)
	}
	return nil
}

// isSame reports whether a listed row is the stored one but for churn and
// form. A row whose edges were not shown is completed first.
func (s *shelf[ID, R]) isSame(ctx context.Context, row *R, old entry) (bool, error) {
	listed := *row
	f := s.facts(row)
	if f.partial {
		var err error
		if _, *row, err = s.completed(ctx, *row); err != nil {
			return false, err
		}
		f = s.facts(row)
	}
	if f.print.Row == old.Row || old.form == directory.ListForm {
		return f.print.Row == old.Row, nil
	}
	stored, err := s.payloadOf(ctx, f.id)
	if err != nil {
		return false, err
	}
	before, err := s.decode(stored, old.form)
	if err != nil {
		return false, err
	}
	return s.same(stored, s.facts(&listed).payload) && s.alike(&before, row), nil
}

// leftBehind lists the rows that the sweep leaves alone and that are in doubt,
// or were confirmed before it began: its success says nothing of them.
func (s *shelf[ID, R]) leftBehind(obs directory.Observation) []directory.Confirmation[ID] {
	var out []directory.Confirmation[ID]
	for id, e := range s.rows {
		if e.number > obs.Number && (e.doubted || e.confirmed.Before(obs.BeganAt)) {
			out = append(out, directory.Confirmation[ID]{ID: id, At: e.confirmed})
		}
	}
	return out
}

// origin is that of a change which sw shows in a row.
func (s *shelf[ID, R]) origin(id ID, sw *sweep) directory.Origin {
	return directory.Origin{
		Bounds: directory.Bounds{NotBefore: s.seenBefore(id), NotAfter: sw.note.EndedAt},
		Cause:  sw.cause,
	}
}

// enter puts the plan into pub, with what may wait only if asked.
func (p *plan[ID, R]) enter(to target[ID, R], confirmedAt time.Time, withQuiet bool) {
	to.set(p.updates, confirmedAt)
	if withQuiet {
		to.set(p.quiet, confirmedAt)
	}
	*to.gone, *to.doubted, *to.missed = p.gone, p.doubted, p.missed
}

func (p *plan[ID, R]) changes() int { return len(p.updates) + len(p.gone) }

// commit makes the ledger show what was published. The caller holds applying.
func (s *shelf[ID, R]) commit(p *plan[ID, R], l *listing[ID, R], obs directory.Observation, number uint64, withQuiet bool) {
	for id := range l.seen {
		if e, stored := s.rows[id]; stored && e.number < obs.Number {
			e.number, e.confirmed, e.doubted, e.missed = number, obs.BeganAt, false, false
			s.rows[id] = e
		}
	}
	s.commitRows(p.updates, obs, number)
	if withQuiet {
		s.commitRows(p.quiet, obs, number)
	}
	for _, g := range p.gone {
		s.bury(g.ID, grave{number, obs.BeganAt})
	}
	for _, d := range p.doubted {
		e := s.rows[d.ID]
		e.doubted, e.confirmed = true, d.At
		s.rows[d.ID] = e
	}
	for _, id := range p.missed {
		e := s.rows[id]
		e.missed, e.number = true, number
		s.rows[id] = e
	}
	s.swept = number
	s.remember(obs.BeganAt, l.proves() && len(p.missed) == 0) // a list that is not believed shows no absence
	s.closeGraves(obs)
}

func (s *shelf[ID, R]) commitRows(updates []update[R], obs directory.Observation, number uint64) {
	for i := range updates {
		f := s.facts(updates[i].row)
		s.set(f.id, entry{Fingerprint: f.print, form: f.form, number: number, confirmed: obs.BeganAt, edges: f.edges})
	}
}

func sorted[ID cmp.Ordered, R any](rows map[ID]R) []ID {
	ids := make([]ID, 0, len(rows))
	for id := range rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
