package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"rollcall/internal/directory"
)

// A state is one revision as one read sees it.
type state struct {
	q      *Queries
	db     DBTX // what q asks
	reach  reach
	known  *remembered // the present state, where that is remembered and this is it
	mirror Mirror
	moment
}

// A moment is the revision that is asked about.
type moment struct {
	revision Revision
	past     bool            // revision is not the present one
	then     *directory.Then // where an instant led here
	instant  int64           // that instant, where then is set
}

// read runs fn over the present revision, or the one that a pin or an instant
// names, in a transaction. A pin of which the file knows nothing is
// ErrCursorGone; before the first revision there is ErrNoData.
func (db *DB) read(ctx context.Context, pin *directory.Pin, at *directory.AsOf, fn func(*state) error) error {
	known := db.memory.present.Load()
	tx, err := db.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("read the mirror: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	s := &state{q: db.reads.WithTx(tx), db: tx, reach: db.reach}
	if s.mirror, err = s.q.Mirror(ctx); err != nil { // from here on the transaction sees one state
		return fmt.Errorf("read the mirror: %w", err)
	}
	if db.memory.isStill(known) {
		s.known = known
	}
	if err := s.turn(ctx, pin, at); err != nil {
		return err
	}
	return fn(s)
}

// glance is read for what few statements answer. While the present state is
// known they need no transaction: if it still is at the end, nothing was
// published meanwhile, and they all saw that state or the past of it. Else
// what fn did was in vain, and it runs again in one.
//
// No statement watches ctx, which would cost each of them two goroutines; fn
// is given the context to use.
func (db *DB) glance(ctx context.Context, pin *directory.Pin, at *directory.AsOf, fn func(context.Context, *state) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if known := db.memory.present.Load(); known != nil {
		s := &state{q: db.reads, db: db.readers, reach: db.reach, known: known, mirror: known.mirror}
		err := s.turn(ctx, pin, at)
		if err == nil {
			err = fn(ctx, s)
		}
		if db.memory.isStill(known) {
			return err
		}
	}
	return db.read(ctx, pin, at, func(s *state) error { return fn(ctx, s) })
}

// turn goes to the revision that is asked about.
func (s *state) turn(ctx context.Context, pin *directory.Pin, at *directory.AsOf) (err error) {
	if s.mirror.Revision == 0 {
		return directory.ErrNoData
	}
	s.revision = Revision{Revision: s.mirror.Revision, PublishedMs: s.mirror.PublishedMs, Nonce: s.mirror.Nonce}
	switch {
	case pin != nil:
		if err = s.goTo(ctx, *pin); err == nil && at != nil {
			err = s.lookAround(ctx, *at)
		}
	case at != nil:
		err = s.goBack(ctx, *at)
	}
	return err
}

// goTo moves to the revision that a pin names.
func (s *state) goTo(ctx context.Context, pin directory.Pin) error {
	if pin.Epoch != s.mirror.Epoch || pin.Revision < s.mirror.Pinned {
		return directory.ErrCursorGone
	}
	if pin.Revision != s.revision.Revision {
		pinned, err := s.q.RevisionNumbered(ctx, pin.Revision)
		if err != nil {
			return notFound(err, directory.ErrCursorGone)
		}
		s.revision, s.past = pinned, true
	}
	if toMS(pin.PublishedAt) != s.revision.PublishedMs || pin.Nonce != s.revision.Nonce {
		return directory.ErrCursorGone
	}
	return nil
}

// horizon is the highest changeset that belongs to the state.
func (s *state) horizon() int64 {
	if s.past {
		return s.revision.Horizon
	}
	return math.MaxInt64 - 1
}

// fresh names the state, confirmed at an instant.
func (s *state) fresh(confirmedMS int64) directory.Freshness {
	fresh := directory.Freshness{
		Epoch:       s.mirror.Epoch,
		Revision:    s.revision.Revision,
		PublishedAt: fromMS(s.revision.PublishedMs),
		Nonce:       s.revision.Nonce,
		ConfirmedAt: fromMS(confirmedMS),
		Then:        s.then,
	}
	if s.mirror.Erased > s.revision.Revision {
		fresh.Erased = s.mirror.Erased
	}
	return fresh
}

// freshList names the state, confirmed when the least lately confirmed row of
// the kinds was.
func (s *state) freshList(ctx context.Context, kinds ...oldest) (directory.Freshness, error) {
	if s.isThen() {
		return s.freshThen(ctx)
	}
	if s.known != nil { // no row is confirmed less lately than the last sweep
		return s.fresh(s.mirror.ConfirmedMs), nil
	}
	confirmed, err := oldestConfirmation(ctx, s.q, s.mirror.ConfirmedMs, kinds...)
	return s.fresh(confirmed), err
}

// oldest finds the oldest confirmation among the rows of a kind that are
// doubted. Others are confirmed by the last sweep at least.
type oldest func(*Queries, context.Context) (int64, error)

var (
	ofGroups  oldest = (*Queries).OldestDoubtedGroup
	ofMembers oldest = (*Queries).OldestDoubtedMember
)

func oldestConfirmation(ctx context.Context, q *Queries, sweptMS int64, kinds ...oldest) (int64, error) {
	confirmed := sweptMS
	for _, kind := range kinds {
		doubted, err := kind(q, ctx)
		switch {
		case err == nil:
			confirmed = min(confirmed, doubted)
		case !errors.Is(err, sql.ErrNoRows):
			return 0, err
		}
	}
	return confirmed, nil
}

// effective is when a row was last seen to agree with upstream: a sweep
// confirms every row that is not doubted.
func effective(sweptMS, rowMS int64, doubted bool) int64 {
	if doubted {
		return rowMS
	}
	return max(sweptMS, rowMS)
}

// Freshness returns the present revision and the oldest confirmation among
// all its rows. Before the first revision, Revision is 0 and there is no
// error.
func (db *DB) Freshness(ctx context.Context) (directory.Freshness, error) {
	tx, err := db.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return directory.Freshness{}, fmt.Errorf("read the mirror: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return freshness(ctx, db.reads.WithTx(tx))
}

func freshness(ctx context.Context, q *Queries) (directory.Freshness, error) {
	mirror, err := q.Mirror(ctx)
	if err != nil {
		return directory.Freshness{}, fmt.Errorf("read the mirror: %w", err)
	}
	confirmed, err := oldestConfirmation(ctx, q, mirror.ConfirmedMs, ofGroups, ofMembers)
	if err != nil {
		return directory.Freshness{}, fmt.Errorf("read confirmations: %w", err)
	}
	return directory.Freshness{
		Epoch:       mirror.Epoch,
		Revision:    mirror.Revision,
		PublishedAt: fromMS(mirror.PublishedMs),
		Nonce:       mirror.Nonce,
		ConfirmedAt: fromMS(confirmed),
	}, nil
}

// Counts returns the rows of the present revision.
func (db *DB) Counts(ctx context.Context) (directory.Counts, error) {
	mirror, err := db.reads.Mirror(ctx)
	if err != nil {
		return directory.Counts{}, fmt.Errorf("read the mirror: %w", err)
	}
	return directory.Counts{
		Groups:           int(mirror.GroupCount),
		Members:          int(mirror.MemberCount),
		Memberships:      int(mirror.MembershipCount),
		GuestMemberships: int(mirror.GuestMembershipCount),
	}, nil
}

// notFound translates the driver's "no rows" and leaves other errors alone.
func notFound(err, means error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return means
	}
	return err
}

func orNone(err error) error { return notFound(err, nil) }

// Bounds of keys and ids, where a list begins. No text of upstream reaches
// the byte 0xff, which no UTF-8 holds.
const (
	afterAllKeys = "\xff"
	beforeAllIDs = math.MinInt64
	afterAllIDs  = math.MaxInt64
	noLimit      = math.MaxInt64
)

// cut makes a page of what was fetched: one row more than wanted tells that
// there is a next page, which begins after the last row wanted.
func cut[T any](rows []T, limit int, place func(T) directory.Position) ([]T, *directory.Position) {
	if len(rows) <= limit {
		return rows, nil
	}
	rows = rows[:limit]
	return rows, new(place(rows[limit-1]))
}
