package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// Options say what is exported and where files are kept.
type Options struct {
	Dir       string // of kept files; made when the first is, for its owner alone
	Source    Source
	Pseudonym []byte // the secret of pseudonyms; none without
	Logger    *slog.Logger

	// Cursor is a place in the feed as its readers name it.
	Cursor func(directory.FeedPlace) string

	// Linger is how long the file of the revision before stays; 0 is an hour.
	Linger time.Duration
}

// A Keeper keeps the files of the present revision and, for a while, those of
// the one before, so that who fetches one in parts gets the rest. A file is
// made once for all who want it, and is there when it is whole. It is safe for
// concurrent use.
type Keeper struct {
	Options
	building sync.WaitGroup
	turn     chan struct{} // lets one file be made at a time

	mu      sync.Mutex
	closed  bool
	number  int                // of the last file
	files   map[*kept]struct{} // all there are or are being made
	present map[directory.Export]*kept
	former  map[directory.Export]*kept
}

// errForgotten says that what was read for a file must not be kept any more.
var errForgotten = errors.New("what was read was to be forgotten meanwhile")

// New makes a keeper and removes what a process left that was killed.
func New(o Options) (*Keeper, error) {
	if o.Linger == 0 {
		o.Linger = time.Hour
	}
	k := &Keeper{
		Options: o, turn: make(chan struct{}, 1), files: map[*kept]struct{}{},
		present: map[directory.Export]*kept{}, former: map[directory.Export]*kept{},
	}
	return k, k.sweep()
}

// ours matches what the keeper names its files, finished or not.
var ours = regexp.MustCompile(`^(groups|members|memberships|membership_history|changes|snapshot)-r\d+-\d+\.(csv|ndjson|parquet|sqlite)(\.partial)?(-journal|-wal|-shm)?$`)

// sweep removes all files from the folder, if there is one.
func (k *Keeper) sweep() error {
	entries, err := os.ReadDir(k.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if ours.MatchString(entry.Name()) {
			err = errors.Join(err, os.Remove(filepath.Join(k.Dir, entry.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("clear the folder of exports: %w", err)
	}
	return nil
}

// CanPseudonymize reports whether there is a key to make pseudonyms with.
func (k *Keeper) CanPseudonymize() bool { return len(k.Pseudonym) > 0 }

// Keep returns the whole file of the present revision, made if need be. Who
// asks while it is being made waits for it. The caller closes it. Where the
// folder cannot be written the error is directory.ErrNotKept.
func (k *Keeper) Keep(ctx context.Context, x directory.Export) (*directory.KeptFile, error) {
	for {
		f, err := k.claim(ctx, x)
		if err != nil {
			return nil, err
		}
		file, err := k.open(ctx, f)
		if !errors.Is(err, errForgotten) {
			return file, err
		}
	}
}

// Kept returns the file of a revision, if it is there already. The caller
// closes it.
func (k *Keeper) Kept(ctx context.Context, x directory.Export, revision int64) (*directory.KeptFile, bool) {
	f := k.claimKept(x, revision)
	if f == nil {
		return nil, false
	}
	file, err := k.open(ctx, f)
	return file, err == nil
}

// Once makes a file of a past state that is nobody else's; closing it removes
// it.
func (k *Keeper) Once(ctx context.Context, q directory.ExportQuery) (*directory.KeptFile, error) {
	fresh, err := k.Source.State(ctx, &q.Pin, q.AsOf)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	k.mu.Lock()
	f := k.begin(q.Export, fresh, stop)
	f.readers, f.isExpired = 1, true
	k.mu.Unlock()
	k.make(ctx, f, q)
	return k.open(ctx, f)
}

// Snapshot returns the path of the snapshot of the present revision, made if
// need be. Nothing writes to it any more; it stays until release.
func (k *Keeper) Snapshot(ctx context.Context) (path string, fresh directory.Freshness, release func(), err error) {
	for {
		f, err := k.claim(ctx, directory.Export{Table: snapshot, Format: "sqlite"})
		if err != nil {
			return "", fresh, nil, err
		}
		if err = f.wait(ctx); err == nil {
			return f.path, f.fresh, sync.OnceFunc(func() { k.release(f) }), nil
		}
		if k.release(f); !errors.Is(err, errForgotten) {
			return "", fresh, nil, err
		}
	}
}

// Stream writes the rows of a table as they are read. An error leaves what
// was written without its end.
func (k *Keeper) Stream(ctx context.Context, w io.Writer, q directory.ExportQuery) error {
	t, err := k.table(q.Table)
	if err != nil {
		return err
	}
	s, err := newSink(q.Export, t, w)
	if err != nil {
		return err
	}
	return write(ctx, k.Source, t, q, k.key(), s)
}

// key is nil where there is none.
func (k *Keeper) key() *key {
	if !k.CanPseudonymize() {
		return nil
	}
	return newKey(k.Pseudonym)
}

// Forget removes all files, those being made and those being read included.
// Who had begun to read one may get its rest.
func (k *Keeper) Forget() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for f := range k.files {
		f.isRevoked = true
		f.stop()
		errs = append(errs, k.remove(f))
	}
	clear(k.present)
	clear(k.former)
	return errors.Join(errs...)
}

// Close ends what is being made and removes all files. Nobody may ask any more.
func (k *Keeper) Close() error {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	err := k.Forget()
	k.building.Wait()
	if err := errors.Join(err, k.sweep()); err != nil {
		return err
	}
	_ = os.Remove(k.Dir) // if it is there, empty, and ours to remove
	return nil
}
