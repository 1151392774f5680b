package poller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// A shelf is one kind of row: how upstream lists and shows it, how copies are
// compared, and the ledger of what is stored.
type shelf[ID cmp.Ordered, R any] struct {
	name       string
	collection string // upstream's name for it
	perPage    int    // that upstream sends
	page       func(context.Context, int) (directory.ListingPage[R], error)
	read       func(context.Context, ID) (R, error)
	stored     func(context.Context, ID) (directory.Found[[]byte], error)
	decode     func([]byte, directory.Form) (R, error)
	merge      func(stored, seen []byte) ([]byte, error)
	same       func(a, b []byte) bool
	facts      func(*R) facts[ID]
	alike      func(a, b *R) bool // no column differs but for churn
	origins    func(how directory.Applied, b directory.Bounds, old, now *R) origins

	doubtful func(before, now *R, how directory.Applied) bool // not to be believed alone; nil believes all
	target   func(*directory.Publication) target[ID, R]

	*core
	ledger[ID] // guarded by core.applying
	flights    flights[ID]
	customs    customs // used by one sweep at a time
}

// facts are what the poller asks of a row of either kind.
type facts[ID cmp.Ordered] struct {
	id       ID
	print    directory.Fingerprint
	form     directory.Form
	payload  []byte
	deleted  bool
	partial  bool // its edges were not shown
	shape    uint64
	oddities []string
	edges    int
}

// A target is where in a publication the changes of a kind go.
type target[ID cmp.Ordered, R any] struct {
	set       func(rows []update[R], confirmedAt time.Time)
	gone      *[]directory.Gone[ID]
	confirmed *[]directory.Confirmation[ID]
	doubted   *[]directory.Confirmation[ID]
	missed    *[]ID
}

// What upstream sends in one page (observed; documented as the most for
// groups and the default for users).
const (
	groupsPerPage  = 100
	membersPerPage = 9999
)

func groupShelf(c *core, up Upstream) *shelf[string, directory.GroupRow] {
	return &shelf[string, directory.GroupRow]{
		core: c, name: "groups", collection: "groups", customs: newCustoms("groups"), perPage: groupsPerPage,
		page: up.GroupPage, read: up.Group, stored: c.store.GroupPayload,
		decode: payload.DecodeGroup, merge: payload.MergeGroup, same: payload.SameGroup,
		facts: func(r *directory.GroupRow) facts[string] {
			return facts[string]{
				id: r.ID, print: r.Fingerprint, form: r.Form, payload: r.Payload, deleted: r.Deleted,
				partial: r.MembersAbsent, shape: r.Shape, oddities: r.Oddities, edges: len(r.Members) + len(r.Guests),
			}
		},
		alike:   alikeGroups,
		origins: groupOrigins,
		target: func(p *directory.Publication) target[string, directory.GroupRow] {
			return target[string, directory.GroupRow]{
				set: func(rows []update[directory.GroupRow], at time.Time) {
					p.Groups = slices.Grow(p.Groups, len(rows))
					for _, u := range rows {
						p.Groups = append(p.Groups, directory.GroupUpdate{
							Row: u.row, Quiet: u.quiet, ConfirmedAt: at,
							Attributes: u.origins.attributes, Members: u.origins.members, Guests: u.origins.guests,
						})
					}
				},
				gone: &p.GoneGroups, confirmed: &p.ConfirmedGroups, doubted: &p.DoubtedGroups, missed: &p.MissedGroups,
			}
		},
	}
}

func memberShelf(c *core, up Upstream) *shelf[int64, directory.MemberRow] {
	return &shelf[int64, directory.MemberRow]{
		core: c, name: "members", collection: "users", customs: newCustoms("members"), perPage: membersPerPage,
		page: up.MemberPage, read: up.Member, stored: c.store.MemberPayload,
		decode: payload.DecodeMember, merge: payload.MergeMember, same: payload.SameMember,
		facts: func(r *directory.MemberRow) facts[int64] {
			return facts[int64]{
				id: r.ID, print: r.Fingerprint, form: r.Form, payload: r.Payload,
				deleted: r.Deleted, shape: r.Shape, oddities: r.Oddities,
			}
		},
		alike:   alikeMembers,
		origins: memberOrigins,
		target: func(p *directory.Publication) target[int64, directory.MemberRow] {
			return target[int64, directory.MemberRow]{
				set: func(rows []update[directory.MemberRow], at time.Time) {
					p.Members = slices.Grow(p.Members, len(rows))
					for _, u := range rows {
						p.Members = append(p.Members, directory.MemberUpdate{
							Row: u.row, Quiet: u.quiet, ConfirmedAt: at, Origin: u.origins.attributes,
						})
					}
				},
				gone: &p.GoneMembers, confirmed: &p.ConfirmedMembers, doubted: &p.DoubtedMembers, missed: &p.MissedMembers,
			}
		},
	}
}

// storedRow returns the stored copy of a row, decoded.
func (s *shelf[ID, R]) storedRow(ctx context.Context, id ID) (*R, error) {
	stored, err := s.payloadOf(ctx, id)
	if err != nil {
		return nil, err
	}
	row, err := s.decode(stored, s.rows[id].form)
	return &row, err
}

// payloadOf returns the stored copy of a row.
func (s *shelf[ID, R]) payloadOf(ctx context.Context, id ID) ([]byte, error) {
	found, err := s.stored(ctx, id)
	if err != nil {
		return nil, &storageError{fmt.Errorf("read the stored row %v of %s: %w", id, s.name, err)}
	}
	return found.Row, nil
}

// saysGone reports whether the answer to a row's own read can show that it is
// gone. Only the code tells a missing row from a missing path or header, and
// the read of a present row a missing row from a lost right
// (https://tallyfy.com/products/pro/integrations/open-api/).
func saysGone(err error) bool {
	up, ok := errors.AsType[*directory.UpstreamError](err)
	return ok && up.Status == http.StatusNotFound && up.Code == "RESOURCE_NOT_FOUND"
}
