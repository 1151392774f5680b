package db_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// A wallClock is the clock on the wall of a test, which somebody moves.
type wallClock struct {
	t     *testing.T
	moved time.Duration
	log   strings.Builder
}

func (c *wallClock) now() time.Time { return time.Now().Add(c.moved) }

func (c *wallClock) open(path string) *db.DB {
	c.t.Helper()
	if err := dbtest.Place(path); err != nil {
		c.t.Fatal(err)
	}
	mirror, err := db.Open(c.t.Context(), db.Options{
		Path: path, Organization: dbtest.Organization, Now: c.now, Logger: slog.New(slog.NewTextHandler(&c.log, nil)),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = mirror.Close() })
	return mirror
}

// swept publishes a first sweep, of now, and a doubt of what it lacked.
func (c *wallClock) swept(mirror *db.DB) {
	c.t.Helper()
	now := c.now()
	p := directory.Publication{
		Cause:          directory.CauseInitial,
		Groups:         []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{1}), 0, 0)},
		Members:        []directory.MemberUpdate{updateMember(memberRow(1, "ann@x.test", "Ann"), 0, 0)},
		DoubtedMembers: []directory.Confirmation[int64]{{ID: 1, At: now.Add(-time.Hour)}},
		Sweep:          &directory.Sweep{BeganAt: now, EndedAt: now, Result: directory.SweepPublished},
	}
	publish(c.t, mirror, p)
	publish(c.t, mirror, directory.Publication{ConfirmedGroups: []directory.Confirmation[string]{{ID: sales, At: now.Add(time.Minute)}}})
}

// failed notes a sweep that failed now.
func (c *wallClock) failed(mirror *db.DB) {
	c.t.Helper()
	if err := mirror.RecordSweep(context.Background(), directory.Sweep{BeganAt: c.now(), EndedAt: c.now(), Result: directory.SweepFailed}); err != nil {
		c.t.Fatal(err)
	}
}

// wantAges wants the list of groups to have been confirmed an age ago, and the
// other two an hour before and a minute later.
func (c *wallClock) wantAges(mirror *db.DB, age time.Duration) {
	c.t.Helper()
	groups, err := mirror.Groups(c.t.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 1})
	if err != nil {
		c.t.Fatal(err)
	}
	for what, got := range map[string]time.Duration{
		"list":        groups.Age(c.now()),
		"row":         mustGroup(c.t, mirror, sales).Age(c.now()) + time.Minute,
		"doubted row": mustMember(c.t, mirror, 1).Age(c.now()) - time.Hour,
	} {
		if got.Round(time.Second) != age {
			c.t.Errorf("the %s has age %s, want %s", what, got, age)
		}
	}
	_, success, err := mirror.LastSweeps(c.t.Context())
	if err != nil || !success.BeganAt.Equal(groups.ConfirmedAt) {
		c.t.Errorf("the last success began at %s, %v; its rows were confirmed at %s", success.BeganAt, err, groups.ConfirmedAt)
	}
}

func (c *wallClock) wantToldOf(times int) {
	c.t.Helper()
	if told := strings.Count(c.log.String(), "the clock was set back"); told != times {
		c.t.Errorf("told %d times that the clock was set back, want %d:\n%s", told, times, c.log.String())
	}
}

// inWallClock runs a test in virtual time, with a clock that is right.
func inWallClock(t *testing.T, test func(c *wallClock, path string)) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	synctest.Test(t, func(t *testing.T) { test(&wallClock{t: t}, path) })
}

func TestAgesGoOnWhenTheClockIsSetBackUnderTheProcess(t *testing.T) {
	for _, back := range []time.Duration{10 * time.Second, 20 * time.Minute, 3 * time.Hour, 3000 * 24 * time.Hour} {
		inWallClock(t, func(c *wallClock, path string) {
			mirror := c.open(path)
			c.swept(mirror)
			time.Sleep(2 * time.Hour)
			c.moved -= back
			time.Sleep(time.Minute)
			c.failed(mirror)
			c.wantAges(mirror, 2*time.Hour+time.Minute)
			time.Sleep(time.Minute)
			c.failed(mirror)
			c.wantAges(mirror, 2*time.Hour+2*time.Minute)
			c.wantToldOf(1)
			c.moved -= back
			c.failed(mirror)
			c.wantAges(mirror, 2*time.Hour+2*time.Minute)
			c.wantToldOf(2)
		})
	}
}

// Of a clock that was set back before the process began only as much is known
// as the last note is ahead.
func TestAgesGoOnWhenTheClockIsSetBackBetweenTwoProcesses(t *testing.T) {
	inWallClock(t, func(c *wallClock, path string) {
		mirror := c.open(path)
		c.swept(mirror)
		time.Sleep(2 * time.Hour)
		c.failed(mirror)
		for range 3 { // a crash loop that notes nothing
			if err := mirror.Close(); err != nil {
				c.t.Fatal(err)
			}
			if c.moved == 0 {
				c.moved = -time.Hour
			}
			mirror = c.open(path)
			c.wantAges(mirror, 2*time.Hour)
			c.wantToldOf(1)
		}
		time.Sleep(10 * time.Minute)
		c.failed(mirror)
		c.wantAges(mirror, 2*time.Hour+10*time.Minute)
		c.wantToldOf(1)
		c.moved -= time.Hour
		for range 2 {
			c.failed(mirror)
			c.wantAges(mirror, 2*time.Hour+10*time.Minute)
			c.wantToldOf(2)
		}
	})
}

// A machine that slept looks the same, and is not younger for it.
func TestAClockThatIsSetForwardMakesNothingYounger(t *testing.T) {
	inWallClock(t, func(c *wallClock, path string) {
		mirror := c.open(path)
		c.swept(mirror)
		c.moved += 5 * time.Hour
		c.failed(mirror)
		c.wantAges(mirror, 5*time.Hour)
		c.moved -= 4 * time.Second // as clocks are corrected
		c.failed(mirror)
		c.wantToldOf(0)
	})
}

// The instants of a sweep that was under way are by the clock of before.
func TestAConfirmationThatComesFromAheadIsDatedBack(t *testing.T) {
	inWallClock(t, func(c *wallClock, path string) {
		mirror := c.open(path)
		c.swept(mirror)
		began := c.now()
		c.moved -= time.Hour
		publish(c.t, mirror, directory.Publication{Sweep: &directory.Sweep{BeganAt: began, EndedAt: c.now(), Result: directory.SweepUnchanged}})
		if fresh, err := mirror.Freshness(c.t.Context()); err != nil || fresh.Age(c.now()) < 24*time.Hour {
			c.t.Errorf("what is confirmed in an hour has age %s, %v", fresh.Age(c.now()), err)
		}
		time.Sleep(time.Minute)
		c.failed(mirror)
		if fresh, err := mirror.Freshness(c.t.Context()); err != nil || fresh.ConfirmedAt.After(c.now()) {
			c.t.Errorf("confirmed at %s, %v; now is %s", fresh.ConfirmedAt, err, c.now())
		}
	})
}

func TestAMirrorWithoutDataHasNoAge(t *testing.T) {
	inWallClock(t, func(c *wallClock, path string) {
		mirror := c.open(path)
		c.failed(mirror)
		c.moved -= time.Hour
		c.failed(mirror)
		if fresh, err := mirror.Freshness(c.t.Context()); err != nil || !fresh.ConfirmedAt.IsZero() {
			c.t.Errorf("confirmed at %s, %v", fresh.ConfirmedAt, err)
		}
	})
}
