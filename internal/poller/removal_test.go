package poller

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func TestJudgeAsksForProof(t *testing.T) {
	for name, c := range map[string]struct {
		absences []absence[int64]
		shown    bool
		stored   int
		gone     []int64
	}{
		"one page":                     {[]absence[int64]{{id: 1}, {id: 2}}, true, 100, []int64{1, 2}},
		"one page, a share":            {[]absence[int64]{{id: 1}, {id: 2}, {id: 3}}, true, 12, []int64{1, 2, 3}},
		"one page, above the share":    {[]absence[int64]{{id: 1}, {id: 2}, {id: 3}}, true, 11, nil},
		"one page, few":                {[]absence[int64]{{id: 1}, {id: 2}}, true, 3, []int64{1, 2}},
		"one page, all":                {[]absence[int64]{{id: 1}, {id: 2}}, true, 2, nil},
		"one page, the only one":       {[]absence[int64]{{id: 1}}, true, 1, nil},
		"pages":                        {[]absence[int64]{{id: 1}, {id: 2}}, false, 100, nil},
		"pages, second time":           {[]absence[int64]{{id: 1, missed: true}, {id: 2}}, false, 100, []int64{1}},
		"pages, denied":                {[]absence[int64]{{id: 1}, {id: 2, denied: true}}, false, 100, []int64{2}},
		"above the share, second time": {[]absence[int64]{{id: 1, missed: true}, {id: 2}, {id: 3}}, true, 4, []int64{1}},
		"none":                         {nil, true, 5, nil},
	} {
		gone, wait := judge(c.absences, c.shown, c.stored, 0.25)
		if !slices.Equal(gone, c.gone) || len(gone)+len(wait) != len(c.absences) {
			t.Errorf("%s: gone %v, wait %v; want gone %v", name, gone, wait, c.gone)
		}
	}
}

func TestAbsenceFromOnePageRemovesAtOnce(t *testing.T) {
	inWorld(t, populated(40), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		w.sim.ResetRequests()
		for _, g := range w.sim.Groups()[3:13] {
			w.sim.DeleteGroup(g.ID)
		}
		w.sim.RemoveUser(w.sim.Users()[5].ID)
		w.sweep(directory.SweepPublished)
		w.wantEqual()
		if got := w.requests(); len(got) != 2 {
			t.Errorf("requests %q, want the two lists", got)
		}
	})
}

func TestAbsenceOfManyFromOnePageTakesASecondSweep(t *testing.T) {
	inWorld(t, populated(40), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		before := w.mirror()
		for _, g := range w.sim.Groups()[:30] {
			w.sim.DeleteGroup(g.ID)
		}
		forbidReads(w)
		w.sweep(directory.SweepUnchanged)
		w.wantPicture(before)
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

// forbidReads makes reads of single rows prove nothing.
func forbidReads(w *world) (allow func()) {
	return w.sim.Fault(tallyfysim.Fault{Match: isSingleRead, Status: 403})
}

func TestEmptyListOnceRemovesNothing(t *testing.T) {
	for _, list := range []string{"groups", "users"} {
		t.Run(list, func(t *testing.T) {
			inWorld(t, populated(40), func(t *testing.T, w *world) {
				w.sweep(directory.SweepPublished)
				before := w.mirror()
				w.sim.Fault(tallyfysim.Fault{
					Match: tallyfysim.OnPage(list, "1"), Times: 1, Status: 200,
					Body: []byte(`{"data":[],"meta":{"pagination":{"total":0,"count":0,"current_page":1,"total_pages":1,"links":[]}}}`),
				})
				w.sweep(directory.SweepUnchanged)
				w.wantPicture(before)
				w.sweep(directory.SweepUnchanged)
				w.wantPicture(before)
			})
		})
	}
}

func TestDeletedGroupBetweenPagesRemovesThatGroupAlone(t *testing.T) {
	inWorld(t, populated(250), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		victim := w.sim.Groups()[10].ID
		w.sim.Fault(tallyfysim.Fault{
			Match: tallyfysim.OnPage("groups", "2"), Times: 1,
			Before: func() { w.sim.DeleteGroup(victim) },
		})
		w.sweep(directory.SweepPublished)
		w.wantEqual()
		w.wantRevision(2)
	})
}

// The total is the same on every page here and the rows are as many, but the
// deletion has moved a row from page two to page one after that was read.
func TestDeletionAndInsertionInOneSweepLoseNothing(t *testing.T) {
	for _, reads := range []bool{true, false} {
		t.Run(fmt.Sprintf("reads allowed: %t", reads), func(t *testing.T) {
			inWorld(t, populated(250), func(t *testing.T, w *world) {
				w.sweep(directory.SweepPublished)
				first := time.Now()
				time.Sleep(time.Minute)
				groups := w.sim.Groups()
				skipped := groups[100].ID
				w.sim.Fault(tallyfysim.Fault{
					Match: tallyfysim.OnPage("groups", "2"), Times: 1,
					Before: func() {
						w.sim.DeleteGroup(groups[10].ID)
						w.sim.CreateGroup(tallyfysim.Group{Name: "New"})
					},
				})
				allow := func() {}
				if !reads {
					allow = forbidReads(w)
				}
				w.sweep(directory.SweepPublished)
				if _, shown := w.mirror().Groups[skipped]; !shown {
					t.Fatal("the group that moved between the pages was removed")
				}
				if got, want := w.confirmed(skipped), first; !reads && !got.Equal(want) {
					t.Errorf("the group that was not seen is confirmed at %v, want %v", got, want)
				}
				if got, want := w.confirmed(skipped), time.Now(); reads && !got.Equal(want) {
					t.Errorf("the group that was read singly is confirmed at %v, want %v", got, want)
				}
				allow()
				w.sweep(directory.SweepPublished)
				w.wantEqual()
				if got := w.confirmed(skipped); !got.Equal(time.Now()) {
					t.Errorf("confirmed at %v after it was listed", got)
				}
			})
		})
	}
}

func TestOwnReadProvesARemovalAtTheFirstSweep(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		victim := w.sim.Groups()[10].ID
		w.sim.DeleteGroup(victim)
		w.sim.ResetRequests()
		w.sweep(directory.SweepPublished)
		w.wantEqual()
		got := w.requests()
		if len(got) != 5 || got[3] != "GET /groups/"+victim || !strings.HasPrefix(got[4], "GET /groups/") {
			t.Errorf("requests %q, want the lists, the victim and a present group", got)
		}
	})
}

func TestOtherAnswersProveNothing(t *testing.T) {
	notFound := []byte(`{"error":true,"message":"Resource not found","code":"RESOURCE_NOT_FOUND"}`)
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		for name, fault := range map[string]tallyfysim.Fault{
			"404 of a path":         {Status: 404, Body: []byte(`{"error":true,"code":"ENDPOINT_NOT_FOUND"}`)},
			"404 without code":      {Status: 404, Body: []byte(`{"message":"Not found"}`)},
			"404 in HTML":           {Status: 404, Body: []byte(`<html>`)},
			"403":                   {Status: 403, Body: notFound},
			"401":                   {Status: 401, Body: []byte(`{"message":"Unauthorized action."}`)},
			"410":                   {Status: 410, Body: notFound},
			"429":                   {Status: 429, RetryAfter: "900"},
			"500":                   {Status: 500, Body: notFound},
			"lost":                  {DropConnection: true},
			"404 of every row":      {Status: 404, Body: notFound},
			"200 of another's page": {Status: 200, Body: []byte(`{"data":[]}`)},
		} {
			t.Log(name)
			victim := w.sim.Groups()[10].ID
			w.sim.DeleteGroup(victim)
			before := w.mirror()
			fault.Match = tallyfysim.On("GET", victim)
			if name == "404 of every row" {
				fault.Match = isSingleRead
			}
			remove := w.sim.Fault(fault)
			w.sweep(directory.SweepUnchanged)
			w.wantPicture(before)
			if state := w.Status().State; state != directory.StateFresh {
				t.Errorf("state %s: a single row's refusal is no failure of the sweep", state)
			}
			time.Sleep(20 * time.Minute)
			w.sweep(directory.SweepPublished)
			w.wantEqual()
			remove()
		}
	})
}

func TestSweepSpendsTwentyReadsOnProof(t *testing.T) {
	o := populated(150)
	o.UserCap = 20
	inWorld(t, o, func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		for _, g := range w.sim.Groups()[:30] {
			w.sim.DeleteGroup(g.ID)
		}
		users := w.sim.Users()
		w.sim.RemoveUser(users[3].ID)
		w.sim.RemoveUser(users[4].ID)
		w.sim.ResetRequests()
		w.sweep(directory.SweepPublished)
		reads := slices.DeleteFunc(w.requests(), func(line string) bool { return strings.Contains(line, "page=") })
		if len(reads) != proofReads {
			t.Errorf("%d reads of single rows, want %d: %q", len(reads), proofReads, reads)
		}
		if left := len(w.mirror().Groups) - 120; left != 30-(proofReads-3-1) {
			t.Errorf("%d of 30 deleted groups are left", left)
		}
		if len(w.mirror().Members) != 28 {
			t.Error("the members that deny themselves are left")
		}
		w.sim.ResetRequests()
		w.sweep(directory.SweepPublished)
		w.wantEqual()
		if got := w.requests(); len(got) != 4 {
			t.Errorf("the second sweep asked %q, want the lists alone", got)
		}
	})
}

func TestWithoutTotalsOnlyASecondSweepProvesAnAbsence(t *testing.T) {
	o := populated(5)
	o.NoMeta = true
	inWorld(t, o, func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		before := w.mirror()
		w.sim.DeleteGroup(w.sim.Groups()[2].ID)
		w.sim.RemoveUser(w.sim.Users()[7].ID)
		before.Groups = w.upstream().Groups // whose edges follow at once
		for id, g := range w.mirror().Groups {
			if _, lives := before.Groups[id]; !lives {
				before.Groups[id] = g
			}
		}
		w.sim.ResetRequests()
		w.sweep(directory.SweepPublished)
		w.wantPicture(before)
		if got := w.requests(); len(got) != 4 {
			t.Errorf("requests %q, want two pages of each list", got)
		}
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

func TestARowInDoubtKeepsItsConfirmationOverARestart(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		first := time.Now()
		victim := w.sim.Groups()[10].ID
		time.Sleep(time.Minute)
		w.sim.DeleteGroup(victim)
		allow := forbidReads(w)
		w.sweep(directory.SweepUnchanged)
		for range 2 {
			if got := w.confirmed(victim); !got.Equal(first) {
				t.Fatalf("the row that waits is confirmed at %v, want %v", got, first)
			}
			if f, err := w.db.Freshness(context.Background()); err != nil || !f.ConfirmedAt.Equal(first) {
				t.Fatalf("the whole is confirmed at %v (%v), want %v", f.ConfirmedAt, err, first)
			}
			if e := w.entryOf(victim); !e.doubted || !e.confirmed.Equal(first) {
				t.Fatalf("the ledger says %+v", e)
			}
			w.restart()
		}
		time.Sleep(time.Minute)
		allow()
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

func TestRowMarkedAsDeletedIsGone(t *testing.T) {
	o := populated(3)
	o.Generation = tallyfysim.Gen2025
	inWorld(t, o, func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Groups()[1].ID
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Extra = deletedAt })
		w.sweep(directory.SweepPublished)
		if _, shown := w.mirror().Groups[id]; shown {
			t.Error("a group marked as deleted is shown")
		}
		w.sweep(directory.SweepUnchanged)
	})
}

var deletedAt = map[string]json.RawMessage{"deleted_at": json.RawMessage(`"2026-01-01T00:00:00Z"`)}
