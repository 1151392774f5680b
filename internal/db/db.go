// Package db keeps the mirror of one organisation in one SQLite file.
//
// It guarantees:
//
//   - A publication is one transaction: rows, history, counts, notes and the
//     revision's number become visible together or not at all, on disk
//     before Publish returns, and whole after a kill at any instruction.
//   - A read shows one revision, and the freshness it returns was read in
//     the same transaction as its rows. Readers never wait for the writer.
//   - A walk over pages that carries a pin shows that revision on every page,
//     whatever is published meanwhile. Three things that move without history
//     are not remembered: a last login that moved since is unknown, a logo is
//     shown without the query part of its URL, and guests keep the spelling
//     in which they were first seen.
//   - A file belongs to one organisation and has one writing process. Open
//     refuses anything else and changes nothing when it does.
//   - Before the schema of a file with a mirror changes, a copy of the file
//     is made beside it, which the program of before can open.
//   - Of two revisions that were published under one number, one in a life of
//     the file that ended with a restore and one in the next, a pin of the one
//     is never taken for a pin of the other.
//
// Row structs and everything in files ending .gen.go are sqlc's; this file is
// the front door.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"

	"modernc.org/sqlite"
)

// Options say which file to open and whose it is.
type Options struct {
	Path         string // of the file; its folder must exist
	Organization string
	Logger       *slog.Logger // nil discards
	MMap         int64        // bytes of the file that all readers together may map; 0 is 128 MiB, negative none

	Now func() time.Time // the wall clock, nil is the system's

	migrations fs.FS // nil for the program's own
}

// A DB is one open mirror. Its methods may be called from any goroutine; all
// but Close end early with ctx's error when ctx ends, Publish between two
// rows.
type DB struct {
	path         string
	organization string
	logger       *slog.Logger

	readers *sql.DB
	reads   *Queries
	access  access      // of readers
	atRest  os.FileInfo // what the file was when it was opened as one that nobody writes, else nil

	// All four are nil in a mirror that was opened to read.
	lock   *processLock
	writer *sql.DB
	writes *Queries
	clock  *clock

	memory memory
	reach  reach

	cleaning      sync.Mutex
	cleaningTries int
	onErase       []func() error
	moves         moves

	made    []string // files that this Open made, until it succeeds
	closing sync.Once
	closed  error
}

var errReadOnly = errors.New("this mirror was opened for reading only")

// lockByDescription asks for locks that an unrelated open and close of the
// file elsewhere in this process cannot drop. Where the system has none,
// nothing here opens the file but SQLite.
var lockByDescription = sync.OnceFunc(func() { _, _ = sqlite.OFDLocking(true) })

// Open opens the mirror of an organisation for reading and writing, makes it
// where there is none, and brings its schema up to date. It refuses a file of
// another organisation, of a newer version, of another kind, a damaged one, a
// place that cannot be written and a file that another process writes; each
// with an error that names the setting and the mend.
func Open(ctx context.Context, o Options) (*DB, error) {
	lockByDescription()
	if err := inspect(ctx, o.Path, o.Organization, o.schema()); err != nil {
		return nil, err
	}
	db := &DB{path: o.Path, organization: o.Organization, logger: orDiscard(o.Logger), access: toRead, clock: newClock(o.Now), reach: usualReach, cleaningTries: cleaningTries}
	if err := db.openToWrite(ctx, o); err != nil {
		err = errors.Join(err, db.Close())
		for _, file := range db.made {
			_ = os.Remove(file)
		}
		return nil, err
	}
	db.made = nil
	return db, nil
}

// OpenReadOnly opens an existing mirror of any organisation, also beside the
// process that writes it.
func OpenReadOnly(ctx context.Context, path string) (*DB, error) {
	lockByDescription()
	about, err := readOnlyFacts(ctx, path)
	if err != nil {
		return nil, err
	}
	db := &DB{path: path, organization: about.organization, logger: slog.New(slog.DiscardHandler), access: toRead, reach: usualReach}
	wasAtRest := isAtRest(path)
	err = db.openReaders(ctx, 0)
	if wasAtRest && needsToWrite(err) {
		err = db.reopenAtRest(ctx, err)
	}
	if err != nil {
		return nil, errors.Join(readFault(path, err), db.Close())
	}
	return db, nil
}

// reopenAtRest reads the file alone where the side files of a shared one
// cannot be made. Nobody else can be told of it, so it is looked at again
// when the mirror is closed.
func (db *DB) reopenAtRest(ctx context.Context, why error) error {
	var err error
	if db.atRest, err = os.Stat(db.path); err != nil {
		return errors.Join(why, err)
	}
	if err := errors.Join(closeQueries(db.reads), db.readers.Close()); err != nil {
		return err
	}
	db.access = toInspect
	return db.openReaders(ctx, 0)
}

// checkAtRest fails if a file that was read as if it never changed has changed.
func (db *DB) checkAtRest() error {
	if db.atRest == nil {
		return nil
	}
	now, err := os.Stat(db.path)
	if err == nil && (now.Size() != db.atRest.Size() || !now.ModTime().Equal(db.atRest.ModTime()) || !isAtRest(db.path)) {
		err = fmt.Errorf("%s was written while it was read, so what was read may be wrong: do it again", db.path)
	}
	return err
}

// Organization returns the id of the organisation whose mirror this is.
func (db *DB) Organization() string { return db.organization }

// Close waits for running reads and writes, folds the log into the file and
// releases it. Closing twice is harmless.
func (db *DB) Close() error {
	db.closing.Do(func() { db.closed = db.close() })
	return db.closed
}

// close closes the writer last, so that SQLite's checkpoint at the last
// connection's end finds a connection that may write.
func (db *DB) close() error {
	var errs []error
	if db.readers != nil {
		errs = append(errs, closeQueries(db.reads), db.readers.Close())
	}
	if db.writer != nil {
		errs = append(errs, closeQueries(db.writes), db.writer.Close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.release())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close %s: %w", db.path, err)
	}
	return db.checkAtRest()
}

func closeQueries(q *Queries) error {
	if q == nil {
		return nil
	}
	return q.Close()
}

// openToWrite takes the lock, opens the writer, migrates, and only then opens
// the readers, which could not make the file.
func (db *DB) openToWrite(ctx context.Context, o Options) error {
	for _, file := range []string{lockPath(o.Path), o.Path} {
		isNew, err := makeFile(file)
		if err != nil {
			return err
		}
		if isNew {
			db.made = append(db.made, file)
		}
	}
	var err error
	if db.lock, err = lockFile(ctx, o.Path); err != nil {
		return err
	}
	if err := checkWritable(o.Path); err != nil {
		return err
	}
	if db.writer, err = openPool(writerDSN(o.Path), 1); err != nil {
		return fault(o.Path, err)
	}
	if err := db.migrate(ctx, o.schema()); err != nil {
		return fault(o.Path, err)
	}
	if db.writes, err = Prepare(ctx, db.writer); err != nil {
		return fault(o.Path, err)
	}
	if err := db.found(ctx); err != nil {
		return fault(o.Path, err)
	}
	if err := db.fillSearch(ctx); err != nil {
		return fault(o.Path, err)
	}
	if err := db.compareClocks(ctx); err != nil {
		return fault(o.Path, err)
	}
	if err := db.openReaders(ctx, o.MMap); err != nil {
		return err
	}
	if err := db.memory.recall(ctx, db.reads); err != nil {
		return fault(o.Path, err)
	}
	return db.cleanLeft(ctx)
}

func (db *DB) openReaders(ctx context.Context, mmap int64) error {
	connections := max(2, runtime.GOMAXPROCS(0))
	var err error
	if db.readers, err = openPool(readerDSN(db.path, db.access, mmap, connections), connections); err != nil {
		return fault(db.path, err)
	}
	if db.reads, err = Prepare(ctx, db.readers); err != nil {
		return fault(db.path, err)
	}
	return nil
}

func openPool(dsn string, connections int) (*sql.DB, error) {
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

func orDiscard(logger *slog.Logger) *slog.Logger {
	if logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return logger
}
