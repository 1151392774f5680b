package poller

import (
	"cmp"
	"context"
	"errors"
	"time"

	"rollcall/internal/directory"
)

// A judgement says how a row came to be known, given what a read showed; nil
// is for a row that is gone.
type judgement[R any] func(shown *R) directory.Applied

// refreshed is the judgement of a read for the row's own sake.
func refreshed[R any](*R) directory.Applied {
	return directory.Applied{Cause: directory.CauseRefresh}
}

// rereadings bounds how often a row is read again because something later was
// applied while it was read.
const rereadings = 5

// refresh reads one row until what it shows may be applied, and applies it.
func (s *shelf[ID, R]) refresh(ctx context.Context, id ID, how judgement[R]) (present directory.Freshness, err error) {
	for range rereadings {
		present, err = s.settle(ctx, id, how)
		if !errors.Is(err, directory.ErrSuperseded) {
			break
		}
	}
	return present, err
}

// settle reads one row once and applies what it shows, be it that the row is
// gone.
func (s *shelf[ID, R]) settle(ctx context.Context, id ID, how judgement[R]) (directory.Freshness, error) {
	obs := s.observations.begin()
	row, err := s.read(ctx, id)
	switch {
	case saysGone(err):
		return s.removeIfGone(ctx, obs, id, how(nil), err)
	case err != nil:
		return directory.Freshness{}, err
	}
	return s.apply(ctx, obs, row, how(&row))
}

// look is settle for a row that must not be removed on its own word: that
// upstream denies it is an error.
func (s *shelf[ID, R]) look(ctx context.Context, id ID) error {
	obs := s.observations.begin()
	row, err := s.read(ctx, id)
	if err != nil {
		return err
	}
	_, err = s.apply(ctx, obs, row, refreshed(&row))
	return err
}

// removeIfGone removes a row that denied itself and denies itself again after
// another row could be read; otherwise it returns the denial.
func (s *shelf[ID, R]) removeIfGone(ctx context.Context, obs directory.Observation, id ID, how directory.Applied, denial error) (directory.Freshness, error) {
	other, found, err := s.otherStored(ctx, id)
	if err != nil {
		return directory.Freshness{}, err
	}
	if !found {
		return directory.Freshness{}, denial
	}
	if _, err := s.read(ctx, other); err != nil {
		return directory.Freshness{}, denial
	}
	if _, err := s.read(ctx, id); !saysGone(err) {
		return directory.Freshness{}, denial
	}
	return s.remove(ctx, obs, id, how)
}

// otherStored returns a row that is stored, not in doubt and not id.
func (s *shelf[ID, R]) otherStored(ctx context.Context, id ID) (other ID, found bool, err error) {
	s.applying.Lock()
	defer s.applying.Unlock()
	if err := s.trust(ctx); err != nil {
		return other, false, err
	}
	other, found = s.another(id)
	return other, found, nil
}

// apply publishes what a row was observed to be, by a single read or in the
// answer to a write. What the observation did not show stays as it is stored.
//
// It fails with ErrSuperseded when the rule for observations forbids it, and
// with ErrNoData before the first sweep: a mirror of one row would be wrong
// about all others; with ErrHeld for a row that is not to be believed alone.
func (s *shelf[ID, R]) apply(ctx context.Context, obs directory.Observation, row R, how directory.Applied) (directory.Freshness, error) {
	f := s.facts(&row)
	if f.deleted {
		return s.remove(ctx, obs, f.id, how)
	}
	ended := time.Now()
	s.applying.Lock()
	defer s.applying.Unlock()
	if err := s.admit(ctx, obs, f.id); err != nil {
		return directory.Freshness{}, err
	}
	pub := directory.Publication{Cause: how.Cause}
	e, err := s.enter(ctx, &pub, row, entry{number: s.observations.next(), confirmed: obs.BeganAt}, how, ended)
	if errors.Is(err, directory.ErrHeld) && s.rows[f.id].missed { // whatever it is, it is there
		return directory.Freshness{}, cmp.Or(s.doubt(ctx, f.id), err)
	}
	if err != nil {
		return directory.Freshness{}, err
	}
	if err := s.publish(ctx, pub); err != nil {
		return directory.Freshness{}, err
	}
	s.set(f.id, e)
	return s.present, nil
}

// enter puts what a row was observed to be into pub and completes its entry
// e. A row whose edges were not shown is in doubt and keeps its confirmation.
// The caller holds applying.
func (s *shelf[ID, R]) enter(ctx context.Context, pub *directory.Publication, row R, e entry, how directory.Applied, ended time.Time) (entry, error) {
	f, to := s.facts(&row), s.target(pub)
	old, known := s.rows[f.id]
	var before *R
	if known {
		var err error
		if before, row, err = s.completed(ctx, row); err != nil {
			return entry{}, err
		}
	}
	if f.partial {
		e.doubted = true
		if known {
			e.confirmed = old.confirmed
		}
		*to.doubted = append(*to.doubted, directory.Confirmation[ID]{ID: f.id, At: e.confirmed})
	}
	if before != nil && s.doubtful != nil && s.doubtful(before, &row, how) {
		return entry{}, directory.ErrHeld
	}
	f = s.facts(&row)
	if known && old.Row == f.print.Row {
		// Churn alone waits for a sweep.
		e.Fingerprint, e.form, e.edges = old.Fingerprint, old.form, old.edges
		if !e.doubted {
			*to.confirmed = append(*to.confirmed, directory.Confirmation[ID]{ID: f.id, At: e.confirmed})
		}
		return e, nil
	}
	e.Fingerprint, e.form, e.edges = f.print, f.form, f.edges
	bounds := directory.Bounds{NotBefore: s.seenBefore(f.id), NotAfter: ended}
	to.set([]update[R]{{row: &row, origins: s.origins(how, bounds, before, &row)}}, e.confirmed)
	return e, nil
}

// doubt notes that a row may not be what is stored: it keeps its confirmation,
// and whatever began before leaves it alone. The caller holds applying.
func (s *shelf[ID, R]) doubt(ctx context.Context, id ID) error {
	e, stored := s.rows[id]
	if !stored {
		return nil
	}
	e.number, e.doubted, e.missed = s.observations.next(), true, false
	pub := directory.Publication{Cause: directory.CauseRefresh}
	*s.target(&pub).doubted = []directory.Confirmation[ID]{{ID: id, At: e.confirmed}}
	if err := s.publish(ctx, pub); err != nil {
		return err
	}
	s.rows[id] = e
	return nil
}

// completed writes a row that is stored, but was seen in another form or
// without its edges, into the stored copy. It returns both.
func (s *shelf[ID, R]) completed(ctx context.Context, row R) (before *R, now R, err error) {
	f := s.facts(&row)
	stored, err := s.payloadOf(ctx, f.id)
	if err != nil {
		return nil, row, err
	}
	old, err := s.decode(stored, s.rows[f.id].form)
	if err != nil {
		return nil, row, err
	}
	merged, err := s.merge(stored, f.payload)
	if err != nil {
		return nil, row, err
	}
	now, err = s.decode(merged, s.rows[f.id].form)
	return &old, now, err
}

// remove publishes that a row is gone, under the terms of apply.
func (s *shelf[ID, R]) remove(ctx context.Context, obs directory.Observation, id ID, how directory.Applied) (directory.Freshness, error) {
	ended := time.Now()
	s.applying.Lock()
	defer s.applying.Unlock()
	if err := s.admit(ctx, obs, id); err != nil {
		return directory.Freshness{}, err
	}
	dug := grave{number: s.observations.next(), at: obs.BeganAt}
	if _, stored := s.rows[id]; stored {
		pub := directory.Publication{Cause: how.Cause}
		bounds := directory.Bounds{NotBefore: s.seenBefore(id), NotAfter: ended}
		*s.target(&pub).gone = []directory.Gone[ID]{{ID: id, Origin: originOf(how.Cause, how, bounds)}}
		if err := s.publish(ctx, pub); err != nil {
			return directory.Freshness{}, err
		}
	}
	s.bury(id, dug)
	return s.present, nil
}

// admit applies the rule for observations to one row. The caller holds
// applying.
func (s *shelf[ID, R]) admit(ctx context.Context, obs directory.Observation, id ID) error {
	if err := s.trust(ctx); err != nil {
		return err
	}
	switch {
	case s.present.Revision == 0:
		return directory.ErrNoData
	case s.observations.voided(obs), obs.Number < s.last(id):
		return directory.ErrSuperseded
	}
	return nil
}
