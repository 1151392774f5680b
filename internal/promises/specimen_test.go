package promises_test

import (
	"bytes"
	"crypto/rand"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rollcall/internal/tallyfysim"
)

// A specimen is a file of the program with the side files that it left.
type specimen map[string][]byte // by suffix

func (s specimen) clone() specimen {
	c := specimen{}
	for suffix, content := range s {
		c[suffix] = bytes.Clone(content)
	}
	return c
}

// specimens are what a stop and a kill leave.
func specimens(t *testing.T) (stopped, killed specimen, env environment) {
	t.Helper()
	up := newUpstream(t, tallyfysim.Options{Seed: 4, Groups: 12, Members: 60, Edges: 200, Guests: 5})
	env = up.environment(t).with("ROLLCALL_POLL_INTERVAL", "1h")
	path := env["ROLLCALL_DB"]
	p := serve(t, env)
	newCaller(t, p, up.sim).waitFor(t, p, "fresh", "")
	p.stop()
	stopped = take(t, path)
	for n := range 3 {
		up.change(func() {
			up.sim.CreateGroup(tallyfysim.Group{Name: throughPrefix, Members: []int64{1001, 1002, int64(1003 + n)}})
		})
		p = serve(t, env)
		c := newCaller(t, p, up.sim)
		if got, err := c.do("POST", "/v1/sync?wait=30s", nil); err != nil || got.status != 200 {
			t.Fatalf("%d %s %v", got.status, got.body, err)
		}
		p.kill()
	}
	return stopped, take(t, path), env
}

func take(t *testing.T, path string) specimen {
	t.Helper()
	s := specimen{}
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err == nil {
			s[suffix] = content
		} else if !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return s
}

func (s specimen) lay(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "rollcall.db")
	for suffix, content := range s {
		if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// garbage overwrites part of a file.
func garbage(content []byte, from, length int) {
	_, _ = rand.Read(content[from:min(from+length, len(content))]) // it does not fail
}

// refusedEverywhere wants every command that takes a file to refuse this one
// in one sentence, and file and log to be as they were, byte for byte. An
// index that SQLite makes beside a log holds nothing.
func (s specimen) refusedEverywhere(t *testing.T, env environment, says ...string) {
	t.Helper()
	path := s.lay(t)
	env = env.with("ROLLCALL_DB", path)
	for _, command := range [][]string{{"serve"}, {"sync"}, {"status", "--db", path}, {"groups", "--db", path, "1001"}} {
		runToEnd(t, env, command...).wantRefused(t, 1, append(says, path)...)
		if left := everythingIn(t, filepath.Dir(path)); !s.equal(left) {
			t.Errorf("%s changed the files: %v", command[0], slices.Sorted(maps.Keys(left)))
		}
	}
}

// equal compares with what lies in a folder. An index that SQLite makes beside
// a log holds nothing.
func (s specimen) equal(left map[string][]byte) bool {
	expected := map[string][]byte{}
	for suffix, content := range s {
		expected["rollcall.db"+suffix] = content
	}
	if len(s["-wal"]) > 0 {
		delete(left, "rollcall.db-shm")
	}
	return maps.EqualFunc(expected, left, bytes.Equal)
}

func everythingIn(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if all[file.Name()], err = os.ReadFile(filepath.Join(dir, file.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
