package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/access"
	"rollcall/internal/directory"
)

// An EditInput names the group of a safe edit and its terms. If-Match itself
// is read by versionsOf.
type EditInput struct {
	Group   string `path:"g" doc:"The group: 32 hex digits are an id, anything else is a name; id: or name: in front forces it."`
	DryRun  bool   `query:"dry_run" doc:"Read the group and say what would be sent, but send nothing."`
	With    string `query:"with" enum:"members" doc:"members adds ids and e-mails of those in the group; a dry run always does."`
	IfMatch string `header:"If-Match" example:"\"5f0c2a9d41e7b836\"" doc:"Versions of the group, in quotes, of which it must have one when it is read, directly before the edit is sent; else 412 and nothing is sent. * takes any; a weak one (W/) matches nothing."`
}

// An EditOutput says what became of a safe edit.
type EditOutput struct {
	Freshness
	FeedCursor string `header:"Rollcall-Cursor" doc:"The answer's place in the feed of changes; opaque."`
	Body       Edited
}

// Edited is a group after a safe edit.
type Edited struct {
	Data        Group        `json:"data" doc:"The group as reads show it from now on; of a dry run, as it would be."`
	Changed     bool         `json:"changed" doc:"False when there was nothing to do, so that nothing was sent."`
	Differences []Difference `json:"differences" doc:"What else came back from Tallyfy otherwise than it was sent."`
	WouldSend   *GroupUpdate `json:"would_send,omitempty" doc:"Of a dry run: what would be sent."`
	Shown
}

// A Difference is a field that came back from Tallyfy otherwise than it was
// sent.
type Difference struct {
	Field string `json:"field" enum:"name,description,members,guests"`
	Sent  any    `json:"sent" doc:"The text that was sent, or null; of members and guests those that were sent and did not come back."`
	Came  any    `json:"came" doc:"The text that came back, or null; of members and guests those that came back and were not sent."`
}

// A GroupUpdate is what an edit sends to Tallyfy.
type GroupUpdate struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty" doc:"Left out when it is empty, which Tallyfy would refuse."`
	Members     []json.RawMessage `json:"members" doc:"All of them; what is no id stays as Tallyfy has it."`
	Guests      []json.RawMessage `json:"guests" doc:"All of them, spelled as Tallyfy has them."`
}

// edit registers a safe edit.
func edit[I any](s *server, v1 huma.API, method, path string, d doc, h func(context.Context, *I) (*EditOutput, error)) {
	d.text += " " + howEditsGo
	register(s, v1, huma.Operation{Method: method, Path: path, DefaultStatus: http.StatusOK}, access.EditGroup, d, h)
}

const howEditsGo = "The group is read from Tallyfy, changed in this alone and written back as a whole, which is the only write that Tallyfy knows; no other write through Rollcall " +
	"to the group comes between. What somebody else changes directly in Tallyfy before that read, or after the write, is kept; **within that one round trip it cannot be seen and may be overwritten.** " +
	"Reads show the edit as soon as it is answered. 409 edit-conflict says that the group does not hold what was asked, 422 passes on what Tallyfy finds wrong, " +
	"502 upstream-refused that nothing was changed because Tallyfy, or what it showed, could not be relied on (or, with Rollcall-Refresh: pending, that it may have been), 504 outcome-unknown that its answer was lost: the same edit may safely be sent again."

// edit makes a safe edit and answers with the group.
func (s *server) edit(ctx context.Context, in *EditInput, e directory.GroupEdit) (*EditOutput, error) {
	r := requestOf(ctx)
	var err error
	if e.Versions, err = versionsOf(r.Header); err != nil {
		return nil, err
	}
	group, err := s.Mirror.GroupSummary(ctx, directory.ParseGroupRef(in.Group), nil)
	if err != nil {
		return nil, err
	}
	e.ID, e.DryRun = group.Row.ID, in.DryRun
	edited, err := s.Writer.Edit(ctx, s.put(r, e.ID), e)
	infoOf(ctx).told = true
	if refused, ok := errors.AsType[*directory.RefusedError](err); ok {
		if err := s.heed(r, refused.Status); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, explainEdit(err)
	}
	return newEditOutput(edited, in)
}

// put is the request that goes upstream: the group's, under the authorization
// of r.
func (s *server) put(r *http.Request, id string) *http.Request {
	path := &url.URL{Path: "/organizations/" + s.Organization + "/groups/" + id}
	if strings.ContainsAny(id, "/%") {
		path.RawPath = "/organizations/" + s.Organization + "/groups/" + url.PathEscape(id)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		header.Set("Authorization", authorization)
	}
	return &http.Request{Method: http.MethodPut, URL: path, Header: header}
}

func newEditOutput(edited *directory.EditedGroup, in *EditInput) (*EditOutput, error) {
	shape := newGroup
	if in.DryRun || in.With == withMembers {
		shape = newGroupWithMembers
	}
	out := &EditOutput{
		Freshness: freshnessOf(edited.Freshness, time.Now()), FeedCursor: feedPlace(edited.Freshness),
		Body: Edited{
			Data: shape(edited.Row), Changed: edited.Changed,
			Differences: differences(edited.Differences), Shown: shown(edited.Freshness),
		},
	}
	out.CacheStatus = "rollcall; fwd=method"
	if edited.Body != nil {
		out.Body.WouldSend = &GroupUpdate{}
		if err := json.Unmarshal(edited.Body, out.Body.WouldSend); err != nil {
			return nil, fmt.Errorf("read what an edit would send: %w", err)
		}
	}
	return out, nil
}

func differences(found []directory.Difference) []Difference {
	out := make([]Difference, len(found))
	for i, d := range found {
		out[i] = Difference(d)
	}
	return out
}

// A MemberEditInput names a member, too.
type MemberEditInput struct {
	EditInput
	Member string `path:"m" doc:"The member: digits are an id, anything else is an e-mail, in any case; id: or name: in front forces it."`
}

var (
	addMemberDoc    = doc{"add-member-to-group", "Put a member into a group", "Adds one member, who must be known to Rollcall; nothing is sent if the group has it.", "groups"}
	removeMemberDoc = doc{"remove-member-from-group", "Take a member out of a group", "Removes one member; nothing is sent if the group lacks it.", "groups"}
)

func (s *server) addMember(ctx context.Context, in *MemberEditInput) (*EditOutput, error) {
	id, err := s.memberID(ctx, in.Member)
	if err != nil {
		return nil, err
	}
	return s.edit(ctx, &in.EditInput, directory.GroupEdit{AddMembers: []int64{id}})
}

func (s *server) removeMember(ctx context.Context, in *MemberEditInput) (*EditOutput, error) {
	id, err := s.memberID(ctx, in.Member)
	if err != nil {
		return nil, err
	}
	return s.edit(ctx, &in.EditInput, directory.GroupEdit{RemoveMembers: []int64{id}})
}

// memberID finds a member, or an id that groups name and the member list
// lacks.
func (s *server) memberID(ctx context.Context, name string) (int64, error) {
	ref := directory.ParsePersonRef(name)
	found, err := s.Mirror.Member(ctx, ref, nil)
	if err == nil {
		return found.Row.ID, nil
	}
	if ref.ID != 0 && errors.Is(err, directory.ErrUnknownPerson) {
		_, err = s.Mirror.GroupsOfPerson(ctx, ref, directory.ListQuery{Limit: 1})
	}
	if errors.Is(err, directory.ErrUnknownPerson) {
		return 0, newProblem(http.StatusNotFound, unknownPerson, "No member has the id or e-mail %.100q: /v1/members lists them. A guest is named as a guest, "+
			"and who came to Tallyfy since the last sweep is known after POST /v1/sync.", name)
	}
	return ref.ID, err
}

// A GuestEditInput names a guest, too.
type GuestEditInput struct {
	EditInput
	Email string `path:"email" doc:"The guest's e-mail. To compare, case does not count; a guest keeps the spelling that Tallyfy has."`
}

var (
	addGuestDoc    = doc{"add-guest-to-group", "Put a guest into a group", "Adds one guest, whom Tallyfy may not know yet; nothing is sent if the group has it.", "groups"}
	removeGuestDoc = doc{"remove-guest-from-group", "Take a guest out of a group", "Removes one guest; nothing is sent if the group lacks it.", "groups"}
)

func (s *server) addGuest(ctx context.Context, in *GuestEditInput) (*EditOutput, error) {
	email, err := guestEmail("path.email", in.Email)
	if err != nil {
		return nil, err
	}
	return s.edit(ctx, &in.EditInput, directory.GroupEdit{AddGuests: []string{email}})
}

func (s *server) removeGuest(ctx context.Context, in *GuestEditInput) (*EditOutput, error) {
	email, err := guestEmail("path.email", in.Email)
	if err != nil {
		return nil, err
	}
	return s.edit(ctx, &in.EditInput, directory.GroupEdit{RemoveGuests: []string{email}})
}

// guestEmail leaves it to Tallyfy what an e-mail is, if it is anything.
func guestEmail(location, email string) (string, error) {
	if email = strings.TrimSpace(email); email == "" {
		return "", invalidAt(location, "is blank, and must be an e-mail")
	}
	return email, nil
}
