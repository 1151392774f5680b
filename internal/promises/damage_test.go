package promises_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rollcall/internal/db"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func TestADamagedFileIsRefusedAndLeftAsItIs(t *testing.T) {
	stopped, killed, env := specimens(t)
	half := func(s specimen) { s[""] = s[""][:len(s[""])/8192*4096] }
	aByte := func(s specimen) { s[""] = s[""][:len(s[""])-1] }
	aPage := func(s specimen) { s[""] = s[""][:len(s[""])-4096] }
	noHeader := func(s specimen) { clear(s[""][:100]) }
	for name, damage := range map[string]struct {
		of  specimen
		how func(specimen)
	}{
		"cut in half":              {stopped, half},
		"cut in half, with a log":  {killed, half},
		"cut by a byte":            {stopped, aByte},
		"cut by a page":            {stopped, aPage},
		"cut within the header":    {stopped, func(s specimen) { s[""] = s[""][:50] }},
		"header overwritten":       {stopped, func(s specimen) { garbage(s[""], 0, 100) }},
		"header zeroed":            {stopped, noHeader},
		"header zeroed with a log": {killed, noHeader},
		"emptied, with a log":      {killed, func(s specimen) { s[""] = nil }},
		"log without its head":     {killed, func(s specimen) { garbage(s["-wal"], 0, 32) }},
		"log with a zeroed head":   {killed, func(s specimen) { clear(s["-wal"][:32]) }},
		"log without a beginning":  {killed, func(s specimen) { garbage(s["-wal"], 32, 5000) }},
		"schema overwritten":       {stopped, func(s specimen) { garbage(s[""], 100, 3900) }},
		"text":                     {stopped, func(s specimen) { s[""] = bytes.Repeat([]byte("no database\n"), 1000) }},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := damage.of.clone()
			damage.how(damaged)
			damaged.refusedEverywhere(t, env, "damaged", "left as it is", "--db")
		})
	}
}

func TestAnotherProgramsDatabaseIsRefusedAndLeftAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	execute(t, path, "CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner TEXT); INSERT INTO accounts (owner) VALUES ('somebody')")
	up := newUpstream(t, tallyfysim.Options{})
	take(t, path).refusedEverywhere(t, up.environment(t), "not Rollcall's", "--db")
}

func TestAFolderIsNoFile(t *testing.T) {
	up := newUpstream(t, tallyfysim.Options{})
	dir := t.TempDir()
	env := up.environment(t).with("ROLLCALL_DB", dir)
	for _, command := range [][]string{{"serve"}, {"sync"}} {
		runToEnd(t, env, command...).wantRefused(t, 1, dir, "folder", "--db")
	}
	if left := everythingIn(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", slices.Sorted(maps.Keys(left)))
	}
}

// A start that is killed between the making of a file and its first table
// leaves an empty one, so that one is no damage.
func TestAnEmptyFileIsTakenUp(t *testing.T) {
	up := newUpstream(t, tallyfysim.Options{Groups: 3, Members: 5})
	env := up.environment(t)
	path := specimen{"": nil}.lay(t)
	if r := runToEnd(t, env.with("ROLLCALL_DB", path), "sync"); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	checkFile(t, path)
}

// What a power failure or another hand does to the last write in the log looks
// like a write that was under way: SQLite keeps what came before it. Anything
// before that is refused. Either way nothing is shown that upstream never had,
// the file is whole, and no cursor of the life that was lost is honoured.
func TestADamagedLogNeverMakesTheFileWrong(t *testing.T) {
	_, killed, env := specimens(t)
	length := len(killed["-wal"])
	for name, how := range map[string]func(specimen){
		"cut within the last frame": func(s specimen) { s["-wal"] = s["-wal"][:length-100] },
		"cut in half":               func(s specimen) { s["-wal"] = s["-wal"][:length/2] },
		"overwritten in the middle": func(s specimen) { garbage(s["-wal"], length/2, 5000) },
		"one bit turned":            func(s specimen) { s["-wal"][length*2/3] ^= 1 },
		"something else":            func(s specimen) { garbage(s["-wal"], 0, length) },
		"lost":                      func(s specimen) { delete(s, "-wal") },
	} {
		t.Run(name, func(t *testing.T) {
			damaged := killed.clone()
			how(damaged)
			path := damaged.lay(t)
			if r := runToEnd(t, env.with("ROLLCALL_DB", path), "status", "--db", path); r.code != 0 {
				damaged.refusedEverywhere(t, env, "--db")
				return
			}
			damagedLogIsCutOff(t, env, killed.lay(t), path)
		})
	}
}

// damagedLogIsCutOff wants path to hold the beginning of what whole does.
func damagedLogIsCutOff(t *testing.T, env environment, whole, path string) {
	t.Helper()
	before, after := checkFile(t, whole), checkFile(t, path)
	feed, beginning := before.feed(), after.feed()
	if len(beginning) > len(feed) || !slices.Equal(beginning, feed[:len(beginning)]) {
		t.Errorf("the feed of %d changes is not the beginning of the %d there were", len(beginning), len(feed))
	}
	if len(beginning) == len(feed) {
		return
	}
	lost := freshness(t, whole).Pin()
	if r := runToEnd(t, env.with("ROLLCALL_DB", path), "sync"); r.code != 0 {
		t.Errorf("it does not go on: %s", r.stderr)
	}
	checkFile(t, path)
	again, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Groups(t.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 1, Pin: &lost}); !errors.Is(err, directory.ErrCursorGone) {
		t.Errorf("a cursor of the life that was lost is honoured: %v", err)
	}
}

func freshness(t *testing.T, path string) directory.Freshness {
	t.Helper()
	mirror, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer mirror.Close()
	f, err := mirror.Freshness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}
