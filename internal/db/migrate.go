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

// A schema is what the migrations of one version of the program make.
type schema struct {
	source fs.FS
	newest int64 // number of the last migration
}

// schema is the program's own, but for tests.
func (o Options) schema() schema {
	if o.migrations == nil {
		return ownSchema()
	}
	return schemaOf(o.migrations)
}

var ownSchema = sync.OnceValue(func() schema { return schemaOf(migrations.FS) })

func schemaOf(source fs.FS) schema {
	s := schema{source: source}
	files, err := fs.Glob(source, "*.sql")
	for _, file := range files {
		version, parseErr := goose.NumericComponent(file)
		err = errors.Join(err, parseErr)
		s.newest = max(s.newest, version)
	}
	if err != nil {
		panic(err) // the files are part of the program
	}
	return s
}

// migrate brings the schema up to date, each migration in a transaction of
// its own, after a copy of what is there was put aside.
func (db *DB) migrate(ctx context.Context, s schema) error {
	provider, err := goose.NewProvider(goose.DialectSQLite3, db.writer, s.source, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	before, err := readFacts(ctx, db.writer)
	if err != nil {
		return err
	}
	if before.organization == "" || before.schema >= s.newest {
		return db.runMigrations(ctx, provider)
	}
	if err := db.putAside(ctx, before, s); err != nil {
		return fmt.Errorf("copy the mirror before its schema changes: %w", err)
	}
	if err := db.runMigrations(ctx, provider); err != nil {
		return err
	}
	db.keepOnly(s)
	return nil
}

func (db *DB) runMigrations(ctx context.Context, provider *goose.Provider) error {
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
	return facts{organization: mirror.Organization}.belongs(db.path, db.organization)
}

func newEpoch() string { return rand.Text()[:16] }

func newNonce() int64 {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return int64(binary.BigEndian.Uint64(random[:]))
}
