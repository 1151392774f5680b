package db

import (
	"database/sql"
	"maps"
	"strings"
	"testing"

	"modernc.org/sqlite"
)

// To plan a statement takes many times as long as to find a row with it.
func TestNoReadIsPlannedAnewEachTime(t *testing.T) {
	mirror := openInside(t)
	execAll(t, mirror, fill)
	conn, err := newlyOpened(t, mirror).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reads := maps.Clone(plans)
	maps.Copy(reads, insightPlans)
	delete(reads, "neighbours") // these take memory for each row
	delete(reads, "count guests outside")
	for name, plan := range reads {
		if strings.Contains(plan.query, "DELETE") || strings.Contains(plan.query, "INSERT") {
			continue
		}
		if planning, reading := allocations(t, conn, plan); reading >= planning {
			t.Errorf("%s takes memory %d times as it runs, no less often than the %d times of being planned", name, reading, planning)
		}
	}
}

// allocations tells how often SQLite takes memory to plan a statement, and to
// run it.
func allocations(t *testing.T, conn *sql.Conn, plan readPlan) (planning, reading int) {
	t.Helper()
	allocated(t, conn)
	statement, err := conn.PrepareContext(t.Context(), plan.query)
	if err != nil {
		t.Fatal(err)
	}
	defer statement.Close()
	planning = allocated(t, conn)
	readAll(t, statement, plan.args)
	return planning, allocated(t, conn)
}

func readAll(t *testing.T, statement *sql.Stmt, args []any) {
	t.Helper()
	rows, err := statement.QueryContext(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// allocated is how often SQLite took memory for a connection since the last
// call.
func allocated(t *testing.T, conn *sql.Conn) (times int) {
	t.Helper()
	err := conn.Raw(func(driver any) error {
		for _, op := range []sqlite.DBStatusOp{sqlite.DBStatusLookasideHit, sqlite.DBStatusLookasideMissSize, sqlite.DBStatusLookasideMissFull} {
			_, n, err := driver.(sqlite.DBStatus).Status(op, true)
			if err != nil {
				return err
			}
			times += n
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return times
}
