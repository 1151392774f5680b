package db_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// miss publishes the note of a sweep that lacked some rows.
func miss(t *testing.T, mirror *db.DB, result directory.SweepResult, groups []string, members ...int64) {
	t.Helper()
	before := currentPin(t, mirror)
	after := publish(t, mirror, directory.Publication{
		MissedGroups: groups, MissedMembers: members,
		Sweep: &directory.Sweep{BeganAt: at(1), EndedAt: at(1), Result: result},
	})
	if after.Pin() != before {
		t.Errorf("a note made another revision: %+v after %+v", after, before)
	}
}

// missedRows lists the ids of the rows that are noted as missed.
func missedRows(t *testing.T, mirror *db.DB) (ids []any) {
	t.Helper()
	index, err := mirror.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{sales, support} {
		if index.Groups[id].Missed {
			ids = append(ids, id)
		}
	}
	for id := range int64(5) {
		if index.Members[id].Missed {
			ids = append(ids, id)
		}
	}
	return ids
}

// A sweep a process: what the one missed is known to the next.
func TestMissedRowsSurviveARestart(t *testing.T) {
	path := t.TempDir() + "/rollcall.db"
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	miss(t, mirror, directory.SweepUnchanged, []string{sales}, 3, 2)
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]any{sales, int64(2), int64(3)}, missedRows(t, dbtest.Open(t, path))); d != "" {
		t.Error(d)
	}
}

func TestEachSweepThatReadAllSaysAnewWhatItMissed(t *testing.T) {
	const bob, cy = 2, 3
	for _, c := range []struct {
		name string
		then directory.Publication
		want []any
	}{
		{"one that missed others", directory.Publication{MissedGroups: []string{sales}, MissedMembers: []int64{cy, 1}, Sweep: &directory.Sweep{Result: directory.SweepUnchanged}}, []any{sales, int64(1), int64(cy)}},
		{"one that missed none", directory.Publication{Sweep: &directory.Sweep{Result: directory.SweepUnchanged}}, nil},
		{"one that was held", directory.Publication{MissedMembers: []int64{1}, Sweep: &directory.Sweep{Result: directory.SweepHeld}}, []any{int64(1)}},
		{"one that failed", directory.Publication{Sweep: &directory.Sweep{Result: directory.SweepFailed}}, []any{int64(bob), int64(cy)}},
		{"a single read that confirms", directory.Publication{ConfirmedMembers: []directory.Confirmation[int64]{{ID: bob, At: at(2)}}}, []any{int64(cy)}},
		{"one that sets", directory.Publication{Members: []directory.MemberUpdate{updateMember(memberRow(bob, "bob@x.test", "Rob"), 1, 2)}}, []any{int64(cy)}},
		{"one that shows a part", directory.Publication{DoubtedMembers: []directory.Confirmation[int64]{{ID: bob, At: at(0)}}}, []any{int64(cy)}},
		{"a sweep that doubts what it missed", directory.Publication{
			DoubtedMembers: []directory.Confirmation[int64]{{ID: bob, At: at(0)}}, MissedMembers: []int64{bob},
			Sweep: &directory.Sweep{Result: directory.SweepUnchanged},
		}, []any{int64(bob)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			mirror := dbtest.New(t)
			seed(t, mirror)
			miss(t, mirror, directory.SweepUnchanged, nil, bob, cy)
			publish(t, mirror, c.then)
			if d := cmp.Diff(c.want, missedRows(t, mirror)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAMissedGroupIsMissedNoLongerWhenItIsSeen(t *testing.T) {
	for name, seen := range map[string]directory.Publication{
		"confirmed": {ConfirmedGroups: []directory.Confirmation[string]{{ID: sales, At: at(2)}}},
		"doubted":   {DoubtedGroups: []directory.Confirmation[string]{{ID: sales, At: at(0)}}},
		"set":       {Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sold", nil), 1, 2)}},
	} {
		mirror := dbtest.New(t)
		seed(t, mirror)
		miss(t, mirror, directory.SweepUnchanged, []string{sales})
		publish(t, mirror, seen)
		if missed := missedRows(t, mirror); len(missed) > 0 {
			t.Errorf("%s: %v is missed", name, missed)
		}
	}
}

// The note of a sweep and the instant of its success are two rows.
func TestASweepThatMissesTheSameWritesItsNoteAlone(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	changes := func() (n int) {
		if err := db.Writer(mirror).QueryRowContext(t.Context(), "SELECT total_changes()").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, step := range []struct {
		members []int64
		rows    int
	}{{nil, 2}, {[]int64{2}, 3}, {[]int64{2}, 2}, {[]int64{1, 2}, 3}, {[]int64{2, 1}, 2}, {nil, 4}} {
		before := changes()
		miss(t, mirror, directory.SweepUnchanged, nil, step.members...)
		if wrote := changes() - before; wrote != step.rows {
			t.Errorf("to miss %v wrote %d rows, want %d", step.members, wrote, step.rows)
		}
	}
}

func TestTheLastSuccessButOneIsKnownAfterARestart(t *testing.T) {
	path := t.TempDir() + "/rollcall.db"
	mirror := dbtest.Open(t, path)
	none := func(when string) {
		t.Helper()
		if sweep, err := mirror.LastSuccessButOne(t.Context()); err != nil || sweep != (directory.Sweep{}) {
			t.Errorf("%s: %+v, %v", when, sweep, err)
		}
	}
	none("before any sweep")
	seed(t, mirror)
	none("after the first")
	publish(t, mirror, directory.Publication{Sweep: &directory.Sweep{BeganAt: at(5), EndedAt: at(5), Result: directory.SweepUnchanged, Groups: 7}})
	publish(t, mirror, directory.Publication{Sweep: &directory.Sweep{BeganAt: at(6), EndedAt: at(6), Result: directory.SweepHeld, Detail: "x"}})
	if err := mirror.RecordSweep(t.Context(), directory.Sweep{BeganAt: at(7), EndedAt: at(7), Result: directory.SweepFailed}); err != nil {
		t.Fatal(err)
	}
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	mirror = dbtest.Open(t, path)
	if sweep, err := mirror.LastSuccessButOne(t.Context()); err != nil || !sweep.BeganAt.Equal(at(0)) {
		t.Errorf("%+v, %v; want the first", sweep, err)
	}
	publish(t, mirror, directory.Publication{Sweep: &directory.Sweep{BeganAt: at(8), EndedAt: at(8), Result: directory.SweepUnchanged}})
	if sweep, err := mirror.LastSuccessButOne(t.Context()); err != nil || !sweep.BeganAt.Equal(at(5)) || sweep.Groups != 7 {
		t.Errorf("%+v, %v; want that of minute 5", sweep, err)
	}
}
