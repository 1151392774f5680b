package poller

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

// A revision is one that a model has looked at, and what it showed.
type revision struct {
	pin directory.Pin
	picture
}

func (m *model) remember(shown picture) {
	m.r.Helper()
	now, err := m.db.Freshness(context.Background())
	if err != nil {
		m.r.Fatal(err)
	}
	if n := len(m.served); n == 0 || m.served[n-1].pin != now.Pin() {
		m.served = append(m.served, revision{now.Pin(), shown})
	}
}

// checkServed wants every revision to be served as it was.
func (m *model) checkServed() {
	m.r.Helper()
	for _, then := range m.served {
		if diff := gocmp.Diff(then.picture, m.mirrorAt(&then.pin)); diff != "" {
			m.r.Fatalf("revision %d differs from what it was (-then +now):\n%s", then.pin.Revision, diff)
		}
	}
}

// A stay is the time that something was there, by the history of the file.
type stay struct {
	kind, group, who string
	since, until     directory.Bounds // until is the zero Bounds while it is there
	began, ended     int64            // revisions; ended is 0 while it is there
}

const stays = `
WITH stays AS (
	SELECT 'member of' AS kind, gid, CAST(member_id AS TEXT) AS who, since, until FROM membership_versions
	UNION ALL SELECT 'guest of', gid, p.email_key, since, until FROM guest_membership_versions JOIN guests p USING (guest_id)
	UNION ALL SELECT 'group', gid, '', born, NULL FROM groups
	UNION ALL SELECT 'group', gid, '', born, until FROM past_groups WHERE deleted = 1
	UNION ALL SELECT 'member', NULL, CAST(id AS TEXT), born, NULL FROM members
	UNION ALL SELECT 'member', NULL, CAST(id AS TEXT), born, until FROM past_members WHERE deleted = 1
	UNION ALL SELECT 'version', gid, name || ' ' || COALESCE(description, ''), since, NULL FROM group_versions
)
SELECT v.kind, COALESCE(k.id, ''), v.who, s.revision, s.not_before_ms, s.not_after_ms, u.revision, u.not_before_ms, u.not_after_ms
FROM stays v
LEFT JOIN group_keys k ON k.gid = v.gid
JOIN changesets s ON s.id = v.since
LEFT JOIN changesets u ON u.id = v.until`

// checkHistory wants the bounds of every coming and going in the history to
// enclose an instant at which it happened upstream. It closes the file.
func (m *model) checkHistory() {
	m.r.Helper()
	m.close()
	pool, err := sql.Open("sqlite", "file:"+filepath.ToSlash(m.path)+"?mode=ro")
	if err != nil {
		m.r.Fatal(err)
	}
	defer pool.Close()
	all := scanAll(m, pool, stays, scanStay)
	for _, s := range all {
		m.checkStay(s)
	}
	if m.guard.HoldRemovals && !m.accepted {
		m.checkHolds(all, scanAll(m, pool, `SELECT result, revision FROM sweeps ORDER BY number`, scanSweep))
	}
}

func scanAll[T any](m *model, pool *sql.DB, query string, scan func(*sql.Rows) (T, error)) (all []T) {
	m.r.Helper()
	rows, err := pool.Query(query)
	if err != nil {
		m.r.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			m.r.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		m.r.Fatal(err)
	}
	return all
}

func scanStay(rows *sql.Rows) (s stay, err error) {
	var ended sql.NullInt64
	var bounds [4]sql.NullInt64
	err = rows.Scan(&s.kind, &s.group, &s.who, &s.began, &bounds[0], &bounds[1], &ended, &bounds[2], &bounds[3])
	s.ended = ended.Int64
	for i, at := range []*time.Time{&s.since.NotBefore, &s.since.NotAfter, &s.until.NotBefore, &s.until.NotAfter} {
		if bounds[i].Valid {
			*at = time.UnixMilli(bounds[i].Int64)
		}
	}
	return s, err
}

func scanSweep(rows *sql.Rows) (s directory.Sweep, err error) {
	err = rows.Scan(&s.Result, &s.Revision)
	return s, err
}

// checkHolds wants a sweep that removes suspiciously much to follow one that
// was held.
func (m *model) checkHolds(stays []stay, sweeps []directory.Sweep) {
	m.r.Helper()
	wasHeld := false
	for _, sweep := range sweeps {
		if w := weighed(stays, sweep.Revision); sweep.Result == directory.SweepPublished && w != light && !wasHeld {
			m.r.Fatalf("the removals of revision %d weigh %d and were not held", sweep.Revision, w)
		}
		if sweep.Result.ReadAll() {
			wasHeld = sweep.Result == directory.SweepHeld
		}
	}
}

// weighed is how suspicious the removals of a revision are.
func weighed(stays []stay, revision int64) (heaviest weight) {
	stored, removed := map[string]int{}, map[string]int{}
	for _, s := range stays {
		kind := strings.TrimPrefix(s.kind, "guest ") // edges are of one kind
		kind = strings.TrimPrefix(kind, "member ")
		if s.began < revision && (s.ended == 0 || s.ended >= revision) {
			stored[kind]++
		}
		if s.ended == revision {
			removed[kind]++
		}
	}
	for kind, n := range removed {
		heaviest = max(heaviest, weigh(n, stored[kind], 0.25))
	}
	return heaviest
}

func (m *model) checkStay(s stay) {
	m.r.Helper()
	came, went := m.happened(s)
	within := func(b directory.Bounds) func(time.Time) bool {
		return func(at time.Time) bool { return !at.Before(b.NotBefore) && !at.After(b.NotAfter) }
	}
	if !slices.ContainsFunc(came, within(s.since)) {
		m.r.Fatalf("%s %s %s since %+v, but it came at %v", s.kind, s.group, s.who, s.since, came)
	}
	if s.ended > 0 && !slices.ContainsFunc(went, within(s.until)) {
		m.r.Fatalf("%s %s %s until %+v, but it went at %v", s.kind, s.group, s.who, s.until, went)
	}
}

// happened is when upstream made what a stay tells begin and end.
func (m *model) happened(s stay) (came, went []time.Time) {
	switch s.kind {
	case "member":
		for id, states := range m.members.states {
			if fmt.Sprint(id) == s.who {
				return turns(states, func(shownMember) bool { return true })
			}
		}
	case "member of":
		return turns(m.groups.states[s.group], func(g shownGroup) bool {
			return slices.ContainsFunc(g.Members, func(id int64) bool { return fmt.Sprint(id) == s.who })
		})
	case "guest of":
		return turns(m.groups.states[s.group], func(g shownGroup) bool { return slices.Contains(g.Guests, s.who) })
	case "group":
		return turns(m.groups.states[s.group], func(shownGroup) bool { return true })
	case "version": // begins with any change that led to it
		for _, v := range m.groups.states[s.group] {
			if !v.gone && v.state.Name+" "+v.state.Description == s.who {
				came = append(came, v.from)
			}
		}
	}
	return came, went
}

// turns is when a row began to be such, and when it ceased.
func turns[S any](states []phase[S], is func(S) bool) (began, ceased []time.Time) {
	was := false
	for _, v := range states {
		now := !v.gone && is(v.state)
		switch {
		case now && !was:
			began = append(began, v.from)
		case was && !now:
			ceased = append(ceased, v.from)
		}
		was = now
	}
	return began, ceased
}
