package poller

import (
	"cmp"
	"context"
	"errors"

	"rollcall/internal/directory"
)

// proofReads is how many reads of single rows one sweep may spend on proving
// removals.
const proofReads = 20

// An absence is a stored row that a whole listing lacks.
type absence[ID cmp.Ordered] struct {
	id     ID
	missed bool // the whole sweep before lacked it, too
	denied bool // its own read said that it is gone while that of a present row succeeded
}

// judge separates the absences that are proven from those that must wait.
// shown says that the list came in one page with its total, which proves
// absence unless the absences are suspiciously many of the stored rows.
func judge[ID cmp.Ordered](absences []absence[ID], shown bool, stored int, share float64) (gone, wait []ID) {
	shown = shown && !suspicious(len(absences), stored, share)
	for _, a := range absences {
		if shown || a.missed || a.denied {
			gone = append(gone, a.id)
		} else {
			wait = append(wait, a.id)
		}
	}
	return gone, wait
}

// suspicious reports whether so many removals among the stored rows of a kind
// look like a fault of upstream: above the share and three at least, or all.
func suspicious(removals, stored int, share float64) bool {
	return removals > 0 && removals == stored || removals >= 3 && float64(removals) > share*float64(stored)
}

// judged applies judge to what l lacks. The caller holds applying.
func (s *shelf[ID, R]) judged(l *listing[ID, R], obs directory.Observation, share float64) (gone, wait []ID) {
	var absences []absence[ID]
	for _, id := range s.absent(l.seen, obs) {
		_, denied := l.denied[id]
		absences = append(absences, absence[ID]{id, s.rows[id].missed, denied})
	}
	return judge(absences, l.proves(), len(s.rows), share)
}

// prove reads rows singly that l lacks and that nothing else proves to be
// gone, as many as the sweep has left, and notes in l those that are gone by
// their own account. A row that answers is present, which is applied. Where
// upstream does not say how many rows there are, only a second sweep proves
// an absence, see lookAgain.
//
// The error says that the mirror failed; what upstream answers is no failure,
// it proves nothing.
func (s *shelf[ID, R]) prove(ctx context.Context, l *listing[ID, R], sw *sweep) error {
	if l.rows == 0 {
		return nil
	}
	gone, wait := s.absences(l, sw)
	if !l.agrees() {
		return s.lookAgain(ctx, gone, sw)
	}
	denied, err := s.ask(ctx, wait, sw)
	if err != nil || len(denied) == 0 {
		return err
	}
	sw.proofs--
	sw.track.request()
	if _, err := s.read(ctx, l.latest); err == nil {
		l.denied = denied
	}
	return nil
}

// lookAgain reads rows that two sweeps running lack, if all of them can be
// read. Without a total nothing tells that a row slipped from a page not yet
// read to one already read, and that may happen to a row twice. One that
// answers is present.
func (s *shelf[ID, R]) lookAgain(ctx context.Context, ids []ID, sw *sweep) error {
	if len(ids) >= sw.proofs {
		return nil
	}
	_, err := s.ask(ctx, ids, sw)
	return err
}

// ask reads rows until one of them does neither answer nor deny itself, and
// returns those that deny themselves. It keeps one read for a present row.
func (s *shelf[ID, R]) ask(ctx context.Context, ids []ID, sw *sweep) (map[ID]struct{}, error) {
	denied := map[ID]struct{}{}
	for _, id := range ids {
		if sw.proofs < 2 {
			break
		}
		sw.proofs--
		sw.track.request()
		switch err := s.look(ctx, id); {
		case saysGone(err):
			denied[id] = struct{}{}
		case reasonOf(err) == directory.ReasonStorage:
			return nil, err
		case err != nil && !errors.Is(err, directory.ErrSuperseded) && !errors.Is(err, directory.ErrHeld):
			return denied, nil
		}
	}
	return denied, nil
}

// absences are what l lacks, before any single read.
func (s *shelf[ID, R]) absences(l *listing[ID, R], sw *sweep) (gone, wait []ID) {
	s.applying.Lock()
	defer s.applying.Unlock()
	return s.judged(l, sw.obs, sw.share)
}
