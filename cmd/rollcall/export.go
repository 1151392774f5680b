package main

import (
	"cmp"
	"context"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// exportCommand saves a table.
type exportCommand struct {
	serverSettings
	fileChoices
	Table  string   `arg:"" enum:"groups,members,memberships,membership_history,changes" help:"groups, members, memberships, membership_history or changes."`
	File   string   `arg:"" optional:"" help:"Where to save it, - for standard output (default: the table's name in this folder)."`
	Format string   `name:"format" env:"ROLLCALL_FORMAT" placeholder:"csv" help:"csv, ndjson or parquet (default: by the end of FILE's name, else csv)."`
	Excel  bool     `name:"excel" env:"ROLLCALL_EXCEL" help:"Make csv for spreadsheets: with a byte order mark, and without cells that begin a formula (default: false)."`
	Filter []string `name:"filter" sep:"none" env:"ROLLCALL_FILTER" placeholder:"NAME=VALUE" help:"Take the rows alone that the list under /v1 would with this parameter, such as status=active; may be given again."`
}

// fileChoices are those of every file.
type fileChoices struct {
	AsOf         string `name:"as-of" env:"ROLLCALL_AS_OF" placeholder:"INSTANT" help:"The past state to save: an RFC 3339 instant, a date or rev:7 (default: the present)."`
	Pseudonymize bool   `name:"pseudonymize" env:"ROLLCALL_PSEUDONYMIZE" help:"Replace names, e-mails and member ids by stand-ins and leave free text out; the server needs --pseudonym-key (default: false)."`
}

func (c *fileChoices) query() url.Values {
	query := url.Values{}
	if c.AsOf != "" {
		query.Set("as_of", c.AsOf)
	}
	if c.Pseudonymize {
		query.Set("pseudonymize", "true")
	}
	return query
}

// Help is added to the command's help.
func (c *exportCommand) Help() string { return savedHelp }

const savedHelp = "The file appears under its name when it is whole and on disk, in the place of one that is there. " +
	"All its rows are of one revision."

var exportFormats = []string{"csv", "ndjson", "parquet"}

// Run exits 0 when the file is on disk.
func (c *exportCommand) Run(ctx context.Context, con *console) error {
	format := cmp.Or(c.Format, formatOf(c.File), "csv")
	if !slices.Contains(exportFormats, format) {
		return usagef("--format: %q is not known, give csv, ndjson or parquet", format)
	}
	query := c.query()
	if c.Excel {
		query.Set("excel", "true")
	}
	for _, filter := range c.Filter {
		name, value, ok := strings.Cut(filter, "=")
		if !ok || name == "" {
			return usagef("--filter: %q has no = between a name and a value, give one such as status=active", filter)
		}
		query.Add(name, value)
	}
	client, err := c.client(con.env)
	if err != nil {
		return err
	}
	name := c.Table + "." + format
	return client.save(ctx, con, "/v1/export/"+name, query, cmp.Or(c.File, name))
}

// formatOf is the format that a file's name ends in, empty if in none.
func formatOf(file string) string {
	end := strings.ToLower(strings.TrimPrefix(filepath.Ext(file), "."))
	if slices.Contains(exportFormats, end) {
		return end
	}
	return ""
}

// snapshotCommand saves all tables.
type snapshotCommand struct {
	serverSettings
	fileChoices
	File string `arg:"" help:"Where to save it, - for standard output."`
}

// Help is added to the command's help.
func (c *snapshotCommand) Help() string {
	return savedHelp + " It opens wherever SQLite does: groups, members, memberships, membership_history and changes as plain tables, without Tallyfy's payloads."
}

// Run exits 0 when the file is on disk.
func (c *snapshotCommand) Run(ctx context.Context, con *console) error {
	client, err := c.client(con.env)
	if err != nil {
		return err
	}
	return client.save(ctx, con, "/v1/snapshot.sqlite", c.query(), c.File)
}
