package db_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func TestViewsShowThePresentInPlainNamesAndISOTimes(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	row := memberRow(1, "ann@x.test", "Ann")
	row.LastLoginAt = at(1).Add(45_000_000)
	publish(t, mirror, directory.Publication{
		Groups:  []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{1, 99}, "guest@x.test"), 1, 5)},
		Members: []directory.MemberUpdate{updateMember(row, 1, 5)},
	})
	for query, want := range map[string][]string{
		"SELECT id, name, member_count, guest_count, created_at FROM v_groups": {sales + "|Sales|2|1|1999-03-01T11:00:00.000Z"},
		"SELECT id, email, full_name, status, group_count, last_login_at FROM v_members": {
			"1|ann@x.test|Ann|active|1|1999-03-01T12:01:00.045Z", "2|bob@x.test|Bob|active|0|NULL", "3|cy@x.test|Cy|active|0|NULL",
		},
		"SELECT group_name, kind, member_id, email, full_name, since_not_before, since_not_after FROM v_memberships ORDER BY kind DESC, member_id": {
			"Sales|member|1|ann@x.test|Ann|1999-03-01T12:00:00.000Z|1999-03-01T12:00:00.000Z",
			"Sales|member|99|NULL|NULL|1999-03-01T12:00:00.000Z|1999-03-01T12:00:00.000Z",
			"Sales|guest|NULL|Guest@x.test|NULL|1999-03-01T12:00:00.000Z|1999-03-01T12:00:00.000Z",
		},
	} {
		if d := cmp.Diff(want, table(t, mirror, query)); d != "" {
			t.Errorf("%s\n%s", query, d)
		}
	}
}

// table returns the rows of a query, their columns joined by a bar.
func table(t *testing.T, mirror *db.DB, query string) (lines []string) {
	t.Helper()
	rows, err := db.Readers(mirror).QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	cells := make([]sql.NullString, len(columns))
	into := make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, cell := range cells {
			if !cell.Valid {
				cell.String = "NULL"
			}
			texts = append(texts, cell.String)
		}
		lines = append(lines, strings.Join(texts, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}
