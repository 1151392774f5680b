package poller

import (
	"cmp"
	"context"

	"rollcall/internal/directory"
)

// passes is how often an unsteady list is read before the sweep fails.
const passes = 3

// A listing is what one whole pass over a list showed. Rows that are stored
// as they were listed are forgotten at once but for their ids.
type listing[ID cmp.Ordered, R any] struct {
	tally
	seen    map[ID]struct{}
	changed map[ID]*R      // rows that differ from the ledger, or are not in it
	latest  ID             // the present row listed last
	shown   int            // rows whose edges were shown
	drift   map[string]int // oddities of rows
	census  census
	denied  map[ID]struct{} // absent rows whose own read said that they are gone; see prove
}

// list reads a whole list. A list that moves while it is read is read again;
// no other failure is met by another try.
func (s *shelf[ID, R]) list(ctx context.Context, track *tracker) (*listing[ID, R], error) {
	var err error
	for range passes {
		l := &listing[ID, R]{
			tally: tally{op: "list " + s.collection},
			seen:  make(map[ID]struct{}, s.size()), changed: map[ID]*R{}, drift: map[string]int{},
			census: census{},
		}
		if err = s.pass(ctx, l, track); err == nil {
			return l, nil
		}
		if reasonOf(err) != directory.ReasonUnsteady {
			return nil, err
		}
	}
	return nil, err
}

// pass reads page after page by number. Links are never followed: they may
// lead to another host.
func (s *shelf[ID, R]) pass(ctx context.Context, l *listing[ID, R], track *tracker) error {
	first := 0
	for page := 1; ; page++ {
		track.request()
		got, err := s.page(ctx, page)
		if err != nil {
			return err
		}
		if page == 1 {
			first = len(got.Rows)
		}
		last, err := l.page(got.Meta, s.sort(l, got.Rows))
		track.page(s.name, page, max(page, l.expected(first)), l.rows)
		if last || err != nil {
			return err
		}
	}
}

// sort notes the rows of a page and returns how many were not seen before. Of
// a row that came twice the later copy counts.
func (s *shelf[ID, R]) sort(l *listing[ID, R], rows []R) (fresh int) {
	s.applying.Lock()
	defer s.applying.Unlock()
	for i := range rows {
		f := s.facts(&rows[i])
		if _, twice := l.seen[f.id]; !twice {
			l.seen[f.id] = struct{}{}
			l.census.count(f.shape, f.payload)
			fresh++
		}
		if !f.deleted {
			l.latest = f.id
		}
		if f.partial {
			count(l.drift, s.name+".members: absent")
		} else {
			l.shown++
		}
		for _, oddity := range f.oddities {
			count(l.drift, s.name+"."+oddity)
		}
		if s.isStored(f) {
			delete(l.changed, f.id)
		} else {
			l.changed[f.id] = new(rows[i]) // a pointer into the page would keep all of it
		}
	}
	return fresh
}

// isStored reports whether a listed row is stored as it is. Whatever is applied
// to the row before the sweep is takes a later number and so makes the sweep
// leave the row alone: where the answer is used, it still holds.
func (s *shelf[ID, R]) isStored(f facts[ID]) bool {
	e, ok := s.rows[f.id]
	return ok && !f.deleted && !f.partial && e.form == directory.ListForm && e.Fingerprint == f.print
}

func (s *shelf[ID, R]) size() int {
	s.applying.Lock()
	defer s.applying.Unlock()
	return len(s.rows)
}

// pages is how many pages the stored rows take.
func (s *shelf[ID, R]) pages() int { return max(1, (len(s.rows)+s.perPage-1)/s.perPage) }
