package db

import (
	"context"
	"iter"

	"rollcall/internal/directory"
)

// Changes returns part of the feed, which is read from the intervals in which
// rows lived. A page holds at most q.Limit changes and costs a bounded amount
// of work, so that it may hold fewer. The error of a place that is not in the
// file is directory.ErrCursorGone, or directory.ErrPruned where what follows
// it is no longer kept whole.
func (db *DB) Changes(ctx context.Context, q directory.FeedQuery) (page directory.FeedPage, err error) {
	return db.changes(ctx, q, &peopleMet{})
}

// AllChanges walks the feed from its beginning to the end of a revision, in
// chunks: nothing is held open between two.
func (db *DB) AllChanges(ctx context.Context, upTo directory.Pin) iter.Seq2[[]directory.Change, error] {
	return func(yield func([]directory.Change, error) bool) {
		q, met := directory.FeedQuery{Limit: tableChunk, UpTo: &upTo}, &peopleMet{}
		for {
			page, err := db.changes(ctx, q, met)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(page.Changes, nil) || !page.More {
				return
			}
			q.After = &page.Next
		}
	}
}

func (db *DB) changes(ctx context.Context, q directory.FeedQuery, met *peopleMet) (page directory.FeedPage, err error) {
	err = db.read(ctx, q.UpTo, nil, func(s *state) error {
		from, pruned, err := s.locate(ctx, q.After)
		if err != nil {
			return err
		}
		w := &feedWalk{s: s, scope: wholeFeed(s.q), met: met, at: from}
		if page.Changes, err = w.page(ctx, q.Limit); err != nil {
			return err
		}
		page.More, page.Pruned = !w.done, pruned
		if page.Next, err = s.placeAt(ctx, w.at); err != nil {
			return err
		}
		page.Freshness, err = s.freshList(ctx, ofGroups, ofMembers)
		return err
	})
	return page, wrap("read the feed", err)
}

// A point is a place in the feed of this file: behind a key of a revision or,
// where the key is zero, at the revision's end.
type point struct {
	revision int64
	key      directory.ChangeKey
}

// locate finds a place, nil for the beginning: which is the end of the oldest
// revision that is kept, once older ones were pruned.
func (s *state) locate(ctx context.Context, place *directory.FeedPlace) (from point, pruned bool, err error) {
	first, err := s.q.FirstRevision(ctx)
	if err != nil {
		return from, false, err
	}
	pruned = first.Revision > 1
	switch {
	case place == nil && pruned:
		return point{revision: first.Revision}, true, nil
	case place == nil:
		return from, false, nil
	case place.Epoch != s.mirror.Epoch:
		return from, false, directory.ErrCursorGone
	case place.Revision < first.Revision, pruned && place.Revision == first.Revision && place.Key.Step != 0:
		return from, false, directory.ErrPruned
	}
	row, err := s.q.RevisionNumbered(ctx, place.Revision)
	if err != nil {
		return from, false, notFound(err, directory.ErrCursorGone)
	}
	if s.pinOf(row) != place.Pin || row.Revision > s.revision.Revision {
		return from, false, directory.ErrCursorGone
	}
	return point{place.Revision, place.Key}, false, nil
}

// placeAt names a point so that it is known as one of this file.
func (s *state) placeAt(ctx context.Context, at point) (directory.FeedPlace, error) {
	row, err := s.q.RevisionNumbered(ctx, at.revision)
	return directory.FeedPlace{Pin: s.pinOf(row), Key: at.key}, err
}

func (s *state) pinOf(row Revision) directory.Pin {
	return directory.Pin{Epoch: s.mirror.Epoch, Revision: row.Revision, PublishedAt: fromMS(row.PublishedMs), Nonce: row.Nonce}
}
