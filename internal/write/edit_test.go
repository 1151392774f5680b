package write

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/poller"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// readings of the contract that matter to a PUT.
var readings = map[string]tallyfysim.Options{
	"2026": {}, "2025": {Generation: tallyfysim.Gen2025}, "absent arrays clear": {AbsentArraysClear: true}, "string ids": {StringIDs: true},
	"name required": {PutNameRequired: true}, "membership keeps time": {MembershipKeepsTime: true}, "trims": {NamesTrim: true},
}

func TestEditChangesWhatItNamesAndNothingElse(t *testing.T) {
	for name, o := range readings {
		t.Run(name, func(t *testing.T) {
			inWorld(t, o, func(t *testing.T, w *world) {
				g := w.smallGroup()
				w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Guests = []string{"Stays@x.test", "Goes@x.test"} })
				in, out := w.newcomers(g.ID)[0], g.Members[0]
				want := w.upstream()[g.ID]
				for _, c := range []struct {
					edit directory.GroupEdit
					make func(*shown)
				}{
					{directory.GroupEdit{AddMembers: []int64{in, in}}, func(s *shown) { s.Members = append(s.Members, in) }},
					{directory.GroupEdit{RemoveMembers: []int64{out}}, func(s *shown) {
						s.Members = slices.DeleteFunc(s.Members, func(id int64) bool { return id == out })
					}},
					{directory.GroupEdit{AddGuests: []string{"New@x.test", "new@X.test"}}, func(s *shown) { s.Guests = append(s.Guests, "New@x.test") }},
					{directory.GroupEdit{RemoveGuests: []string{"goes@X.TEST"}}, func(s *shown) {
						s.Guests = slices.DeleteFunc(s.Guests, func(mail string) bool { return mail == "Goes@x.test" })
					}},
					{directory.GroupEdit{Name: new("Renamed"), Description: new("<told> otherwise & well")}, func(s *shown) {
						s.Name, s.Description = "Renamed", "<told> otherwise & well"
					}},
				} {
					c.make(&want)
					slices.Sort(want.Members)
					slices.Sort(want.Guests)
					c.edit.ID = g.ID
					edited := w.mustEdit(c.edit)
					if got := w.upstream()[g.ID]; fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("%+v made %+v, want %+v", c.edit, got, want)
					}
					if !edited.Changed || edited.Row.Name != want.Name || edited.Row.MemberCount != len(want.Members) || edited.Row.GuestCount != len(want.Guests) {
						t.Errorf("%+v answers %+v", c.edit, edited)
					}
					w.wantRequests("GET", "PUT")
					w.wantEqual()
				}
				if note, err := w.poller.Sweep(context.Background()); err != nil || note.Result != directory.SweepUnchanged {
					t.Errorf("the next sweep was %s: %v", note.Result, err)
				}
			})
		})
	}
}

func TestEditSendsAllFourFieldsAsUpstreamHasThem(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		id := w.smallGroup().ID
		for _, c := range []struct{ from, to, members, guests, description string }{
			{`"members":[`, `"members":["x7",{"id":5},null,"0",`, `"x7" {"id":5} null "0" `, "", `"d"`},
			{`"guests":[`, `"guests":[" Odd@X.test ",17,"",`, "", `" Odd@X.test " 17 "" `, `"d"`},
			{`"description":"d"`, `"description":""`, "", "", ""},
			{`"description":"d"`, `"description":null`, "", "", ""},
			{`"description":"d"`, `"description":"\u00e9\/\ud83d"`, "", "", `"\u00e9\/\ud83d"`},
		} {
			w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Description, g.Guests = "d", []string{"G@x.test"} })
			g, _ := w.sim.Group(id)
			w.sim.Fault(tallyfysim.Fault{Match: onGroup("GET", id), Times: 1, Rewrite: replaced(c.from, c.to)})
			w.sim.ResetRequests()
			_, _ = w.edit(directory.GroupEdit{ID: id, AddGuests: []string{"New@x.test"}})
			sent := w.bodies()
			if len(sent) != 1 {
				t.Fatalf("%s: %d writes", c.to, len(sent))
			}
			body := sent[0]
			if asSet(texts(body.Members)) != asSet(c.members+strings.Trim(fmt.Sprint(g.Members), "[]")) || texts(body.Guests) != c.guests+`"G@x.test" "New@x.test"` ||
				string(body.Description) != c.description || string(body.Name) != fmt.Sprintf("%q", g.Name) {
				t.Errorf("%s: sent %s, %s, %s, %s", c.to, body.Name, body.Description, texts(body.Members), texts(body.Guests))
			}
			time.Sleep(longAgo)
		}
	})
}

func asSet(list string) string {
	elements := strings.Fields(list)
	slices.Sort(elements)
	return fmt.Sprint(elements)
}

func TestEditWithNothingToDoSendsNothing(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Guests = []string{"G@x.test"} })
		for _, e := range []directory.GroupEdit{
			{AddMembers: g.Members[:1]},
			{RemoveMembers: w.newcomers(g.ID)},
			{AddGuests: []string{" g@X.test"}},
			{RemoveGuests: []string{"nobody@x.test"}},
			{Name: new(g.Name), Description: new(g.Description)},
			{},
		} {
			e.ID = g.ID
			edited := w.mustEdit(e)
			if edited.Changed || edited.Row.ID != g.ID || edited.Revision == 0 {
				t.Errorf("%+v answers %+v", e, edited)
			}
			w.wantRequests("GET")
		}
		w.wantEqual() // what the read showed is published all the same
	})
}

func TestDryRunSendsNothing(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		in := w.newcomers(g.ID)[0]
		e := directory.GroupEdit{ID: g.ID, Name: new("As it would be"), AddMembers: []int64{in}, AddGuests: []string{"New@x.test"}, DryRun: true}
		would := w.mustEdit(e)
		if w.wantRequests("GET"); w.isIn(g.ID, in) || w.upstream()[g.ID].Name != g.Name {
			t.Error("a dry run was made")
		}
		e.DryRun = false
		made := w.mustEdit(e)
		if !would.Changed || would.Row.Version != made.Row.Version || would.Row.Name != "As it would be" || !slices.Contains(would.Row.Members, in) ||
			would.Row.MemberCount != made.Row.MemberCount || would.Row.GuestCount != made.Row.GuestCount {
			t.Errorf("it would be %+v and is %+v", would.Row, made.Row)
		}
		requests := w.sim.Requests()
		if sent := requests[len(requests)-1].Body; !bytes.Equal(sent, would.Body) || made.Body != nil {
			t.Errorf("it would send %s and sent %s", would.Body, sent)
		}
		if again := w.mustEdit(e); again.Changed || again.Body != nil {
			t.Errorf("again: %+v", again)
		}
	})
}

func TestEditIsMadeOnlyInTheVersionsThatItAllows(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		found, err := w.db.Group(context.Background(), directory.GroupRef{ID: g.ID}, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := found.Row.Version
		w.mustEdit(directory.GroupEdit{ID: g.ID, Name: new("Renamed"), Versions: []string{"another", seen}})
		w.wantRequests("GET", "PUT")
		for _, versions := range [][]string{{seen}, {}} {
			for _, dry := range []bool{false, true} {
				_, err = w.edit(directory.GroupEdit{ID: g.ID, Name: new("Again"), Versions: versions, DryRun: dry})
				if now := wantError[*directory.VersionError](t, err).Version; now == seen {
					t.Error("the version is the old one")
				}
				w.wantRequests("GET")
			}
		}
		// Nobody wrote through Rollcall, and the mirror does not know it yet.
		w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Description = "Told elsewhere" })
		if found, err = w.db.Group(context.Background(), directory.GroupRef{ID: g.ID}, nil); err != nil {
			t.Fatal(err)
		}
		_, err = w.edit(directory.GroupEdit{ID: g.ID, Name: new("Again"), Versions: []string{found.Row.Version}})
		now := wantError[*directory.VersionError](t, err).Version
		w.wantEqual()
		w.mustEdit(directory.GroupEdit{ID: g.ID, Name: new("Again"), Versions: []string{now}})
	})
}

func TestClientThatGoesAwayEndsAnEditThatIsNotSent(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		e := directory.GroupEdit{ID: g.ID, AddMembers: w.newcomers(g.ID)[:1]}
		for _, match := range []string{"GET", "PUT"} {
			ctx, cancel := context.WithCancel(context.Background())
			w.sim.Fault(tallyfysim.Fault{Match: onGroup(match, g.ID), Times: 1, Before: cancel, DelayAnswer: time.Second})
			w.sim.ResetRequests()
			_, err := w.editAs(ctx, e)
			switch {
			case match == "GET" && !errors.Is(err, context.Canceled):
				t.Errorf("error %v", err)
			case match == "GET":
				w.wantRequests("GET")
			case err != nil:
				t.Errorf("it was sent, and then: %v", err)
			}
			w.wantEqual()
		}
		ctx, cancel := context.WithCancel(context.Background())
		w.Writer.mirror = thenCancel{w.poller, cancel}
		w.sim.ResetRequests()
		if _, err := w.editAs(ctx, directory.GroupEdit{ID: g.ID, Name: new("Never")}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		w.wantRequests("GET")

		leave, err := w.lines.enter(context.Background(), g.ID)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := w.editAs(ctx, e); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		leave()
		w.wantRequests()
	})
}

// A thenCancel loses the client as soon as the group was read.
type thenCancel struct {
	Mirror
	cancel func()
}

func (c thenCancel) SettleGroup(ctx context.Context, id string, how func(*directory.GroupRow) directory.Applied) (directory.Freshness, error) {
	defer c.cancel()
	return c.Mirror.SettleGroup(ctx, id, how)
}

func TestEditBeyondTheBudgetIsNotSent(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.rebuild(w.db, tallyfy.Options{Hourly: 1}, poller.Options{})
		id := w.smallGroup().ID
		for _, arrives := range [][]string{{"GET"}, nil} {
			began := time.Now()
			_, err := w.edit(directory.GroupEdit{ID: id, Name: new("Never")})
			if directory.ReasonOf(err) != directory.ReasonBudget || time.Since(began) > 20*time.Second {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
			w.wantNothingSent()
			w.wantRequests(arrives...)
		}
	})
}

func TestOneLineAnEdit(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		rename := directory.GroupEdit{ID: g.ID, Name: new("Secretive")}
		dry := rename
		dry.DryRun = true
		_, _ = w.edit(dry)
		_, _ = w.edit(rename)
		_, _ = w.edit(rename)
		_, _ = w.edit(directory.GroupEdit{ID: g.ID, Name: new("x"), Versions: []string{}})
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", g.ID), Times: 1, Status: 403})
		_, _ = w.edit(directory.GroupEdit{ID: g.ID, Name: new("x")})
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", g.ID), Times: 1, DropConnection: true})
		_, _ = w.edit(directory.GroupEdit{ID: g.ID, Name: new("y")})
		w.sim.Disable(w.newcomers(g.ID)[0])
		sleeper := w.sim.CreateUser(tallyfysim.User{Email: "sleeper@x.test", Status: tallyfysim.StatusDisabled})
		_, _ = w.edit(directory.GroupEdit{ID: g.ID, AddMembers: []int64{sleeper}})
		got := strings.Split(strings.TrimSpace(w.log.String()), "\n")
		want := []string{`"dry run"`, "applied", `"nothing to do"`, `"not sent"`, "refused", "unknown", "conflict"}
		if len(got) != len(want) {
			t.Fatalf("log %q", got)
		}
		for i, outcome := range want {
			if !strings.Contains(got[i], "outcome="+outcome+" ") || !strings.Contains(got[i], "group="+g.ID) || !strings.Contains(got[i], "request_id=r-1") ||
				strings.Contains(got[i], "Secretive") || strings.Contains(got[i], w.sim.Token()) {
				t.Errorf("line %q, want %s", got[i], outcome)
			}
		}
	})
}
