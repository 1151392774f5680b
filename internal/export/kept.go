package export

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// A kept is one file of one revision. What is below done belongs to the
// keeper's lock.
type kept struct {
	export directory.Export
	fresh  directory.Freshness
	path   string
	stop   context.CancelFunc // ends its making
	done   chan struct{}      // closed when it is there, or when err says why not
	err    error

	readers   int
	isExpired bool        // to be removed when nobody reads it any more
	isRevoked bool        // nobody may have it any more
	expiry    *time.Timer // of a former one
}

func (f *kept) isDone() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// wait waits until a file is there, or ctx ends.
func (f *kept) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// claim finds the file of the present revision, or has it made, and counts
// the caller among its readers.
func (k *Keeper) claim(ctx context.Context, x directory.Export) (*kept, error) {
	fresh, err := k.Source.State(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, fmt.Errorf("%w: the server is about to stop", directory.ErrNotKept)
	}
	f := k.present[x]
	if f == nil || f.fresh.Pin() != fresh.Pin() && !isBehind(fresh, f.fresh) {
		if f != nil {
			k.retire(f)
		}
		f = k.start(ctx, x, fresh)
	}
	f.readers++
	return f, nil
}

// isBehind reports whether a state was read before a later one of the same
// life.
func isBehind(a, b directory.Freshness) bool { return a.Epoch == b.Epoch && a.Revision < b.Revision }

// claimKept is nil where there is no file of the revision.
func (k *Keeper) claimKept(x directory.Export, revision int64) *kept {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, all := range []map[directory.Export]*kept{k.present, k.former} {
		if f := all[x]; f != nil && f.fresh.Revision == revision && f.isDone() && f.err == nil {
			f.readers++
			return f
		}
	}
	return nil
}

// start has the present file made. Who asked first may go away meanwhile.
func (k *Keeper) start(ctx context.Context, x directory.Export, fresh directory.Freshness) *kept {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := k.begin(x, fresh, stop)
	k.present[x] = f
	k.building.Go(func() {
		defer stop()
		k.make(ctx, f, directory.ExportQuery{Export: x, Pin: fresh.Pin()})
	})
	return f
}

func (k *Keeper) begin(x directory.Export, fresh directory.Freshness, stop context.CancelFunc) *kept {
	k.number++
	name := fmt.Sprintf("%s-r%d-%d.%s", x.Table, fresh.Revision, k.number, x.Format)
	f := &kept{export: x, fresh: fresh, path: filepath.Join(k.Dir, name), stop: stop, done: make(chan struct{})}
	k.files[f] = struct{}{}
	return f
}

// retire makes a file the one of the revision before; the one before that
// goes.
func (k *Keeper) retire(f *kept) {
	if older := k.former[f.export]; older != nil {
		k.expire(older)
	}
	k.former[f.export] = f
	f.expiry = time.AfterFunc(k.Linger, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.letGo(f)
		k.expire(f)
	})
}

// letGo has a file made again when it is asked for next.
func (k *Keeper) letGo(f *kept) {
	for _, all := range []map[directory.Export]*kept{k.present, k.former} {
		if all[f.export] == f {
			delete(all, f.export)
		}
	}
}

// expire removes a file once it is made and nobody reads it.
func (k *Keeper) expire(f *kept) {
	f.isExpired = true
	if f.readers == 0 && f.isDone() {
		_ = k.remove(f) // the next start tries again
	}
}

// remove removes a file, as far as the system lets go of what is open: else
// the last reader tries again.
func (k *Keeper) remove(f *kept) error {
	if f.expiry != nil {
		f.expiry.Stop()
	}
	f.isExpired = true
	err := os.Remove(f.path)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err == nil && f.isDone() {
		delete(k.files, f)
	}
	if f.readers > 0 {
		return nil
	}
	return err
}

// release takes the caller from a file's readers.
func (k *Keeper) release(f *kept) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f.readers--; f.isExpired {
		k.expire(f)
	}
}

// open waits for a file that the caller has claimed, and opens it.
func (k *Keeper) open(ctx context.Context, f *kept) (*directory.KeptFile, error) {
	if err := f.wait(ctx); err != nil {
		k.release(f)
		return nil, err
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, k.lost(f, err)
	}
	return &directory.KeptFile{Content: file, Freshness: f.fresh, Close: sync.OnceValue(func() error {
		defer k.release(f)
		return file.Close()
	})}, nil
}

// lost lets go of a file that cannot be opened. If it is gone, whoever removed
// it, it is made anew.
func (k *Keeper) lost(f *kept, why error) error {
	k.mu.Lock()
	k.letGo(f)
	f.isExpired = true
	k.mu.Unlock()
	k.release(f)
	if errors.Is(why, os.ErrNotExist) {
		return errForgotten
	}
	return explain(onDisk(why))
}
