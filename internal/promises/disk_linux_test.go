package promises_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"rollcall/internal/tallyfysim"
)

// A disk is where a real program keeps its mirror, and how to make it refuse.
type disk struct {
	dir    string
	refuse func(*program)
	relent func(*program)
	some   bool // takes what fits into the files as they are
}

// Real programs on disks that refuse in every way this machine can offer.
func TestTheProgramOutlivesADiskThatRefuses(t *testing.T) {
	needBinary(t)
	for name, prepare := range map[string]func(*testing.T) disk{
		"full":                   fullDisk,
		"files may not grow":     noGrowth,
		"nothing may be written": nothingWritten,
	} {
		t.Run(name, func(t *testing.T) { outliveForReal(t, prepare(t)) })
	}
}

// fullDisk is a small file system of its own that is filled to the brim.
func fullDisk(t *testing.T) disk {
	dir := t.TempDir()
	if err := syscall.Mount("rollcall", dir, "tmpfs", 0, "size=12m"); err != nil {
		t.Skipf("no small file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	return disk{dir: dir, refuse: func(*program) { fill(t, ballast) }, relent: func(*program) {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}}
}

func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// A start that finds no space is refused, and nothing of it is left but what
// was there, and empty side files; with space again it goes on.
func TestAStartOnAFullDiskIsRefused(t *testing.T) {
	stopped, killed, env := specimens(t)
	for name, files := range map[string]specimen{"no mirror": nil, "a mirror": stopped, "a mirror and its log": killed} {
		t.Run(name, func(t *testing.T) {
			d := fullDisk(t)
			path := filepath.Join(d.dir, "rollcall.db")
			for suffix, content := range files {
				if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			env := env.with("ROLLCALL_DB", path)
			d.refuse(nil)
			runToEnd(t, env, "serve").wantRefused(t, 1, path, "no room", "free some", "--db")
			d.relent(nil)
			left := everythingIn(t, d.dir)
			delete(left, "rollcall.db-lock")
			if files["-wal"] == nil && len(left["rollcall.db-wal"]) == 0 {
				delete(left, "rollcall.db-wal")
				delete(left, "rollcall.db-shm")
			}
			if !files.equal(left) {
				t.Errorf("files have changed, now %v", slices.Sorted(maps.Keys(left)))
			}
			if r := runToEnd(t, env, "sync"); r.code != 0 {
				t.Errorf("it does not go on: %s", r.stderr)
			}
			checkFile(t, path)
		})
	}
}

// noGrowth lets the program write no file beyond what its largest has.
func noGrowth(t *testing.T) disk {
	dir := t.TempDir()
	return disk{dir: dir, some: true, refuse: func(p *program) {
		info, err := os.Stat(filepath.Join(dir, "rollcall.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		limitFiles(t, p, uint64(info.Size()))
	}, relent: func(p *program) { limitFiles(t, p, 1<<62) }}
}

// nothingWritten lets the program write nothing into any file.
func nothingWritten(t *testing.T) disk {
	return disk{
		dir:    t.TempDir(),
		refuse: func(p *program) { limitFiles(t, p, 0) },
		relent: func(p *program) { limitFiles(t, p, 1<<62) },
	}
}

// limitFiles sets how large the files may become that a process writes.
func limitFiles(t *testing.T, p *program, size uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: size, Max: 1<<64 - 1}
	_, _, failure := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(p.command.Process.Pid), syscall.RLIMIT_FSIZE,
		uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if failure != 0 {
		t.Fatal(failure)
	}
}

func outliveForReal(t *testing.T, d disk) {
	up := newUpstream(t, tallyfysim.Options{Seed: 6, Groups: 10, Members: 50, Edges: 100})
	path := filepath.Join(d.dir, "rollcall.db")
	env := up.environment(t).with("ROLLCALL_DB", path, "ROLLCALL_POLL_INTERVAL", "200ms")
	p := serve(t, env)
	c := newCaller(t, p, up.sim)
	c.waitFor(t, p, "fresh", "")
	// A first write has several requests noted at once, so that the next can
	// be sent though nothing can be noted.
	if got, err := c.do("POST", c.groupsPath(), map[string]any{"name": "First", "description": "of some", "members": []int64{}, "guests": []string{}}); err != nil || got.status/100 != 2 {
		t.Fatalf("%d %s %v", got.status, got.body, err)
	}
	before := checkFile(t, path).picture()

	d.refuse(p)
	for n := range 60 {
		up.change(func() {
			up.sim.CreateGroup(tallyfysim.Group{Name: fmt.Sprint("Large ", n), Description: strings.Repeat("x", 20000)})
		})
	}
	c.waitFor(t, p, "failing", "storage")
	if shown, err := c.groups(); err != nil || !maps.Equal(shown, before.groups) {
		t.Errorf("reads do not go on: %v\n%s", err, differences(before.groups, shown))
	}
	if r := runToEnd(t, environment{}, "status", "--db", path); r.code != 0 {
		t.Errorf("a reading command is refused: %s", r.stderr)
	}
	written := c.writeOnto(t, up, before)
	if !d.some {
		c.writeUntilRefused(t, up)
	}

	d.relent(p)
	c.waitFor(t, p, "fresh", "")
	written.wantShown(t, c)
	p.stop()
	after, upstream := checkFile(t, path).picture(), up.now()
	if !maps.Equal(after.groups, upstream.groups) {
		t.Errorf("the mirror did not catch up:\n%s", differences(upstream.groups, after.groups))
	}
}

// A written is a write that was made while the disk refused.
type written struct {
	id, mark string
	isSent   bool
}

// writeOnto writes a group through the program. The answer tells the truth:
// the write was not sent, or it is done and reads may not show it yet.
func (c *caller) writeOnto(t *testing.T, up *upstream, before picture) written {
	t.Helper()
	w := written{id: slices.Sorted(maps.Keys(before.groups))[0], mark: "written on a disk that refuses"}
	body := map[string]any{"name": "Written", "description": w.mark, "members": []int64{}, "guests": []string{}}
	got, err := c.do("PUT", c.groupsPath()+"/"+w.id, body)
	if err != nil {
		t.Fatal(err)
	}
	w.isSent = slices.ContainsFunc(up.sim.Requests(), func(r tallyfysim.Request) bool { return r.Method == "PUT" })
	t.Logf("a write that was sent (%t) is answered %d: %s", w.isSent, got.status, got.body)
	isPending := got.header.Get("Rollcall-Refresh") == "pending"
	switch {
	case w.isSent && got.status/100 == 2 && isPending:
	case !w.isSent && got.status/100 == 5 && got.status != http.StatusGatewayTimeout && !isPending:
	default:
		t.Errorf("a write that was sent (%t) is answered %d, pending %t: %s", w.isSent, got.status, isPending, got.body)
	}
	return w
}

// writeUntilRefused makes groups until no request can be noted any more, after
// those that are. The answer says that nothing was sent, and what to do.
func (c *caller) writeUntilRefused(t *testing.T, up *upstream) {
	t.Helper()
	writes := func() (n int) {
		for _, r := range up.sim.Requests() {
			if r.Method == "POST" {
				n++
			}
		}
		return n
	}
	for n := range 20 {
		before := writes()
		got, err := c.do("POST", c.groupsPath(), map[string]any{"name": fmt.Sprint("Refused ", n), "description": "of some", "members": []int64{}, "guests": []string{}})
		switch {
		case err != nil:
			t.Fatal(err)
		case got.status/100 == 2:
			continue
		}
		if got.status != http.StatusServiceUnavailable || !strings.Contains(string(got.body), "Nothing was sent to Tallyfy") || !strings.Contains(string(got.body), "free space") {
			t.Errorf("a write that cannot be noted is answered %d: %s", got.status, got.body)
		}
		if after := writes(); after != before {
			t.Errorf("%d writes were sent", after-before)
		}
		return
	}
	t.Error("every write was sent, though none could be noted")
}

// wantShown wants a write to be shown if it was sent.
func (w written) wantShown(t *testing.T, c *caller) {
	t.Helper()
	if shown, err := c.groups(); err != nil || strings.Contains(shown[w.id], w.mark) != w.isSent {
		t.Errorf("the group is shown as %s, %v; sent %t", shown[w.id], err, w.isSent)
	}
}
