package poller

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
	"rollcall/internal/tallyfysim"
)

func (w *world) wantDrift(want map[string]int) {
	w.t.Helper()
	if diff := gocmp.Diff(want, w.Status().Drift); diff != "" {
		w.t.Fatalf("drift (-want +got):\n%s", diff)
	}
}

// everyPage rewrites what lists of a kind show.
func (w *world) everyPage(list string, rewrite func([]byte) []byte) (remove func()) {
	return w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("GET", "/"+list), Rewrite: rewrite})
}

func everywhere(from, to string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(from), []byte(to)) }
}

func TestNoDocumentedGenerationDrifts(t *testing.T) {
	for name, o := range map[string]tallyfysim.Options{
		"2026":                     {},
		"2025":                     {Generation: tallyfysim.Gen2025},
		"2025 without status":      {Generation: tallyfysim.Gen2025, NoStatus: true},
		"ids as strings, no meta":  {StringIDs: true, NoMeta: true},
		"in another order, capped": {Descending: true, UserCap: 7},
	} {
		t.Run(name, func(t *testing.T) {
			o.Seed, o.Groups, o.Members, o.Edges, o.Guests = 3, 120, 40, 300, 20
			inWorld(t, o, func(t *testing.T, w *world) {
				w.sweep(directory.SweepPublished)
				w.wantDrift(map[string]int{})
				rng := newRand(4)
				for range 20 {
					w.sim.Stir(rng)
				}
				time.Sleep(time.Minute)
				if _, err := w.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.wantDrift(map[string]int{})
			})
		})
	}
}

func TestFieldsNeverSeenBeforeAreCountedByNameAndKept(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Groups()[0].ID
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) {
			g.Extra = map[string]json.RawMessage{"color": json.RawMessage(`"red"`)}
		})
		w.everyPage("users", everywhere(`"email":`, `"shoe_size":42,"email":`))
		w.sweep(directory.SweepPublished)
		w.wantDrift(map[string]int{"groups.color: never seen before": 1, "members.shoe_size: never seen before": 30})
		w.sweep(directory.SweepUnchanged)
		w.wantDrift(map[string]int{"groups.color: never seen before": 1, "members.shoe_size: never seen before": 30})
		stored, err := w.db.GroupPayload(t.Context(), id)
		if err != nil || !bytes.Contains(stored.Row, []byte(`"color":"red"`)) {
			t.Errorf("the row is served as %s (%v)", stored.Row, err)
		}
	})
}

func TestFieldsThatAreGoneAreCountedByNameAlsoAfterARestart(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		mend := w.everyPage("users", everywhere(`"job_title":`, `"job_name":`))
		w.everyPage("groups", everywhere(`"logo":`, `"picture":`))
		w.sweep(directory.SweepPublished)
		want := map[string]int{
			"members.job_title: gone": 30, "members.job_name: never seen before": 30,
			"groups.logo: gone": 5, "groups.picture: never seen before": 5,
		}
		w.wantDrift(want)
		w.restart()
		w.sweep(directory.SweepUnchanged)
		w.wantDrift(want)
		mend()
		w.sweep(directory.SweepPublished)
		maps.DeleteFunc(want, func(what string, _ int) bool { return what[0] == 'm' })
		// What is not documented is remembered by the process that saw it.
		want["members.job_name: gone"] = 30
		w.wantDrift(want)
	})
}

func TestUndocumentedFieldsThatAllRowsCarriedAndSomeLackAreCounted(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		for _, g := range w.sim.Groups() {
			w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) {
				g.Extra = map[string]json.RawMessage{"color": json.RawMessage(`null`)}
			})
		}
		w.sweep(directory.SweepPublished)
		w.wantDrift(map[string]int{"groups.color: never seen before": 5})
		w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Extra = nil })
		w.sweep(directory.SweepPublished)
		w.wantDrift(map[string]int{"groups.color: never seen before": 4, "groups.color: gone": 1})
	})
}

func TestValuesOfAnotherKindAreCountedByName(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		w.sim.UpdateUser(w.sim.Users()[0].ID, func(u *tallyfysim.User) {
			u.Extra = map[string]json.RawMessage{"type": json.RawMessage(`{"mobile":"1"}`), "team": json.RawMessage(`["a"]`)}
		})
		w.sweep(directory.SweepPublished)
		w.wantDrift(map[string]int{
			"members.type: of another kind, object": 1,
			"members.team: of another kind, array":  1,
			"members.team: not a text":              1,
		})
	})
}

func TestAFieldThatWasNullMayTakeAnyValueOnce(t *testing.T) {
	c, rows := newCustoms("groups"), func(kind payload.Kind) census {
		all := []payload.Field{{Name: "x", Kind: kind, Known: true}}
		for _, name := range payload.Essential("groups") {
			all = append(all, payload.Field{Name: name, Kind: payload.Text, Known: true})
		}
		return census{1: {all, 3}}
	}
	for _, step := range []struct {
		kind payload.Kind
		want map[string]int
	}{
		{payload.Null, map[string]int{}},
		{payload.Text, map[string]int{}},
		{payload.Null, map[string]int{}},
		{payload.Number, map[string]int{"groups.x: of another kind, number": 3}},
		{payload.Number, map[string]int{"groups.x: of another kind, number": 3}},
		{payload.Text, map[string]int{}},
	} {
		got := map[string]int{}
		c.drift("groups", rows(step.kind), got)
		if diff := gocmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.kind, diff)
		}
	}
}

// Members that are absent are counted under that name alone.
func TestDriftOfMembersIsCountedOnce(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) {
			g.Extra = map[string]json.RawMessage{"members": nil}
		})
		w.sweep(directory.SweepPublished)
		w.wantDrift(map[string]int{"groups.members: absent": 1})
	})
}

// One row with both names of a field does not make up for a row with neither,
// and null under one hides nothing under the other.
func TestFieldOfTwoNamesIsCountedOnceARow(t *testing.T) {
	got, seen, c := map[string]int{}, census{}, customs{"updated_at": {always: true}}
	c["updated_at"].kinds[payload.Text] = true
	seen.count(1, []byte(`{"last_updated":1767225600,"updated_at":null}`))
	seen.count(2, []byte(`{}`))
	c.drift("groups", seen, got)
	if diff := gocmp.Diff(map[string]int{"groups.updated_at: gone": 1, "groups.updated_at: of another kind, number": 1}, got); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

func TestDriftRemembersNoMoreThanItCanShow(t *testing.T) {
	seen, c := census{}, customs{}
	for i := range 3 * shapes {
		seen.count(uint64(i), fmt.Appendf(nil, `{"x%d":1}`, i))
	}
	c.drift("groups", seen, map[string]int{})
	if len(seen) != shapes || len(c) != 2*kinds {
		t.Errorf("%d shapes and %d names are remembered, want %d and %d", len(seen), len(c), shapes, 2*kinds)
	}
}

func TestDriftTellsAHundredNamesApart(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		extra := map[string]json.RawMessage{}
		for i := range 300 {
			extra[fmt.Sprintf("x%03d", i)] = json.RawMessage(`1`)
		}
		w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Extra = extra })
		w.sweep(directory.SweepPublished)
		drift := w.Status().Drift
		if len(drift) != kinds || drift["other"] != 300-(kinds-1) {
			t.Errorf("%d names, other %d: %q", len(drift), drift["other"], slices.Sorted(maps.Keys(drift)))
		}
	})
}

func TestOnlyTheLossOfAKeyFieldRefusesASweep(t *testing.T) {
	for list, names := range map[string][]string{"groups": payload.Essential("groups"), "users": payload.Essential("members")} {
		for _, name := range names {
			isKey := name == "id" || list == "groups" && (name == "name" || name == "members") || list == "users" && name == "email"
			t.Run(list+"."+name, func(t *testing.T) {
				inWorld(t, populated(5), func(t *testing.T, w *world) {
					w.sweep(directory.SweepPublished)
					w.everyPage(list, func(b []byte) []byte {
						b = everywhere(`"`+name+`":`, `"`+name+`_2":`)(b)
						if name == "updated_at" {
							b = everywhere(`"last_updated":`, `"last_updated_2":`)(b)
						}
						return b
					})
					note, err := w.Sweep(t.Context())
					if isKey != (directory.ReasonOf(err) == directory.ReasonKeyField) || !isKey && err != nil {
						t.Errorf("%+v, %v", note, err)
					}
					kind := map[string]string{"groups": "groups", "users": "members"}[list]
					if drift := w.Status().Drift; !isKey && drift[kind+"."+name+": gone"] == 0 {
						t.Errorf("drift %v", drift)
					}
				})
			})
		}
	}
}
