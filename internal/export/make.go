package export

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"rollcall/internal/directory"
)

// make makes a file and tells those who wait for it. One is made at a time,
// so that many who ask for many do not take the machine.
func (k *Keeper) make(ctx context.Context, f *kept, q directory.ExportQuery) {
	began := time.Now()
	err := k.makeInTurn(ctx, f, q)
	k.mu.Lock()
	defer k.mu.Unlock()
	if f.isRevoked {
		err = errForgotten
	}
	f.err = err
	close(f.done)
	if err != nil {
		k.letGo(f)
		_ = k.remove(f)
	} else if f.isExpired {
		k.expire(f)
	}
	switch {
	case err == nil:
		k.Logger.Debug("export made", "table", f.export.Table, "format", f.export.Format, "revision", f.fresh.Revision, "duration", time.Since(began))
	case errors.Is(err, directory.ErrNotKept):
		k.Logger.Error("export not made", "table", f.export.Table, "format", f.export.Format, "revision", f.fresh.Revision, "error", err)
	}
}

func (k *Keeper) makeInTurn(ctx context.Context, f *kept, q directory.ExportQuery) error {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	partial := f.path + ".partial"
	err := k.fill(ctx, partial, q)
	if err == nil {
		err = onDisk(os.Rename(partial, f.path))
	}
	if err != nil {
		for _, suffix := range []string{"", "-journal"} {
			_ = os.Remove(partial + suffix)
		}
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // whatever it looked like
	}
	return explain(err)
}

// fill makes a file under a name that nobody reads.
func (k *Keeper) fill(ctx context.Context, path string, q directory.ExportQuery) error {
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return onDisk(err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return onDisk(err)
	}
	if q.Table != snapshot {
		return errors.Join(k.Stream(ctx, disk{file}, q), onDisk(file.Close()))
	}
	if err := file.Close(); err != nil {
		return onDisk(err)
	}
	return k.writeSnapshot(ctx, q, path)
}

// makeFolder makes a folder that its owner alone may look into, or makes one
// so that is there.
func makeFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, os.ErrExist) {
		return os.Chmod(path, 0o700) //nolint:gosec // a folder
	}
	return err
}
