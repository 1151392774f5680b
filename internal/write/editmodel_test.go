package write

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// Whatever is edited safely and raw through Rollcall and outside it, lost,
// refused and answered with nonsense: no edit that was sent takes back what
// upstream showed before, and in the end the mirror is upstream's.
func TestNoSafeEditTakesAnythingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(undated{t}, func(r *rapid.T) {
			m := newEditModel(t, r)
			defer m.db.Close()
			for range rapid.IntRange(1, 3).Draw(r, "batches") {
				m.batch()
			}
			m.sim.Clear()
			time.Sleep(time.Minute)
			m.sweepNow()
			m.wantEqual()
			if len(m.doubted()) > 0 || len(m.lines.rows) > 0 {
				r.Errorf("left behind: %v in doubt, lines %v", m.doubted(), m.lines.rows)
			}
		})
	})
}

// undated hides the deadline of a test, which is of no use in virtual time.
type undated struct{ testing.TB }

// An editModel makes batches of random writes on two groups.
type editModel struct {
	*world
	r     *rapid.T
	o     *overseer
	ids   []string
	users []int64
	named int
}

func newEditModel(t *testing.T, r *rapid.T) *editModel {
	m := &editModel{r: r, world: newWorld(t, tallyfysim.Options{
		Groups: 4, Members: 9, Edges: 16,
		Generation:        rapid.SampledFrom([]tallyfysim.Generation{tallyfysim.Gen2026, tallyfysim.Gen2025}).Draw(r, "generation"),
		AbsentArraysClear: rapid.Bool().Draw(r, "absent arrays clear"),
		StringIDs:         rapid.Bool().Draw(r, "string ids"),
	})}
	m.t = r
	m.o = m.oversee(r)
	for _, u := range m.sim.Users() {
		if u.Status == tallyfysim.StatusActive {
			m.users = append(m.users, u.ID)
		}
	}
	for _, g := range m.sim.Groups()[:2] {
		m.ids = append(m.ids, g.ID)
		m.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Members, g.Guests = m.users[:4], []string{"g0@x.test"} })
	}
	m.sweepNow()
	return m
}

// batch starts a few writes at once, with trouble ahead, and waits for all.
func (m *editModel) batch() {
	if rapid.Bool().Draw(m.r, "outside") {
		m.sim.UpdateGroup(m.group(), m.outside())
	}
	for range rapid.IntRange(0, 3).Draw(m.r, "faults") {
		m.sim.Fault(m.trouble())
	}
	var all sync.WaitGroup
	for range rapid.IntRange(1, 5).Draw(m.r, "writes") {
		all.Go(m.write())
		time.Sleep(time.Duration(rapid.IntRange(0, 300).Draw(m.r, "pause")) * time.Millisecond)
	}
	if rapid.Bool().Draw(m.r, "sweep") {
		all.Go(func() { _, _ = m.poller.Sweep(context.Background()) })
	}
	all.Wait()
	m.sim.Clear()
}

func (m *editModel) group() string { return rapid.SampledFrom(m.ids).Draw(m.r, "group") }

func (m *editModel) someUsers(what string) []int64 {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(m.users), 0, 3, rapid.ID[int64]).Draw(m.r, what)
}

func (m *editModel) someGuests(what string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"g0@x.test", "g1@x.test", "g2@x.test"}), 0, 2, rapid.ID[string]).Draw(m.r, what)
}

// text is one that no group had before.
func (m *editModel) text() string {
	m.named++
	return fmt.Sprint("text ", m.named)
}

// outside is what somebody does to a group in Tallyfy itself.
func (m *editModel) outside() func(*tallyfysim.Group) {
	members, guests, name := m.someUsers("members outside"), m.someGuests("guests outside"), m.text()
	return func(g *tallyfysim.Group) { g.Members, g.Guests, g.Name = members, guests, name }
}

// trouble is what befalls a request: others who edit the group before it is
// read or after it was written, or a failure.
func (m *editModel) trouble() tallyfysim.Fault {
	id := m.group()
	edit := func() func() {
		change := m.outside()
		return func() { m.sim.UpdateGroup(id, change) }
	}
	get, put := onGroup("GET", id), onGroup("PUT", id)
	faults := map[string]func() tallyfysim.Fault{
		"edited before the read": func() tallyfysim.Fault { return tallyfysim.Fault{Match: get, Before: edit()} },
		"edited after the write": func() tallyfysim.Fault { return tallyfysim.Fault{Match: put, After: edit(), DelayAnswer: time.Second} },
		"edited and lost":        func() tallyfysim.Fault { return tallyfysim.Fault{Match: put, After: edit(), DropConnection: true} },
		"read fails":             func() tallyfysim.Fault { return tallyfysim.Fault{Match: get, Status: 500} },
		"read is slow":           func() tallyfysim.Fault { return tallyfysim.Fault{Match: get, DelayAnswer: 2 * time.Second} },
		"write never arrives":    func() tallyfysim.Fault { return tallyfysim.Fault{Match: put, DropRequest: true} },
		"answer is lost":         func() tallyfysim.Fault { return tallyfysim.Fault{Match: put, DropConnection: true} },
		"answer is cut":          func() tallyfysim.Fault { return tallyfysim.Fault{Match: put, TruncateAfter: 20} },
		"answer is nonsense":     func() tallyfysim.Fault { return tallyfysim.Fault{Match: put, Rewrite: replaced(`"data"`, `"date"`)} },
		"answer lacks the guests": func() tallyfysim.Fault {
			return tallyfysim.Fault{Match: put, Rewrite: replaced(`"guests"`, `"visitors"`)}
		},
		"500":                    func() tallyfysim.Fault { return tallyfysim.Fault{Match: put, Status: 500} },
		"503 all the same":       func() tallyfysim.Fault { return tallyfysim.Fault{Match: put, Status: 503, Handled: true} },
		"429":                    func() tallyfysim.Fault { return tallyfysim.Fault{Match: put, Status: 429, RetryAfter: "1"} },
		"write of unknown reach": func() tallyfysim.Fault { return tallyfysim.Fault{Match: put, After: m.poller.MarkEverything} },
	}
	fault := faults[rapid.SampledFrom(slices.Sorted(maps.Keys(faults))).Draw(m.r, "trouble")]()
	fault.Times = 1
	return fault
}

// write is a random write, raw or safe.
func (m *editModel) write() func() {
	id := m.group()
	if rapid.IntRange(0, 3).Draw(m.r, "raw") == 0 {
		fields := map[string]any{"name": m.text(), "description": m.text()}
		if rapid.Bool().Draw(m.r, "states members") {
			fields["members"] = m.someUsers("members stated")
		}
		if rapid.Bool().Draw(m.r, "states guests") {
			fields["guests"] = m.someGuests("guests stated")
		}
		return func() { _, _ = m.raw(m.o, id, fields) }
	}
	add, guests := m.someUsers("members"), m.someGuests("guests")
	e := directory.GroupEdit{ID: id}
	e.AddMembers, e.RemoveMembers = cut(add, rapid.IntRange(0, len(add)).Draw(m.r, "removed"))
	e.AddGuests, e.RemoveGuests = cut(guests, rapid.IntRange(0, len(guests)).Draw(m.r, "guests removed"))
	switch rapid.IntRange(0, 3).Draw(m.r, "texts") {
	case 0:
		e.Name = new(m.text())
	case 1:
		e.Description = new(m.text())
	}
	return func() { m.wantHeld(e) }
}

func cut[T any](list []T, n int) (rest, first []T) { return list[n:], list[:n] }

// wantHeld makes a safe edit and wants its answer, if it is a good one, to
// show what was asked.
func (m *editModel) wantHeld(e directory.GroupEdit) {
	edited, err := m.safely(m.o, e)
	if err != nil {
		return
	}
	g := tallyfysim.Group{Name: edited.Row.Name, Members: edited.Row.Members, Guests: edited.Row.Guests}
	if edited.Row.Description != nil {
		g.Description = *edited.Row.Description
	}
	if want := applied(g, e); want != plain(g) {
		m.r.Errorf("%+v is answered with %s", e, plain(g))
	}
}
