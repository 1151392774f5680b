package db_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// What a mirror said in the life that a restore ended is not believed in the
// next, not even of a revision with the same number and the same instant:
// the clock stands still here.
func TestAfterARestoreNoPinOfTheLostLifeIsHonoured(t *testing.T) {
	for how, copyOf := range map[string]func(t *testing.T, mirror *db.DB, path string) *db.DB{
		"a backup": func(t *testing.T, mirror *db.DB, path string) *db.DB {
			if err := mirror.Backup(t.Context(), path+".copy"); err != nil {
				t.Fatal(err)
			}
			return mirror
		},
		"a plain copy": func(t *testing.T, mirror *db.DB, path string) *db.DB {
			if err := mirror.Close(); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path+".copy", content)
			return dbtest.Open(t, path)
		},
	} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "rollcall.db")
				mirror := dbtest.Open(t, path)
				first := seed(t, mirror)
				mirror = copyOf(t, mirror, path)
				lost := rename(t, mirror, "lost")
				checkPins(t, mirror, map[directory.Pin]error{first.Pin(): nil, lost.Pin(): nil})

				if err := errors.Join(mirror.Close(), os.Rename(path+".copy", path)); err != nil {
					t.Fatal(err)
				}
				mirror = dbtest.Open(t, path)
				checkPins(t, mirror, map[directory.Pin]error{first.Pin(): nil, lost.Pin(): directory.ErrCursorGone})
				next := rename(t, mirror, "next")
				if next.Revision != lost.Revision || !next.PublishedAt.Equal(lost.PublishedAt) {
					t.Fatalf("%+v and %+v do not coincide: nothing is shown", next, lost)
				}
				if next.Pin() == lost.Pin() {
					t.Fatalf("two lives have one pin, %+v", next.Pin())
				}
				want := map[directory.Pin]error{first.Pin(): nil, lost.Pin(): directory.ErrCursorGone, next.Pin(): nil}
				checkPins(t, mirror, want)
				rename(t, mirror, "later")
				checkPins(t, mirror, want)
			})
		})
	}
}

// rename gives the member 1 another name.
func rename(t *testing.T, mirror *db.DB, name string) directory.Freshness {
	t.Helper()
	return publish(t, mirror, directory.Publication{Members: []directory.MemberUpdate{updateMember(memberRow(1, "ann@x.test", name), 0, 1)}})
}

func checkPins(t *testing.T, mirror *db.DB, pins map[directory.Pin]error) {
	t.Helper()
	for pin, want := range pins {
		page, err := mirror.Members(t.Context(), directory.MemberFilter{}, directory.ListQuery{Limit: 1, Pin: &pin})
		if !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %v", pin, err, want)
		}
		if err == nil && page.Pin() != pin {
			t.Errorf("%+v shows %+v", pin, page.Freshness)
		}
	}
}

func TestPinsSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	first, second := seed(t, mirror), rename(t, mirror, "second")
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	checkPins(t, dbtest.Open(t, path), map[directory.Pin]error{first.Pin(): nil, second.Pin(): nil})
}

func TestAFilePutBackBesideTheLogOfAnotherIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	first := seed(t, mirror)
	if err := mirror.Backup(t.Context(), path+".copy"); err != nil {
		t.Fatal(err)
	}
	rename(t, mirror, "lost")
	log, err := os.ReadFile(path + "-wal")
	if err != nil || len(log) == 0 {
		t.Fatal(len(log), err)
	}
	if err := errors.Join(mirror.Close(), os.Rename(path+".copy", path)); err != nil {
		t.Fatal(err)
	}
	write(t, path+"-wal", log) // as a kill would have left it

	before := contents(t, filepath.Dir(path))
	_, err = db.Open(t.Context(), db.Options{Path: path, Organization: dbtest.Organization})
	wantSentence(t, err, path, "log", "delete "+path+"-wal and "+path+"-shm")
	_, err = db.OpenReadOnly(t.Context(), path)
	wantSentence(t, err, "delete "+path+"-wal")
	if d := cmp.Diff(before, contents(t, filepath.Dir(path))); d != "" {
		t.Errorf("a refused Open changed files:\n%s", d)
	}
	if err := os.Remove(path + "-wal"); err != nil {
		t.Fatal(err)
	}
	if fresh, err := dbtest.Open(t, path).Freshness(t.Context()); err != nil || fresh != first {
		t.Errorf("%+v, %v; want %+v", fresh, err, first)
	}
}

func TestALogLeftByAKillIsTakenUp(t *testing.T) {
	dir := t.TempDir()
	mirror := dbtest.Open(t, filepath.Join(dir, "killed.db"))
	seed(t, mirror)
	last := rename(t, mirror, "last")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, "killed.db"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "rollcall.db"+suffix), content)
	}
	if fresh, err := dbtest.Open(t, filepath.Join(dir, "rollcall.db")).Freshness(t.Context()); err != nil || fresh != last {
		t.Errorf("%+v, %v; want %+v", fresh, err, last)
	}
}
