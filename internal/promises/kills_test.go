package promises_test

import (
	"math/rand/v2"
	"os"
	"syscall"
	"time"
)

// A kill waits for an instant to kill at.
type kill struct {
	name   string
	await  func(*crashes)
	after  time.Duration // at most so long after that
	isWarm bool          // the program is to listen first
	weight int
}

var kills = []kill{
	{"while it starts", func(*crashes) {}, 150 * time.Millisecond, false, 2},
	{"at any time", func(*crashes) {}, 150 * time.Millisecond, true, 2},
	{"when upstream was listed", func(c *crashes) { c.hear(c.up.listed) }, 8 * time.Millisecond, true, 3},
	{"when upstream answered a write", func(c *crashes) { c.hear(c.up.written) }, 5 * time.Millisecond, true, 3},
	{"when the log grows", (*crashes).awaitLog, time.Millisecond, true, 6},
	{"while it stops", (*crashes).terminate, 15 * time.Millisecond, true, 2},
}

// live runs the program up to a kill.
func (c *crashes) live() {
	c.t.Helper()
	kind := c.draw()
	c.how = kind.name
	c.kills[kind.name]++
	c.up.change(func() { c.up.edit(c.rng) }) // while nobody watches
	if kind.isWarm {
		c.up.gate.close()
		defer c.up.gate.open()
		c.program = launch(c.t, c.env, "serve")
		c.awaken()
		defer c.load()()
		c.rest(40 * time.Millisecond)
	} else {
		c.program = launch(c.t, c.env, "serve")
	}
	kind.await(c)
	c.rest(kind.after)
	c.program.kill()
}

// awaken waits until the program listens, and looks at what it shows before
// it can have listed anything.
func (c *crashes) awaken() {
	c.t.Helper()
	select {
	case <-c.program.log.listening:
	case <-c.program.ended:
		c.t.Fatalf("the program did not start after a kill %s:\n%s", c.how, c.program.log)
	}
	if c.isBorn {
		c.compareFirstReads()
	}
	c.isBorn = true
}

// load opens the gate, edits and writes until the returned function is called.
func (c *crashes) load() (end func()) {
	c.up.gate.open()
	stop := c.up.stir(rand.New(rand.NewPCG(c.rng.Uint64(), 0)), 15*time.Millisecond)
	writers := startWriters(c)
	return func() {
		stop()
		writers.end()
	}
}

func (c *crashes) draw() kill {
	sum := 0
	for _, kind := range kills {
		sum += kind.weight
	}
	n := c.rng.IntN(sum)
	for _, kind := range kills {
		if n -= kind.weight; n < 0 {
			return kind
		}
	}
	panic("weights do not add up")
}

func (c *crashes) rest(most time.Duration) { time.Sleep(time.Duration(c.rng.Int64N(int64(most)))) }

// patience is how long something is waited for that ought to happen soon, and
// may fail to without anything being wrong.
const patience = 5 * time.Second

func (c *crashes) hear(what <-chan struct{}) {
	select {
	case <-what:
	case <-time.After(patience):
	}
}

// awaitLog waits until SQLite writes to its log, which it does page by page.
func (c *crashes) awaitLog() {
	path := c.env["ROLLCALL_DB"] + "-wal"
	before, err := os.Stat(path)
	if err != nil {
		return
	}
	for begun := time.Now(); time.Since(begun) < patience; {
		now, err := os.Stat(path)
		if err != nil || now.Size() != before.Size() || !now.ModTime().Equal(before.ModTime()) {
			return
		}
	}
}

func (c *crashes) terminate() { _ = c.program.command.Process.Signal(syscall.SIGTERM) }
