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
	logSettings
}

// Help is added to the command's help.
func (c *syncCommand) Help() string {
	return "With --server or $ROLLCALL_SERVER it asks that server to sweep and waits up to a minute; else it sweeps into --db itself, which no running server may be writing to.\n\n" + tokenHelp
}

// Run exits 0 when a sweep succeeded.
func (c *syncCommand) Run(ctx context.Context, con *console) error {
	if c.Server != "" {
		return c.ask(ctx, con)
	}
	s := &settings{upstreamSettings: c.upstreamSettings, fileSettings: c.fileSettings, logSettings: c.logSettings}
	if err := firstError(s.upstreamSettings.check, s.fileSettings.check); err != nil {
		return err
	}
	token, err := tokenFrom(ctx, con.env)
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
	fmt.Fprintf(con.stdout, "%s revision %d: %d groups and %d members in %d requests, %s\n", note.Result, note.Revision,
		note.Groups, note.Members, note.Requests, note.EndedAt.Sub(note.BeganAt).Round(time.Millisecond))
	return nil
}

// syncWait is how long a server lets a caller wait for a sweep at most.
const syncWait = 60 * time.Second

// ask has a server sweep.
func (c *syncCommand) ask(ctx context.Context, con *console) error {
	client, err := newClient(c.Server)
	if err != nil {
		return err
	}
	answer, err := client.do(ctx, http.MethodPost, "/v1/sync", url.Values{"wait": {syncWait.String()}}, syncWait+clientTimeout)
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
	if !told.Data.Result.Succeeded() {
		return &exitError{code: exitFailure}
	}
	return nil
}
