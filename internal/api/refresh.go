package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// rows are what an answer is made of, for a refresh: one group, one member,
// one of each, or, where none is named, all rows there are.
type rows struct {
	group  string
	member int64
}

var allRows = rows{}

// everything is what an answer is made of that depends on rows it lacks.
func everything[T any](T) rows { return allRows }

// A seen is what one look at the mirror showed: an answer, or why there is
// none, and of which state.
type seen[T any] struct {
	answer T
	miss   error
	directory.Freshness
}

// fresh reads an answer from the mirror that is as fresh as the request wants
// it. What is too old is refreshed and read again: of tells the rows that the
// answer is made of, given a zero answer where a row was missed; where those
// were not enough, all rows are.
//
// Where that fails, stale-if-error may allow the answer all the same; else the
// error is a problem, too-stale or not-cached. That a row is not there is a
// problem, too, which tells the age of this knowledge.
//
// A past state was what it was: to refresh it is to have its instant confirmed
// afterwards, which takes a sweep, and once it is, any demand is met.
func fresh[T stated](s *server, r *http.Request, read func() (T, error), of func(T) rows) (answer T, err error) {
	look := func() (seen[T], error) { return lookFor(s, r, read) }
	d := demandOf(r)
	now, err := look()
	if errors.Is(err, directory.ErrNoData) && d.onlyCached {
		return answer, s.nothingCached()
	}
	if isDated(r) {
		of = everything
	}
	if err == nil && !now.isFinal(r) && !d.isMet(now.ConfirmedAt, time.Now()) {
		now, err = renewed(s, r, now, look, of)
	}
	if unmet, ok := errors.AsType[*unmetError](err); ok {
		if unmet.isFault() {
			s.Logger.ErrorContext(r.Context(), "refresh failed", "err", unmet.error, "route", route(r), "request_id", RequestID(r.Context()))
		}
		isTolerable := d.isTolerable(now.ConfirmedAt, time.Now())
		say(r, unmetStatus(unmet, d, now.ConfirmedAt, isTolerable))
		if err = nil; !isTolerable {
			err = s.tooOldFor(r, unmet, now.Freshness)
		}
	}
	if err != nil {
		return answer, err
	}
	return now.answer, s.dated(r, now.miss, now.Freshness)
}

// isFinal reports whether upstream can tell no more of what r asked for: of a
// past state whose instant was confirmed afterwards, or of a row that it lacks.
func (now seen[T]) isFinal(r *http.Request) bool { return isDated(r) && isSettled(now.Freshness) }

// A stated answer says which state it shows.
type stated interface{ Fresh() directory.Freshness }

// lookFor reads once. As a miss does not tell which state it saw, it is read
// again after the state was taken down, so that the state is never a later
// one.
func lookFor[T stated](s *server, r *http.Request, read func() (T, error)) (now seen[T], err error) {
	now.answer, err = read()
	if isMiss(err) {
		var before directory.Freshness
		if before, err = s.Mirror.Freshness(r.Context()); err != nil {
			return now, err
		}
		if now.answer, err = read(); isMiss(err) {
			now.miss, now.Freshness = err, before
			return now, nil
		}
	}
	now.Freshness = now.answer.Fresh()
	return now, err
}

// renewed refreshes what was seen and looks again, waiting no longer than
// --refresh-wait and the server go on. Its error is an unmetError where what
// it returns is not fresh.
func renewed[T stated](s *server, r *http.Request, now seen[T], look func() (seen[T], error), of func(T) rows) (seen[T], error) {
	if demandOf(r).onlyCached {
		return now, &unmetError{errOnlyCached}
	}
	ctx, cancel := s.patient(r.Context())
	defer cancel()
	for which := of(now.answer); ; which = allRows {
		done, err := s.refresh(ctx, which)
		switch {
		case err == nil:
		case r.Context().Err() != nil:
			return now, r.Context().Err()
		case ctx.Err() != nil:
			return now, &unmetError{context.Cause(ctx)}
		default:
			return now, &unmetError{err}
		}
		if now, err = look(); err != nil {
			return now, err
		}
		if now.miss != nil && which != allRows && which == of(now.answer) {
			now.ConfirmedAt = done.BeganAt // the row itself says that it is not there
		}
		if now.isFinal(r) || now.ConfirmedAt.UnixMilli() >= done.BeganAt.UnixMilli() { // as exact as the mirror is
			say(r, renewedStatus(done))
			return now, nil
		}
		if which == allRows {
			return now, &unmetError{errUnconfirmed}
		}
	}
}

// patient bounds a wait for a refresh.
func (s *server) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := s.untilStopping(ctx)
	ctx, cancel := context.WithTimeoutCause(ctx, s.RefreshWait, errPatience)
	return ctx, func() {
		cancel()
		stop()
	}
}

// untilStopping ends a context when the server is about to stop, for
// errStopping.
func (s *server) untilStopping(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-s.stopping:
			cancel(errStopping)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// refresh has rows asked for upstream, if there are requests to spare.
func (s *server) refresh(ctx context.Context, which rows) (directory.Renewal, error) {
	if err := s.Upstream.Spare(); err != nil {
		return directory.Renewal{}, err
	}
	switch {
	case which == allRows:
		return s.Poller.RefreshAll(ctx)
	case which.member == 0:
		return s.Poller.RefreshGroup(ctx, which.group)
	case which.group == "":
		return s.Poller.RefreshMember(ctx, which.member)
	}
	return s.refreshBoth(ctx, which)
}

func (s *server) refreshBoth(ctx context.Context, which rows) (directory.Renewal, error) {
	var member directory.Renewal
	var memberErr error
	var reading sync.WaitGroup
	reading.Go(func() { member, memberErr = s.Poller.RefreshMember(ctx, which.member) })
	group, err := s.Poller.RefreshGroup(ctx, which.group)
	reading.Wait()
	if err == nil {
		err = memberErr
	}
	if member.BeganAt.Before(group.BeganAt) {
		group.BeganAt = member.BeganAt
	}
	group.Shared = group.Shared && member.Shared
	return group, err
}
