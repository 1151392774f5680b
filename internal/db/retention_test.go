package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/internal/db"
	"rollcall/internal/directory"
)

func TestWhatIsKeptReadsAsItWasAndNothingElseIsLeft(t *testing.T) {
	atMost(t, 15)
	rapid.Check(t, func(r *rapid.T) {
		s := newStory(r, t.TempDir())
		defer s.mirror.Close()
		for range rapid.IntRange(1, 6).Draw(r, "publications") {
			s.publish()
		}
		first := rapid.IntRange(0, len(s.past)-1).Draw(r, "first kept")
		from := s.past[first].fresh.PublishedAt.Add(time.Duration(rapid.IntRange(0, 1).Draw(r, "after")) * time.Second)

		s.minute++
		s.keepFrom(from)
		s.refuseBefore(first)
		for _, m := range s.past {
			s.compare(m) // walks that had begun go on
		}
		s.compareKept(first)

		s.minute += 60
		s.keepFrom(from)
		s.refuseBefore(first)
		for _, m := range s.past[:first] {
			if _, err := s.mirror.Groups(r.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 1, Pin: new(m.fresh.Pin())}); !errors.Is(err, directory.ErrCursorGone) {
				r.Fatalf("a walk at revision %d goes on: %v", m.fresh.Revision, err)
			}
		}
		for _, m := range s.past[first:] {
			s.compare(m)
		}
		s.compareKept(first)
		s.wantNothingDead(s.past[first].fresh.Revision)

		s.forgetSpellings(first)
		s.publish()
		s.compareKept(first)
		s.compareSingles()
		s.compareCounts()
	})
}

// forgetSpellings has guests whom no kept state knows be seen for the first
// time when they come again.
func (s *story) forgetSpellings(first int) {
	for key := range s.spelling {
		isKept := slices.ContainsFunc(s.past[first:], func(m moment) bool {
			for _, g := range m.world.groups {
				if g.guests[key] != nil {
					return true
				}
			}
			return false
		})
		if !isKept {
			delete(s.spelling, key)
		}
	}
}

func (s *story) keepFrom(from time.Time) {
	if err := s.mirror.Keep(s.t.Context(), s.clock().Sub(from)); err != nil {
		s.t.Fatal(err)
	}
}

// compareKept asks for every state that is kept, by number, at its
// publication and a moment later.
func (s *story) compareKept(first int) {
	for i, m := range s.past[first:] {
		for _, at := range []directory.AsOf{
			{Revision: int64(first + i + 1)}, {Instant: m.fresh.PublishedAt}, {Instant: m.fresh.PublishedAt.Add(time.Second)},
		} {
			s.compareAt(m, at)
			page, err := s.mirror.Groups(s.t.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 1, AsOf: &at})
			if err != nil || page.Then.ConfirmedBefore.IsZero() || !page.ConfirmedAt.Equal(page.Then.ConfirmedBefore) {
				s.t.Fatalf("as of %+v: confirmed at %+v, %v", at, page.Then, err)
			}
		}
	}
	since, err := s.mirror.KeptSince(s.t.Context())
	if err != nil || !since.Equal(s.past[first].fresh.PublishedAt) {
		s.t.Fatalf("kept since %s, %v; want %s", since, err, s.past[first].fresh.PublishedAt)
	}
}

func (s *story) refuseBefore(first int) {
	for i, m := range s.past[:first] {
		for _, at := range []directory.AsOf{{Revision: int64(i + 1)}, {Instant: m.fresh.PublishedAt}} {
			if _, err := s.mirror.Members(s.t.Context(), directory.MemberFilter{}, directory.ListQuery{Limit: 1, AsOf: &at}); !errors.Is(err, directory.ErrPruned) {
				s.t.Fatalf("as of %+v, before revision %d: %v", at, first+1, err)
			}
		}
	}
	s.refuse(noon)
}

// wantNothingDead fails if a row is left that no state from a revision on
// shows or refers to.
func (s *story) wantNothingDead(from int64) {
	var horizon int64
	row := db.Readers(s.mirror).QueryRowContext(s.t.Context(), "SELECT horizon FROM revisions WHERE revision = ?", from)
	if err := row.Scan(&horizon); err != nil {
		s.t.Fatal(err)
	}
	for _, table := range []string{"past_groups", "past_members", "past_memberships", "past_guest_memberships"} {
		s.wantNone(fmt.Sprintf("SELECT count(*) FROM %s WHERE until <= %d", table, horizon))
	}
	s.wantNone(`SELECT count(*) FROM guests WHERE guest_id NOT IN (SELECT guest_id FROM guest_memberships UNION ALL SELECT guest_id FROM past_guest_memberships)`)
	s.wantNone(fmt.Sprintf(`SELECT count(*) FROM changesets WHERE id > 1 AND id < %d AND id NOT IN (
		SELECT since FROM groups UNION ALL SELECT since FROM members UNION ALL SELECT since FROM memberships UNION ALL SELECT since FROM guest_memberships
		UNION ALL SELECT since FROM past_groups UNION ALL SELECT since FROM past_members UNION ALL SELECT since FROM past_memberships UNION ALL SELECT since FROM past_guest_memberships)`, horizon))
	s.wantNone(fmt.Sprintf(`SELECT count(*) FROM revisions WHERE revision > 1 AND revision < %d AND revision NOT IN (SELECT revision FROM changesets)`, from))
}

func (s *story) wantNone(query string) {
	var n int
	if err := db.Readers(s.mirror).QueryRowContext(s.t.Context(), query).Scan(&n); err != nil || n != 0 {
		s.t.Fatalf("%d rows are left, %v:\n%s", n, err, query)
	}
}

// A year of sweeps of one state leaves what tells its ends.
func TestNotesOfSweepsGoWithTheHistory(t *testing.T) {
	now := at(0)
	mirror := openAt(t, &now)
	seed(t, mirror)
	sweep := func(minute int, result directory.SweepResult) {
		now = at(minute).Add(2 * time.Second)
		note := directory.Sweep{BeganAt: at(minute), EndedAt: at(minute), Result: result}
		if result.Succeeded() {
			publish(t, mirror, directory.Publication{Sweep: &note})
		} else if err := mirror.RecordSweep(t.Context(), note); err != nil {
			t.Fatal(err)
		}
	}
	const week = 7 * 24 * 60
	for minute := range 700 {
		sweep(minute+1, directory.SweepUnchanged)
	}
	sweep(701, directory.SweepFailed)
	sweep(week+702, directory.SweepHeld)
	keep(t, mirror, 0)
	if n := countIn(t, mirror, "SELECT count(*) FROM sweeps"); n != 703 {
		t.Errorf("%d notes, want all: those of success are kept for ever, and who knows of a later one", n)
	}
	sweep(week+703, directory.SweepUnchanged)
	keep(t, mirror, 0)
	if n := countIn(t, mirror, "SELECT count(*) FROM sweeps WHERE result = 'failed'"); n != 0 {
		t.Errorf("%d notes of failures from more than a week ago", n)
	}
	keep(t, mirror, time.Hour)
	for _, c := range []struct {
		instant       time.Time
		before, after time.Time
	}{
		{at(0).Add(time.Second), at(0), at(700)},
		{at(350), at(0), at(700)},
		{at(800), at(700), at(week + 703)},
	} {
		page, err := mirror.Groups(t.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 1, AsOf: &directory.AsOf{Instant: c.instant}})
		if err != nil || !page.Then.ConfirmedBefore.Equal(c.before) || !page.Then.ConfirmedAfter.Equal(c.after) {
			t.Errorf("as of %s: %+v, %v; want %+v", c.instant, page.Then, err, c)
		}
	}
}

func keep(t *testing.T, mirror *db.DB, history time.Duration) {
	t.Helper()
	if err := mirror.Keep(t.Context(), history); err != nil {
		t.Fatal(err)
	}
}

func countIn(t *testing.T, mirror *db.DB, query string) (n int) {
	t.Helper()
	if err := db.Readers(mirror).QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Steps are small, and a process that ends between two goes on later.
func TestMuchIsRemovedInSteps(t *testing.T) {
	now := at(0)
	mirror := openAt(t, &now)
	seed(t, mirror)
	many := make([]int64, 1800)
	for i := range many {
		many[i] = int64(i + 1)
	}
	for minute, members := range [][]int64{1: many, 2: {1}} {
		if members == nil {
			continue
		}
		now = at(minute)
		publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", members), minute-1, minute)}})
	}
	now = now.Add(2 * time.Hour)
	keep(t, mirror, time.Hour)
	now = now.Add(2 * time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if err := mirror.Keep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call that was ended: %v", err)
	}
	if n := countIn(t, mirror, "SELECT count(*) FROM past_memberships"); n == 0 {
		t.Error("all is gone in no time")
	}
	keep(t, mirror, time.Hour)
	if n := countIn(t, mirror, "SELECT count(*) FROM past_memberships"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
