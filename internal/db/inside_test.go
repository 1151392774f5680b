package db_test

import (
	"database/sql"
	"testing"
	"time"

	"rollcall/internal/db"
)

// count counts the rows of a table.
func count(t testing.TB, mirror *db.DB, table string) (n int) {
	t.Helper()
	inside(t, mirror, func(pool *sql.DB) error {
		return pool.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n)
	})
	return n
}

// setPublished moves the instant of the present revision.
func setPublished(t testing.TB, mirror *db.DB, published time.Time) {
	t.Helper()
	inside(t, mirror, func(pool *sql.DB) error {
		_, err := pool.ExecContext(t.Context(), "UPDATE mirror SET published_ms = ?", published.UnixMilli())
		return err
	})
}

// inside runs fn over the mirror's own connection, for what its methods do
// not show.
func inside(t testing.TB, mirror *db.DB, fn func(*sql.DB) error) {
	t.Helper()
	if err := fn(db.Writer(mirror)); err != nil {
		t.Fatal(err)
	}
}
