package poller

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// member reads a user's row, as a write's answer would show it.
func (w *world) member(id int64) directory.MemberRow {
	w.t.Helper()
	row, err := w.client.Member(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

func (w *world) memberConfirmed(id int64) time.Time {
	w.applying.Lock()
	defer w.applying.Unlock()
	return w.members.rows[id].confirmed
}

// One row holds all of a member's fields: it is the write's if that changed
// any of them, else what somebody else did became known by it.
func TestAMembersChangeIsTheWritesIfThatMadeAnyOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		fields []string
		want   directory.Cause
	}{
		"what was sent changed":    {[]string{"last_name", "team"}, directory.CauseWrite},
		"something else changed":   {[]string{"last_name"}, directory.CauseRefresh},
		"nothing came out as sent": {nil, directory.CauseRefresh},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, populated(5), func(t *testing.T, w *world) {
				w.sweep(directory.SweepPublished)
				id := w.sim.Users()[3].ID
				obs := w.Begin()
				w.sim.UpdateUser(id, func(u *tallyfysim.User) { u.Team = "Elsewhere" })
				var pub directory.Publication
				w.store = recordingStore{w.db, &pub}
				how := directory.Applied{Cause: directory.CauseWrite, Actor: "alice", Fields: c.fields}
				if _, err := w.ApplyMember(context.Background(), obs, w.member(id), how); err != nil {
					t.Fatal(err)
				}
				got := pub.Members[0].Origin
				if got.Cause != c.want || (got.Actor == "alice") != (c.want == directory.CauseWrite) {
					t.Errorf("the change comes from %+v, want %s", got, c.want)
				}
				w.wantEqual()
			})
		})
	}
}

func TestAMemberThatAWriteMadeIsItsOwn(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		obs := w.Begin()
		id := w.sim.CreateUser(tallyfysim.User{Email: "new@works.test", FirstName: "New", LastName: "Pyke"})
		var pub directory.Publication
		w.store = recordingStore{w.db, &pub}
		how := directory.Applied{Cause: directory.CauseWrite, Actor: "alice", Fields: []string{"email"}}
		if _, err := w.ApplyMember(context.Background(), obs, w.member(id), how); err != nil {
			t.Fatal(err)
		}
		if got := pub.Members[0].Origin; got.Cause != directory.CauseWrite || got.Actor != "alice" {
			t.Errorf("the member comes from %+v", got)
		}
		w.wantEqual()
		w.sweep(directory.SweepUnchanged)
	})
}

func TestNoSweepThatBeganEarlierTakesAMembersWriteBack(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Users()[3].ID
		duringSweep(w, true, func() {
			obs := w.Begin()
			w.sim.UpdateUser(id, func(u *tallyfysim.User) { u.LastName = "Renamed" })
			if _, err := w.ApplyMember(context.Background(), obs, w.member(id), directory.Applied{Cause: directory.CauseWrite}); err != nil {
				t.Error(err)
			}
		})
		w.sweep(directory.SweepUnchanged)
		w.wantEqual()
	})
}

func TestDoubtedMemberIsReadAgainUntilItIsKnown(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		first := time.Now()
		ctx, cancel := context.WithCancel(context.Background())
		var others sync.WaitGroup
		others.Go(func() { w.runRereads(ctx) })
		time.Sleep(time.Minute)

		one, other := w.sim.Users()[3].ID, w.sim.Users()[4].ID
		w.sim.UpdateUser(one, func(u *tallyfysim.User) { u.LastName = "Renamed" })
		w.sim.RemoveUser(other)
		restore := w.sim.Fault(tallyfysim.Fault{Match: isUserRead, Status: 503})
		w.DoubtMember(ctx, one)
		w.DoubtMember(ctx, other)
		w.DoubtGroup(ctx, w.sim.Groups()[0].ID)
		time.Sleep(5 * time.Minute)
		if got := w.memberConfirmed(one); !got.Equal(first) {
			t.Errorf("confirmed at %v, want %v", got, first)
		}
		restore()
		time.Sleep(2 * time.Minute)
		if got := w.memberConfirmed(one); !got.After(first) {
			t.Errorf("confirmed at %v, which is not new", got)
		}
		if got, want := w.mirror().Members[one], w.upstream().Members[one]; got != want {
			t.Errorf("the mirror shows %v, want %v", got, want)
		}
		if _, stored := w.mirror().Members[other]; stored {
			t.Error("a member who is gone was read and stays")
		}
		w.sim.ResetRequests()
		time.Sleep(time.Hour)
		if got := w.requests(); len(got) != 0 {
			t.Errorf("a known row is read on: %q", got)
		}
		cancel()
		others.Wait()
	})
}

func isUserRead(r *http.Request) bool {
	return isSingleRead(r) && strings.Contains(r.URL.Path, "/users/")
}

// Somebody in doubt is not confirmed by a list that was read before.
func TestSweepThatBeganBeforeADoubtDoesNotConfirmTheMember(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		first := time.Now()
		time.Sleep(time.Minute)
		id := w.sim.Users()[3].ID
		duringSweep(w, true, func() { w.DoubtMember(context.Background(), id) })
		w.sweep(directory.SweepUnchanged)
		if got := w.memberConfirmed(id); !got.Equal(first) {
			t.Errorf("confirmed at %v, want %v", got, first)
		}
		w.sweep(directory.SweepUnchanged)
		if got := w.memberConfirmed(id); !got.Equal(time.Now()) {
			t.Errorf("confirmed at %v, want now: a later sweep has seen the member", got)
		}
	})
}
