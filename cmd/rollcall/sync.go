package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// syncCommand sweeps once.
type syncCommand struct {
	serverSettings
	upstreamSettings
	fileSettings
	guardSettings
	logSettings
	AcceptRemovals string `name:"accept-removals" env:"ROLLCALL_ACCEPT_REMOVALS" placeholder:"ID" help:"Have the server sweep anew and publish if the sweep removes only what is held under this id, from rollcall status, and what needs no hold."`
}

// Help is added to the command's help.
func (c *syncCommand) Help() string {
	return "With --server or $ROLLCALL_SERVER, or with --accept-removals, it asks a server to sweep and waits up to a minute; else it sweeps into --db itself, which no running server may be writing to.\n\n" +
		"Exits 0 when a sweep succeeded, 4 when it is held because it would remove a suspicious share, and 1 for the rest.\n\n" + tokenHelp
}

// Run exits 0 when a sweep succeeded.
func (c *syncCommand) Run(ctx context.Context, con *console) error {
	if c.Server != "" || c.AcceptRemovals != "" {
		return c.ask(ctx, con)
	}
	s := &settings{
		upstreamSettings: c.upstreamSettings, fileSettings: c.fileSettings,
		guardSettings: c.guardSettings, logSettings: c.logSettings,
	}
	if err := firstError(s.upstreamSettings.check, s.fileSettings.check, s.guardSettings.check); err != nil {
		return err
	}
	token, err := tokenFrom(ctx, con.env, s.clientOptions())
	if err != nil {
		return err
	}
	return sweepOnce(ctx, con, s, token)
}

// sweepOnce sweeps into the file, says what came of it and closes the file.
func sweepOnce(ctx context.Context, con *console, s *settings, from token) (err error) {
	log, screen := s.logTo(con.stderr)
	mirror, err := openMirror(ctx, s, from, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mirror.close()) }()

	following, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	if screen != nil && mirror.isEmpty(ctx) {
		background.Go(func() { screen.follow(following, mirror.poller.Status) })
	}
	note, err := mirror.poller.Sweep(ctx)
	stop()
	background.Wait()
	if err != nil {
		return fmt.Errorf("the sweep failed, nothing was published: %w", err)
	}
	if held := mirror.poller.Status().Held; note.Result == directory.SweepHeld && held != nil {
		sayHeld(con.stdout, held)
		return &exitError{code: exitHeld}
	}
	fmt.Fprintf(con.stdout, "%s revision %d: %d groups and %d members in %d requests, %s\n", note.Result, note.Revision,
		note.Groups, note.Members, note.Requests, note.EndedAt.Sub(note.BeganAt).Round(time.Millisecond))
	return nil
}

// syncWait is how long a server lets a caller wait for a sweep at most.
const syncWait = 60 * time.Second

// ask has a server sweep.
func (c *syncCommand) ask(ctx context.Context, con *console) error {
	client, err := c.client(con.env)
	if err != nil {
		return err
	}
	query := url.Values{"wait": {syncWait.String()}}
	if c.AcceptRemovals != "" {
		query.Set("accept_removals", c.AcceptRemovals)
	}
	answer, err := client.do(ctx, http.MethodPost, "/v1/sync", query, syncWait+clientTimeout)
	if refused, ok := errors.AsType[*refusal](err); ok && refused.kind == "held-changed" {
		return &exitError{code: exitHeld, err: err}
	}
	if err != nil {
		return err
	}
	var told struct {
		Data struct {
			Result directory.SweepResult `json:"result"`
		} `json:"data"`
		Revision int64 `json:"revision"`
	}
	if err := json.Unmarshal(answer.body, &told); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	fmt.Fprintf(con.stdout, "%s revision %d\n", told.Data.Result, told.Revision)
	if told.Data.Result == directory.SweepHeld {
		fmt.Fprintln(con.stdout, "the sweep would remove a suspicious share, nothing was published: rollcall status says what")
		return &exitError{code: exitHeld}
	}
	if !told.Data.Result.Succeeded() {
		return &exitError{code: exitFailure}
	}
	return nil
}
