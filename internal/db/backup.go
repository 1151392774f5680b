package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

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
	// A connection of its own, so that no reader waits for one meanwhile.
	pool, err := openPool(readerDSN(db.path, -1, 1), 1)
	if err != nil {
		return fault(db.path, err)
	}
	defer pool.Close()
	if err := db.copyTo(ctx, pool, path, vacant); err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	return nil
}

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

// copyTo copies what a connection sees to a file whose place may is asked
// about just before the copy takes it.
func (db *DB) copyTo(ctx context.Context, pool *sql.DB, path string, may func(path string) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.partial")
	if err != nil {
		return fmt.Errorf("%w: name a file in a folder that exists and can be written", err)
	}
	partial := file.Name()
	defer removeDatabase(partial)
	err = file.Close()
	if err == nil {
		err = copyPages(ctx, pool, partial)
	}
	if err == nil {
		err = db.settle(ctx, partial)
	}
	if err == nil {
		err = may(path)
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
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
	target := dsn(path, toWrite, "&_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)")
	return conn.Raw(func(driver any) error {
		copying, err := driver.(interface {
			NewBackup(dsn string) (*sqlite.Backup, error)
		}).NewBackup(target)
		if err != nil {
			return err
		}
		return errors.Join(stepAll(ctx, copying), copying.Finish())
	})
}

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
		return damaged(db.path, errors.New(finding))
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

// syncFolder makes a new name durable where folders can be synced.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
