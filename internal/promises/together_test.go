package promises_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// Writers of groups and users, people who come and go, sweeps, edits made
// elsewhere and readers, all at once and over an upstream that is slow and
// loses answers: each writer reads what it wrote, nothing that a reader has
// seen is taken back, each write arrives once, and at the end the mirror is
// what upstream is.
func TestEverybodyAtOnceReadsTheirWritesAndLosesNone(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		a := newAssembly(t, seed)
		defer a.parts.close()
		a.everybody()
		a.sim.Clear()
		a.mustSync()
		a.mustSync() // a row that is gone may take two
		a.stop()
		a.wantEachWriteOnce()
		s := checkFile(t, a.path)
		upstream := newChronicle(a.sim).now()
		if !maps.Equal(upstream.groups, s.picture().groups) || !maps.Equal(upstream.members, s.picture().members) {
			t.Errorf("the mirror is not what upstream is:\n%s%s", differences(upstream.groups, s.picture().groups), differences(upstream.members, s.picture().members))
		}
		t.Logf("%d writes, %d answers of them lost, %d reads, %d upstream requests, %v", len(a.marks.all), a.marks.lost, a.reads.Load(), len(a.sim.Requests()), time.Since(a.began))
	})
}

// How much is done, so that it ends.
const (
	writersOfEach   = 3
	writesOfEach    = 20
	comingsAndGoing = 4
	invitations     = 10
	editsElsewhere  = 60
	readersAtOnce   = 2
)

func newAssembly(t *testing.T, seed uint64) *assembly {
	sim := tallyfysim.New(tallyfysim.Options{Seed: 3, Groups: 12, Members: 40, Edges: 150, Guests: 5, EnableRestores: true})
	path := filepath.Join(t.TempDir(), "rollcall.db")
	a := &assembly{
		t: t, seed: seed, sim: sim, path: path, began: time.Now(), ended: make(chan struct{}),
		parts: join(t, sim, path, 50*time.Millisecond, tallyfy.Options{}),
	}
	a.parts.sweep()
	a.caller = a.parts.caller(t)
	a.cast()
	a.slowDown()
	ctx, cancel := context.WithCancel(context.Background())
	var polling sync.WaitGroup
	polling.Go(func() { _ = a.parts.Run(ctx) })
	a.stop = func() {
		cancel()
		polling.Wait()
	}
	return a
}

// everybody does what they do, and returns when all is done.
func (a *assembly) everybody() {
	var busy, watching sync.WaitGroup
	for n := range writersOfEach {
		busy.Go(func() { a.writeGroups(n) })
		busy.Go(func() { a.writeUsers(n) })
	}
	busy.Go(a.comeAndGo)
	busy.Go(a.invite)
	busy.Go(a.editElsewhere)
	for n := range readersAtOnce {
		watching.Go(func() { a.watch(n) })
	}
	busy.Wait()
	close(a.ended)
	watching.Wait()
}

// writeGroups writes a group of its own and the one that all share.
func (a *assembly) writeGroups(n int) {
	rng := a.rng(n)
	own := a.create(fmt.Sprintf("Own %d", n))
	for range writesOfEach {
		a.pause()
		id, owned := own, true
		if rng.IntN(3) == 0 {
			id, owned = a.shared.group, false
		}
		mark := a.marks.begin("group " + id)
		body := map[string]any{"name": "Written " + id, "description": mark.text}
		if rng.IntN(2) == 0 {
			body["members"] = a.somePeople(rng)
		}
		a.settle(mark, owned, a.do("PUT", a.caller.groupsPath()+"/"+id, body), func() string { return a.description(id) })
	}
}

// writeUsers writes a user of its own and the one that all share.
func (a *assembly) writeUsers(n int) {
	rng := a.rng(100 + n)
	for range writesOfEach {
		a.pause()
		id, owned := a.owned[n], true
		if rng.IntN(3) == 0 {
			id, owned = a.shared.user, false
		}
		path := fmt.Sprintf("%s/%d", a.usersPath(), id)
		mark := a.marks.begin(path)
		body := map[string]any{"first_name": "Written", "last_name": mark.text, "timezone": "UTC", "team": mark.text}
		a.settle(mark, owned, a.do("PUT", path, body), func() string { return a.team(id) })
		if rng.IntN(3) == 0 {
			a.do("PUT", path+"/role", map[string]any{"role": []string{"light", "standard"}[rng.IntN(2)]})
		}
	}
}

// comeAndGo disables people, who are then in no group, and enables them.
func (a *assembly) comeAndGo() {
	for n := range comingsAndGoing {
		time.Sleep(1500 * time.Millisecond) // each puts sweeps off for one
		id := a.leavers[n%len(a.leavers)]
		path := fmt.Sprintf("%s/%d", a.usersPath(), id)
		method, verb, status := "DELETE", "/disable", "disabled"
		if n >= comingsAndGoing/2 {
			method, verb, status = "PUT", "/enable", "active"
		}
		got := a.do(method, path+verb, nil)
		if got.status/100 != 2 && got.status/100 != 5 || got.header.Get("Rollcall-Refresh") != "pending" {
			a.t.Errorf("%s %s: %d %v", method, verb, got.status, got.header)
		}
		a.mustSync()
		upstream, _ := a.sim.User(id)
		shown := a.member(id)
		if upstream.Status != shown.Status || shown.Status == "disabled" && shown.GroupCount != 0 {
			a.t.Errorf("user %d is %+v after a sync, want %s, upstream %s", id, shown, status, upstream.Status)
		}
	}
}

// invite invites people, whom the next read knows.
func (a *assembly) invite() {
	for n := range invitations {
		a.pause()
		email := fmt.Sprintf("invited%d@works.test", n)
		got := a.do("POST", a.usersPath()+"/invite", map[string]any{"email": email, "first_name": "In", "last_name": "Vited", "role": "light", "message": "Welcome"})
		if got.status != 200 || got.header.Get("Rollcall-Refresh") != "" {
			a.t.Errorf("invitation: %d %v %s", got.status, got.header, got.body)
			continue
		}
		if found := a.do("GET", "/v1/members/"+email, nil); found.status != 200 {
			a.t.Errorf("the invited are not there: %d %s", found.status, found.body)
		}
	}
}

// editElsewhere edits what nobody writes here.
func (a *assembly) editElsewhere() {
	rng := a.rng(300)
	for n := range editsElsewhere {
		time.Sleep(rand.N(200 * time.Millisecond))
		id := a.elsewhere[rng.IntN(len(a.elsewhere))]
		a.sim.UpdateGroup(id, func(g *tallyfysim.Group) {
			g.Description, g.Members = fmt.Sprintf("elsewhere %d", n), a.somePeople(rng)
		})
	}
}

// watch reads until all is done. What was seen once never goes back.
func (a *assembly) watch(n int) {
	seen := map[string]int{}
	revision := int64(0)
	lists := []string{"/v1/groups?limit=100", a.usersPath(), a.caller.groupsPath() + "?per_page=100", "/v1/members?limit=100"}
	for ; ; n++ {
		select {
		case <-a.ended:
			return
		case <-time.After(rand.N(60 * time.Millisecond)):
		}
		got := a.do("GET", lists[n%len(lists)], nil)
		a.reads.Add(1)
		if now := revisionOf(got); now < revision || got.status != http.StatusOK {
			a.t.Errorf("revision %d after %d: %d %s", now, revision, got.status, got.body)
		} else {
			revision = now
		}
		for _, row := range rowsIn(a.t, got) {
			serial := a.marks.serialOf(row.words())
			if a.isOwned(row.name()) && serial < seen[row.name()] {
				a.t.Errorf("row %s went back from write %d to %q", row.name(), seen[row.name()], row.words())
			}
			seen[row.name()] = serial
		}
	}
}

// settle holds the answer to a write, and the read after it, against what was
// written. An answer that was lost is as good, once a sync has settled it.
func (a *assembly) settle(m *mark, owned bool, got answer, shown func() string) {
	isUnclear := got.status/100 == 5
	isPending := got.header.Get("Rollcall-Refresh") == "pending"
	if got.status/100 != 2 && !isUnclear || isUnclear && !isPending {
		a.t.Errorf("%s: %d %v %s", m.text, got.status, got.header, got.body)
	}
	if isUnclear {
		a.marks.lose(m)
	}
	if isPending {
		a.mustSync()
	}
	now := shown()
	switch {
	case now == m.text, !owned && a.marks.mayShow(m, now), isUnclear && a.marks.isInDoubtAgain(m):
	default:
		a.t.Errorf("%s was answered %d, and the next read shows %q", m.text, got.status, now)
	}
	if !isUnclear {
		a.marks.end(m)
	}
}

// wantEachWriteOnce looks at what upstream has seen.
func (a *assembly) wantEachWriteOnce() {
	a.t.Helper()
	arrived := map[string]int{}
	for _, r := range a.sim.Requests() {
		if r.Method != http.MethodPut {
			continue
		}
		for _, word := range strings.Split(string(r.Body), `"`) {
			if a.marks.serialOf(word) > 0 {
				arrived[word]++
			}
		}
	}
	for _, m := range a.marks.all {
		times := arrived[m.text]
		if strings.Contains(m.row, "/users/") {
			times /= 2 // its mark is in two fields
		}
		if times != 1 {
			a.t.Errorf("%s arrived %d times", m.text, times)
		}
	}
}
