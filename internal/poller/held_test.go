package poller

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// hide takes rows out of a list, total and all, until it is undone.
func (w *world) hide(list string, ids ...string) (undo func()) {
	return w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("GET", "/"+list), Rewrite: func(body []byte) []byte {
		var page struct {
			Data []map[string]any `json:"data"`
			Meta struct {
				Pagination map[string]any `json:"pagination"`
			} `json:"meta"`
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		if err := decoder.Decode(&page); err != nil {
			panic(err)
		}
		hidden := map[string]bool{}
		for _, id := range ids {
			hidden[id] = true
		}
		rows := []map[string]any{}
		for _, row := range page.Data {
			if !hidden[fmt.Sprint(row["id"])] {
				rows = append(rows, row)
			}
		}
		total, _ := page.Meta.Pagination["total"].(json.Number).Int64()
		page.Meta.Pagination["total"] = total - int64(len(ids))
		page.Data = rows
		out, err := json.Marshal(page)
		if err != nil {
			panic(err)
		}
		return out
	}})
}

func (w *world) groupIDs() (ids []string) {
	for _, g := range w.sim.Groups() {
		ids = append(ids, g.ID)
	}
	return ids
}

func (w *world) userIDs() (ids []string) {
	for _, u := range w.sim.Users() {
		ids = append(ids, fmt.Sprint(u.ID))
	}
	return ids
}

// accept has a running poller accept what is held.
func (w *world) accept(id string) (directory.Sweep, error) {
	stop := w.run()
	defer stop()
	synctest.Wait()
	return w.AcceptRemovals(context.Background(), id, time.Minute)
}

// small is an organisation of groups and members without edges.
func small(groups, members int) tallyfysim.Options {
	return tallyfysim.Options{Groups: groups, Members: members, Edges: -1, Guests: -1}
}

func inGuarded(t *testing.T, o tallyfysim.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	inWorld(t, o, func(t *testing.T, w *world) {
		w.start(Options{HoldRemovals: true})
		w.sweep(directory.SweepPublished)
		test(t, w)
	})
}

func TestSuddenlyEmptyListIsHeldAndNothingMoves(t *testing.T) {
	for _, list := range []string{"groups", "users"} {
		t.Run(list, func(t *testing.T) {
			inGuardedWorld(t, 0, func(t *testing.T, w *world) {
				before, first := w.mirror(), time.Now()
				anywhere := w.sim.Groups()[7].ID
				undo := w.sim.Fault(tallyfysim.Fault{
					Match: tallyfysim.On("GET", "/"+list), Status: 200,
					Body: []byte(`{"data":[],"meta":{"pagination":{"total":0,"count":0,"current_page":1,"total_pages":1,"links":[]}}}`),
				})
				for range 10 {
					time.Sleep(time.Minute)
					w.sweep(directory.SweepHeld)
				}
				w.wantPicture(before)
				w.wantRevision(1)
				if got := w.confirmed(anywhere); !got.Equal(first) {
					t.Errorf("confirmed at %v by a held sweep, want %v", got, first)
				}
				undo()
				w.sweep(directory.SweepUnchanged)
				w.wantRevision(1)
				if got := w.confirmed(anywhere); !got.Equal(time.Now()) {
					t.Errorf("confirmed at %v after the sweep that recovered", got)
				}
			})
		})
	}
}

func TestHalfTheMembersGoneForOneSweepRemovesNobody(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		before := w.mirror()
		undo := w.hide("users", w.userIDs()[:15]...)
		forbidReads(w)
		w.sweep(directory.SweepHeld)
		w.wantPicture(before)
		if held := w.Status().Held; held.Members != 15 || len(held.GoneMembers) != 15 || held.GoneMembers[0].Email == "" || held.Truncated {
			t.Errorf("held %+v", held)
		}
		undo()
		w.sweep(directory.SweepUnchanged)
		w.wantPicture(before)
		w.wantRevision(1)
	})
}

// Lists, totals and single reads all agree here: no proof of absence sees
// that it is the token which lost its sight.
func TestTokenThatSeesAPartRemovesNothingNotEvenPieceByPiece(t *testing.T) {
	inGuarded(t, populated(250), func(t *testing.T, w *world) {
		before := w.mirror()
		w.deleteGroups(0, 150)
		for range 5 {
			w.sweep(directory.SweepHeld)
			w.wantPicture(before)
		}
		if held := w.Status().Held; held.Groups != 150 || len(held.GoneGroups) != told || !held.Truncated {
			t.Errorf("held %d groups, %d named, truncated %t", held.Groups, len(held.GoneGroups), held.Truncated)
		}
	})
}

func TestTenRowsWaitForTheNextSweepElevenForAPerson(t *testing.T) {
	for rows, want := range map[int]directory.SweepResult{10: directory.SweepPublished, 11: directory.SweepHeld} {
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			inGuarded(t, small(30, 5), func(t *testing.T, w *world) {
				w.deleteGroups(0, rows)
				w.sweep(directory.SweepHeld)
				w.sweep(want)
			})
		})
	}
}

func TestAllOfAKindWaitForAPersonHoweverFew(t *testing.T) {
	inGuarded(t, small(2, 5), func(t *testing.T, w *world) {
		w.deleteGroups(0, 2)
		for range 3 {
			w.sweep(directory.SweepHeld)
		}
		if note, err := w.accept(w.Status().Held.ID); err != nil || note.Result != directory.SweepPublished {
			t.Errorf("%+v, %v", note, err)
		}
		w.wantEqual()
	})
}

func TestFewRemovalsAreNotConfirmedByOtherFew(t *testing.T) {
	inGuarded(t, small(8, 5), func(t *testing.T, w *world) {
		before, ids := w.mirror(), w.groupIDs()
		forbidReads(w)
		undo := w.hide("groups", ids[:3]...)
		w.sweep(directory.SweepHeld)
		id := w.Status().Held.ID
		undo()
		undo = w.hide("groups", ids[3:6]...)
		w.sweep(directory.SweepHeld)
		w.wantPicture(before)
		if w.Status().Held.ID == id {
			t.Error("other removals are held under the same name")
		}
		undo()
		w.sweep(directory.SweepUnchanged)
		w.wantPicture(before)
	})
}

func TestEmptiedGroupOfEverybodyIsHeld(t *testing.T) {
	inGuarded(t, populated(5), func(t *testing.T, w *world) {
		everybody := tallyfysim.Group{Name: "Everybody"}
		for _, u := range w.sim.Users() {
			everybody.Members = append(everybody.Members, u.ID)
		}
		for i := range 3 {
			everybody.Name = fmt.Sprint("Everybody ", i)
			w.sim.CreateGroup(everybody)
		}
		w.sweep(directory.SweepPublished)
		before := w.mirror()
		for _, g := range w.sim.Groups() {
			w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) {
				if len(g.Members) == len(everybody.Members) {
					g.Members = nil
				}
			})
		}
		w.sweep(directory.SweepHeld)
		w.sweep(directory.SweepHeld)
		w.wantPicture(before)
		held := w.Status().Held
		if held.Groups != 0 || held.Memberships < 90 || len(held.ThinnedGroups) < 3 || held.ThinnedGroups[0].Memberships < 30 || held.ThinnedGroups[0].Name == "" {
			t.Errorf("held %+v", held)
		}
	})
}

func TestHeldSweepIsOneOfTwoThatProveAnAbsence(t *testing.T) {
	inGuarded(t, populated(250), func(t *testing.T, w *world) {
		ids := w.groupIDs()
		forbidReads(w)
		undo := w.hide("groups", slices.Concat(ids[:80], ids[120:150])...)
		w.sweep(directory.SweepHeld)
		undo()
		w.hide("groups", ids[0])
		w.sweep(directory.SweepPublished)
		if got := w.mirror(); len(got.Groups) != 249 {
			t.Errorf("%d groups, want all but the one that two sweeps lacked", len(got.Groups))
		}
	})
}

// Each of the two may be made by a process of its own.
func TestHeldSweepOfAnEarlierProcessIsOneOfTwoThatProveAnAbsence(t *testing.T) {
	inGuarded(t, populated(250), func(t *testing.T, w *world) {
		ids := w.groupIDs()
		forbidReads(w)
		undo := w.hide("groups", slices.Concat(ids[:80], ids[120:150])...)
		w.sweep(directory.SweepHeld)
		undo()
		w.close()
		w.open()
		w.start(Options{HoldRemovals: true})
		w.hide("groups", ids[0])
		w.sweep(directory.SweepPublished)
		if got := w.mirror(); len(got.Groups) != 249 {
			t.Errorf("%d groups, want all but the one that two sweeps lacked", len(got.Groups))
		}
	})
}

func TestHeldSweepThatShowsARowBreaksTheRunOfItsAbsence(t *testing.T) {
	inGuarded(t, populated(250), func(t *testing.T, w *world) {
		before, ids := w.mirror(), w.groupIDs()
		forbidReads(w)
		undo := w.hide("groups", ids[0])
		w.sweep(directory.SweepUnchanged)
		undo()
		undo = w.hide("groups", ids[1:101]...)
		w.sweep(directory.SweepHeld)
		undo()
		w.hide("groups", ids[0])
		w.sweep(directory.SweepUnchanged)
		w.wantPicture(before)
	})
}

func TestHoldGoesOnAfterARestart(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		began := time.Now()
		w.deleteGroups(1, 31)
		w.sweep(directory.SweepHeld)
		id := w.Status().Held.ID
		time.Sleep(time.Hour)
		w.sweep(directory.SweepHeld)
		broken := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/users"), Status: 403})
		w.sweep(directory.SweepFailed)
		broken()

		w.close()
		w.open()
		w.start(Options{HoldRemovals: true})
		if s := w.Status(); s.State != directory.StateHeld || s.Held == nil || s.Held.ID != id || !s.Held.Since.Equal(began) {
			t.Fatalf("status after a restart %+v, held %+v", s, s.Held)
		}
		w.sweep(directory.SweepHeld)
		if held := w.Status().Held; held.ID != id || !held.Since.Equal(began) || held.Groups != 30 {
			t.Errorf("held %+v", held)
		}

		w.close()
		w.open()
		w.start(Options{HoldRemovals: true})
		forbidReads(w)
		if note, err := w.accept(id); err != nil || note.Result != directory.SweepPublished {
			t.Errorf("%+v, %v", note, err)
		}
		w.wantEqual()
		w.close()
		w.open()
		w.start(Options{HoldRemovals: true})
		if s := w.Status(); s.State != directory.StateFresh {
			t.Errorf("state %s after the hold has ended and a restart", s.State)
		}
	})
}

func TestAgeOfAHoldCountsOverARestart(t *testing.T) {
	inGuardedWorld(t, time.Hour, func(t *testing.T, w *world) {
		w.deleteGroups(1, 31)
		w.sweep(directory.SweepHeld)
		time.Sleep(time.Hour)
		w.close()
		w.open()
		w.start(Options{HoldRemovals: true, HoldRelease: time.Hour})
		forbidReads(w)
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

func TestPictureThatComesAndGoesIsNotBelievedForItsAge(t *testing.T) {
	inGuardedWorld(t, time.Hour, func(t *testing.T, w *world) {
		before, ids := w.mirror(), w.groupIDs()
		forbidReads(w)
		for range 10 {
			undo := w.hide("groups", ids[:35]...)
			w.sweep(directory.SweepHeld)
			undo()
			time.Sleep(10 * time.Minute)
			undo = w.hide("groups", ids[20:]...)
			w.sweep(directory.SweepHeld)
			undo()
			time.Sleep(10 * time.Minute)
		}
		w.wantPicture(before)
		// What every sweep has shown all the time may be less than the hold
		// began with.
		undo := w.hide("groups", ids[:35]...)
		w.sweep(directory.SweepHeld)
		undo()
		time.Sleep(40 * time.Minute)
		w.hide("groups", ids[:15]...)
		w.sweep(directory.SweepHeld)
		time.Sleep(40 * time.Minute)
		w.sweep(directory.SweepPublished)
		if got := len(w.mirror().Groups); got != 25 {
			t.Errorf("%d groups, want 25", got)
		}
	})
}

func TestHoldSurvivesAPublicationThatFails(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		w.deleteGroups(1, 31)
		w.sweep(directory.SweepHeld)
		held := *w.Status().Held
		w.breakable().before = 1
		if note, err := w.accept(held.ID); err == nil {
			t.Fatalf("%+v", note)
		}
		time.Sleep(time.Hour)
		w.sweep(directory.SweepHeld)
		if now := w.Status().Held; now.ID != held.ID || !now.Since.Equal(held.Since) {
			t.Errorf("held %+v, before %+v", now, held)
		}
	})
}

func TestHoldIsLoggedWhenItBeginsChangesAndEnds(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		ids := w.groupIDs()
		forbidReads(w)
		undo := w.hide("groups", ids[:30]...)
		w.sweep(directory.SweepHeld)
		if n := w.log.count("removals are held"); n != 1 {
			t.Errorf("%d lines when it began", n)
		}
		w.sweep(directory.SweepHeld)
		if n := w.log.count("held"); n != 0 {
			t.Errorf("%d lines while it went on", n)
		}
		undo()
		undo = w.hide("groups", ids[10:]...)
		w.sweep(directory.SweepHeld)
		if n := w.log.count("other removals are held"); n != 1 {
			t.Errorf("%d lines when it changed", n)
		}
		undo()
		w.sweep(directory.SweepUnchanged)
		if n := w.log.count("removals are held no longer"); n != 1 {
			t.Errorf("%d lines when it ended", n)
		}
	})
}

// Upstream may empty the lists that an update leaves out.
func TestWhatAWriteDidNotSendIsJudgedLikeARead(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		id := w.largest()
		before := w.mirror()
		obs := w.Begin()
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name, g.Members = "Renamed", nil })
		name := directory.Sent{Name: true}
		named := directory.Applied{Cause: directory.CauseWrite, Sent: name, Carried: name}
		if _, err := w.ApplyGroup(context.Background(), obs, w.group(id), named); !errors.Is(err, directory.ErrHeld) {
			t.Errorf("error %v, want ErrHeld", err)
		}
		w.wantPicture(before)
		if len(w.agenda.demands) != 1 {
			t.Error("no sweep was asked for")
		}
		// Sent, though upstream made something else of it.
		sent := directory.Applied{Cause: directory.CauseRefresh, Carried: directory.Sent{Name: true, Members: true}}
		if _, err := w.ApplyGroup(context.Background(), obs, w.group(id), sent); err != nil {
			t.Error(err)
		}
		w.wantEqual()
	})
}

func TestSingleReadsGoOnPublishingWhileASweepIsHeld(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		w.hide("groups", w.groupIDs()[:30]...)
		forbid := forbidReads(w)
		w.sweep(directory.SweepHeld)
		forbid()
		id := w.groupIDs()[35]
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		if _, err := w.RefreshGroup(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		w.wantRevision(2)
		w.wantEqual()
	})
}

func TestWithoutAGuardNothingIsHeldAndAnOldHoldEnds(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		forbidReads(w)
		w.deleteGroups(1, 31)
		w.sweep(directory.SweepHeld)
		w.close()
		w.open()
		w.start(Options{})
		w.sweep(directory.SweepPublished)
		w.wantEqual()
		if s := w.Status(); s.State != directory.StateFresh || s.Held != nil {
			t.Errorf("status %+v", s)
		}
	})
}

func TestDecisionOnFewMoreAndOnANameThatNoHoldBears(t *testing.T) {
	g, of := guard{isOn: true, share: 0.25}, stock{groups: 8}
	three, four := losing(3, 0, 0), losing(4, 0, 0)
	last := &hold{id: three.id(), removed: three}
	if v := g.decide(last, four, of, time.Now()); v.hold == nil || v.hold.id != four.id() {
		t.Errorf("one more than the sweep before lacked: %+v", v)
	}
	if v := g.decide(last, three, of, time.Now()); v.hold != nil {
		t.Errorf("the same again: %+v", v)
	}
	all := losing(8, 0, 0)
	g.accepted = []string{all.id()}
	for _, last := range []*hold{nil, last} {
		if v := g.decide(last, all, of, time.Now()); v.hold != nil || len(v.believed.groups) != 8 {
			t.Errorf("accepted by the name it has: %+v", v)
		}
	}
}
