package db

import (
	"context"
	"database/sql"
	"fmt"

	"rollcall/internal/directory"
)

// Publish makes a publication durable in one transaction and returns the
// state it left. What differs from the stored rows makes one new revision;
// edges are compared one by one, so that those which stay keep their since.
// Rows that are stored as given, rows that are gone already and notes alone
// make none. The first successful sweep makes a revision even of nothing.
//
// Before that sweep rows are refused with ErrNoData, as a mirror that held a
// part of its organisation would pass for the whole.
func (db *DB) Publish(ctx context.Context, p directory.Publication) (fresh directory.Freshness, err error) {
	if db.writer == nil {
		return fresh, errReadOnly
	}
	fresh, err = db.change(ctx, p, func(ctx context.Context, w *writing) error {
		if w.mirror.Revision == 0 && !succeeded(p.Sweep) && !notesAlone(p) {
			return directory.ErrNoData
		}
		return w.apply(ctx, p)
	})
	return fresh, wrap("publish", err)
}

// A writing is one publication on its way into the file.
type writing struct {
	q       *Queries
	tx      *sql.Tx
	db      DBTX         // tx, with its statements prepared once
	stopped func() error // ctx's error once it ended
	clock   *clock
	mirror  Mirror // counts move as rows do
	cause   directory.Cause
	isFirst bool // nothing is stored: no need to look

	revision   int64 // 0 until something changed
	changesets map[directory.Origin]int64
	published  int64
	nonce      int64

	strangers map[int64]int64 // groups of each id without a member, as stored
	entered   map[int64]int64 // groups that a member entered, less those they left

	texts []foundText // of rows on their way, see enterTexts
}

// write runs fn in one immediate transaction. Statements do not watch ctx,
// which would cost each of them a goroutine: fn asks between rows.
func (db *DB) write(ctx context.Context, fn func(context.Context, *writing) error) error {
	unwatched := context.WithoutCancel(ctx)
	tx, err := db.writer.BeginTx(unwatched, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	statements := newStatements(tx)
	w := &writing{
		q: New(statements), db: statements, tx: tx, stopped: ctx.Err, clock: db.clock,
		changesets: map[directory.Origin]int64{},
		entered:    map[int64]int64{},
	}
	if w.mirror, err = w.q.Mirror(unwatched); err != nil {
		return err
	}
	back, err := w.keepAges(unwatched)
	if err != nil {
		return err
	}
	if err := fn(unwatched, w); err != nil {
		return err
	}
	if back > 0 {
		db.memory.present.Store(nil)
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if w.revision != 0 {
		db.moves.tell()
	}
	if back > 0 {
		db.clock.settle()
		db.logger.Warn("the clock was set back: what was confirmed before is dated back as far, so that its age is right", "by", back)
	}
	return nil
}

func succeeded(sweep *directory.Sweep) bool { return sweep != nil && sweep.Result.Succeeded() }

func notesAlone(p directory.Publication) bool {
	return len(p.Groups)+len(p.Members)+len(p.GoneGroups)+len(p.GoneMembers) == 0
}

func (w *writing) apply(ctx context.Context, p directory.Publication) error {
	w.cause, w.isFirst = p.Cause, w.mirror.Revision == 0
	rows := w.applyRows
	if w.isFirst {
		rows = w.applyRowsUnindexed
	}
	if err := rows(ctx, p); err != nil {
		return err
	}
	if w.isFirst && succeeded(p.Sweep) {
		if err := w.touch(ctx); err != nil {
			return err
		}
	}
	if err := w.finish(ctx); err != nil {
		return err
	}
	return w.note(ctx, p)
}

// applyRows takes edges before members, so that a new member's count of
// groups is known when they are written.
func (w *writing) applyRows(ctx context.Context, p directory.Publication) error {
	var err error
	if w.strangers, err = w.loadStrangers(ctx); err != nil {
		return err
	}
	if err := each(ctx, w, p.GoneGroups, w.removeGroup); err != nil {
		return err
	}
	if err := each(ctx, w, p.Groups, w.setGroup); err != nil {
		return err
	}
	if err := each(ctx, w, p.GoneMembers, w.removeMember); err != nil {
		return err
	}
	if err := each(ctx, w, p.Members, w.setMember); err != nil {
		return err
	}
	if err := w.settleCounts(ctx); err != nil {
		return err
	}
	return w.enterTexts(ctx)
}

func each[T any](ctx context.Context, w *writing, rows []T, apply func(context.Context, T) error) error {
	for _, row := range rows {
		if err := w.stopped(); err != nil {
			return err
		}
		if err := apply(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// touch begins the revision, once. Its time never runs backwards, whatever
// the clock does.
func (w *writing) touch(ctx context.Context) error {
	if w.revision != 0 {
		return nil
	}
	w.revision = w.mirror.Revision + 1
	w.published = max(w.clock.wall().UnixMilli(), w.mirror.PublishedMs)
	w.nonce = newNonce()
	return w.q.InsertRevision(ctx, InsertRevisionParams{
		Revision: w.revision, PublishedMs: w.published, Nonce: w.nonce, Cause: string(w.cause),
	})
}

// changeset returns the one of this revision that has an origin.
func (w *writing) changeset(ctx context.Context, origin directory.Origin) (int64, error) {
	if id, ok := w.changesets[origin]; ok {
		return id, nil
	}
	if err := w.touch(ctx); err != nil {
		return 0, err
	}
	notBefore := toNullMS(origin.NotBefore)
	id, err := w.q.InsertChangeset(ctx, InsertChangesetParams{
		Revision:    w.revision,
		NotBeforeMs: notBefore,
		NotAfterMs:  max(toMSUp(origin.NotAfter), notBefore.Int64), // the clock may have been set back between them
		Cause:       string(origin.Cause),
		Actor:       sql.NullString{String: origin.Actor, Valid: origin.Actor != ""},
	})
	w.changesets[origin] = id
	return id, err
}

// finish writes the revision's end, if there is a revision.
func (w *writing) finish(ctx context.Context) error {
	if w.revision == 0 {
		return nil
	}
	if err := w.q.SetHorizon(ctx, w.revision); err != nil {
		return err
	}
	w.mirror.Revision, w.mirror.PublishedMs, w.mirror.Nonce = w.revision, w.published, w.nonce
	return w.q.SetRevision(ctx, SetRevisionParams{
		Revision:             w.mirror.Revision,
		PublishedMs:          w.mirror.PublishedMs,
		Nonce:                w.mirror.Nonce,
		GroupCount:           w.mirror.GroupCount,
		MemberCount:          w.mirror.MemberCount,
		MembershipCount:      w.mirror.MembershipCount,
		GuestMembershipCount: w.mirror.GuestMembershipCount,
	})
}

// applyRowsUnindexed fills empty tables without their secondary indexes and
// builds those at the end, which takes less than half the time.
func (w *writing) applyRowsUnindexed(ctx context.Context, p directory.Publication) error {
	indexes, err := w.dropIndexes(ctx)
	if err != nil {
		return err
	}
	if err := w.applyRows(ctx, p); err != nil {
		return err
	}
	for _, create := range indexes {
		if _, err := w.tx.ExecContext(ctx, create); err != nil {
			return fmt.Errorf("rebuild an index: %w", err)
		}
	}
	return nil
}

// dropIndexes drops the secondary indexes of the large tables and returns the
// statements that make them. Partial ones hold few rows, and cost less to keep
// up than another look at all rows.
func (w *writing) dropIndexes(ctx context.Context) ([]string, error) {
	rows, err := w.tx.QueryContext(ctx, `SELECT s.name, s.sql
		FROM sqlite_schema s JOIN pragma_index_list(s.tbl_name) l ON l.name = s.name
		WHERE s.type = 'index' AND s.tbl_name IN ('groups', 'members', 'memberships') AND l.origin = 'c' AND l.partial = 0
		ORDER BY s.rowid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names, creates []string
	for rows.Next() {
		var name, create string
		if err := rows.Scan(&name, &create); err != nil {
			return nil, err
		}
		names, creates = append(names, name), append(creates, create)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := w.tx.ExecContext(ctx, "DROP INDEX "+name); err != nil {
			return nil, fmt.Errorf("drop an index: %w", err)
		}
	}
	return creates, nil
}
