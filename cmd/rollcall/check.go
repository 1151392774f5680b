package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// Exit codes of check beside 0, in, and 2, usage. A script that acts on "not
// in" must be able to tell it from "cannot say".
const (
	exitNotIn   = 1
	exitUnknown = 3
)

// checkCommand says whether a person is in a group.
type checkCommand struct {
	readSettings
	Output          string `name:"output" short:"o" env:"ROLLCALL_OUTPUT" enum:"table,json,csv,ndjson" default:"table" placeholder:"table" help:"json prints the server's answer; the others print one sentence."`
	IncludeDisabled bool   `name:"include-disabled" env:"ROLLCALL_INCLUDE_DISABLED" help:"Count disabled people as in (default: false)."`
	Who             string `arg:"" complete:"people" help:"A member's id, or an e-mail of a member or guest."`
	Group           string `arg:"" complete:"groups" help:"A group's id or name."`
}

// Help is added to the command's help.
func (c *checkCommand) Help() string {
	return "Exits 0 if the person is in the group, 1 if not, and 3 if that cannot be said: unknown person or group, no data, no answer."
}

// Run asks, prints the answer and exits by it.
func (c *checkCommand) Run(ctx context.Context, con *console) error {
	answer, err := c.ask(ctx, con)
	if usage, ok := err.(usageError); ok { //nolint:errorlint // made right below, never wrapped
		return usage
	}
	if err != nil {
		return &exitError{code: exitUnknown, err: err}
	}
	var found struct {
		Data struct {
			Member bool    `json:"member"`
			Kind   *string `json:"kind"`
			Status *string `json:"status"`
			Reason *string `json:"reason"`
		} `json:"data"`
	}
	if err := json.Unmarshal(answer.body, &found); err != nil {
		return &exitError{code: exitUnknown, err: fmt.Errorf("the server's answer cannot be read: %w", err)}
	}
	switch {
	case c.Output == "json":
		fmt.Fprintf(con.stdout, "%s\n", answer.body)
	case found.Data.Member:
		fmt.Fprintf(con.stdout, "in: %s is a %s of %s\n", printable(c.Who), deref(found.Data.Kind, "member"), printable(c.Group))
	default:
		fmt.Fprintf(con.stdout, "not in: %s\n", deref(found.Data.Reason, "no edge"))
	}
	if !found.Data.Member {
		return &exitError{code: exitNotIn}
	}
	return nil
}

func (c *checkCommand) ask(ctx context.Context, con *console) (*answer, error) {
	client, done, err := c.open(ctx, con)
	if err != nil {
		return nil, err
	}
	defer done()
	query := url.Values{"member": {c.Who}, "group": {c.Group}}
	if c.IncludeDisabled {
		query.Set("include_disabled", "true")
	}
	return client.get(ctx, "/v1/check", query)
}

func deref(s *string, otherwise string) string {
	if s == nil {
		return otherwise
	}
	return cmp.Or(*s, otherwise)
}
