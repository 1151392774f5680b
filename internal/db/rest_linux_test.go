package db_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
)

// readAtRest opens a mirror that nobody has open in a folder that cannot be
// written, until relax is called.
func readAtRest(t *testing.T) (reader *db.DB, path string, relax func()) {
	t.Helper()
	dir, relax, restrict := folderOfItsOwn(t)
	path = filepath.Join(dir, "rollcall.db")
	closed(t, path)
	restrict()
	before := filesIn(t, dir)
	reader, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	if d := cmp.Diff(before, filesIn(t, dir)); d != "" {
		t.Error(d)
	}
	return reader, path, relax
}

// folderOfItsOwn is a folder that can be made one that nothing can be written
// to: by its mode or, as that binds no root, by a file system of its own.
func folderOfItsOwn(t *testing.T) (dir string, relax, restrict func()) {
	t.Helper()
	dir = t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() != 0 {
		relax = func() { must(os.Chmod(dir, 0o700)) }
		t.Cleanup(relax)
		return dir, relax, func() { must(os.Chmod(dir, 0o500)) }
	}
	if err := syscall.Mount("rollcall", dir, "tmpfs", 0, "size=12m"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { must(syscall.Unmount(dir, 0)) })
	return dir,
		func() { must(syscall.Mount("rollcall", dir, "tmpfs", syscall.MS_REMOUNT, "")) },
		func() { must(syscall.Mount("rollcall", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")) }
}

func TestAMirrorAtRestIsReadWithoutSideFiles(t *testing.T) {
	reader, path, _ := readAtRest(t)
	if fresh, err := reader.Freshness(t.Context()); err != nil || fresh.Revision != 1 {
		t.Errorf("revision %d, %v", fresh.Revision, err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := errors.Join(reader.Backup(t.Context(), copied), reader.Close()); err != nil {
		t.Fatal(err)
	}
	if fresh, err := dbtest.Open(t, copied).Freshness(t.Context()); err != nil || fresh.Revision != 1 {
		t.Errorf("the copy of %s shows revision %d, %v", path, fresh.Revision, err)
	}
}

// Nobody can tell a writer that somebody reads without side files.
func TestAMirrorThatIsWrittenWhileItIsReadAtRestIsNotBelieved(t *testing.T) {
	for name, isOpen := range map[string]bool{"and left": false, "and kept open": true} {
		t.Run(name, func(t *testing.T) {
			reader, path, relax := readAtRest(t)
			relax()
			mirror := dbtest.Open(t, path)
			rename(t, mirror, "second")
			if !isOpen {
				if err := mirror.Close(); err != nil {
					t.Fatal(err)
				}
			}
			dir := t.TempDir()
			wantSentence(t, reader.Backup(t.Context(), filepath.Join(dir, "copy.db")), path, "written while it was read", "again")
			if left := filesIn(t, dir); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			wantSentence(t, reader.Close(), path, "written while it was read")
		})
	}
}
