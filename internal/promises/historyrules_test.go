package promises_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"rollcall/internal/directory"
)

// broken names what a history breaks, an example each.
func (h history) broken() (broken []string) {
	for _, check := range []struct {
		promise  string
		violated func() []string
	}{
		{"an interval begins and ends in changesets", h.unanchored},
		{"an interval holds a revision at least", h.momentary},
		{"intervals of one thing do not overlap", h.overlapping},
		{"a row that was changed goes on and one that was deleted does not", h.disjointed},
		{"a row begins when it was born", h.unborn},
		{"an edge lives while its group does", h.homeless},
		{"a guest's edge names a guest", h.nameless},
		{"a version of a group counts and hashes its edges", h.miscounted},
		{"a group's version ends when its edges change", h.outlived},
	} {
		if violations := check.violated(); len(violations) > 0 {
			broken = append(broken, fmt.Sprintf("%s: %d times not, such as %s", check.promise, len(violations), violations[0]))
		}
	}
	return broken
}

// intervals are those of rows and edges, by thing and time.
func (h history) intervals() []interval {
	var all []interval
	for _, v := range h.versions {
		all = append(all, v.interval)
	}
	for _, e := range h.edges {
		all = append(all, e.interval)
	}
	slices.SortFunc(all, func(a, b interval) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key), cmp.Compare(a.since, b.since), cmp.Compare(a.until, b.until))
	})
	return all
}

// those returns the intervals that are wrong, in words.
func (h history) those(wrong func(interval) bool) (violations []string) {
	for _, i := range h.intervals() {
		if wrong(i) {
			violations = append(violations, fmt.Sprintf("%+v", i))
		}
	}
	return violations
}

func (h history) unanchored() []string {
	return h.those(func(i interval) bool { return h.begins(i) == 0 || h.ends(i) == 0 })
}

func (h history) momentary() []string {
	return h.those(func(i interval) bool { return i.since >= i.until || h.begins(i) >= h.ends(i) })
}

func (h history) overlapping() []string {
	var before interval
	return h.those(func(i interval) bool {
		overlaps := before.kind == i.kind && before.key == i.key && before.until > i.since
		before = i
		return overlaps
	})
}

// A step is where a version begins.
type step struct {
	kind, key   string
	since, born int64
}

func (h history) steps() map[step]bool {
	steps := map[step]bool{}
	for _, v := range h.versions {
		steps[step{v.kind, v.key, v.since, v.born}] = true
	}
	return steps
}

func (h history) disjointed() (violations []string) {
	steps := h.steps()
	for _, v := range h.versions {
		if v.until != forever && v.isDeleted == steps[step{v.kind, v.key, v.until, v.born}] {
			violations = append(violations, fmt.Sprintf("%+v", v))
		}
	}
	return violations
}

func (h history) unborn() (violations []string) {
	steps := h.steps()
	for _, v := range h.versions {
		if v.born > v.since || !steps[step{v.kind, v.key, v.born, v.born}] {
			violations = append(violations, fmt.Sprintf("%+v", v))
		}
	}
	return violations
}

func (h history) homeless() (violations []string) {
	type life struct{ begins, ends int64 }
	lives := map[string][]life{}
	for _, v := range h.versions {
		if v.kind == "group" && (v.until == forever || v.isDeleted) {
			lives[v.key] = append(lives[v.key], life{h.revision[v.born], h.ends(v.interval)})
		}
	}
	for _, e := range h.edges {
		isIn := func(l life) bool { return l.begins <= h.begins(e.interval) && h.ends(e.interval) <= l.ends }
		if !slices.ContainsFunc(lives[e.gid], isIn) {
			violations = append(violations, fmt.Sprintf("%+v", e))
		}
	}
	return violations
}

func (h history) nameless() (violations []string) {
	for _, e := range h.edges {
		if e.kind == "guest edge" && e.guest == "" {
			violations = append(violations, fmt.Sprintf("%+v", e))
		}
	}
	return violations
}

// perGroup runs fn for each version of a group with all edges that the group
// ever had.
func (h history) perGroup(fn func(version, []edge) string) (violations []string) {
	edges := map[string][]edge{}
	for _, e := range h.edges {
		edges[e.gid] = append(edges[e.gid], e)
	}
	for _, v := range h.versions {
		if v.kind == "group" {
			if complaint := fn(v, edges[v.key]); complaint != "" {
				violations = append(violations, complaint)
			}
		}
	}
	return violations
}

func (h history) miscounted() []string {
	return h.perGroup(func(v version, edges []edge) string {
		var members []int64
		var guests []string
		for _, e := range edges {
			switch begins := h.begins(v.interval); {
			case h.begins(e.interval) > begins || begins >= h.ends(e.interval):
			case e.kind == "edge":
				members = append(members, e.member)
			default:
				guests = append(guests, e.guest)
			}
		}
		members, guests = distinct(members), distinct(guests)
		hash := directory.VersionOf(v.name, &v.description.String, members, guests)
		if hash == v.hash && len(members) == v.members && len(guests) == v.guests {
			return ""
		}
		return fmt.Sprintf("%+v had %d %q, which is %s", v, members, guests, hash)
	})
}

func (h history) outlived() []string {
	return h.perGroup(func(v version, edges []edge) string {
		for _, e := range edges {
			for _, change := range []int64{h.begins(e.interval), h.ends(e.interval)} {
				if h.begins(v.interval) < change && change < h.ends(v.interval) {
					return fmt.Sprintf("%+v and %+v", v, e)
				}
			}
		}
		return ""
	})
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // SQLite holds it as a number
	return n
}
