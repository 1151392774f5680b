// Package dbtest gives tests a migrated mirror on disk.
package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"rollcall/internal/db"
)

// Organization is whose mirror New and Open make.
const Organization = "0f0e0d0c0b0a09080706050403020100"

// New returns an empty, migrated mirror that is closed when the test ends.
func New(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, filepath.Join(t.TempDir(), "rollcall.db"))
}

// Open opens the mirror at path, makes it where there is none, and closes it
// when the test ends; closing it earlier is harmless.
func Open(t testing.TB, path string) *db.DB {
	t.Helper()
	if err := Place(path); err != nil {
		t.Fatal(err)
	}
	mirror, err := db.Open(t.Context(), db.Options{Path: path, Organization: Organization})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := mirror.Close(); err != nil {
			t.Errorf("close the mirror: %v", err)
		}
	})
	return mirror
}

// Place writes a migrated file that belongs to nobody yet, unless there is
// one. It spares the tests of a package the migration of each mirror.
func Place(path string) error {
	content, err := migrated()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// migrated is the content of a file after migration. Bytes alone are kept, so
// that it may first be asked for inside a bubble of synctest.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "dbtest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rollcall.db")
	mirror, err := db.Open(context.Background(), db.Options{Path: path, Organization: Organization})
	if err != nil {
		return nil, err
	}
	if err := mirror.Close(); err != nil {
		return nil, err
	}
	if err := disown(path); err != nil {
		return nil, fmt.Errorf("disown the template: %w", err)
	}
	return os.ReadFile(path)
})

// disown makes the file of nobody, so that each copy gets an epoch.
func disown(path string) error {
	pool, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?mode=rw")
	if err != nil {
		return err
	}
	_, err = pool.Exec("DELETE FROM mirror")
	return errors.Join(err, pool.Close())
}
