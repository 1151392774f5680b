package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// forgetTimeout bounds an erasure, which writes the file anew.
const forgetTimeout = 10 * time.Minute

// forgetCommand has a server erase somebody who is gone.
type forgetCommand struct {
	serverSettings
	Output string `name:"output" short:"o" env:"ROLLCALL_OUTPUT" enum:"table,json,csv,ndjson" default:"table" placeholder:"table" help:"json prints the server's answer; the others print one sentence."`
	Who    string `arg:"" help:"The id of somebody who was a member, or an e-mail that was a member's or a guest's."`
}

// Help is added to the command's help.
func (c *forgetCommand) Help() string {
	return "Takes names and e-mails out of every past state, the feed and the files of the mirror; ids and memberships stay, so that counts remain true. " +
		"Who still exists in Tallyfy is refused. There is no way back. Backups and exports that you took are yours to see to."
}

// Run asks and says what was erased.
func (c *forgetCommand) Run(ctx context.Context, con *console) error {
	client, err := c.client(con.env)
	if err != nil {
		return err
	}
	answer, err := client.do(ctx, http.MethodPost, "/v1/members/"+url.PathEscape(c.Who)+"/forget", nil, forgetTimeout)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		fmt.Fprintf(con.stdout, "%s\n", answer.body)
		return nil
	}
	var told struct {
		Data struct {
			MemberIDs []int64 `json:"member_ids"`
			Guests    int     `json:"guests"`
			Versions  int     `json:"versions"`
			Clean     bool    `json:"clean"`
		} `json:"data"`
		Revision int64 `json:"revision"`
	}
	if err := json.Unmarshal(answer.body, &told); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	fmt.Fprintf(con.stdout, "forgotten: past rows %d, members %d, guests %d, revision %d\n", told.Data.Versions, len(told.Data.MemberIDs), told.Data.Guests, told.Revision)
	if !told.Data.Clean {
		fmt.Fprintln(con.stdout, "traces may stay in the files, as while an old state is read: the server tries again within the hour, or forget once more")
	}
	return nil
}
