package poller

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"rollcall/internal/directory"
)

// An entry is what the poller knows of a stored row.
type entry struct {
	directory.Fingerprint
	form      directory.Form
	number    uint64    // of what was applied to it last
	confirmed time.Time // when the observation that last found it as stored began
	doubted   bool      // it keeps that confirmation whatever sweeps find of the rest
	missed    bool      // the last whole sweep lacked it
	edges     int
}

// A grave remembers a row that was deleted, so that nothing which began
// earlier brings it back.
type grave struct {
	number uint64
	at     time.Time // when the observation that showed it gone began
}

// A ledger holds an entry for every stored row of a kind, and the graves.
type ledger[ID cmp.Ordered] struct {
	rows   map[ID]entry
	graves map[ID]grave

	swept    uint64    // number under which the last sweep was applied
	sweptAt  time.Time // when that sweep began
	absentAt time.Time // when rows that are neither stored nor buried were last known absent
}

func (l *ledger[ID]) fill(index map[ID]directory.StoredRow) {
	l.rows = make(map[ID]entry, len(index))
	l.graves = map[ID]grave{}
	for id, row := range index {
		l.rows[id] = entry{
			Fingerprint: row.Fingerprint, form: row.Form,
			confirmed: row.ConfirmedAt, doubted: row.Doubted, missed: row.Missed, edges: row.Edges,
		}
	}
}

// last is the number of what was applied to a row, or to its absence, last.
func (l *ledger[ID]) last(id ID) uint64 {
	if e, ok := l.rows[id]; ok {
		return e.number
	}
	return max(l.swept, l.graves[id].number)
}

// seenBefore is when the last observation of what is stored began, be it the
// row or its absence; zero if there was none.
func (l *ledger[ID]) seenBefore(id ID) time.Time {
	if e, ok := l.rows[id]; ok {
		return e.confirmed
	}
	if at := l.graves[id].at; at.After(l.absentAt) {
		return at
	}
	return l.absentAt
}

// isKnown reports whether a row is stored and not in doubt.
func (l *ledger[ID]) isKnown(id ID) bool {
	e, stored := l.rows[id]
	return stored && !e.doubted
}

func (l *ledger[ID]) set(id ID, e entry) {
	l.rows[id] = e
	delete(l.graves, id)
}

func (l *ledger[ID]) bury(id ID, g grave) {
	delete(l.rows, id)
	l.graves[id] = g
}

// absent lists the rows that a listing lacks and that the observation may
// judge, in order of id.
func (l *ledger[ID]) absent(seen map[ID]struct{}, obs directory.Observation) []ID {
	var ids []ID
	for id, e := range l.rows {
		if _, listed := seen[id]; !listed && e.number < obs.Number {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// another returns a stored row that is not in doubt and not id.
func (l *ledger[ID]) another(id ID) (other ID, found bool) {
	for other, e := range l.rows {
		if other != id && !e.doubted {
			return other, true
		}
	}
	return other, false
}

// closeGraves forgets deletions that a sweep, now applied, began after. What
// began before them is held off by the number of the sweep itself.
func (l *ledger[ID]) closeGraves(obs directory.Observation) {
	maps.DeleteFunc(l.graves, func(_ ID, g grave) bool { return g.number < obs.Number })
}

// remember notes that a sweep which began at the given instant was applied.
// One that saw all rows in one page shows what is absent as well as what is
// present; of a paged one only the second shows it, as of the first.
func (l *ledger[ID]) remember(sweptAt time.Time, onePage bool) {
	switch {
	case onePage:
		l.absentAt = sweptAt
	case !l.sweptAt.IsZero():
		l.absentAt = l.sweptAt
	}
	l.sweptAt = sweptAt
}
