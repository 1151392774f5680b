package promises_test

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
)

// A history is every interval that a file remembers, present ones included.
type history struct {
	revision map[int64]int64  // of each changeset
	origin   map[int64]string // of each changeset, in words
	versions []version
	edges    []edge
}

// An interval is what one thing was from one changeset up to another.
type interval struct {
	kind, key    string
	since, until int64
}

const forever = math.MaxInt64

// A version is what a row was in an interval; what follows born is a group's.
type version struct {
	interval
	born            int64
	isDeleted       bool
	name, hash      string
	description     sql.NullString
	members, guests int
}

// An edge is somebody in a group in an interval.
type edge struct {
	interval
	gid    string
	member int64
	guest  string // folded; empty for a member
}

func (f *file) history(ctx context.Context) (h history, err error) {
	h.revision, h.origin = map[int64]int64{}, map[int64]string{}
	_, err = query(ctx, f, `
		SELECT c.id, c.revision, r.published_ms || ' ' || COALESCE(c.not_before_ms, '-') || ' ' || c.not_after_ms || ' ' || c.cause || ' ' || COALESCE(c.actor, '-')
		FROM changesets c JOIN revisions r ON r.revision = c.revision`, h.scanChangeset)
	if err != nil {
		return h, err
	}
	h.versions, err = query(ctx, f, `
		SELECT 'group', gid, since, 9223372036854775807, born, 0, name, version, description, member_count, guest_count FROM groups
		UNION ALL SELECT 'group', gid, since, until, born, deleted, name, version, description, member_count, guest_count FROM past_groups
		UNION ALL SELECT 'member', id, since, 9223372036854775807, born, 0, '', '', '', 0, 0 FROM members
		UNION ALL SELECT 'member', id, since, until, born, deleted, '', '', '', 0, 0 FROM past_members`, scanVersion)
	if err != nil {
		return h, err
	}
	h.edges, err = query(ctx, f, `
		SELECT 'edge', gid, member_id, '', since, until FROM membership_versions
		UNION ALL SELECT 'guest edge', gid, e.guest_id, p.email_key, since, until
		FROM guest_membership_versions e LEFT JOIN guests p ON p.guest_id = e.guest_id`, scanEdge)
	return h, err
}

func (h history) scanChangeset(row *sql.Rows) (none struct{}, err error) {
	var id, revision int64
	var origin string
	err = row.Scan(&id, &revision, &origin)
	h.revision[id], h.origin[id] = revision, origin
	return none, err
}

func scanVersion(row *sql.Rows) (v version, err error) {
	err = row.Scan(&v.kind, &v.key, &v.since, &v.until, &v.born, &v.isDeleted, &v.name, &v.hash, &v.description, &v.members, &v.guests)
	return v, err
}

func scanEdge(row *sql.Rows) (e edge, err error) {
	var who string
	var guest sql.NullString
	err = row.Scan(&e.kind, &e.gid, &who, &guest, &e.since, &e.until)
	e.key, e.guest = e.gid+" "+who, guest.String
	if e.kind == "edge" {
		e.member = number(who)
	}
	return e, err
}

// begins and ends are the revisions of an interval, forever beyond all.
func (h history) begins(i interval) int64 { return h.revision[i.since] }

func (h history) ends(i interval) int64 {
	if i.until == forever {
		return forever
	}
	return h.revision[i.until]
}

// feed lists the beginning and the end of every interval in the order of the
// changesets.
func (h history) feed() []string {
	var feed []string
	tell := func(at int64, what string, i interval, more string) {
		feed = append(feed, fmt.Sprintf("%09d in revision %d (%s): %s %s %s %s", at, h.revision[at], h.origin[at], i.kind, i.key, what, more))
	}
	for _, v := range h.versions {
		tell(v.since, "is", v.interval, v.hash)
		if v.isDeleted {
			tell(v.until, "is no more", v.interval, "")
		}
	}
	for _, e := range h.edges {
		tell(e.since, "joined", e.interval, e.guest)
		if e.until != forever {
			tell(e.until, "left", e.interval, e.guest)
		}
	}
	slices.Sort(feed)
	return feed
}
