package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// Backup copies the mirror with its whole history to a new file, as it stands
// at one instant, while others read and write it: they are not held up, only
// the log grows until the copy is done. The copy has no companions, its owner
// alone may read it, and it opens wherever SQLite does.
//
// The copy appears under its name when it is whole, checked and on disk. A
// file that exists already is refused. On an error, ctx's included, nothing
// is left behind.
func (db *DB) Backup(ctx context.Context, path string) error {
	if err := vacant(path); err != nil {
		return err
	}
	if err := db.backUp(ctx, path); err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	return nil
}

func (db *DB) backUp(ctx context.Context, path string) error {
	removeAbandoned(ctx, path)
	unfinished, err := begin(ctx, path)
	switch {
	case isFull(err):
		return errNoRoom
	case err != nil:
		return fmt.Errorf("%w: name a file in a folder that exists and can be written", err)
	}
	defer unfinished.remove()
	// A connection of its own, so that no reader waits for one meanwhile.
	pool, err := openPool(readerDSN(db.path, db.access, -1, 1), 1)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := db.copyInto(ctx, pool, unfinished.path); err != nil {
		return err
	}
	if err := db.checkAtRest(); err != nil {
		return err
	}
	if err := vacant(path); err != nil {
		return err
	}
	return moveTo(unfinished.path, path)
}

// vacant refuses a name that is taken.
func vacant(path string) error {
	_, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%s exists and was left as it is: name a new file", path)
}

// copyInto fills an empty file with what a pool's connection sees, checks it
// and has it written to disk.
func (db *DB) copyInto(ctx context.Context, pool *sql.DB, path string) error {
	err := copyPages(ctx, pool, path)
	if err == nil {
		err = db.settle(ctx, path)
	}
	if isFull(err) {
		return errNoRoom
	}
	return err
}

// moveTo gives a file another name, durably.
func moveTo(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	syncFolder(filepath.Dir(to))
	return nil
}

// removeDatabase removes a file, if it is still there, and what SQLite may
// have left beside it.
func removeDatabase(path string) {
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		_ = os.Remove(path + suffix)
	}
}

// copyPages fills an empty file. One read transaction around all steps shows
// one state to each; without it a write between two would begin it all again.
func copyPages(ctx context.Context, pool *sql.DB, path string) (err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		_, end := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, end)
	}()
	var tables int
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	target := dsn(path, toWrite, copySettings)
	return conn.Raw(func(driver any) error {
		copying, err := driver.(interface {
			NewBackup(dsn string) (*sqlite.Backup, error)
		}).NewBackup(target)
		if err != nil {
			return err
		}
		err = stepAll(ctx, copying)
		if finish := copying.Finish(); err == nil {
			err = finish // else it says the same again
		}
		return err
	})
}

// copySettings leave the copy's safety to settle: until then it is nobody's.
var copySettings = "&_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)"

var errNoRoom = errors.New("no room for the copy: free some on that disk")

// pagesAStep are copied between two looks at ctx: 4 MiB.
const pagesAStep = 1024

func stepAll(ctx context.Context, copying *sqlite.Backup) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if more, err = copying.Step(pagesAStep); err != nil {
			return err
		}
	}
	return nil
}

// settle takes a copy out of WAL mode, in which it could not be read where
// nobody may write beside it, checks it and has it written to disk. No other
// connection is meant to see it, so its folder needs no shared memory.
func (db *DB) settle(ctx context.Context, path string) error {
	pool, err := openPool(dsn(path, toWrite, "&_pragma=locking_mode(EXCLUSIVE)&_pragma=journal_mode(DELETE)"), 1)
	if err != nil {
		return err
	}
	var finding string
	err = pool.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&finding)
	if err := errors.Join(err, pool.Close()); err != nil {
		return err
	}
	if finding != "ok" {
		return damaged(db.path, errors.New(strings.Join(strings.Fields(finding), " ")))
	}
	return syncFile(path)
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// syncFolder makes a new name durable where folders can be synced. Like
// SQLite it takes no for an answer, as not every file system has it.
func syncFolder(path string) {
	if folder, err := os.Open(path); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
}
