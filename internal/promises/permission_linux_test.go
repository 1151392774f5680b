package promises_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

// nobody is whom the program runs as where the tests run as root, whom no
// permission binds.
const nobody = 65534

// A place that cannot be written is refused in one sentence, and nothing in it
// is changed.
func TestAPlaceThatCannotBeWrittenIsRefused(t *testing.T) {
	stopped, killed, env := specimens(t)
	for name, place := range map[string]struct {
		files  specimen
		folder os.FileMode
		file   os.FileMode
	}{
		"an empty folder":                    {nil, 0o500, 0o600},
		"a folder with a mirror":             {stopped, 0o500, 0o600},
		"a folder with a mirror and its log": {killed, 0o500, 0o600},
		"a mirror":                           {stopped, 0o700, 0o400},
		"a mirror and its log":               {killed, 0o700, 0o400},
		"a mirror that is nobody's to read":  {stopped, 0o700, 0o000},
	} {
		t.Run(name, func(t *testing.T) {
			path := place.files.lay(t)
			relax := restrict(t, path, place.folder, place.file)
			for _, command := range []string{"serve", "sync"} {
				runAsNobody(t, env.with("ROLLCALL_DB", path), command).wantRefused(t, 1, path, "--db")
			}
			relax()
			if left := everythingIn(t, filepath.Dir(path)); !place.files.equal(left) {
				t.Errorf("files have changed, now %v", slices.Sorted(maps.Keys(left)))
			}
		})
	}
}

// What may only be read is read: there is nothing to write. Where the log of a
// server that was killed would have to be indexed, the truth is told.
func TestAMirrorIsReadWhereNothingCanBeWritten(t *testing.T) {
	stopped, killed, env := specimens(t)
	atRest := stopped.clone()
	atRest["-wal"] = nil
	forgotten := stopped.clone()
	forgotten["-shm"] = make([]byte, 32<<10)
	indexed := func(path string) { runToEnd(t, env, "status", "--db", path) }
	for name, place := range map[string]struct {
		files   specimen
		folder  os.FileMode
		file    os.FileMode
		prepare func(path string)
		refused []string
	}{
		"a folder":                       {stopped, 0o500, 0o400, nil, nil},
		"a folder, with an empty log":    {atRest, 0o500, 0o400, nil, nil},
		"a folder, with an index alone":  {forgotten, 0o500, 0o400, nil, nil},
		"a folder, with log and index":   {killed, 0o500, 0o400, indexed, nil},
		"a file":                         {stopped, 0o700, 0o400, nil, nil},
		"a file and its log":             {killed, 0o700, 0o400, nil, nil},
		"a folder, with a log":           {killed, 0o500, 0o400, nil, []string{"has a log", "start the server on it", "rollcall.db-wal to another folder"}},
		"nobody's to read":               {stopped, 0o500, 0o000, nil, []string{"cannot read the mirror", "permission denied", "run as"}},
		"nobody's to read, with its log": {killed, 0o700, 0o000, nil, []string{"cannot read the mirror", "permission denied", "run as"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := place.files.lay(t)
			if place.prepare != nil {
				place.prepare(path)
			}
			want := freshness(t, place.files.lay(t)).Revision
			before := everythingIn(t, filepath.Dir(path))
			relax := restrict(t, path, place.folder, place.file)
			for _, command := range [][]string{{"status", "--output", "json"}, {"groups", "1001"}} {
				r := runAsNobody(t, env, append(command, "--db", path)...)
				switch {
				case place.refused != nil:
					r.wantRefused(t, 1, append(place.refused, path, "--db")...)
				case r.code != 0:
					t.Errorf("%s is refused: %s", command[0], r.stderr)
				case command[0] == "status" && !strings.Contains(r.stdout, fmt.Sprintf(`"revision":%d,`, want)):
					t.Errorf("revision %d is not shown: %s", want, r.stdout)
				}
			}
			relax()
			if left := everythingIn(t, filepath.Dir(path)); place.folder == 0o500 && !maps.EqualFunc(before, left, bytes.Equal) {
				t.Errorf("files have changed, now %v", slices.Sorted(maps.Keys(left)))
			}
		})
	}
}

// runAsNobody runs a command as somebody whom permissions bind.
func runAsNobody(t *testing.T, env environment, args ...string) run {
	t.Helper()
	return runToEndAs(t, env, func(command *exec.Cmd) {
		if os.Geteuid() == 0 {
			command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
	}, args...)
}

// restrict gives the files to whom the program runs as, with these rights,
// until relax is called.
func restrict(t *testing.T, path string, folder, file os.FileMode) (relax func()) {
	t.Helper()
	dir := filepath.Dir(path)
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // that of the test, which is its owner's alone
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		own(t, name, file)
	}
	own(t, dir, folder)
	relax = sync.OnceFunc(func() {
		err := os.Chmod(dir, 0o700)
		for _, name := range files {
			err = errors.Join(err, os.Chmod(name, 0o600))
		}
		if err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(relax)
	return relax
}

func own(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if os.Geteuid() == 0 {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// A running program whose files turn immutable under it, as they do when the
// system remounts a failing disk for reading only.
func TestTheProgramOutlivesADiskThatTurnsReadOnly(t *testing.T) {
	needBinary(t)
	dir := t.TempDir()
	names := []string{"rollcall.db", "rollcall.db-wal"}
	t.Cleanup(func() {
		for _, name := range names {
			_ = setImmutable(filepath.Join(dir, name), false) // or the folder cannot be removed
		}
	})
	probe := filepath.Join(dir, "probe")
	if err := os.WriteFile(probe, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := setImmutable(probe, true); err != nil {
		t.Skipf("files cannot be made immutable here: %v", err)
	}
	if err := setImmutable(probe, false); err != nil {
		t.Fatal(err)
	}
	all := func(immutable bool) func(*program) {
		return func(*program) {
			for _, name := range names {
				if err := setImmutable(filepath.Join(dir, name), immutable); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	outliveForReal(t, disk{dir: dir, refuse: all(true), relent: all(false)})
}

// setImmutable sets what chattr +i sets.
func setImmutable(path string, immutable bool) error {
	const getFlags, setFlags, flag = 0x80086601, 0x40086602, 0x10
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var flags int32
	if _, _, failure := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), getFlags, uintptr(unsafe.Pointer(&flags))); failure != 0 {
		return failure
	}
	flags &^= flag
	if immutable {
		flags |= flag
	}
	if _, _, failure := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), setFlags, uintptr(unsafe.Pointer(&flags))); failure != 0 {
		return failure
	}
	return nil
}
