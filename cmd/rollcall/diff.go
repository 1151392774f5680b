package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// diffCommand prints what differs between two states.
type diffCommand struct {
	readSettings
	outputSettings
	From           string `arg:"" help:"The earlier state: a date, an instant (RFC 3339) or rev:N."`
	To             string `arg:"" optional:"" help:"The later state, likewise. Left out, the present."`
	IncludeInitial bool   `name:"include-initial" env:"ROLLCALL_INCLUDE_INITIAL" help:"Take what the first sweep found for added, where FROM lies before it (default: false)."`
}

// Help is added to the command's help.
func (c *diffCommand) Help() string {
	return "What came and left between the two states is not told. A table begins with + for what only the later state has, - for what only the earlier one has, and ~ for what both have otherwise."
}

// diffParts are those of a diff, in the order of the feed.
var diffParts = []string{"removed", "updated", "added"}

var (
	diffColumns = []string{
		"difference", "kind", "type", "group_id", "group_name", "member_id", "email",
		"since_not_before", "since_not_after", "until_not_before", "until_not_after", "not_before", "not_after", "changed",
	}
	diffTableColumns = []string{"", "kind", "group", "person", "not_after", "changed"}
)

// Run prints every difference.
func (c *diffCommand) Run(ctx context.Context, con *console) error {
	client, done, err := c.open(ctx, con)
	if err != nil {
		return err
	}
	defer done()
	query := url.Values{"from": {c.From}}
	set(query, "to", c.To)
	setIf(query, "include_initial", c.IncludeInitial)
	all := &differences{parts: map[string][]row{}}
	header, err := client.walk(ctx, "/v1/diff", query, all.add)
	if err != nil {
		return err
	}
	if err := all.print(con.stdout, c.Output); err != nil {
		return err
	}
	if c.Output == "table" {
		fmt.Fprintf(con.stderr, "differences: %d, up to revision %s\n", len(all.list().rows), header.Get("Rollcall-Revision"))
	}
	return nil
}

// differences are all pages of a diff in one.
type differences struct {
	parts map[string][]row           // by the names in diffParts
	whole map[string]json.RawMessage // the envelope of the first page
}

// add appends the rows of one page and returns the cursor of the next.
func (d *differences) add(body []byte) (next string, err error) {
	var page struct {
		Data map[string][]json.RawMessage `json:"data"`
		Next string                       `json:"next_cursor"`
	}
	err = json.Unmarshal(body, &page)
	if err == nil && d.whole == nil {
		err = json.Unmarshal(body, &d.whole)
	}
	if err != nil {
		return "", fmt.Errorf("the server sent a page that cannot be read: %w", err)
	}
	for part, raws := range page.Data {
		for _, raw := range raws {
			r, err := newRow(raw)
			if err != nil {
				return "", err
			}
			d.parts[part] = append(d.parts[part], r)
		}
	}
	return page.Next, nil
}

func (d *differences) print(w io.Writer, format string) error {
	switch format {
	case "json":
		return d.printJSON(w)
	case "table":
		return d.table().print(w, format)
	}
	return d.list().print(w, format)
}

func (d *differences) printJSON(w io.Writer) error {
	return printWhole(w, d.whole, fmt.Appendf(nil, `{"added":%s,"removed":%s,"updated":%s}`,
		array(d.parts["added"]), array(d.parts["removed"]), array(d.parts["updated"])))
}

// list is one of all rows, each of which says what its difference is.
func (d *differences) list() *list {
	all := &list{columns: diffColumns}
	for _, part := range diffParts {
		for _, r := range d.parts[part] {
			r.fields["difference"] = part
			r.raw = append(fmt.Appendf(nil, `{"difference":%q,`, part), r.raw[1:]...)
			all.rows = append(all.rows, r)
		}
	}
	return all
}

// table is the list as a person reads it.
func (d *differences) table() *list {
	all := &list{columns: diffTableColumns}
	for _, r := range d.list().rows {
		all.rows = append(all.rows, row{fields: map[string]any{
			"": r.sign(), "kind": r.text("kind") + r.text("type"), "group": r.group(), "person": r.person(),
			"not_after": r.known(), "changed": r.update(),
		}})
	}
	return all
}

// sign is that of a difference.
func (r row) sign() string {
	kind := r.text("type")
	switch {
	case r.text("difference") == "added", strings.HasSuffix(kind, ".created"):
		return "+"
	case r.text("difference") == "removed", strings.HasSuffix(kind, ".deleted"):
		return "-"
	}
	return "~"
}

// known is when a difference was known at the latest.
func (r row) known() string {
	switch r.text("difference") {
	case "added":
		return r.text("since_not_after")
	case "removed":
		return r.text("until_not_after")
	}
	return r.text("not_after")
}
