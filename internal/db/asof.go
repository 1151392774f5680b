package db

import (
	"cmp"
	"context"

	"rollcall/internal/directory"
)

// goBack moves to the last revision published at or before an instant, or to
// that of a number, at its publication. Its errors are directory.ErrFuture,
// directory.ErrPruned and *directory.TooEarlyError. Who asks about an instant
// asks more than once, so the last one is remembered with the present state.
func (s *state) goBack(ctx context.Context, at directory.AsOf) error {
	if s.known != nil {
		if last := s.known.instant.Load(); last != nil && last.at == at {
			s.moment = last.moment
			return nil
		}
	}
	then, err := s.revisionAsOf(ctx, at)
	if err != nil {
		return err
	}
	s.revision, s.past = then, then.Revision != s.mirror.Revision
	err = s.lookAround(ctx, at)
	if err == nil && s.known != nil {
		s.known.instant.Store(&askedAbout{at, s.moment})
	}
	return err
}

func (s *state) revisionAsOf(ctx context.Context, at directory.AsOf) (then Revision, err error) {
	if at.Revision > s.mirror.Revision {
		return then, directory.ErrFuture
	}
	if at.Revision > 0 {
		if then, err = s.q.RevisionNumbered(ctx, at.Revision); err != nil {
			return then, notFound(err, directory.ErrPruned)
		}
		return then, s.isKept(then)
	}
	then, err = s.q.RevisionAsOf(ctx, at.Instant.UnixMilli())
	if err = orNone(err); err != nil || then.Revision != 0 {
		return then, cmp.Or(err, s.isKept(then))
	}
	first, err := s.q.RevisionNumbered(ctx, 1)
	if err != nil {
		return then, err
	}
	return then, &directory.TooEarlyError{First: fromMS(first.PublishedMs)}
}

// lookAround finds the confirmations before and after the instant that is
// asked about: that of a revision is its publication.
func (s *state) lookAround(ctx context.Context, at directory.AsOf) error {
	s.instant = s.revision.PublishedMs
	if at.Revision == 0 {
		s.instant = at.Instant.UnixMilli()
	}
	before, err := s.q.ConfirmedBefore(ctx, s.revision.Revision, s.instant)
	if err = orNone(err); err != nil {
		return err
	}
	after, err := s.q.ConfirmedAfter(ctx, s.revision.Revision, s.instant)
	s.then = &directory.Then{Revision: s.revision.Revision, ConfirmedBefore: fromMS(before), ConfirmedAfter: fromMS(after)}
	return orNone(err)
}

// isThen reports whether the state is one that was, even if it still is: rows
// then have no confirmation of their own, and nothing that moves without
// history.
func (s *state) isThen() bool { return s.past || s.then != nil }

// freshThen names a state that was. As of an instant it was confirmed by the
// last sweep before that found it; on a walk, which may go on for long, by the
// last of all that did.
func (s *state) freshThen(ctx context.Context) (directory.Freshness, error) {
	if s.then != nil {
		return s.fresh(toMS(s.then.ConfirmedBefore)), nil
	}
	began, err := s.q.ConfirmedUpTo(ctx, s.revision.Revision)
	return s.fresh(began), orNone(err)
}

// freshRow names the state, confirmed as a row of it was.
func (s *state) freshRow(ctx context.Context, confirmedMS int64) (directory.Freshness, error) {
	if s.isThen() {
		return s.freshThen(ctx)
	}
	return s.fresh(confirmedMS), nil
}

// churn is the revision up to which fields that move without history are
// known. As of an instant none is.
func (s *state) churn() int64 {
	if s.then != nil {
		return 0
	}
	return s.revision.Revision
}
