package promises_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"rollcall/internal/db"
	"rollcall/internal/tallyfysim"
)

// The number of crashes of one run, and after how many the file is replaced
// by a new one, so that its making is interrupted, too.
const (
	crashesVar     = "ROLLCALL_CRASHES"
	crashesOfAFile = 20
)

// The real program is killed again and again, at instants chosen to hit what
// hurts most, while the organisation is edited behind it and written through
// it. After each kill the file is whole, its feed goes on where it was, it
// shows a state that upstream had, no older than the one before nor than any
// write that was answered; and a restarted program shows just that before it
// has spoken to upstream.
func TestKilledAtAnyInstructionItLosesNothing(t *testing.T) {
	needBinary(t)
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := newCrashes(t, rand.New(rand.NewPCG(seed, 0)))
	wanted := crashesDefault
	if n, err := strconv.Atoi(os.Getenv(crashesVar)); err == nil {
		wanted = n
	}
	for n := range wanted {
		if n%crashesOfAFile == 0 {
			c.startAnew(t.TempDir())
		}
		c.live()
		c.examine(n)
		if t.Failed() {
			t.Fatalf("crash %d, %s; the program said:\n%s", n, c.how, c.program.log)
		}
	}
	c.recover()
	t.Logf("kills: %v, writes that they interrupted %d, answered before %d; changes in the feeds %d", c.kills, c.interrupted, c.answered, c.changes)
	for _, kind := range kills {
		if wanted >= 100 && c.kills[kind.name] == 0 {
			t.Errorf("no kill %s", kind.name)
		}
	}
}

// crashes are lives of one program and what is known over them.
type crashes struct {
	t   *testing.T
	up  *upstream
	env environment
	rng *rand.Rand

	program *program
	how     string // the last was killed
	isBorn  bool   // some life of this file has got as far as to listen
	at      place
	feed    []string // of the file, as it was last seen
	shown   picture  // likewise

	kills                          map[string]int
	interrupted, answered, changes int
}

func newCrashes(t *testing.T, rng *rand.Rand) *crashes {
	c := &crashes{t: t, rng: rng, kills: map[string]int{}}
	c.up = newUpstream(t, tallyfysim.Options{Seed: 8, Groups: 30, Members: 120, Edges: 500, Guests: 15})
	for n := range 4 {
		c.up.change(func() { c.up.sim.CreateGroup(tallyfysim.Group{Name: fmt.Sprintf("%s %d", throughPrefix, n)}) })
	}
	c.env = c.up.environment(t)
	return c
}

// startAnew goes on with a file that does not exist yet.
func (c *crashes) startAnew(dir string) {
	c.env = c.env.with("ROLLCALL_DB", dir+"/rollcall.db")
	c.isBorn, c.feed, c.shown, c.at = false, nil, picture{}, place{}
	c.up.forgetAnswers()
}

// compareFirstReads holds what a restarted program shows before it has heard
// of upstream against the file as the kill left it.
func (c *crashes) compareFirstReads() {
	c.t.Helper()
	shown, err := newCaller(c.t, c.program, c.up.sim).groups()
	if err != nil {
		c.t.Fatal(err)
	}
	if !maps.Equal(c.shown.groups, shown) {
		c.t.Fatalf("the first reads after a kill %s do not show the file:\n%s", c.how, differences(c.shown.groups, shown))
	}
}

// examine looks at the file that a kill has left.
func (c *crashes) examine(n int) {
	c.t.Helper()
	path := c.env["ROLLCALL_DB"]
	if !c.isBorn {
		return // there need not be a mirror yet; the next life must be able to start
	}
	now := checkFile(c.t, path)
	feed := now.feed()
	if len(feed) < len(c.feed) || !slices.Equal(feed[:len(c.feed)], c.feed) {
		c.t.Fatalf("the feed of %d changes does not go on where it was, after %d", len(feed), len(c.feed))
	}
	c.changes += len(feed) - len(c.feed)
	c.feed, c.shown = feed, now.picture()
	if len(feed) > 0 {
		c.at = c.up.follow(c.t, c.shown, c.at)
	}
	if n%5 != 0 {
		return
	}
	if r := runToEnd(c.t, environment{}, "status", "--db", path); r.code != 0 {
		c.t.Errorf("a fresh process cannot read it: %s", r.stderr)
	}
	reader, err := db.OpenReadOnly(c.t.Context(), path)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		c.t.Error(err)
	}
}

// recover lets the program live in peace: its mirror becomes what upstream is.
func (c *crashes) recover() {
	c.t.Helper()
	p := serve(c.t, c.env)
	for range 3 { // what is absent may have to be proven by a second sweep
		if got, err := newCaller(c.t, p, c.up.sim).do("POST", "/v1/sync?wait=30s", nil); err != nil || got.status != 200 {
			c.t.Fatalf("%d %s %v", got.status, got.body, err)
		}
	}
	p.stop()
	mirror := checkFile(c.t, c.env["ROLLCALL_DB"])
	shown, upstream := mirror.picture(), c.up.now()
	if !maps.Equal(shown.groups, upstream.groups) || !maps.Equal(shown.members, upstream.members) {
		c.t.Errorf("in quiet the mirror is not what upstream is:\n%s%s", differences(upstream.groups, shown.groups), differences(upstream.members, shown.members))
	}
}
