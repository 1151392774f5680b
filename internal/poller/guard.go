package poller

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"rollcall/internal/directory"
)

// removals are the rows and edges that a sweep would remove. Edges are known
// by hash, as there may be very many.
type removals struct {
	groups  map[string]struct{}
	members map[int64]struct{}
	edges   map[uint64]struct{}
}

func newRemovals() removals {
	return removals{map[string]struct{}{}, map[int64]struct{}{}, map[uint64]struct{}{}}
}

// isIn reports whether other holds all of r.
func (r removals) isIn(other removals) bool {
	w := r.without(other)
	return len(w.groups)+len(w.members)+len(w.edges) == 0
}

// A stock is how much of each kind is stored.
type stock struct{ groups, members, edges int }

// A weight is how suspicious removals are.
type weight int

const (
	light weight = iota // nothing to hold
	brief               // few: held until the next sweep agrees
	heavy               // held until they are accepted, or believed for their age
)

// mostBrief is how many removals of a kind the next whole sweep may confirm.
const mostBrief = 10

// weigh judges removals kind by kind; the heaviest counts.
func (r removals) weigh(of stock, share float64) weight {
	return max(
		weigh(len(r.groups), of.groups, share),
		weigh(len(r.members), of.members, share),
		weigh(len(r.edges), of.edges, share),
	)
}

func weigh(removed, stored int, share float64) weight {
	switch {
	case !suspicious(removed, stored, share):
		return light
	case removed <= mostBrief && removed != stored:
		return brief
	}
	return heavy
}

// without returns what r has and other lacks.
func (r removals) without(other removals) removals {
	return removals{less(r.groups, other.groups), less(r.members, other.members), less(r.edges, other.edges)}
}

func less[K comparable](a, b map[K]struct{}) map[K]struct{} {
	out := map[K]struct{}{}
	for k := range a {
		if _, both := b[k]; !both {
			out[k] = struct{}{}
		}
	}
	return out
}

// id names a set of removals, the same in every process.
func (r removals) id() string {
	h := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(r.groups)) {
		h.Write([]byte("g" + id + "\n"))
	}
	for _, id := range slices.Sorted(maps.Keys(r.members)) {
		h.Write(binary.BigEndian.AppendUint64([]byte("m"), uint64(id)))
	}
	for _, edge := range slices.Sorted(maps.Keys(r.edges)) {
		h.Write(binary.BigEndian.AppendUint64([]byte("e"), edge))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// addEdges adds the edges that before has and after, as far as it shows them,
// lacks, and returns how many they are.
func (r removals) addEdges(before, after *directory.GroupRow) int {
	known := len(r.edges)
	if !after.MembersAbsent {
		for _, member := range before.Members {
			if _, stays := slices.BinarySearch(after.Members, member); !stays {
				r.edges[edge(before.ID, "m", binary.BigEndian.AppendUint64(nil, uint64(member)))] = struct{}{}
			}
		}
	}
	if !after.GuestsAbsent {
		stays := map[string]struct{}{}
		for _, guest := range after.Guests {
			stays[directory.FoldEmail(guest)] = struct{}{}
		}
		for _, guest := range before.Guests {
			key := directory.FoldEmail(guest)
			if _, both := stays[key]; !both {
				r.edges[edge(before.ID, "g", []byte(key))] = struct{}{}
			}
		}
	}
	return len(r.edges) - known
}

func edge(group, kind string, who []byte) uint64 {
	h := fnv.New64a()
	h.Write([]byte(group))
	h.Write([]byte{0})
	h.Write([]byte(kind))
	h.Write(who)
	return h.Sum64()
}

// A hold is a set of removals that is not believed.
type hold struct {
	id      string
	since   time.Time
	removed removals // empty after a restart, of which the name alone is known
}

// A guard holds removals that look like a fault of upstream.
type guard struct {
	isOn     bool
	share    float64
	release  time.Duration // how long every sweep must show them, 0 is for ever
	accepted []string      // ids that somebody has accepted for this sweep
}

// A verdict on removals: a hold, or that they may be published, and if they
// would have been held, why not.
type verdict struct {
	hold     *hold
	why      string
	believed removals // they count as proven
}

// decide judges what a sweep lacks. last is the hold of the whole sweep
// before, if it was held; a guard that is off is asked only about one that was.
//
// Few removals are believed when the sweep lacks nothing but what the one
// before lacked. A hold goes on, under its name, while nothing beyond it would
// need one and nothing that would has come back: life goes on upstream, too.
// Where much has come back, what is left takes a name of its own, but was
// shown since the hold began.
func (g guard) decide(last *hold, r removals, of stock, now time.Time) verdict {
	w, id := r.weigh(of, g.share), r.id()
	switch {
	case w == light:
		return verdict{why: "upstream shows them again"}
	case !g.isOn && id == last.id:
		return verdict{why: "nothing is held any more, and two sweeps agree", believed: r}
	case !g.isOn:
		return verdict{why: "nothing is held any more"}
	}
	if slices.Contains(g.accepted, id) {
		return verdict{why: "accepted", believed: r}
	}
	if last != nil && last.id == id {
		last = &hold{id, last.since, r}
	}
	if last == nil || r.without(last.removed).weigh(of, g.share) != light {
		return verdict{hold: &hold{id, now, r}}
	}
	switch {
	case slices.Contains(g.accepted, last.id):
		return verdict{why: "accepted", believed: last.removed}
	case w == brief && r.isIn(last.removed):
		return verdict{why: "few, and the next sweep agrees", believed: last.removed}
	case w == brief:
		return verdict{hold: &hold{id, now, r}}
	case g.release > 0 && now.Sub(last.since) >= g.release:
		return verdict{why: "shown for as long as --hold-release says", believed: last.removed}
	case last.removed.without(r).weigh(of, g.share) != light:
		return verdict{hold: &hold{id, last.since, r}}
	}
	return verdict{hold: last}
}

// dropsTooMuch reports whether a single read that shows so few edges of a
// group must be confirmed by a sweep. Of edges that the
// write behind it sent, however they came out, none counts.
func dropsTooMuch(before, after *directory.GroupRow, how directory.Applied, share float64) bool {
	shown := *after
	shown.MembersAbsent = shown.MembersAbsent || how.Carried.Members
	shown.GuestsAbsent = shown.GuestsAbsent || how.Carried.Guests
	lost := newRemovals().addEdges(before, &shown)
	stored := len(before.Members) + len(before.Guests)
	return lost > mostBrief && float64(lost) > share*float64(stored)
}
