package api

import (
	"context"

	"rollcall/internal/directory"
)

// Hygiene tells what is out of order.
type Hygiene interface {
	Hygiene(context.Context, directory.HygieneQuery) (directory.Page[directory.Finding], error)
	HygieneCounts(ctx context.Context, guestDomains []string) (directory.HygieneCounts, error)
}

// A Finding is something out of order, and who or what is concerned.
type Finding struct {
	Rule     string  `json:"rule" enum:"disabled-in-group,guest-domain,dangling-id,twin-names,empty-group,one-person-group,in-no-group,never-logged-in"`
	Severity string  `json:"severity" enum:"info,warning,error"`
	GroupID  *string `json:"group_id" doc:"Null where no group is concerned."`
	MemberID *int64  `json:"member_id" doc:"Null where no member is concerned."`
	Email    *string `json:"email" doc:"The member's or the guest's; null where nobody is concerned, or nothing but an id is known."`
	Detail   string  `json:"detail" doc:"What was found, for a person."`
}

func newFinding(f directory.Finding) Finding {
	out := Finding{Rule: f.Name, Severity: string(f.Severity), MemberID: memberID(f.MemberID), Email: f.Email, Detail: f.Detail}
	if f.GroupID != "" {
		out.GroupID = new(f.GroupID)
	}
	return out
}

// A HygieneInput asks for findings.
type HygieneInput struct {
	ReadInput
	Rules    []string `query:"rule,explode" maxItems:"16" enum:"disabled-in-group,guest-domain,dangling-id,twin-names,empty-group,one-person-group,in-no-group,never-logged-in" doc:"The findings of this rule alone; of any of them, if it is repeated."`
	Severity string   `query:"severity" enum:"info,warning,error" doc:"Findings that are as grave as this or graver: error, then warning, then info."`
	Limit    int      `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Rows on a page."`
	Cursor   string   `query:"cursor" doc:"next_cursor of the page before. It belongs to the same path and parameters, limit apart."`
	Count    bool     `query:"count" doc:"Add total, the rows of the whole list."`
}

var listHygieneDoc = doc{
	"list-hygiene", "What is out of order",
	"Findings, by rule and in each by who or what is concerned. " +
		"error: disabled-in-group, a disabled member is still in a group; guest-domain, a guest of a group is from a domain that --guest-domains does not allow, which finds nothing without that setting. " +
		"warning: dangling-id, a group names an id that the member list lacks; twin-names, a group's name is another's, too, case and outer blanks apart; empty-group, a group has neither members nor guests. " +
		"info: one-person-group, a group has one member or one guest and nobody else; in-no-group, an active member is in no group; never-logged-in, an active or invited member has never logged in. " +
		"Last logins of the past are not known: with as_of, never-logged-in finds nothing.", "hygiene",
}

func (s *server) listHygiene(ctx context.Context, in *HygieneInput) (*ListOutput[Finding], error) {
	list := ListInput{ReadInput: in.ReadInput, Limit: in.Limit, Cursor: in.Cursor, Count: in.Count}
	asked, err := list.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	q := directory.HygieneQuery{ListQuery: asked, Rules: in.Rules, AtLeast: directory.Severity(in.Severity), GuestDomains: s.GuestDomains}
	return listed(ctx, s, newFinding, func() (directory.Page[directory.Finding], error) { return s.Mirror.Hygiene(ctx, q) })
}
