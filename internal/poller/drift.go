package poller

import (
	"fmt"
	"maps"
	"slices"

	"rollcall/internal/payload"
)

const (
	kinds  = 100  // of drift that are told apart
	shapes = 1000 // of rows that are looked at in one listing
)

// count notes one more row of a kind of drift.
func count(drift map[string]int, what string) { add(drift, what, 1) }

func add(drift map[string]int, what string, rows int) {
	if _, known := drift[what]; !known && len(drift) >= kinds-1 {
		what = "other"
	}
	drift[what] += rows
}

// A shape is the fields that some rows of a listing have alike.
type shape struct {
	fields []payload.Field
	rows   int
}

// A census counts the rows of a listing by shape. A row of a shape that was
// seen before costs the look at a map.
type census map[uint64]*shape

func (c census) count(id uint64, raw []byte) {
	if s, known := c[id]; known {
		s.rows++
		return
	}
	if len(c) < shapes {
		c[id] = &shape{payload.Fields(raw), 1}
	}
}

// A carried field is what a census says of a field by name.
type carried struct {
	known bool
	rows  int
	kinds [payload.Object + 1]int // rows by the kind of value
}

func (c census) fields() (map[string]*carried, int) {
	fields, rows := map[string]*carried{}, 0
	for _, s := range c {
		rows += s.rows
		for name, f := range distinctFields(s.fields) {
			seen := fields[name]
			if seen == nil {
				seen = &carried{}
				fields[name] = seen
			}
			seen.known = seen.known || f.Known
			seen.rows += s.rows
			seen.kinds[f.Kind] += s.rows
		}
	}
	return fields, rows
}

// distinctFields keeps of two names for one field the value that is not null.
func distinctFields(all []payload.Field) map[string]payload.Field {
	fields := make(map[string]payload.Field, len(all))
	for _, f := range all {
		if old, twice := fields[f.Name]; !twice || old.Kind == payload.Null {
			fields[f.Name] = f
		}
	}
	return fields
}

// A custom is what listings have shown of a field so far.
type custom struct {
	always bool                     // some listing carried it in every row
	kinds  [payload.Object + 1]bool // of values, in the listing that showed any first
}

// Customs are what rows used to look like since the process started, and what
// every documented generation carries.
type customs map[string]*custom

func newCustoms(kind string) customs {
	c := customs{}
	for _, name := range payload.Essential(kind) {
		c[name] = &custom{always: true}
	}
	return c
}

// drift compares a whole listing with what was the custom and adds to out how
// many rows depart from it, by name: fields that are not documented, fields
// that every row used to carry and some lack, values of another kind than
// before. Then it learns.
func (c customs) drift(kind string, seen census, out map[string]int) {
	fields, rows := seen.fields()
	names := slices.Sorted(maps.Keys(fields))
	for _, name := range names {
		f := fields[name]
		if !f.known {
			add(out, kind+"."+name+": never seen before", f.rows)
		}
		if c[name] != nil {
			c[name].departures(kind+"."+name, f, out)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if lack := rows - rowsOf(fields[name]); c[name].always && lack > 0 && !isCounted(kind, name) {
			add(out, kind+"."+name+": gone", lack)
		}
	}
	for _, name := range names {
		c.learn(name, fields[name], rows)
	}
}

// isCounted reports whether the lack of a field is drift of its own name
// already.
func isCounted(kind, name string) bool { return kind == "groups" && name == "members" }

func rowsOf(f *carried) int {
	if f == nil {
		return 0
	}
	return f.rows
}

func (c *custom) departures(what string, f *carried, out map[string]int) {
	if !slices.Contains(c.kinds[:], true) {
		return
	}
	for k, rows := range f.kinds {
		if kind := payload.Kind(k); rows > 0 && kind != payload.Null && !c.kinds[kind] {
			add(out, fmt.Sprintf("%s: of another kind, %s", what, kind), rows)
		}
	}
}

// learn makes a listing the custom where there was none.
func (c customs) learn(name string, f *carried, rows int) {
	was := c[name]
	if was == nil {
		if len(c) >= 2*kinds {
			return
		}
		was = &custom{}
		c[name] = was
	}
	was.always = was.always || f.rows == rows
	if slices.Contains(was.kinds[:], true) {
		return
	}
	for k, rows := range f.kinds {
		was.kinds[k] = rows > 0 && payload.Kind(k) != payload.Null
	}
}

// drift is what was strange in both lists of a whole sweep.
func (p *Poller) drift(sw *sweep) map[string]int {
	out := map[string]int{}
	for _, drift := range []map[string]int{sw.members.drift, sw.groups.drift} {
		for _, what := range slices.Sorted(maps.Keys(drift)) {
			add(out, what, drift[what])
		}
	}
	p.members.customs.drift("members", sw.members.census, out)
	p.groups.customs.drift("groups", sw.groups.census, out)
	return out
}
