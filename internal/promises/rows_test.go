package promises_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// rows are the present ones of a file with what belongs to them.
type rows struct {
	groups  []groupRow
	members []memberRow
}

type groupRow struct {
	id, name, version, form string
	description, logo       sql.NullString
	created, updated        sql.NullInt64
	rowHash, churnHash      int64
	payload                 []byte
	members                 []int64
	guests                  []string // folded
}

type memberRow struct {
	id                                         int64
	email, status, form                        string
	first, last, full, role, title, team, zone sql.NullString
	lastLogin, created, updated                sql.NullInt64
	rowHash, churnHash                         int64
	payload                                    []byte
}

func (f *file) rows(ctx context.Context) (all rows, err error) {
	all.groups, err = query(ctx, f, `
		SELECT id, name, version, form, description, logo, created_ms, updated_ms, row_hash, churn_hash, payload,
			(SELECT json_group_array(member_id) FROM memberships e WHERE e.gid = g.gid),
			(SELECT json_group_array(email_key) FROM guest_memberships e JOIN guests p ON p.guest_id = e.guest_id WHERE e.gid = g.gid)
		FROM groups g`, scanGroup)
	if err != nil {
		return all, err
	}
	all.members, err = query(ctx, f, `
		SELECT id, email, status, form, first_name, last_name, full_name, role, job_title, team, timezone,
			last_login_ms, created_ms, updated_ms, row_hash, churn_hash, payload
		FROM members`, scanMember)
	return all, err
}

func scanGroup(row *sql.Rows) (g groupRow, err error) {
	var members, guests []byte
	err = row.Scan(&g.id, &g.name, &g.version, &g.form, &g.description, &g.logo, &g.created, &g.updated,
		&g.rowHash, &g.churnHash, &g.payload, &members, &guests)
	if err != nil {
		return g, err
	}
	return g, errors.Join(json.Unmarshal(members, &g.members), json.Unmarshal(guests, &g.guests))
}

func scanMember(row *sql.Rows) (m memberRow, err error) {
	err = row.Scan(&m.id, &m.email, &m.status, &m.form, &m.first, &m.last, &m.full, &m.role, &m.title, &m.team, &m.zone,
		&m.lastLogin, &m.created, &m.updated, &m.rowHash, &m.churnHash, &m.payload)
	return m, err
}

// query reads every row of a result.
func query[T any](ctx context.Context, f *file, statement string, scan func(*sql.Rows) (T, error)) ([]T, error) {
	found, err := f.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []T
	for found.Next() {
		one, err := scan(found)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, found.Err()
}
