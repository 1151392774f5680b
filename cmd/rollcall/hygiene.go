package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"rollcall/internal/api"
	"rollcall/internal/directory"
)

// exitFound is that of hygiene when it found what --fail-on tells of. A
// pipeline must be able to tell it from "cannot say".
const exitFound = 1

// hygieneCommand prints what is out of order.
type hygieneCommand struct {
	readSettings
	outputSettings
	domainSettings
	FailOn string   `name:"fail-on" env:"ROLLCALL_FAIL_ON" enum:"error,warning,info,never" default:"never" placeholder:"never" help:"Exit 1 when there is a finding as grave as this or graver: error, warning, info; or never."`
	Rule   []string `name:"rule" env:"ROLLCALL_RULE" placeholder:"RULE" help:"Findings of this rule alone; repeated, of any of them: disabled-in-group, guest-domain (error), dangling-id, twin-names, empty-group (warning), one-person-group, in-no-group, never-logged-in (info)."`
}

// Help is added to the command's help.
func (c *hygieneCommand) Help() string {
	return "Exits 0 if there is nothing to fail on, 1 if there is, and 3 if that cannot be said: no data, no answer. " +
		"--guest-domains is for --db: a server has that setting itself."
}

var findingColumns = []string{"severity", "rule", "group_id", "member_id", "email", "detail"}

// Run prints every finding and exits by the gravest.
func (c *hygieneCommand) Run(ctx context.Context, con *console) error {
	for _, name := range c.Rule {
		if !slices.ContainsFunc(directory.Rules, func(r directory.Rule) bool { return r.Name == name }) {
			return usagef("--rule: there is no rule %q, rollcall hygiene --help lists them", name)
		}
	}
	findings, err := c.ask(ctx, con)
	if _, ok := err.(usageError); ok { //nolint:errorlint // made right below, never wrapped
		return err
	}
	if err != nil {
		return &exitError{code: exitUnknown, err: err}
	}
	if err := findings.print(con.stdout, c.Output); err != nil {
		return &exitError{code: exitUnknown, err: err}
	}
	if slices.ContainsFunc(findings.rows, c.isGrave) {
		return &exitError{code: exitFound}
	}
	return nil
}

func (c *hygieneCommand) isGrave(finding row) bool {
	return c.FailOn != "never" && directory.Severity(finding.text("severity")).AtLeast(directory.Severity(c.FailOn))
}

func (c *hygieneCommand) ask(ctx context.Context, con *console) (*list, error) {
	client, done, err := c.open(ctx, con)
	if err != nil {
		return nil, err
	}
	defer done()
	query := url.Values{}
	if len(c.Rule) > 0 {
		query["rule"] = c.Rule
	}
	findings, header, err := client.walkThat(ctx, "/v1/hygiene", query)
	if err != nil {
		return nil, err
	}
	findings.columns = findingColumns
	if c.Output == "table" {
		fmt.Fprintf(con.stderr, "findings: %d, at revision %s, confirmed %s\n",
			len(findings.rows), header.Get("Rollcall-Revision"), age(header.Get("Rollcall-Confirmed-At")))
	}
	return findings, nil
}

// open is that of readSettings; of a file, this command says which domains
// are allowed.
func (c *hygieneCommand) open(ctx context.Context, con *console) (*client, func(), error) {
	domains, err := c.guestDomains()
	switch {
	case err != nil:
		return nil, nil, err
	case c.DB == "":
		return c.readSettings.open(ctx, con)
	}
	return openFile(ctx, c.DB, func(o *api.Options) { o.GuestDomains = domains })
}
