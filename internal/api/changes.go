package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/directory"
)

// A Feed tells what changed, one change after another.
type Feed interface {
	// Changes returns part of the feed. The error of a place that the mirror
	// does not know is directory.ErrCursorGone, of one that is too long ago
	// directory.ErrPruned.
	Changes(context.Context, directory.FeedQuery) (directory.FeedPage, error)
	// Changed returns a channel that is closed when there is another revision.
	Changed() <-chan struct{}
}

// A Change is one entry of the feed.
type Change struct {
	Cursor    string     `json:"cursor" doc:"The place behind the change, for after and Last-Event-ID; opaque."`
	Revision  int64      `json:"revision" doc:"The revision that it was published with."`
	Type      string     `json:"type" enum:"group.created,group.updated,group.deleted,member.created,member.updated,member.deleted,member.erased,membership.added,membership.removed,guest_membership.added,guest_membership.removed"`
	GroupID   *string    `json:"group_id" doc:"Null where it is about no group."`
	GroupName *string    `json:"group_name" doc:"As of the change: of what ended, the last name."`
	MemberID  *int64     `json:"member_id" doc:"Null where it is about no member."`
	Email     *string    `json:"email" doc:"As of the change; null where it is about nobody, or of one who is not listed or was erased."`
	NotBefore *time.Time `json:"not_before" doc:"When the last observation of the old state began; null when there was none."`
	NotAfter  *time.Time `json:"not_after" doc:"When the first observation of the new state ended."`
	Cause     string     `json:"cause" enum:"initial,sweep,write,refresh" doc:"What made it known: the first sweep, another, a write through Rollcall, or a single read."`
	Actor     *string    `json:"actor" doc:"Who wrote: a key's name or the id of a Tallyfy user. Null for sweeps."`
	Changed   Changed    `json:"changed" doc:"Attributes by name with their old and new values: of an update those that differ, of what was created those that it has. Else null. A logo stands without the query part of its URL."`
}

// Changed are attributes that changed, by their names in the objects of /v1.
type Changed map[string]FieldChange

// A FieldChange is one attribute before and after.
type FieldChange struct {
	Old any `json:"old"`
	New any `json:"new"`
}

// Schema says that there may be none.
func (Changed) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"old", "new"},
		Properties: map[string]*huma.Schema{"old": {Type: huma.TypeString, Nullable: true}, "new": {Type: huma.TypeString, Nullable: true}},
	}}
}

func newChange(c directory.Change) Change {
	out := Change{
		Cursor: feedCursor(c.Place), Revision: c.Revision, Type: string(c.Type),
		GroupName: c.GroupName, MemberID: memberID(c.MemberID), Email: c.Email,
		NotBefore: instant(c.NotBefore), NotAfter: instant(c.NotAfter), Cause: string(c.Cause),
	}
	if c.GroupID != "" {
		out.GroupID = &c.GroupID
	}
	if c.Actor != "" {
		out.Actor = &c.Actor
	}
	if c.Changed != nil {
		out.Changed = Changed{}
	}
	for _, f := range c.Changed {
		out.Changed[f.Field] = FieldChange{valueShown(f.Old), valueShown(f.New)}
	}
	return out
}

func valueShown(value any) any {
	if at, ok := value.(time.Time); ok {
		return instant(at)
	}
	return value
}

// A ChangesInput asks for part of the feed.
type ChangesInput struct {
	IfNoneMatch  string `header:"If-None-Match" doc:"ETags of answers that the caller has: if the present one is among them, 304 comes without body."`
	CacheControl string `header:"Cache-Control" doc:"As for lists: how old the knowledge may be that there is nothing else."`
	After        string `query:"after" doc:"The place to go on from: a change's cursor, the Rollcall-Cursor of any answer or file, or now. Left out, the feed comes from its beginning."`
	Limit        int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Changes on a page; there may be fewer, even none, before the end."`
	Wait         string `query:"wait" example:"30s" doc:"How long to hold the answer until there is a change, at most 60s."`
}

// A ChangesOutput is an answer with part of the feed. It has no scope: what is
// spared the read could not name its place.
type ChangesOutput struct {
	Status int
	ReadHeaders
	Link string `header:"Link" doc:"What follows, as rel=next; absent at the end."`
	Body FeedPage
}

// A FeedPage is part of the feed.
type FeedPage struct {
	Data       []Change `json:"data"`
	NextCursor *string  `json:"next_cursor" doc:"The place to go on from at once, for the parameter after; null when nothing is left for now: then the header Rollcall-Cursor says where to go on later."`
	Truncated  bool     `json:"truncated,omitempty" doc:"True where the beginning was asked for and older changes are no longer kept: what they led to is in lists and exports."`
	Shown
}

var listChangesDoc = doc{
	"list-changes", "What changed",
	"The feed: every change, in the order of revisions; within one, edges that ended, deletions, creations and updates, then edges that began, each by id. " +
		"Go on from Rollcall-Cursor, which on this page is the place behind its last change; on every other answer it is the place of what that shows. " +
		"A cursor that is no longer in the database, or from which on not all is kept, is 410: begin again from a list or an export and its Rollcall-Cursor.",
	"changes",
}

func (s *server) listChanges(ctx context.Context, in *ChangesInput) (*ChangesOutput, error) {
	wait, err := parseWait(in.Wait)
	if err != nil {
		return nil, err
	}
	r := requestOf(ctx)
	after, err := s.feedStart(ctx, in.After)
	if err != nil {
		return nil, err
	}
	page, err := fresh(s, r, func() (directory.FeedPage, error) {
		return s.changesAfter(ctx, directory.FeedQuery{After: after, Limit: in.Limit})
	}, everything)
	if err == nil && isAtEnd(page) && wait > 0 {
		page, err = s.awaitChanges(ctx, directory.FeedQuery{After: &page.Next, Limit: in.Limit}, wait)
	}
	if err != nil {
		return nil, err
	}
	return s.feedPage(r, page), nil
}

func (s *server) feedPage(r *http.Request, page directory.FeedPage) *ChangesOutput {
	out := &ChangesOutput{Status: http.StatusOK, ReadHeaders: s.readHeaders(r, page.Freshness, scopeList)}
	out.FeedCursor = feedCursor(page.Next)
	if isKnown(r, out.ETag) {
		out.Status = http.StatusNotModified
		return out
	}
	out.Body = FeedPage{Data: make([]Change, len(page.Changes)), Truncated: page.Pruned, Shown: shown(page.Freshness)}
	for i, change := range page.Changes {
		out.Body.Data[i] = newChange(change)
	}
	if page.More {
		out.Body.NextCursor = &out.FeedCursor
		next := *r.URL
		values := next.Query()
		values.Set("after", out.FeedCursor)
		next.RawQuery = values.Encode()
		out.Link = "<" + s.origin(r) + next.EscapedPath() + "?" + next.RawQuery + `>; rel="next"`
	}
	return out
}

func isAtEnd(page directory.FeedPage) bool { return len(page.Changes) == 0 && !page.More }

// feedStart reads after; nil is the beginning.
func (s *server) feedStart(ctx context.Context, after string) (*directory.FeedPlace, error) {
	switch after {
	case "":
		return nil, nil
	case "now":
		f, err := s.Mirror.Freshness(ctx)
		if err == nil && f.Revision == 0 {
			err = directory.ErrNoData
		}
		return new(f.FeedPlace()), err
	}
	c, err := parseCursor(after)
	if err != nil {
		return nil, invalid("after", "is not a cursor of the feed: give the Rollcall-Cursor of an answer, the cursor of a change, or now")
	}
	place, ok := c.feedPlace()
	if !ok {
		return nil, invalid("after", "is the cursor of a list: give the Rollcall-Cursor of an answer, the cursor of a change, or now")
	}
	return &place, nil
}

// emptyPages bounds how many pages without a change are read for one answer.
const emptyPages = 64

// changesAfter reads a page with a change on it, if there is one not too far
// off.
func (s *server) changesAfter(ctx context.Context, q directory.FeedQuery) (page directory.FeedPage, err error) {
	pruned := false
	for range emptyPages {
		page, err = s.Mirror.Changes(ctx, q)
		pruned = pruned || page.Pruned
		if err != nil || len(page.Changes) > 0 || !page.More {
			break
		}
		q.After = &page.Next
	}
	page.Pruned = pruned
	return page, err
}

// awaitChanges waits until there is a change, but no longer than wait and the
// server go on.
func (s *server) awaitChanges(ctx context.Context, q directory.FeedQuery, wait time.Duration) (page directory.FeedPage, err error) {
	late := time.NewTimer(wait)
	defer late.Stop()
	for {
		moved := s.Mirror.Changed()
		page, err = s.changesAfter(ctx, q)
		if err != nil || !isAtEnd(page) {
			return page, err
		}
		q.After = &page.Next
		select {
		case <-moved:
		case <-late.C:
			return page, nil
		case <-s.stopping:
			return page, nil
		case <-ctx.Done():
			return page, ctx.Err()
		}
	}
}
