package poller

import (
	"math"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// observations hands out numbers and knows which observations still run.
type observations struct {
	mu      sync.Mutex
	last    uint64
	void    uint64 // observations that began before this number are applied to nothing
	running map[uint64]struct{}
}

// next gives out a number.
func (o *observations) next() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	return o.last
}

func (o *observations) begin() directory.Observation {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	if o.running == nil {
		o.running = map[uint64]struct{}{}
	}
	o.running[o.last] = struct{}{}
	return directory.Observation{Number: o.last, BeganAt: time.Now()}
}

func (o *observations) end(obs directory.Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.running, obs.Number)
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

// oldest is the number of the oldest observation that runs, beyond every
// number when none does.
func (o *observations) oldest() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	oldest := uint64(math.MaxUint64)
	for number := range o.running {
		oldest = min(oldest, number)
	}
	return oldest
}

// Begin starts an observation: call it before its request leaves, and End
// when it was applied or given up.
func (p *Poller) Begin() directory.Observation { return p.observations.begin() }

// End says that obs will not be applied any more.
func (p *Poller) End(obs directory.Observation) { p.observations.end(obs) }
