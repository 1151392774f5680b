package db

import (
	"context"

	"rollcall/internal/directory"
)

// goBack moves to the last revision published at or before an instant, or to
// that of a number, at its publication. Its errors are directory.ErrFuture,
// directory.ErrPruned and *directory.TooEarlyError.
func (s *state) goBack(ctx context.Context, at directory.AsOf) error {
	then, instant, err := s.revisionAsOf(ctx, at)
	if err != nil {
		return err
	}
	s.revision, s.past = then, then.Revision != s.mirror.Revision
	s.then, err = s.around(ctx, then.Revision, instant)
	return err
}

// revisionAsOf returns a revision and the instant that is asked about.
func (s *state) revisionAsOf(ctx context.Context, at directory.AsOf) (then Revision, instant int64, err error) {
	if at.Revision > s.mirror.Revision {
		return then, 0, directory.ErrFuture
	}
	if at.Revision > 0 {
		then, err = s.q.RevisionNumbered(ctx, at.Revision)
		return then, then.PublishedMs, notFound(err, directory.ErrPruned)
	}
	instant = at.Instant.UnixMilli()
	then, err = s.q.RevisionAsOf(ctx, instant)
	if err = orNone(err); err != nil || then.Revision != 0 {
		return then, instant, err
	}
	first, err := s.q.FirstRevision(ctx)
	switch {
	case err != nil:
		return then, 0, err
	case first.Revision > 1:
		return then, 0, directory.ErrPruned
	}
	return then, 0, &directory.TooEarlyError{First: fromMS(first.PublishedMs)}
}

// around finds the confirmations before and after an instant.
func (s *state) around(ctx context.Context, revision, instant int64) (*directory.Then, error) {
	before, err := s.q.ConfirmedBefore(ctx, revision, instant)
	if err = orNone(err); err != nil {
		return nil, err
	}
	after, err := s.q.ConfirmedAfter(ctx, revision, instant)
	return &directory.Then{Revision: revision, ConfirmedBefore: fromMS(before), ConfirmedAfter: fromMS(after)}, orNone(err)
}
