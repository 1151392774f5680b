package poller

import (
	"fmt"

	"rollcall/internal/directory"
)

// A tally judges page by page whether a listing is whole: every page was
// parsed and, where upstream announces a total, it is the same on every page
// and as many distinct rows came; where it does not, the page after the last
// brought no row that was not there before. The number of pages that upstream
// announces decides nothing, as it is known to be computed with another page
// size at times.
type tally struct {
	op     string // for errors
	pages  int
	rows   int // distinct
	total  int
	totals int // pages that announced one
}

// page counts one page with so many rows not seen before. It reports whether
// it was the last; the error says that the list moved while it was read.
func (t *tally) page(meta *directory.Pagination, fresh int) (last bool, err error) {
	t.pages++
	t.rows += fresh
	if meta != nil {
		if t.totals > 0 && meta.Total != t.total {
			return false, t.unsteady("the total moved from %d to %d", t.total, meta.Total)
		}
		t.totals++
		t.total = meta.Total
	}
	switch {
	case t.totals > 0 && t.rows > t.total:
		return false, t.unsteady("%d rows came of %d announced", t.rows, t.total)
	case t.agrees() && t.rows == t.total:
		return true, nil
	case fresh > 0:
		return false, nil
	case t.totals > 0 && t.rows < t.total:
		return false, t.unsteady("%d rows came of %d announced", t.rows, t.total)
	}
	return true, nil
}

// agrees reports whether every page announced a total.
func (t *tally) agrees() bool { return t.totals > 0 && t.totals == t.pages }

// proves reports whether absence from the whole list is absence: it was read
// in one piece and upstream said how many rows there are.
func (t *tally) proves() bool { return t.agrees() && t.pages == 1 }

// expected guesses the number of pages from the first.
func (t *tally) expected(firstPage int) int {
	if t.totals == 0 || firstPage == 0 {
		return 0
	}
	return (t.total + firstPage - 1) / firstPage
}

func (t *tally) unsteady(format string, args ...any) error {
	return &directory.UpstreamError{
		Op: fmt.Sprintf("%s, page %d", t.op, t.pages), Reason: directory.ReasonUnsteady,
		Err: fmt.Errorf(format, args...),
	}
}
