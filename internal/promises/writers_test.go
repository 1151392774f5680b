package promises_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// writers write groups through a program until it is killed.
type writers struct {
	*crashes
	*caller
	all      sync.WaitGroup
	stopped  atomic.Bool
	mu       sync.Mutex
	existing []string // groups that were made by writers
}

// numberOfWrite makes each write of this process leave words of its own.
var numberOfWrite atomic.Int64

func startWriters(c *crashes) *writers {
	w := &writers{crashes: c, caller: newCaller(c.t, c.program, c.up.sim)}
	for _, g := range c.up.sim.Groups() {
		if strings.HasPrefix(g.Name, throughPrefix) {
			w.existing = append(w.existing, g.ID)
		}
	}
	for range 2 {
		rng := rand.New(rand.NewPCG(c.rng.Uint64(), 0))
		w.all.Go(func() {
			for !w.stopped.Load() && w.write(rng) {
			}
		})
	}
	return w
}

// end waits for the writers, whose program is gone.
func (w *writers) end() {
	w.stopped.Store(true)
	w.all.Wait()
}

// write does one write and reports whether the program answered.
func (w *writers) write(rng *rand.Rand) bool {
	n := numberOfWrite.Add(1)
	mark := fmt.Sprintf("write %d", n)
	body := map[string]any{"name": fmt.Sprintf("%s %d", throughPrefix, n+100), "description": mark, "members": w.people(rng), "guests": []string{}}
	id, method := w.pick(rng), "PUT"
	switch {
	case id == "":
		method = "POST"
	case rng.IntN(6) == 0:
		method, mark, body = "DELETE", "", nil
	}
	path := w.groupsPath()
	if id != "" {
		path += "/" + id
	}
	got, err := w.do(method, path, body)
	if err != nil {
		w.lost(err)
		return false
	}
	w.note(got, method, id, mark)
	return true
}

// lost counts a write that the program was killed in the middle of.
func (w *writers) lost(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !errors.Is(err, syscall.ECONNREFUSED) {
		w.interrupted++
	}
}

// pick draws a group, or none: one is to be made.
func (w *writers) pick(rng *rand.Rand) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.existing) < 3 || len(w.existing) < 8 && rng.IntN(4) == 0 {
		return ""
	}
	return w.existing[rng.IntN(len(w.existing))]
}

func (w *writers) people(rng *rand.Rand) []int64 {
	users := w.up.sim.Users()
	ids := []int64{}
	for range rng.IntN(30) {
		ids = append(ids, users[rng.IntN(len(users))].ID)
	}
	return ids
}

// note remembers a write that was answered with success, and that reads show.
func (w *writers) note(got answer, method, id, mark string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if method == "DELETE" || got.status == http.StatusNotFound {
		w.drop(id)
	}
	if got.status/100 != 2 || got.header.Get("Rollcall-Refresh") == "pending" {
		return
	}
	if method == "POST" {
		var made struct{ Data struct{ ID string } }
		if err := json.Unmarshal(got.body, &made); err != nil {
			w.t.Errorf("%v: %s", err, got.body)
			return
		}
		id = made.Data.ID
		w.existing = append(w.existing, id)
	}
	w.answered++
	if err := w.up.acknowledge(id, mark); err != nil {
		w.t.Error(err)
	}
}

func (w *writers) drop(id string) {
	for i, existing := range w.existing {
		if existing == id {
			w.existing = append(w.existing[:i], w.existing[i+1:]...)
			return
		}
	}
}
