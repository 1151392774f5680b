package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/directory"
)

// A GroupPatchInput asks for several changes of one group at once.
type GroupPatchInput struct {
	EditInput
	Body    GroupPatch
	RawBody []byte
}

// A GroupPatch names what is to change.
type GroupPatch struct {
	Name          *string      `json:"name,omitempty" example:"Night shift" doc:"The new name."`
	Description   *string      `json:"description,omitempty" doc:"The new description. An empty one is left out of what is sent, for Tallyfy refuses it."`
	AddMembers    []memberName `json:"add_members,omitempty" maxItems:"1000" doc:"Members by id or e-mail."`
	RemoveMembers []memberName `json:"remove_members,omitempty" maxItems:"1000" doc:"Members by id or e-mail."`
	AddGuests     []string     `json:"add_guests,omitempty" maxItems:"1000" doc:"E-mails."`
	RemoveGuests  []string     `json:"remove_guests,omitempty" maxItems:"1000" doc:"E-mails."`
}

func (p *GroupPatch) isEmpty() bool {
	return p.Name == nil && p.Description == nil && p.AddMembers == nil && p.RemoveMembers == nil && p.AddGuests == nil && p.RemoveGuests == nil
}

// A memberName is an id, as a number or text, or an e-mail.
type memberName string

// UnmarshalJSON takes a number for an id.
func (n *memberName) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(n))
	}
	if id, err := strconv.ParseUint(string(bytes.TrimSpace(raw)), 10, 63); err != nil || id == 0 {
		return fmt.Errorf("%.30s is no id", raw)
	}
	*n = memberName(raw)
	return nil
}

// Schema is that of a positive number, or of a text.
func (memberName) Schema(huma.Registry) *huma.Schema {
	one, text := 1.0, 1
	return &huma.Schema{AnyOf: []*huma.Schema{{Type: huma.TypeInteger, Format: "int64", Minimum: &one}, {Type: huma.TypeString, MinLength: &text}}}
}

var patchGroupDoc = doc{
	"patch-group", "Change a group",
	"Changes name or description, or adds and removes members and guests, several at once. The same person in both lists is 422.", "groups",
}

func (s *server) patchGroup(ctx context.Context, in *GroupPatchInput) (*EditOutput, error) {
	if err := checkNulls(in.RawBody); err != nil {
		return nil, err
	}
	if in.Body.isEmpty() {
		return nil, invalidAt("body", "asks for nothing: give at least one of name, description, add_members, remove_members, add_guests, remove_guests")
	}
	e := directory.GroupEdit{Name: in.Body.Name, Description: in.Body.Description}
	var err error
	if e.AddMembers, err = s.memberIDs(ctx, in.Body.AddMembers); err != nil {
		return nil, err
	}
	if e.RemoveMembers, err = s.memberIDs(ctx, in.Body.RemoveMembers); err != nil {
		return nil, err
	}
	if e.AddGuests, err = guestEmails("body.add_guests", in.Body.AddGuests); err != nil {
		return nil, err
	}
	if e.RemoveGuests, err = guestEmails("body.remove_guests", in.Body.RemoveGuests); err != nil {
		return nil, err
	}
	if err := checkApart(&e); err != nil {
		return nil, err
	}
	return s.edit(ctx, &in.EditInput, e)
}

// checkNulls refuses what would otherwise pass for not asked.
func checkNulls(body []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return invalidAt("body", "is no object")
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if string(fields[field]) == "null" {
			return invalidAt("body."+field, "is null: leave it out or give it a value")
		}
	}
	return nil
}

// checkApart refuses an edit that would add and remove the same person.
func checkApart(e *directory.GroupEdit) error {
	for _, id := range e.AddMembers {
		if slices.Contains(e.RemoveMembers, id) {
			return invalidAt("body.add_members", "member %d is in remove_members, too", id)
		}
	}
	removed := map[string]bool{}
	for _, email := range e.RemoveGuests {
		removed[directory.FoldEmail(email)] = true
	}
	for _, email := range e.AddGuests {
		if removed[directory.FoldEmail(email)] {
			return invalidAt("body.add_guests", "%.100q is in remove_guests, too", email)
		}
	}
	return nil
}

func (s *server) memberIDs(ctx context.Context, names []memberName) ([]int64, error) {
	ids := make([]int64, len(names))
	for i, name := range names {
		var err error
		if ids[i], err = s.memberID(ctx, string(name)); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func guestEmails(location string, emails []string) ([]string, error) {
	out := make([]string, len(emails))
	for i, email := range emails {
		var err error
		if out[i], err = guestEmail(fmt.Sprintf("%s[%d]", location, i), email); err != nil {
			return nil, err
		}
	}
	return out, nil
}
