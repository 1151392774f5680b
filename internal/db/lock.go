package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// A processLock keeps a second writing process off a mirror. It is an open
// exclusive transaction on an empty database file beside the mirror: SQLite
// knows how to lock on every system, and the lock dies with the process. The
// file stays when the lock is released, as removing it would let two others
// hold two files of one name.
type processLock struct {
	pool *sql.DB
	conn *sql.Conn
}

func lockPath(mirror string) string { return mirror + "-lock" }

// lockFile takes the lock at once or says that another process has it.
func lockFile(ctx context.Context, mirror string) (*processLock, error) {
	path := lockPath(mirror)
	pool, err := openPool(dsn(path, toWrite, ""), 1)
	if err != nil {
		return nil, fault(path, err)
	}
	lock := &processLock{pool: pool}
	if lock.conn, err = pool.Conn(ctx); err == nil {
		_, err = lock.conn.ExecContext(ctx, "PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
	}
	if err == nil {
		return lock, nil
	}
	if isBusy(err) {
		err = fmt.Errorf("another Rollcall process writes to %s: stop it, or name another file with --db", mirror)
	} else {
		err = fault(path, err)
	}
	return nil, errors.Join(err, lock.release())
}

func (l *processLock) release() error {
	var errs []error
	if l.conn != nil {
		errs = append(errs, l.conn.Close())
	}
	return errors.Join(append(errs, l.pool.Close())...)
}
