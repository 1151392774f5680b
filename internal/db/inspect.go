package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// facts are what a file says of itself.
type facts struct {
	empty        bool // no table yet: new, or left by an Open that was killed
	schema       int64
	organization string
}

// inspect refuses a file that Open must not touch. A missing one is fine.
func inspect(ctx context.Context, path, organization string, known schema) error {
	switch {
	case path == "":
		return errors.New("no file is named for the mirror: name one with --db")
	case organization == "":
		return errors.New("no organization is named: name one with --org")
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return checkOrphan(path)
	}
	if err != nil {
		return unwritable(path, err)
	}
	if info.IsDir() {
		return fmt.Errorf("%s is a folder: name a file with --db", path)
	}
	about, err := factsOf(ctx, path)
	if err != nil {
		return err
	}
	if about.schema > known.newest {
		return newer(ctx, path, about, known)
	}
	return about.belongs(path, organization)
}

// belongs refuses the mirror of another organization.
func (f facts) belongs(path, organization string) error {
	if f.organization != "" && f.organization != organization {
		return fmt.Errorf("%s is the mirror of organization %s, not of %s: correct --org, or name another file with --db",
			path, f.organization, organization)
	}
	return nil
}

// readOnlyFacts refuses a file that cannot be read as a mirror.
func readOnlyFacts(ctx context.Context, path string) (facts, error) {
	if _, err := os.Stat(path); err != nil {
		return facts{}, fmt.Errorf("no mirror to read: %w: name the file of a running server with --db", err)
	}
	about, err := factsOf(ctx, path)
	switch known := ownSchema(); {
	case err != nil:
		return facts{}, readFault(path, err)
	case about.schema > known.newest:
		return facts{}, newer(ctx, path, about, known)
	case about.organization == "" || about.schema < known.newest:
		return facts{}, fmt.Errorf("%s holds no mirror of this version yet: run the server on it once, or name another file with --db", path)
	}
	return about, nil
}

// factsOf reads what a file says of itself and leaves no trace: a file at rest
// is read as if it never changed, which spares the side files of a shared one.
func factsOf(ctx context.Context, path string) (facts, error) {
	if err := checkLogged(path); err != nil {
		return facts{}, err
	}
	mode := toRead
	if isAtRest(path) {
		mode = toInspect
	}
	pool, err := openPool(dsn(path, mode, ""), 1)
	if err != nil {
		return facts{}, fault(path, err)
	}
	defer pool.Close()
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return facts{}, fault(path, err)
	}
	defer func() { _ = tx.Rollback() }()
	about, err := readFacts(ctx, tx)
	if err == nil {
		err = checkWhole(ctx, tx, path)
	}
	if err != nil {
		return facts{}, fault(path, err)
	}
	return about, nil
}

var errForeign = errors.New("no mirror")

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readFacts(ctx context.Context, pool queryer) (f facts, err error) {
	var tables, ours int
	err = pool.QueryRowContext(ctx, `SELECT count(*), count(CASE WHEN name IN ('mirror', 'goose_db_version') THEN 1 END)
		FROM sqlite_schema WHERE type = 'table'`).Scan(&tables, &ours)
	switch {
	case err != nil || tables == 0:
		return facts{empty: true}, err
	case ours == 0:
		return facts{}, errForeign
	}
	if err := pool.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&f.schema); err != nil {
		return facts{}, err
	}
	if ours < 2 {
		return f, nil
	}
	err = pool.QueryRowContext(ctx, "SELECT organization FROM mirror WHERE id = 1").Scan(&f.organization)
	if errors.Is(err, sql.ErrNoRows) {
		return f, nil
	}
	return f, err
}

// makeFile makes an empty file that its owner alone may read, and reports
// whether there was none. SQLite gives its side files the same mode.
func makeFile(path string) (bool, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, unwritable(path, err)
	}
	return true, file.Close()
}

// checkWritable refuses a file that may not be written, which SQLite would
// notice after it has made its side files.
func checkWritable(path string) error {
	for _, name := range []string{path, logPath(path)} {
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		if err == nil {
			err = file.Close()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return unwritable(path, err)
		}
	}
	return nil
}
