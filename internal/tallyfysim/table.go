package tallyfysim

import (
	"cmp"
	"slices"
	"time"
)

// A table holds rows by id and in order of creation, ties by id. A stored row
// is never changed, only replaced.
type table[K cmp.Ordered, R any] struct {
	byID  map[K]*R
	order []*R
	key   func(*R) (time.Time, K)
}

func newTable[K cmp.Ordered, R any](key func(*R) (time.Time, K)) table[K, R] {
	return table[K, R]{byID: map[K]*R{}, key: key}
}

func (t *table[K, R]) compare(a, b *R) int {
	aTime, aID := t.key(a)
	bTime, bID := t.key(b)
	return cmp.Or(aTime.Compare(bTime), cmp.Compare(aID, bID))
}

// put stores row in the place of the one with the same id, if there is one.
func (t *table[K, R]) put(row *R) {
	_, id := t.key(row)
	if old, ok := t.byID[id]; ok {
		if t.compare(old, row) == 0 {
			t.order[t.index(old)] = row
			t.byID[id] = row
			return
		}
		t.remove(id)
	}
	t.byID[id] = row
	if n := len(t.order); n == 0 || t.compare(t.order[n-1], row) < 0 {
		t.order = append(t.order, row)
		return
	}
	t.order = slices.Insert(t.order, t.index(row), row)
}

// remove drops and returns the row, nil if there is none.
func (t *table[K, R]) remove(id K) *R {
	row := t.byID[id]
	if row == nil {
		return nil
	}
	at := t.index(row)
	t.order = slices.Delete(t.order, at, at+1)
	delete(t.byID, id)
	return row
}

func (t *table[K, R]) index(row *R) int {
	at, _ := slices.BinarySearchFunc(t.order, row, t.compare)
	return at
}

// grow makes room for n more rows.
func (t *table[K, R]) grow(n int) {
	t.order = slices.Grow(t.order, n)
	if len(t.byID) == 0 {
		t.byID = make(map[K]*R, n)
	}
}
