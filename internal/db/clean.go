package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// How long the cleaning waits for readers to let go of the log.
const (
	cleaningTries = 3 // each waits for them itself, as long as for a lock
	cleaningPause = time.Second
)

// clean leaves nothing in the files of what was erased: copies of the database
// that lie beside it are removed, as are files kept elsewhere; the database is
// written anew, without what free pages and gaps hold, and the log is emptied.
// It reports whether all was done: while somebody reads an old state for long,
// the log stays. A process that ends on the way cleans as it starts again.
func (db *DB) clean(ctx context.Context) (copies int, done bool, err error) {
	db.cleaning.Lock()
	defer db.cleaning.Unlock()
	for _, f := range db.onErase {
		err = errors.Join(err, f())
	}
	for _, path := range asides(db.path) {
		if removal := os.Remove(path); removal != nil {
			err = errors.Join(err, removal)
			continue
		}
		removeDatabase(path + ".partial")
		copies++
	}
	removeAbandoned(ctx, db.path)
	if err != nil {
		return copies, false, fmt.Errorf("remove files that show who was erased: %w", err)
	}
	if _, err := db.writer.ExecContext(ctx, "VACUUM"); err != nil {
		return copies, false, fault(db.path, err)
	}
	if done, err = db.emptyLog(ctx); err != nil || !done {
		return copies, false, err
	}
	return copies, true, db.write(ctx, func(ctx context.Context, w *writing) error { return w.q.SetClean(ctx) })
}

// emptyLog folds the log into the file and cuts it to nothing, once nobody
// reads a state that needs it.
func (db *DB) emptyLog(ctx context.Context) (done bool, err error) {
	for range db.cleaningTries {
		var busy, frames, folded int
		if err := db.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &folded); err != nil {
			return false, fault(db.path, err)
		}
		if busy == 0 {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(cleaningPause):
		}
	}
	return false, nil
}

// cleanLeft cleans where an earlier call could not.
func (db *DB) cleanLeft(ctx context.Context) error {
	mirror, err := db.writes.Mirror(ctx)
	if err != nil || mirror.Unclean == 0 {
		return err
	}
	_, done, err := db.clean(ctx)
	if err == nil && !done {
		db.logger.Warn("traces of somebody who was erased stay in the log while an old state is read; the cleaning is tried again within the hour")
	}
	return err
}
