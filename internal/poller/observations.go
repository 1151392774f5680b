package poller

import (
	"sync"
	"time"

	"rollcall/internal/directory"
)

// observations hands out numbers.
type observations struct {
	mu   sync.Mutex
	last uint64
	void uint64 // what began before this number is applied to nothing
}

// next gives out a number.
func (o *observations) next() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	return o.last
}

func (o *observations) begin() directory.Observation {
	return directory.Observation{Number: o.next(), BeganAt: time.Now()}
}

// voidAll moves the mark for everything.
func (o *observations) voidAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	o.void = o.last
}

func (o *observations) voided(obs directory.Observation) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return obs.Number < o.void
}

// Begin starts an observation. Call it before its request leaves.
func (p *Poller) Begin() directory.Observation { return p.observations.begin() }
