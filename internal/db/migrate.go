package db

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/pressly/goose/v3"

	"rollcall/migrations"
)

// migrate brings the schema up to date, each migration in a transaction of
// its own.
func (db *DB) migrate(ctx context.Context) error {
	provider, err := goose.NewProvider(goose.DialectSQLite3, db.writer, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for _, result := range results {
		db.logger.Info("schema migrated", "version", result.Source.Version, "took", result.Duration)
	}
	return nil
}

// found writes whose mirror this is, once, and refuses if it is another's.
func (db *DB) found(ctx context.Context) error {
	if _, err := db.writes.FoundMirror(ctx, db.organization, newEpoch()); err != nil {
		return err
	}
	mirror, err := db.writes.Mirror(ctx)
	if err != nil {
		return err
	}
	return facts{organization: mirror.Organization}.admit(db.path, db.organization)
}

func newEpoch() string { return rand.Text()[:16] }

func newNonce() int64 {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return int64(binary.BigEndian.Uint64(random[:]))
}

// newestSchema is the version of the last migration this program carries.
var newestSchema = sync.OnceValue(func() (newest int64) {
	files, err := fs.Glob(migrations.FS, "*.sql")
	for _, file := range files {
		version, parseErr := goose.NumericComponent(file)
		err = errors.Join(err, parseErr)
		newest = max(newest, version)
	}
	if err != nil {
		panic(err) // the files are part of the program
	}
	return newest
})
