package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"rollcall/internal/directory"
)

// GroupPayload returns a group as upstream sent it.
func (db *DB) GroupPayload(ctx context.Context, id string) (found directory.Found[[]byte], err error) {
	err = db.glance(ctx, nil, nil, func(ctx context.Context, s *state) error {
		row, err := s.q.GroupPayload(ctx, id)
		if err != nil {
			return notFound(err, directory.ErrUnknownGroup)
		}
		found, err = s.foundPayload(ctx, row)
		return err
	})
	return found, wrap("read a group", err)
}

// MemberPayload returns a member as upstream sent them.
func (db *DB) MemberPayload(ctx context.Context, id int64) (found directory.Found[[]byte], err error) {
	err = db.glance(ctx, nil, nil, func(ctx context.Context, s *state) error {
		row, err := s.q.MemberPayload(ctx, id)
		if err != nil {
			return notFound(err, directory.ErrUnknownPerson)
		}
		found, err = s.foundPayload(ctx, GroupPayloadRow(row))
		return err
	})
	return found, wrap("read a member", err)
}

// foundPayload serves both kinds, whose rows hold the same.
func (s *state) foundPayload(ctx context.Context, row GroupPayloadRow) (found directory.Found[[]byte], err error) {
	found.Row = []byte(row.Payload)
	found.Freshness, err = s.freshRow(ctx, effective(s.mirror.ConfirmedMs, row.ConfirmedMs, row.Doubted))
	return found, err
}

// Index returns the fingerprint and confirmation of every stored row. Before
// the first revision it is empty.
func (db *DB) Index(ctx context.Context) (index directory.Index, err error) {
	tx, err := db.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return index, fmt.Errorf("read the mirror: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	q := db.reads.WithTx(tx)
	if index.Freshness, err = freshness(ctx, q); err != nil {
		return index, err
	}
	mirror, err := q.Mirror(ctx)
	if err != nil {
		return index, fmt.Errorf("read the mirror: %w", err)
	}
	if index.Groups, err = groupIndex(ctx, q, mirror); err != nil {
		return index, fmt.Errorf("index groups: %w", err)
	}
	if index.Members, err = memberIndex(ctx, q, mirror); err != nil {
		return index, fmt.Errorf("index members: %w", err)
	}
	return index, nil
}

func groupIndex(ctx context.Context, q *Queries, mirror Mirror) (map[string]directory.StoredRow, error) {
	rows, err := q.FingerprintsOfGroups(ctx)
	index := make(map[string]directory.StoredRow, len(rows))
	for _, row := range rows {
		index[row.ID] = directory.StoredRow{
			Fingerprint: directory.Fingerprint{Row: row.RowHash, Churn: row.ChurnHash},
			Form:        directory.Form(row.Form),
			ConfirmedAt: fromMS(effective(mirror.ConfirmedMs, row.ConfirmedMs, row.Doubted)),
			Doubted:     row.Doubted,
			Missed:      row.Missed,
			Edges:       int(row.MemberCount + row.GuestCount),
		}
	}
	return index, err
}

func memberIndex(ctx context.Context, q *Queries, mirror Mirror) (map[int64]directory.StoredRow, error) {
	rows, err := q.FingerprintsOfMembers(ctx)
	index := make(map[int64]directory.StoredRow, len(rows))
	for _, row := range rows {
		index[row.ID] = directory.StoredRow{
			Fingerprint: directory.Fingerprint{Row: row.RowHash, Churn: row.ChurnHash},
			Form:        directory.Form(row.Form),
			ConfirmedAt: fromMS(effective(mirror.ConfirmedMs, row.ConfirmedMs, row.Doubted)),
			Doubted:     row.Doubted,
			Missed:      row.Missed,
		}
	}
	return index, err
}

// Size returns the bytes that the mirror takes on disk, its log included.
func (db *DB) Size(context.Context) (int64, error) {
	var size int64
	for _, file := range []string{db.path, db.path + "-wal"} {
		info, err := os.Stat(file)
		switch {
		case err == nil:
			size += info.Size()
		case !errors.Is(err, os.ErrNotExist):
			return 0, fmt.Errorf("size of the mirror: %w", err)
		}
	}
	return size, nil
}
