package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

// groupsCommand lists the groups of a person, or all that meet its filters.
type groupsCommand struct {
	readSettings
	outputSettings
	Who        string `arg:"" optional:"" complete:"people" help:"A member's id, or an e-mail of a member or guest. Left out, all groups are listed, or those that meet the filters."`
	Search     string `name:"search" env:"ROLLCALL_SEARCH" placeholder:"TEXT" help:"Groups alone that have this in name or description, in any case."`
	MinMembers int    `name:"min-members" env:"ROLLCALL_MIN_MEMBERS" default:"0" help:"Groups alone of as many members at least (default: 0)."`
	Empty      bool   `name:"empty" env:"ROLLCALL_EMPTY" help:"Groups alone that hold nobody (default: false)."`
	HasGuests  bool   `name:"has-guests" env:"ROLLCALL_HAS_GUESTS" help:"Groups alone that hold guests (default: false)."`
}

var (
	groupColumns         = []string{"id", "name", "description", "member_count", "guest_count", "updated_at"}
	groupOfPersonColumns = []string{"id", "name", "member_count", "guest_count", "since_not_before", "since_not_after"}
)

// Run prints every group the person is in, or every group.
func (c *groupsCommand) Run(ctx context.Context, con *console) error {
	query := url.Values{}
	set(query, "q", c.Search)
	setIf(query, "empty", c.Empty)
	setIf(query, "has_guests", c.HasGuests)
	if c.MinMembers > 0 {
		query.Set("min_members", strconv.Itoa(c.MinMembers))
	}
	if c.Who == "" {
		return printList(ctx, con, &c.readSettings, c.Output, "/v1/groups", query, groupColumns)
	}
	if len(query) > 0 {
		return usagef("filters are for the list of all groups: leave WHO out, or the filters")
	}
	return printList(ctx, con, &c.readSettings, c.Output, "/v1/members/"+url.PathEscape(c.Who)+"/groups", nil, groupOfPersonColumns)
}

// membersCommand lists who is in a group, or all members that meet its
// filters.
type membersCommand struct {
	readSettings
	outputSettings
	Group   string   `arg:"" optional:"" complete:"groups" help:"A group's id or name, whose members and guests are listed. Left out, all members are listed, or those who meet the filters."`
	In      []string `name:"in" complete:"groups" env:"ROLLCALL_IN" sep:"none" placeholder:"GROUP" help:"Members of this group alone; repeated, of all of these."`
	InAny   []string `name:"in-any" complete:"groups" env:"ROLLCALL_IN_ANY" sep:"none" placeholder:"GROUP" help:"Repeated: members of one at least of these groups."`
	NotIn   []string `name:"not-in" complete:"groups" env:"ROLLCALL_NOT_IN" sep:"none" placeholder:"GROUP" help:"Members alone who are not in this group; repeated, in none of these."`
	NoGroup bool     `name:"no-group" env:"ROLLCALL_NO_GROUP" help:"Members alone who are in no group (default: false)."`
	Search  string   `name:"search" env:"ROLLCALL_SEARCH" placeholder:"TEXT" help:"Members alone who have this in name or e-mail, in any case."`
	Status  string   `name:"status" env:"ROLLCALL_STATUS" enum:"active,invited,disabled," default:"" placeholder:"STATUS" help:"Members of this status alone: active, invited or disabled."`
	Role    string   `name:"role" env:"ROLLCALL_ROLE" placeholder:"ROLE" help:"Members of this role alone."`
	Domain  string   `name:"domain" env:"ROLLCALL_DOMAIN" placeholder:"DOMAIN" help:"Those alone whose e-mail has this domain."`
}

var (
	memberColumns     = []string{"id", "email", "full_name", "role", "status", "group_count"}
	membershipColumns = []string{"kind", "member_id", "email", "full_name", "role", "status", "since_not_before", "since_not_after"}
)

// Run prints every member and guest of the group, or every member.
func (c *membersCommand) Run(ctx context.Context, con *console) error {
	query := url.Values{}
	for name, groups := range map[string][]string{"in": c.In, "in_any": c.InAny, "not_in": c.NotIn} {
		if len(groups) > 0 {
			query[name] = groups
		}
	}
	setIf(query, "no_group", c.NoGroup)
	set(query, "q", c.Search)
	if len(query) > 0 && c.Group != "" {
		return usagef("--in, --in-any, --not-in, --no-group and --search are for the list of all members: leave GROUP out and say --in GROUP")
	}
	set(query, "status", c.Status)
	set(query, "role", c.Role)
	set(query, "domain", c.Domain)
	if c.Group == "" {
		return printList(ctx, con, &c.readSettings, c.Output, "/v1/members", query, memberColumns)
	}
	return printList(ctx, con, &c.readSettings, c.Output, "/v1/groups/"+url.PathEscape(c.Group)+"/members", query, membershipColumns)
}

func set(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

func setIf(query url.Values, name string, wanted bool) {
	if wanted {
		query.Set(name, "true")
	}
}

func printList(ctx context.Context, con *console, from *readSettings, format, path string, query url.Values, columns []string) error {
	client, done, err := from.open(ctx, con)
	if err != nil {
		return err
	}
	defer done()
	all, header, err := client.walkThat(ctx, path, query)
	if err != nil {
		return err
	}
	all.columns = columns
	if err := all.print(con.stdout, format); err != nil {
		return err
	}
	if format == "table" {
		fmt.Fprintf(con.stderr, "rows: %d, at revision %s, confirmed %s\n",
			len(all.rows), header.Get("Rollcall-Revision"), age(header.Get("Rollcall-Confirmed-At")))
	}
	return nil
}

// pageLimit is the most rows that one page may have.
const pageLimit = 1000

// walkThat reads a list to its end, as far as it meets a query. All pages show
// the revision of the first; the headers are those of the last.
func (c *client) walkThat(ctx context.Context, path string, that url.Values) (*list, http.Header, error) {
	all := &list{}
	header, err := c.walk(ctx, path, that, all.add)
	if err != nil {
		return nil, nil, err
	}
	return all, header, nil
}

// walk gives every page to add, which returns the cursor of the next or, at
// the end, nothing. The headers are those of the last page.
func (c *client) walk(ctx context.Context, path string, that url.Values, add func(body []byte) (next string, err error)) (http.Header, error) {
	query := url.Values{"limit": {strconv.Itoa(pageLimit)}}
	maps.Copy(query, that)
	for {
		answer, err := c.get(ctx, path, query)
		if err != nil {
			return nil, err
		}
		next, err := add(answer.body)
		if err != nil || next == "" {
			return answer.header, err
		}
		query.Set("cursor", next)
	}
}

// add appends the rows of one page and returns the cursor of the next.
func (l *list) add(body []byte) (next string, err error) {
	var page struct {
		Data []json.RawMessage `json:"data"`
		Next *string           `json:"next_cursor"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return "", fmt.Errorf("the server sent a page that cannot be read: %w", err)
	}
	if l.whole == nil {
		if err := json.Unmarshal(body, &l.whole); err != nil {
			return "", fmt.Errorf("the server sent a page that cannot be read: %w", err)
		}
	}
	for _, raw := range page.Data {
		r, err := newRow(raw)
		if err != nil {
			return "", err
		}
		l.rows = append(l.rows, r)
	}
	if page.Next == nil {
		return "", nil
	}
	return *page.Next, nil
}
