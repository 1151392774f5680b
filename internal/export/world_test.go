package export

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// A world is a keeper of a real mirror.
type world struct {
	*Keeper
	t      testing.TB
	mirror *db.DB
	minute int
}

var noon = time.Date(1999, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, mirror: dbtest.New(t)}
	o := Options{
		Dir: filepath.Join(t.TempDir(), "exports"), Source: w.mirror, Logger: slog.New(slog.DiscardHandler),
		Cursor:    func(p directory.FeedPlace) string { return fmt.Sprint(p.Revision, p.Key) },
		Pseudonym: []byte("a secret of sixteen bytes or more"),
	}
	for _, f := range change {
		f(&o)
	}
	var err error
	if w.Keeper, err = New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// publish makes a revision of groups and members as a sweep saw them a minute
// after the one before.
func (w *world) publish(groups []directory.Group, members []directory.Member) directory.Freshness {
	w.t.Helper()
	from := noon.Add(time.Duration(w.minute) * time.Minute)
	w.minute++
	origin := directory.Origin{Cause: directory.CauseSweep, Bounds: directory.Bounds{NotBefore: from, NotAfter: from.Add(time.Minute)}}
	if w.minute == 1 {
		origin.NotBefore = time.Time{}
	}
	p := directory.Publication{Cause: directory.CauseSweep, Sweep: &directory.Sweep{BeganAt: from, EndedAt: from.Add(time.Minute), Result: directory.SweepPublished}}
	for i, g := range groups {
		row := directory.GroupRow{Group: g, Form: directory.ListForm, Payload: []byte(`{}`), Fingerprint: directory.Fingerprint{Row: int64(w.minute*1000 + i)}}
		p.Groups = append(p.Groups, directory.GroupUpdate{Row: &row, ConfirmedAt: from, Attributes: origin, Members: origin, Guests: origin})
	}
	for i, m := range members {
		row := directory.MemberRow{Member: m, Form: directory.ListForm, Payload: []byte(`{}`), Fingerprint: directory.Fingerprint{Row: int64(w.minute*1000 + i)}}
		p.Members = append(p.Members, directory.MemberUpdate{Row: &row, ConfirmedAt: from, Origin: origin})
	}
	fresh, err := w.mirror.Publish(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	return fresh
}

const (
	sales = "0f0000000000000000000000000000aa"
	other = "0f0000000000000000000000000000bb"
)

// somePeople are a small organisation of awkward texts: quotes, line ends, what
// spreadsheets take for formulas, empty ones.
func somePeople() ([]directory.Group, []directory.Member) {
	created := time.Date(1999, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	groups := []directory.Group{
		{ID: sales, Name: `Sales "north", south`, Description: new("two\r\nlines\nand <b>\u2028</b>"), Members: []int64{1, 2, 99}, Guests: []string{"Guest@x.test"}, CreatedAt: created},
		{ID: other, Name: "=1+1", Description: new(""), Logo: new("https://x.test/logo.png"), Members: []int64{2}, UpdatedAt: created.Truncate(time.Second)},
	}
	members := []directory.Member{
		{ID: 1, Email: "Ann@x.test", FirstName: new("Ann"), LastName: new("Ünal"), FullName: new("Ann Ünal"), Role: new("admin"), Status: directory.Active, JobTitle: new("-1"), Team: new("A"), Timezone: new("UTC"), LastLoginAt: created, CreatedAt: created, UpdatedAt: created},
		{ID: 2, Email: "@bob", FullName: new(" Bob"), Status: directory.Disabled},
		{ID: 9007199254740993, Email: "cy@x.test", Status: directory.Invited},
	}
	return groups, members
}

func (w *world) publishPeople() directory.Freshness {
	groups, members := somePeople()
	return w.publish(groups, members)
}

func csvOf(table string) directory.Export { return directory.Export{Table: table, Format: "csv"} }
func ndjsonOf(table string) directory.Export {
	return directory.Export{Table: table, Format: "ndjson"}
}

func (w *world) keep(x directory.Export) string {
	w.t.Helper()
	file, err := w.Keep(w.t.Context(), x)
	if err != nil {
		w.t.Fatal(err)
	}
	return contentOf(w.t, file)
}

func contentOf(t testing.TB, file *directory.KeptFile) string {
	t.Helper()
	content, err := io.ReadAll(file.Content)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// inDir lists what the keeper's folder holds.
func (w *world) inDir() []string {
	w.t.Helper()
	entries, err := os.ReadDir(w.Dir)
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// A slowed source lets a test hold reads of groups up, or fail them.
type slowed struct {
	*db.DB
	began chan struct{} // gets one value a read
	hold  chan struct{}
	err   error
}

func (s *slowed) Groups(ctx context.Context, f directory.GroupFilter, q directory.ListQuery) (directory.Page[directory.Group], error) {
	if s.began != nil {
		s.began <- struct{}{}
	}
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return directory.Page[directory.Group]{}, ctx.Err()
		}
	}
	if s.err != nil && q.After != nil {
		return directory.Page[directory.Group]{}, s.err
	}
	return s.DB.Groups(ctx, f, q)
}
