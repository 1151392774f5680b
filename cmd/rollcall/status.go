package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"
)

// statusCommand says how the mirror is.
type statusCommand struct {
	readSettings
	outputSettings
}

var statusColumns = []string{
	"organization", "state", "state_since", "revision", "epoch", "confirmed_at", "last_attempt_at", "last_error",
	"held", "rows", "next_sweep_at", "effective_interval", "effective_interval_reason", "progress", "budget", "token", "drift",
}

// Run prints the status, a field a line.
func (c *statusCommand) Run(ctx context.Context, con *console) error {
	client, done, err := c.open(ctx, con)
	if err != nil {
		return err
	}
	defer done()
	answer, err := client.get(ctx, "/v1/status", nil)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		_, err := fmt.Fprintf(con.stdout, "%s\n", answer.body)
		return err
	}
	status, err := onlyRow(answer.body)
	if err != nil {
		return err
	}
	if c.Output != "table" {
		return (&list{columns: statusColumns, rows: []row{status}}).print(con.stdout, c.Output)
	}
	writer := tabwriter.NewWriter(con.stdout, 0, 0, 2, ' ', 0)
	for _, field := range statusColumns {
		if field == "held" {
			printHeld(writer, answer.body)
		} else if text := status.text(field); text != "" {
			fmt.Fprintf(writer, "%s\t%s\n", field, printable(text))
		}
	}
	return writer.Flush()
}

// onlyRow reads an answer of one object.
func onlyRow(body []byte) (row, error) {
	var one struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &one); err != nil {
		return row{}, fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	return newRow(one.Data)
}

// probeTimeout bounds a probe: an orchestrator would not wait longer.
const probeTimeout = 5 * time.Second

// healthCommand is a liveness probe.
type healthCommand struct{ serverSettings }

// Run exits 0 if the process answers.
func (c *healthCommand) Run(ctx context.Context, con *console) error {
	return probe(ctx, con, &c.serverSettings, "/livez")
}

// readyCommand is a readiness probe.
type readyCommand struct{ serverSettings }

// Run exits 0 if the server has data.
func (c *readyCommand) Run(ctx context.Context, con *console) error {
	return probe(ctx, con, &c.serverSettings, "/readyz")
}

func probe(ctx context.Context, con *console, s *serverSettings, path string) error {
	client, err := s.dial(con.env)
	if err != nil {
		return err
	}
	_, err = client.do(ctx, "GET", path, nil, probeTimeout)
	return err
}
