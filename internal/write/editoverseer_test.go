package write

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/internal/directory"
	"rollcall/internal/poller"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// numbered names the write that a PUT belongs to.
const numbered = "X-Number"

// An overseer stands between Rollcall and upstream and holds each PUT against
// the state that upstream has when it arrives: a safe edit must ask for that
// state with its own change and nothing else, so whatever others did by then
// is not lost.
type overseer struct {
	t   rapid.TB
	sim *tallyfysim.Sim

	mu    sync.Mutex
	edits []directory.GroupEdit // by number; a zero one is a raw write
	sent  []int                 // how often each was
}

// number takes down a write and names it.
func (o *overseer) number(e directory.GroupEdit) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.edits, o.sent = append(o.edits, e), append(o.sent, 0)
	return strconv.Itoa(len(o.edits) - 1)
}

func (o *overseer) RoundTrip(r *http.Request) (*http.Response, error) {
	if n, err := strconv.Atoi(r.Header.Get(numbered)); err == nil {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = o.oversee(n, body)
		}
		if err != nil {
			o.t.Error(err)
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := o.sim.Transport().RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		o.notAdmitted(r.Header.Get(numbered))
	}
	return resp, err
}

// notAdmitted forgets that a write arrived: what upstream throttles has no
// effect and may be sent again.
func (o *overseer) notAdmitted(number string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n, err := strconv.Atoi(number); err == nil {
		o.sent[n]--
	}
}

func (o *overseer) oversee(n int, body []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.edits[n]
	if o.sent[n]++; o.sent[n] > 1 {
		return fmt.Errorf("write %d was sent %d times", n, o.sent[n])
	}
	now, found := o.sim.Group(e.ID)
	if !found { // a raw write, or one that will find nothing
		return nil
	}
	var got tallyfysim.Group
	if err := json.Unmarshal(body, &got); err != nil {
		return err
	}
	if want := applied(now, e); want != plain(got) {
		return fmt.Errorf("edit %d, %+v, finds %s and sends %s, want %s", n, e, plain(now), plain(got), want)
	}
	return nil
}

// wasSent reports whether a write arrived.
func (o *overseer) wasSent(number string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := strconv.Atoi(number)
	return err == nil && o.sent[n] == 1
}

// applied is a group after an edit.
func applied(g tallyfysim.Group, e directory.GroupEdit) string {
	if e.Name != nil {
		g.Name = *e.Name
	}
	if e.Description != nil {
		g.Description = *e.Description
	}
	g.Members = append(slices.DeleteFunc(g.Members, func(id int64) bool { return slices.Contains(e.RemoveMembers, id) }), e.AddMembers...)
	g.Guests = append(slices.DeleteFunc(g.Guests, func(mail string) bool { return slices.Contains(e.RemoveGuests, mail) }), e.AddGuests...)
	return plain(g)
}

// plain is what of a group a write may change, in one spelling.
func plain(g tallyfysim.Group) string {
	members, guests := slices.Clone(g.Members), slices.Clone(g.Guests)
	slices.Sort(members)
	slices.Sort(guests)
	return fmt.Sprintf("%q %q %v %v", g.Name, g.Description, slices.Compact(members), slices.Compact(guests))
}

// oversee puts an overseer before upstream, and a poller that nobody runs.
func (w *world) oversee(t rapid.TB) *overseer {
	o := &overseer{t: t, sim: w.sim}
	w.rebuild(w.db, tallyfy.Options{Transport: o}, poller.Options{})
	return o
}

// safely makes a safe edit under the eyes of an overseer.
func (w *world) safely(o *overseer, e directory.GroupEdit) (*directory.EditedGroup, error) {
	number := o.number(e)
	put := w.request(context.Background(), "PUT", groups+"/"+e.ID, "")
	put.Header.Set(numbered, number)
	edited, err := w.Edit(context.Background(), put, e)
	if err == nil && edited.Changed != o.wasSent(number) {
		o.t.Errorf("%+v was sent: %t, but changed: %t", e, o.wasSent(number), edited.Changed)
	}
	return edited, err
}

// raw sends a raw PUT under the eyes of an overseer.
func (w *world) raw(o *overseer, id string, fields map[string]any) (*directory.Outcome, error) {
	body := encode(fields)
	put := w.request(context.Background(), "PUT", groups+"/"+id, string(body))
	put.Header.Set(numbered, o.number(directory.GroupEdit{}))
	return w.Group(context.Background(), put, body)
}

// In each round two writers add a member each, at once, and then take them
// out again.
func TestTwoWritersWhoAddDifferentMembersAtOnceLoseNeither(t *testing.T) {
	rounds := 100
	if soaks, err := strconv.Atoi(os.Getenv("ROLLCALL_EDIT_ROUNDS")); err == nil {
		rounds = soaks
	}
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		o := w.oversee(t)
		g := w.smallGroup()
		pair := w.newcomers(g.ID)[:2]
		for round := range rounds {
			var both sync.WaitGroup
			for _, id := range pair {
				e := directory.GroupEdit{ID: g.ID, AddMembers: []int64{id}}
				if round%2 == 1 {
					e.AddMembers, e.RemoveMembers = nil, e.AddMembers
				}
				both.Go(func() {
					if edited, err := w.safely(o, e); err != nil || !edited.Changed {
						t.Errorf("round %d, %+v: %+v, %v", round, e, edited, err)
					}
				})
			}
			both.Wait()
			now, _ := w.sim.Group(g.ID)
			for _, id := range pair {
				if slices.Contains(now.Members, id) != (round%2 == 0) || w.isIn(g.ID, id) != (round%2 == 0) {
					t.Fatalf("round %d: member %d is lost", round, id)
				}
			}
		}
		w.wantEqual()
	})
}

// Forty writes of one group at once. A raw one states a name of its own or a
// whole list of guests; what a safe one asks is there whatever comes after,
// but where a raw one states otherwise.
func TestFortyEditsOfOneGroupAtOnceLoseNothing(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		o := w.oversee(t)
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "Busy", Description: "d"})
		w.sweepNow()
		var ids []int64
		for i := range 20 {
			ids = append(ids, w.sim.CreateUser(tallyfysim.User{Email: fmt.Sprintf("busy%d@x.test", i)}))
		}
		w.sim.Fault(tallyfysim.Fault{DelayAnswer: 100 * time.Millisecond})
		var all sync.WaitGroup
		for i, member := range ids {
			all.Go(func() {
				if _, err := w.safely(o, directory.GroupEdit{ID: id, AddMembers: []int64{member}}); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				fields := map[string]any{"name": fmt.Sprint("Busy ", i), "description": "d"}
				if i%2 == 1 {
					fields["guests"] = []string{fmt.Sprintf("g%d@x.test", i)}
				}
				if out, err := w.raw(o, id, fields); err != nil || out.Status != 201 || out.Refresh != directory.RefreshApplied {
					t.Errorf("%+v, %v", out, err)
				}
			})
			if i == 7 {
				all.Go(w.sweepNow)
			}
		}
		all.Wait()
		now, _ := w.sim.Group(id)
		if members := slices.Sorted(slices.Values(now.Members)); !slices.Equal(members, ids) {
			t.Errorf("upstream has the members %v, want %v", members, ids)
		}
		if !strings.HasPrefix(now.Name, "Busy ") || len(now.Guests) != 1 {
			t.Errorf("upstream has %q and the guests %v, want those of the last raw writes", now.Name, now.Guests)
		}
		w.wantEqual()
	})
}
