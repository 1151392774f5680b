package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rollcall/internal/directory"
)

// Erase forgets a person who is gone: names, e-mails and what else describes
// them go from every past version, in one transaction, which makes a revision
// with one change. Ids and edges stay, so that counts and who was where remain
// true; a guest's e-mail becomes a stand-in. Then the files are cleaned of
// traces; see clean.
//
// Whoever had an e-mail of the person's is the person, too, as a member under
// another id or as a guest. If any of them is still there, nothing is erased:
// directory.ErrStillExists. Nobody being found is ErrUnknownPerson. To erase
// once more changes nothing and cleans again.
func (db *DB) Erase(ctx context.Context, ref directory.PersonRef, origin directory.Origin) (done directory.Erasure, err error) {
	if db.writer == nil {
		return done, errReadOnly
	}
	err = db.eraseRows(ctx, origin, &done, func(ctx context.Context, q *Queries) (*traces, error) { return findTraces(ctx, q, ref) })
	if err != nil {
		return done, wrapErasure(err)
	}
	if done.Copies, done.Clean, err = db.clean(ctx); err != nil { // which takes nothing back
		db.logger.Error("traces of somebody who was erased may stay in the files; the cleaning is tried again within the hour", "error", err)
	}
	return done, nil
}

func wrapErasure(err error) error {
	if errors.Is(err, directory.ErrStillExists) {
		return err
	}
	return wrap("erase a person", err)
}

// OnErase has f remove files that are kept elsewhere and may show somebody who
// was erased. It is called before a mirror is shared.
func (db *DB) OnErase(f func() error) { db.onErase = append(db.onErase, f) }

// traces are what a mirror has of one person.
type traces struct {
	members map[int64]bool
	guests  map[int64]bool
	emails  map[string]bool // folded
}

// findTraces follows e-mails from one row to the next.
func findTraces(ctx context.Context, q *Queries, ref directory.PersonRef) (*traces, error) {
	t := &traces{members: map[int64]bool{}, guests: map[int64]bool{}, emails: map[string]bool{}}
	err := t.addEmail(ctx, q, directory.FoldEmail(ref.Email))
	if ref.ID != 0 {
		err = t.addMember(ctx, q, ref.ID)
	}
	if err == nil && len(t.members)+len(t.guests) == 0 {
		err = directory.ErrUnknownPerson
	}
	return t, err
}

// addMember adds an id that was a member's, or that a group named, with all
// that shares an e-mail with it.
func (t *traces) addMember(ctx context.Context, q *Queries, id int64) error {
	if t.members[id] {
		return nil
	}
	if err := isGone(ctx, q, id); err != nil {
		return err
	}
	emails, err := q.PastMemberEmails(ctx, id)
	if err != nil {
		return err
	}
	if len(emails) == 0 {
		if stays, err := q.WasInGroup(ctx, id); err != nil || stays == 0 {
			return err
		}
	}
	t.members[id] = true
	for _, email := range emails {
		if err := t.addEmail(ctx, q, email); err != nil {
			return err
		}
	}
	return nil
}

// addEmail adds all that ever had an e-mail.
func (t *traces) addEmail(ctx context.Context, q *Queries, email string) error {
	if email == "" || t.emails[email] {
		return nil
	}
	t.emails[email] = true
	present, err := q.MembersByEmail(ctx, email)
	if err == nil && len(present) > 0 {
		err = directory.ErrStillExists
	}
	if err == nil {
		err = t.addGuest(ctx, q, email)
	}
	if err != nil {
		return err
	}
	ids, err := q.PastMembersByEmail(ctx, email)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := t.addMember(ctx, q, id); err != nil {
			return err
		}
	}
	return nil
}

func (t *traces) addGuest(ctx context.Context, q *Queries, email string) error {
	guest, err := q.Guest(ctx, email)
	if err != nil {
		return orNone(err)
	}
	edges, err := q.IsGuest(ctx, guest.GuestID)
	if err == nil && edges > 0 {
		err = directory.ErrStillExists
	}
	t.guests[guest.GuestID] = true
	return err
}

// isGone fails unless an id is neither a member's nor named by a group.
func isGone(ctx context.Context, q *Queries, id int64) error {
	_, err := q.MemberByID(ctx, id)
	if !errors.Is(err, sql.ErrNoRows) {
		return cmpErr(err, directory.ErrStillExists)
	}
	edges, err := q.IsInGroup(ctx, id)
	if err == nil && edges > 0 {
		err = directory.ErrStillExists
	}
	return err
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// eraseRows empties the rows in one transaction, with what it deletes
// overwritten.
func (db *DB) eraseRows(ctx context.Context, origin directory.Origin, done *directory.Erasure, find func(context.Context, *Queries) (*traces, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer func() { _ = overwriting(context.WithoutCancel(ctx), db.writer, false) }()
	fresh, err := db.change(ctx, directory.Publication{}, func(ctx context.Context, w *writing) error {
		w.cause = origin.Cause
		if err := overwriting(ctx, w.tx, true); err != nil {
			return err
		}
		found, err := find(ctx, w.q)
		if err != nil {
			return err
		}
		return w.erase(ctx, found, origin, done)
	})
	done.Freshness = fresh
	return err
}

// overwriting has SQLite overwrite what it deletes, or not. There is one
// connection to write with, which a transaction keeps to itself.
func overwriting(ctx context.Context, writer DBTX, on bool) error {
	_, err := writer.ExecContext(ctx, fmt.Sprintf("PRAGMA secure_delete = %t", on))
	return err
}

// erase empties rows. Where there is nothing left to empty it makes no
// revision.
func (w *writing) erase(ctx context.Context, found *traces, origin directory.Origin, done *directory.Erasure) error {
	done.Members = slices.Sorted(maps.Keys(found.members))
	for _, id := range done.Members {
		if err := w.eraseMember(ctx, id, origin, done); err != nil {
			return err
		}
	}
	for _, guest := range slices.Sorted(maps.Keys(found.guests)) {
		if err := w.eraseGuest(ctx, guest, origin, done); err != nil {
			return err
		}
	}
	if w.revision == 0 {
		return nil
	}
	if err := w.forgetStatistics(ctx); err != nil {
		return err
	}
	if err := w.finish(ctx); err != nil {
		return err
	}
	return w.q.SetErased(ctx, w.revision)
}

func (w *writing) eraseMember(ctx context.Context, id int64, origin directory.Origin, done *directory.Erasure) error {
	versions, err := w.q.EraseMember(ctx, strconv.FormatInt(id, 10), id)
	if err != nil || versions == 0 {
		return err
	}
	done.Versions += int(versions)
	changeset, err := w.changeset(ctx, origin)
	if err != nil {
		return err
	}
	return w.q.InsertErasure(ctx, InsertErasureParams{Changeset: changeset, MemberID: sql.NullInt64{Int64: id, Valid: true}})
}

// eraseGuest leaves it to the change of the member to tell, if the guest was
// one.
func (w *writing) eraseGuest(ctx context.Context, guest int64, origin directory.Origin, done *directory.Erasure) error {
	if err := w.q.EraseGuest(ctx, standIn(guest), guest); err != nil {
		return err
	}
	done.Guests++
	changeset, err := w.changeset(ctx, origin)
	if err != nil || len(done.Members) > 0 {
		return err
	}
	return w.q.InsertErasure(ctx, InsertErasureParams{Changeset: changeset, GuestID: sql.NullInt64{Int64: guest, Valid: true}})
}

// standIn is no e-mail.
func standIn(guest int64) string { return "erased-guest-" + strconv.FormatInt(guest, 10) }

// forgetStatistics removes samples of keys that somebody's ANALYZE took, and
// trigrams of rows that are gone.
func (w *writing) forgetStatistics(ctx context.Context) error {
	for table, statement := range map[string]string{
		"sqlite_stat4": "DELETE FROM sqlite_stat4",
		"member_texts": "INSERT INTO member_texts (member_texts) VALUES ('optimize')",
	} {
		var tables int
		if err := w.tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = ?", table).Scan(&tables); err != nil {
			return err
		}
		if tables == 0 {
			continue
		}
		if _, err := w.tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("clean %s: %w", table, err)
		}
	}
	return nil
}

// EraseDeleted erases those members who are gone and whom Tallyfy was last
// seen to have deleted for good: then it shows ann@x.test of the id 5 as
// ann@x.test.deleted.5 [https://tallyfy.com/products/pro/integrations/open-api/].
// Who is still listed, or whose e-mail somebody has now, is left alone. It
// looks at those who went after a changeset and returns the last it looked at.
func (db *DB) EraseDeleted(ctx context.Context, after int64) (all []directory.Erasure, last int64, err error) {
	if db.writer == nil {
		return nil, after, errReadOnly
	}
	gone, err := db.reads.MembersGoneSince(ctx, after)
	if err != nil {
		return nil, after, wrapErasure(err)
	}
	for _, row := range gone {
		last = row.Until
		if !strings.HasSuffix(row.EmailKey, ".deleted."+strconv.FormatInt(row.ID, 10)) {
			continue
		}
		now := db.clock.wall()
		origin := directory.Origin{Bounds: directory.Bounds{NotBefore: now, NotAfter: now}, Cause: directory.CauseSweep}
		done, err := db.Erase(ctx, directory.PersonRef{ID: row.ID}, origin)
		switch {
		case err == nil:
			all = append(all, done)
		case !errors.Is(err, directory.ErrStillExists):
			return all, after, err
		}
	}
	return all, max(after, last), nil
}
