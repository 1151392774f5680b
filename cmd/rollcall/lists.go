package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// groupsCommand lists the groups of a person.
type groupsCommand struct {
	readSettings
	outputSettings
	Who string `arg:"" complete:"people" help:"A member's id, or an e-mail of a member or guest."`
}

var groupColumns = []string{"id", "name", "member_count", "guest_count", "since_not_before", "since_not_after"}

// Run prints every group the person is in.
func (c *groupsCommand) Run(ctx context.Context, con *console) error {
	return printList(ctx, con, &c.readSettings, c.Output, "/v1/members/"+url.PathEscape(c.Who)+"/groups", groupColumns)
}

// membersCommand lists who is in a group.
type membersCommand struct {
	readSettings
	outputSettings
	Group string `arg:"" complete:"groups" help:"A group's id or name."`
}

var memberColumns = []string{"kind", "member_id", "email", "full_name", "role", "status", "since_not_before", "since_not_after"}

// Run prints every member and guest of the group.
func (c *membersCommand) Run(ctx context.Context, con *console) error {
	return printList(ctx, con, &c.readSettings, c.Output, "/v1/groups/"+url.PathEscape(c.Group)+"/members", memberColumns)
}

func printList(ctx context.Context, con *console, from *readSettings, format, path string, columns []string) error {
	client, done, err := from.open(ctx, con)
	if err != nil {
		return err
	}
	defer done()
	all, header, err := client.walk(ctx, path)
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

// walk reads a list to its end. All pages show the revision of the first;
// the headers are those of the last.
func (c *client) walk(ctx context.Context, path string) (*list, http.Header, error) {
	all := &list{}
	query := url.Values{"limit": {strconv.Itoa(pageLimit)}}
	for {
		answer, err := c.get(ctx, path, query)
		if err != nil {
			return nil, nil, err
		}
		next, err := all.add(answer.body)
		if err != nil || next == "" {
			return all, answer.header, err
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
