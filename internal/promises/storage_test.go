package promises_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"modernc.org/sqlite"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// writingConnections are those that may write, by the file they write, so
// that a test can have SQLite say what it says when a disk refuses.
var writingConnections = struct {
	sync.Mutex
	of map[string]sqlite.ExecQuerierContext
}{of: map[string]sqlite.ExecQuerierContext{}}

var watchConnections = sync.OnceFunc(func() {
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, dsn string) error {
		file, settings, _ := strings.Cut(strings.TrimPrefix(dsn, "file:"), "?")
		if strings.Contains(settings, "mode=rw") {
			writingConnections.Lock()
			defer writingConnections.Unlock()
			writingConnections.of[file] = conn
		}
		return nil
	})
})

// pragma sets or asks a setting of the one connection that writes a file. The
// connection must be at rest.
func pragma(t *testing.T, path, setting string) string {
	t.Helper()
	writingConnections.Lock()
	conn := writingConnections.of[path]
	writingConnections.Unlock()
	if conn == nil {
		t.Fatalf("no connection writes %s", path)
	}
	rows, err := conn.QueryContext(context.Background(), "PRAGMA "+setting, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	value := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(value); errors.Is(err, io.EOF) {
		return ""
	} else if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(value[0])
}

// Power may fail after any publication: it is on the disk before it is told.
func TestEveryPublicationIsForcedToTheDisk(t *testing.T) {
	watchConnections()
	path := filepath.Join(t.TempDir(), "rollcall.db")
	p := join(t, tallyfysim.New(tallyfysim.Options{}), path, time.Minute, tallyfy.Options{})
	defer p.close()
	p.sweep()
	const full = "2"
	if mode, forced := pragma(t, path, "journal_mode"), pragma(t, path, "synchronous"); mode != "wal" || forced != full {
		t.Errorf("journal_mode is %s, synchronous is %s; want wal and %s (FULL)", mode, forced, full)
	}
}

// A disk that takes nothing more, and one that takes nothing at all.
func TestADiskThatRefusesIsSaidAndSurvived(t *testing.T) {
	watchConnections()
	for name, disk := range map[string]struct{ refuse, relent string }{
		"full":      {"max_page_count = 1", "max_page_count = 1000000"}, // as many as there are
		"read-only": {"query_only = 1", "query_only = 0"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rollcall.db")
			synctest.Test(t, func(t *testing.T) { outlive(t, path, disk.refuse, disk.relent) })
		})
	}
}

func outlive(t *testing.T, path, refuse, relent string) {
	sim := tallyfysim.New(tallyfysim.Options{Seed: 6, Groups: 10, Members: 50, Edges: 100})
	p := join(t, sim, path, time.Minute, tallyfy.Options{})
	defer p.close()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = p.Run(ctx) })
	time.Sleep(time.Minute)
	synctest.Wait()
	if state := p.Status().State; state != directory.StateFresh {
		t.Fatalf("state %s", state)
	}
	before := checkFile(t, path)

	pragma(t, path, refuse)
	for n := range 40 {
		sim.CreateGroup(tallyfysim.Group{Name: fmt.Sprint("Large ", n), Description: strings.Repeat("x", 4000)})
	}
	time.Sleep(3 * time.Minute)
	synctest.Wait()
	status := p.Status()
	if status.State != directory.StateFailing || status.LastError == nil || status.LastError.Reason != directory.ReasonStorage {
		t.Errorf("state %s, last error %+v; want failing for storage", status.State, status.LastError)
	}
	if during := checkFile(t, path); !maps.Equal(before.picture().groups, during.picture().groups) {
		t.Errorf("what is shown has changed:\n%s", differences(before.picture().groups, during.picture().groups))
	}
	if page, err := p.db.Groups(ctx, directory.GroupFilter{}, directory.ListQuery{Limit: 1000}); err != nil || len(page.Rows) != len(before.groups) {
		t.Errorf("%d groups can be read, %v; want %d", len(page.Rows), err, len(before.groups))
	}

	pragma(t, path, relent)
	time.Sleep(6 * time.Minute)
	synctest.Wait()
	if status := p.Status(); status.State != directory.StateFresh {
		t.Errorf("state %s, last error %+v; want fresh again", status.State, status.LastError)
	}
	after, upstream := checkFile(t, path), newChronicle(sim).now()
	if !maps.Equal(after.picture().groups, upstream.groups) {
		t.Errorf("the mirror did not catch up:\n%s", differences(upstream.groups, after.picture().groups))
	}
}
