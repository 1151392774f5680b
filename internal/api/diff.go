package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"rollcall/internal/directory"
)

// Diffs compare two states.
type Diffs interface {
	// Diff returns what differs, net. Its error is directory.ErrReversed
	// where the later state is the earlier one.
	Diff(context.Context, directory.DiffQuery) (directory.Page[directory.Differing], error)
}

// A DiffInput names two states.
type DiffInput struct {
	IfNoneMatch  string `header:"If-None-Match" doc:"ETags of answers that the caller has: if the present one is among them, 304 comes without body."`
	CacheControl string `header:"Cache-Control" doc:"As for lists."`
	From         string `query:"from" required:"true" example:"2026-03-01" doc:"The earlier state, as as_of names one."`
	To           string `query:"to" example:"rev:7" doc:"The later state, likewise; the present where it is left out."`
	By           string `query:"by" enum:"person,group" doc:"Groups what a page holds by person or by group."`
	Initial      bool   `query:"include_initial" doc:"Takes what the first sweep found for added, where from lies before it; else that is 404."`
	Limit        int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Rows on a page, of all three sorts together."`
	Cursor       string `query:"cursor" doc:"next_cursor of the page before. It belongs to the same path and parameters, limit apart."`
}

// A DiffOutput is an answer with what differs.
type DiffOutput struct {
	Status int
	ReadHeaders
	Link string `header:"Link" doc:"The next page, as rel=next; absent at the end."`
	Body DiffPage
}

// A DiffPage is part of what differs.
type DiffPage struct {
	Data       any     `json:"data" doc:"An object with added, removed (memberships) and updated (changes); with by, a list of such objects, each with its group_id and group_name, or member_id and email, null for what belongs to none. One that has much comes on several pages."`
	NextCursor *string `json:"next_cursor" doc:"Where the next page begins, for the parameter cursor; null at the end."`
	Shown
}

// A Diff is what differs between two states.
type Diff struct {
	Added   []Membership      `json:"added" doc:"Edges that only the later state has, as they are there."`
	Removed []EndedMembership `json:"removed" doc:"Edges that only the earlier state has, as they were there."`
	Updated []Change          `json:"updated" doc:"Groups and members that were created, updated or deleted, as one change each."`
}

// An EndedMembership is an edge that ended.
type EndedMembership struct {
	Membership
	UntilNotBefore *time.Time `json:"until_not_before" doc:"When the last observation with it began."`
	UntilNotAfter  *time.Time `json:"until_not_after" doc:"When the first observation without it ended."`
}

// A DiffOfGroup is what differs in one group.
type DiffOfGroup struct {
	GroupID   *string `json:"group_id"`
	GroupName *string `json:"group_name"`
	*Diff
}

// A DiffOfPerson is what differs for one person.
type DiffOfPerson struct {
	MemberID *int64  `json:"member_id"`
	Email    *string `json:"email"`
	*Diff
}

var diffDoc = doc{
	"diff", "What differs between two states",
	"Net: what came and left between them, or left and came back, is not told. Rows come in the order of the feed, as if one state had followed directly on the other.", "changes",
}

func (s *server) diff(ctx context.Context, in *DiffInput) (*DiffOutput, error) {
	r := requestOf(ctx)
	q, err := in.query(r)
	if err != nil {
		return nil, err
	}
	page, err := fresh(s, r, func() (directory.Page[directory.Differing], error) { return s.Mirror.Diff(ctx, q) }, everything)
	if err != nil {
		return nil, err
	}
	page.Then = nil // from and to name both states already
	out := &DiffOutput{Status: http.StatusOK, ReadHeaders: s.readHeaders(r, page.Freshness, scopeList)}
	if isKnown(r, out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	out.Body = DiffPage{Data: grouped(page.Rows, in.By), Shown: shown(page.Freshness)}
	if page.Next != nil {
		out.Body.NextCursor = new(place(page.Freshness, *page.Next, walk(r.URL)))
		out.Link = "<" + s.origin(r) + nextURL(r.URL, *out.Body.NextCursor) + `>; rel="next"`
	}
	return out, nil
}

func (in *DiffInput) query(r *http.Request) (q directory.DiffQuery, err error) {
	from, err := parseMoment("from", in.From)
	if err != nil {
		return q, err
	}
	to, err := parseMoment("to", in.To)
	if err != nil {
		return q, err
	}
	list := ListInput{Limit: in.Limit, Cursor: in.Cursor}
	walked, err := list.query(r)
	return directory.DiffQuery{Limit: in.Limit, From: *from, AsOf: to, Pin: walked.Pin, After: walked.After, Initial: in.Initial}, err
}

func newDiff() *Diff { return &Diff{[]Membership{}, []EndedMembership{}, []Change{}} }

func (d *Diff) add(row directory.Differing) {
	switch {
	case row.Edge == nil:
		d.Updated = append(d.Updated, newChange(row.Change))
	case row.Until != directory.Bounds{}:
		d.Removed = append(d.Removed, EndedMembership{newMembership(*row.Edge), instant(row.Until.NotBefore), instant(row.Until.NotAfter)})
	default:
		d.Added = append(d.Added, newMembership(*row.Edge))
	}
}

// grouped sorts rows by what they are about, in the order in which it comes
// up.
func grouped(rows []directory.Differing, by string) any {
	switch by {
	case "group":
		all := groupedBy(rows, func(c directory.Change) string { return c.GroupID })
		out := make([]DiffOfGroup, len(all))
		for i, of := range all {
			change := newChange(of.first)
			out[i] = DiffOfGroup{change.GroupID, change.GroupName, of.diff}
		}
		return out
	case "person":
		all := groupedBy(rows, personKey)
		out := make([]DiffOfPerson, len(all))
		for i, of := range all {
			out[i] = DiffOfPerson{memberID(of.first.MemberID), of.first.Email, of.diff}
		}
		return out
	}
	whole := newDiff()
	for _, row := range rows {
		whole.add(row)
	}
	return whole
}

type diffOf struct {
	first directory.Change
	diff  *Diff
}

func groupedBy(rows []directory.Differing, key func(directory.Change) string) (all []diffOf) {
	index := map[string]int{}
	for _, row := range rows {
		k := key(row.Change)
		i, known := index[k]
		if !known {
			i = len(all)
			index[k], all = i, append(all, diffOf{row.Change, newDiff()})
		}
		all[i].diff.add(row)
	}
	return all
}

func personKey(c directory.Change) string {
	if c.MemberID != 0 {
		return strconv.FormatInt(c.MemberID, 10)
	}
	if c.Email != nil {
		return "guest:" + directory.FoldEmail(*c.Email)
	}
	return ""
}
