package export

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/directory"
)

// newSlowed is a world whose groups are read when the test lets them.
func newSlowed(t *testing.T, source *slowed) *world {
	t.Helper()
	w := newWorld(t, func(o *Options) {
		source.DB = o.Source.(*db.DB)
		o.Source = source
	})
	w.publishPeople()
	return w
}

func TestAFileIsMadeOnceForAllWhoAsk(t *testing.T) {
	source := &slowed{began: make(chan struct{}, 100), hold: make(chan struct{})}
	w := newSlowed(t, source)
	var asking sync.WaitGroup
	contents := make([]string, 20)
	for i := range contents {
		asking.Go(func() { contents[i] = w.keep(csvOf("groups")) })
	}
	<-source.began
	close(source.hold)
	asking.Wait()
	for _, content := range contents {
		if content != contents[0] || content == "" {
			t.Fatal("not all got the same")
		}
	}
	if n := len(source.began); n != 0 {
		t.Errorf("groups were read %d times more than once", n)
	}
	if names := w.inDir(); len(names) != 1 {
		t.Error(names)
	}
}

func TestWhoAskedFirstMayGoAway(t *testing.T) {
	source := &slowed{began: make(chan struct{}, 100), hold: make(chan struct{})}
	w := newSlowed(t, source)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := w.Keep(ctx, csvOf("groups"))
		gone <- err
	}()
	<-source.began
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(source.hold)
	if w.keep(csvOf("groups")) == "" || len(source.began) != 0 {
		t.Error("the file was made twice")
	}
}

func TestTheFileOfTheRevisionBeforeStaysAWhileAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		x, groups := csvOf("groups"), []directory.Group{{ID: sales, Name: "First"}}
		revisions := func() (there []int64) {
			for revision := range int64(9) {
				if file, ok := w.Kept(t.Context(), x, revision); ok {
					there = append(there, revision)
					if err := file.Close(); err != nil {
						t.Error(err)
					}
				}
			}
			return there
		}
		wants := func(revision ...int64) {
			t.Helper()
			if diff := cmp.Diff(revision, revisions()); diff != "" || len(w.inDir()) != len(revision) {
				t.Error(diff, w.inDir())
			}
		}
		for _, name := range []string{"First", "Second", "Third"} {
			groups[0].Name = name
			w.publish(groups, nil)
			if !strings.Contains(w.keep(x), name) {
				t.Error("not the present file")
			}
		}
		wants(2, 3)
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		wants(3)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.mirror.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAFileStaysWhileSomebodyReadsIt(t *testing.T) {
	w := newWorld(t)
	groups := []directory.Group{{ID: sales, Name: "First"}}
	w.publish(groups, nil)
	path, fresh, release, err := w.Snapshot(t.Context())
	if err != nil || fresh.Revision != 1 {
		t.Fatal(fresh, err)
	}
	for _, name := range []string{"Second", "Third", "Fourth"} {
		groups[0].Name = name
		w.publish(groups, nil)
		_, _, done, err := w.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done()
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	release()
	release() // once counts
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("nobody reads it any more, and it is there:", err)
	}
	if names := w.inDir(); len(names) != 2 {
		t.Error(names)
	}
}

func TestWhatAKilledProcessLeftIsClearedAtTheStart(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"members-r7-3.csv", "groups-r1-1.parquet.partial", "snapshot-r2-9.sqlite.partial-journal", "mine.csv", "members.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorld(t, func(o *Options) { o.Dir = dir })
	if diff := cmp.Diff([]string{"members.csv", "mine.csv"}, w.inDir()); diff != "" {
		t.Error(diff)
	}
	w.publishPeople()
	w.keep(csvOf("members"))
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Error(info, err)
	}
	for _, name := range w.inDir() {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(info, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"members.csv", "mine.csv"}, w.inDir()); diff != "" {
		t.Error("after closing", diff)
	}
	if _, err := w.Keep(t.Context(), csvOf("members")); !errors.Is(err, directory.ErrNotKept) {
		t.Error(err)
	}
}

func TestForgettingLeavesNoFileNotEvenOneBeingMade(t *testing.T) {
	source := &slowed{began: make(chan struct{}, 100), hold: make(chan struct{})}
	w := newSlowed(t, source)
	w.keep(csvOf("members"))
	read, err := w.Keep(t.Context(), ndjsonOf("members"))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() { got <- w.keep(csvOf("groups")) }()
	<-source.began
	if err := w.Forget(); err != nil {
		t.Fatal(err)
	}
	<-source.began // it is made anew
	for _, name := range w.inDir() {
		if !strings.HasSuffix(name, ".partial") {
			t.Error(name, "is still there")
		}
	}
	close(source.hold)
	if <-got == "" {
		t.Error("who asked got nothing")
	}
	if contentOf(t, read) == "" {
		t.Error("who had begun to read did not get the rest")
	}
	if names := w.inDir(); len(names) != 1 {
		t.Error(names)
	}
}

func TestAFailureLeavesNothingAndIsTriedAgain(t *testing.T) {
	source := &slowed{err: errors.New("the mirror broke")}
	w := newSlowed(t, source)
	many := make([]directory.Group, 1500)
	for i := range many {
		many[i] = directory.Group{ID: strings.Repeat("0", 28) + string([]byte{byte('a' + i/1000), byte('a' + i/100%10), byte('a' + i/10%10), byte('a' + i%10)}), Name: "G"}
	}
	w.publish(many, nil)
	for _, x := range []directory.Export{csvOf("groups"), {Table: "groups", Format: "parquet"}, {Table: snapshot, Format: "sqlite"}} {
		if _, err := w.Keep(t.Context(), x); !errors.Is(err, source.err) || errors.Is(err, directory.ErrNotKept) {
			t.Error(x, err)
		}
	}
	if err := w.Stream(t.Context(), io.Discard, directory.ExportQuery{Export: ndjsonOf("groups"), Pin: w.pin()}); !errors.Is(err, source.err) {
		t.Error(err)
	}
	if names := w.inDir(); len(names) != 0 {
		t.Error(names)
	}
	source.err = nil
	if rows := strings.Count(w.keep(csvOf("groups")), "\r\n"); rows < 1500 {
		t.Error(rows, "lines")
	}
}

func (w *world) pin() directory.Pin {
	w.t.Helper()
	fresh, err := w.mirror.Freshness(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return fresh.Pin()
}

func TestAPlaceThatCannotBeWrittenIsToldApart(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Dir = filepath.Join(o.Dir, "in", "no", "folder") })
	w.publishPeople()
	for _, x := range []directory.Export{csvOf("groups"), {Table: snapshot, Format: "sqlite"}} {
		if _, err := w.Keep(t.Context(), x); !errors.Is(err, directory.ErrNotKept) {
			t.Error(err)
		}
	}
	if _, _, _, err := w.Snapshot(t.Context()); !errors.Is(err, directory.ErrNotKept) {
		t.Error(err)
	}
}

func TestAFullDiskIsToldApart(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no disk that is always full")
	}
	defer full.Close()
	w := newWorld(t)
	w.publishPeople()
	for _, format := range []string{"csv", "ndjson", "parquet"} {
		err := w.Stream(t.Context(), disk{full}, directory.ExportQuery{Export: directory.Export{Table: "members", Format: format}, Pin: w.pin()})
		if !errors.Is(explain(err), directory.ErrNotKept) {
			t.Error(format, err)
		}
	}
}

func TestAFileForOneIsGoneWhenItIsClosed(t *testing.T) {
	w := newWorld(t)
	first := w.publishPeople()
	w.publish([]directory.Group{{ID: sales, Name: "Renamed"}}, nil)
	file, err := w.Once(t.Context(), directory.ExportQuery{Export: directory.Export{Table: snapshot, Format: "sqlite"}, Pin: first.Pin()})
	if err != nil {
		t.Fatal(err)
	}
	if content := contentOf(t, file); strings.Contains(content, "Renamed") || !strings.HasPrefix(content, "SQLite format 3") || file.Revision != 1 {
		t.Error("not the file of then")
	}
	if names := w.inDir(); len(names) != 0 {
		t.Error(names)
	}
}

func TestAFileThatSomebodyRemovedIsMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.publishPeople()
	before := w.keep(csvOf("groups"))
	if err := os.RemoveAll(w.Dir); err != nil {
		t.Fatal(err)
	}
	if w.keep(csvOf("groups")) != before {
		t.Error("another file")
	}
}
