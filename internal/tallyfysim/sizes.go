package tallyfysim

import (
	"math/rand/v2"
	"strings"
	"time"
)

// groupSizes shares edges among n groups of at most people members each: the
// first holds everybody, every twentieth is empty, the others get shares that
// fall with their rank. What the shares leave over is dealt out one by one.
func groupSizes(n, people, edges int) []int {
	sizes := make([]int, n)
	if n == 0 || people == 0 {
		return sizes
	}
	sizes[0] = min(people, edges)
	left := edges - sizes[0]
	var weights float64
	for i := 1; i < n; i++ {
		weights += weight(i)
	}
	shared := left
	for i := 1; i < n; i++ {
		sizes[i] = min(people, int(float64(shared)*weight(i)/weights))
		left -= sizes[i]
	}
	for dealt := true; left > 0 && dealt; {
		dealt = false
		for i := 1; i < n && left > 0; i++ {
			if weight(i) > 0 && sizes[i] < people {
				sizes[i]++
				left--
				dealt = true
			}
		}
	}
	return sizes
}

func weight(i int) float64 {
	if i%20 == 19 {
		return 0
	}
	return 1 / float64(i+2)
}

func sum(sizes []int) int {
	total := 0
	for _, n := range sizes {
		total += n
	}
	return total
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// ages gives ascending instants of creation over the five years before until.
// The first is alone in its second, others share theirs now and then.
type ages struct {
	rng  *rand.Rand
	at   time.Time
	step int64 // most seconds between two rows
	rows int
}

func newAges(rng *rand.Rand, until time.Time, n int) *ages {
	const span = 5 * 365 * 24 * 3600
	return &ages{rng: rng, at: until.Add(-span * time.Second), step: max(1, span/int64(n+1))}
}

func (a *ages) next() time.Time {
	if a.rows == 1 || a.rng.IntN(8) != 0 {
		a.at = a.at.Add(time.Duration(1+a.rng.Int64N(a.step)) * time.Second)
	}
	a.rows++
	return a.at
}

// An arena joins strings in one piece of memory.
type arena struct{ b *strings.Builder }

func newArena(size int) *arena {
	a := &arena{&strings.Builder{}}
	a.b.Grow(size)
	return a
}

// join returns the parts as one string, cut from the arena. A full arena
// starts another piece.
func (a *arena) join(parts ...string) string {
	need := 0
	for _, p := range parts {
		need += len(p)
	}
	if need > a.b.Cap()-a.b.Len() {
		*a = *newArena(max(need, 1<<16))
	}
	from := a.b.Len()
	for _, p := range parts {
		a.b.WriteString(p)
	}
	return a.b.String()[from:]
}
