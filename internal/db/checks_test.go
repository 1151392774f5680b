package db_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func TestChecksFindAGroupByAnyText(t *testing.T) {
	mirror := dbtest.New(t)
	ids := []string{sales, `a"b`, `a\b`, "a\tb", "ä<b>", " ", "1", "a,1"}
	p := directory.Publication{Members: []directory.MemberUpdate{updateMember(memberRow(1, "ann@x.test", "Ann"), 0, 0)}, Sweep: sweepAt(0)}
	for _, id := range ids {
		p.Groups = append(p.Groups, updateGroup(groupRow(id, "Some", []int64{1}), 0, 0))
	}
	publish(t, mirror, p)
	var pairs []directory.Pair
	var want []directory.Check
	for _, id := range ids {
		pairs = append(pairs, directory.Pair{Member: directory.PersonRef{ID: 1}, Group: directory.GroupRef{ID: id}})
		want = append(want, directory.Check{Member: true, Kind: directory.KindMember, Status: new(directory.Active), GroupID: id, MemberID: 1})
	}
	for _, id := range []string{sales + "\x00", sales + "\x00x", sales + " ", "\x00", "\xff", `{`} {
		pairs = append(pairs, directory.Pair{Member: directory.PersonRef{ID: 1}, Group: directory.GroupRef{ID: id}})
		want = append(want, directory.Check{Status: new(directory.Active), MemberID: 1, Reason: directory.WhyUnknownGroup})
	}
	for _, at := range []*directory.AsOf{nil, {Revision: 1}} {
		found, err := mirror.Checks(t.Context(), pairs, false, at)
		if d := cmp.Diff(want, found.Row); err != nil || d != "" {
			t.Errorf("as of %v: %v\n%s", at, err, d)
		}
		publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(groupRow("other", "Other", nil), 0, 1)}, Sweep: sweepAt(1)})
	}
}

func TestNobodyIsNoMemberOfAnOddID(t *testing.T) {
	mirror := dbtest.New(t)
	publish(t, mirror, directory.Publication{
		Groups:  []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{0, -1}), 0, 0)},
		Members: []directory.MemberUpdate{updateMember(memberRow(0, "zero@x.test", "Zero"), 0, 0), updateMember(memberRow(-1, "minus@x.test", "Minus"), 0, 0)},
		Sweep:   sweepAt(0),
	})
	group := directory.GroupRef{ID: sales}
	if _, err := mirror.Check(t.Context(), directory.PersonRef{Email: "nobody@x.test"}, group, false, nil); !errors.Is(err, directory.ErrUnknownPerson) {
		t.Errorf("nobody: %v", err)
	}
	for _, email := range []string{"zero@x.test", "minus@x.test"} {
		if found, err := mirror.Check(t.Context(), directory.PersonRef{Email: email}, group, false, nil); err != nil || found.Row.Kind != directory.KindMember {
			t.Errorf("%s: %+v, %v", email, found.Row, err)
		}
	}
}

func TestManyChecksAreAsOldAsOne(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	publish(t, mirror, directory.Publication{Sweep: &directory.Sweep{BeganAt: at(10), Result: directory.SweepUnchanged}})
	publish(t, mirror, directory.Publication{ConfirmedGroups: []directory.Confirmation[string]{{ID: sales, At: at(12)}}, ConfirmedMembers: []directory.Confirmation[int64]{{ID: 1, At: at(13)}}})
	publish(t, mirror, directory.Publication{DoubtedMembers: []directory.Confirmation[int64]{{ID: 2, At: at(3)}}})
	group := directory.GroupRef{ID: sales}
	for name, c := range map[string]struct {
		who  directory.PersonRef
		at   *directory.AsOf
		want int // minute
	}{
		"now":     {directory.PersonRef{ID: 1}, nil, 12},
		"doubted": {directory.PersonRef{ID: 2}, nil, 3},
		"nobody":  {directory.PersonRef{ID: 4711}, nil, 3}, // anybody's row may have become theirs
		"as of":   {directory.PersonRef{ID: 1}, &directory.AsOf{Revision: 1}, 10},
	} {
		many, err := mirror.Checks(t.Context(), []directory.Pair{{Member: c.who, Group: group}}, false, c.at)
		if err != nil || !many.ConfirmedAt.Equal(at(c.want)) {
			t.Errorf("%s: many confirmed at %v, want %v: %v", name, many.ConfirmedAt, at(c.want), err)
		}
		if one, err := mirror.Check(t.Context(), c.who, group, false, c.at); err == nil && !one.ConfirmedAt.Equal(at(c.want)) {
			t.Errorf("%s: one confirmed at %v, want %v", name, one.ConfirmedAt, at(c.want))
		}
	}
}
