package db

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"rollcall/internal/directory"
)

// Memberships returns one row an edge: by group id, and in each group members
// by id, then guests by e-mail; or by the group's name, and in each group all
// of them by folded full name or e-mail, ids that the member list lacks at the
// side of the empty name. An e-mail stands for the member and the guest of that
// name.
func (db *DB) Memberships(ctx context.Context, f directory.MembershipFilter, q directory.ListQuery) (page directory.Page[directory.Membership], err error) {
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		t, err := s.membershipTerms(ctx, f)
		if err != nil {
			return err
		}
		page, err = s.memberships(ctx, t, q)
		return err
	})
	return page, wrap("list memberships", err)
}

// membershipTerms are a filter of memberships whose names are resolved and
// whose texts are folded.
type membershipTerms struct {
	directory.MembershipFilter
	group *GroupVersion
	who   *person
}

func (s *state) membershipTerms(ctx context.Context, f directory.MembershipFilter) (t membershipTerms, err error) {
	f.Role, f.Domain = strings.ToLower(f.Role), directory.Fold(f.Domain)
	t.MembershipFilter = f
	if f.Group != nil {
		group, err := s.findGroup(ctx, *f.Group)
		if err != nil {
			return t, err
		}
		t.group = &group
	}
	if f.Person != nil {
		who, err := s.findPerson(ctx, *f.Person)
		if err != nil {
			return t, err
		}
		t.who = &who
	}
	return t, nil
}

func (t membershipTerms) meets(l listed) bool {
	row := l.row
	return (t.Kind == "" || t.Kind == row.Kind) &&
		(t.Status == "" || row.Status != nil && t.Status == *row.Status) &&
		(t.Role == "" || row.Role != nil && t.Role == *row.Role) &&
		(t.Domain == "" || row.Email != nil && t.Domain == directory.DomainOf(*row.Email)) &&
		(t.who == nil || t.isWho(l.place))
}

func (t membershipTerms) isWho(p personPlace) bool {
	if p.guest {
		return t.Person.Email != "" && p.email == directory.FoldEmail(t.Person.Email)
	}
	return t.who.guest == 0 && p.id == t.who.id
}

// An edgePlace sorts memberships of several groups: by the group's name, empty
// where names do not count, its id, and the person.
type edgePlace struct {
	name, group string
	who         personPlace
}

func (p edgePlace) position() directory.Position {
	who := p.who.position()
	return directory.Position{Key: twoTexts{p.name, who.Key}.String(), ID: twoTexts{p.group, who.ID}.String()}
}

func parseEdgePlace(p directory.Position) (edgePlace, error) {
	names, err := parseTwoTexts(p.Key)
	ids, idErr := parseTwoTexts(p.ID)
	if err := cmp.Or(err, idErr); err != nil {
		return edgePlace{}, err
	}
	who, err := parsePersonPlace(directory.Position{Key: names[1], ID: ids[1]})
	return edgePlace{names[0], ids[0], who}, err
}

// twoTexts are two texts in one, whatever they hold.
type twoTexts [2]string

func (p twoTexts) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts can be encoded
	}
	return string(text)
}

func parseTwoTexts(text string) (p twoTexts, err error) {
	if json.Unmarshal([]byte(text), &p) != nil {
		err = directory.ErrCursorGone
	}
	return p, err
}

// memberships walks the groups in their order and lists the edges of each.
func (s *state) memberships(ctx context.Context, t membershipTerms, q directory.ListQuery) (page directory.Page[directory.Membership], err error) {
	rows, err := s.matchingEdges(ctx, t, q)
	if err != nil {
		return page, err
	}
	rows, page.Next = cut(rows, q.Limit, func(l listed) directory.Position {
		return l.edgePlace().position()
	})
	if page.Rows, err = s.withBounds(ctx, rows); err != nil {
		return page, err
	}
	if q.Count {
		if page.Total, err = s.countEdges(ctx, t); err != nil {
			return page, err
		}
	}
	if t.group != nil {
		page.Freshness, err = s.freshMemberships(ctx, *t.group)
	} else {
		page.Freshness, err = s.freshList(ctx, ofGroups, ofMembers)
	}
	return page, err
}
