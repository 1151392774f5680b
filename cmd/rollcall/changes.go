package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// changesCommand prints the feed, a change a line.
type changesCommand struct {
	readSettings
	outputSettings
	After  string `name:"after" placeholder:"CURSOR" help:"Begin after this place: a cursor, or now. Left out, at the beginning."`
	Follow bool   `name:"follow" short:"f" help:"Go on with what changes, until interrupted."`
}

var changeColumns = []string{
	"revision", "type", "group_id", "group_name", "member_id", "email", "not_before", "not_after", "cause", "actor", "changed", "cursor",
}

// How a feed is followed.
const (
	followWait  = 30 * time.Second // for which the server holds an answer
	followRetry = 30 * time.Second // the longest pause between attempts
)

// Run prints all changes there are, and those to come if it is to follow. An
// interrupt is how one stops to follow, and no failure.
func (c *changesCommand) Run(ctx context.Context, con *console) error {
	if c.Follow && c.DB != "" {
		return usagef("--follow: a file tells nothing as it happens, ask a --server")
	}
	if c.Follow && c.Output == "json" {
		return usagef("--follow: JSON has an end, take --output=ndjson")
	}
	client, done, err := c.open(ctx, con)
	if err != nil {
		return err
	}
	defer done()
	out := &changePrinter{w: con.stdout, format: c.Output}
	err = c.print(ctx, con, client, out)
	if c.Follow && ctx.Err() != nil {
		return nil
	}
	return err
}

func (c *changesCommand) print(ctx context.Context, con *console, from *client, out *changePrinter) error {
	f := &follower{client: from, after: c.After}
	for {
		rows, isEnd, err := f.next(ctx)
		switch {
		case err != nil && c.Follow && f.began && mayPass(err) && ctx.Err() == nil:
			f.failed++
			fmt.Fprintf(con.stderr, "%v; trying again\n", err)
			if err := f.pause(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := out.page(rows); err != nil {
			return err
		}
		if isEnd && !c.Follow {
			return out.end()
		}
		f.wait = isEnd
	}
}

// mayPass reports whether an error may go by itself: the server is away, busy
// or without data for now.
func mayPass(err error) bool {
	r, isRefusal := errors.AsType[*refusal](err)
	return !isRefusal || r.status == http.StatusTooManyRequests || r.status >= http.StatusInternalServerError
}

// A follower reads the feed page by page.
type follower struct {
	client *client
	after  string // the place to go on from
	wait   bool   // hold the answer until there is something
	began  bool   // the server answered once
	failed int    // times running
}

// next returns a page, and whether it was the last for now.
func (f *follower) next(ctx context.Context) (rows []row, isEnd bool, err error) {
	query := url.Values{"limit": {strconv.Itoa(pageLimit)}}
	if f.after != "" {
		query.Set("after", f.after)
	}
	if f.wait {
		query.Set("wait", followWait.String())
	}
	answer, err := f.client.do(ctx, http.MethodGet, "/v1/changes", query, followWait+clientTimeout)
	if err != nil {
		return nil, false, err
	}
	var page list
	next, err := page.add(answer.body)
	if err != nil {
		return nil, false, err
	}
	place := answer.header.Get("Rollcall-Cursor")
	if place == "" {
		return nil, false, errors.New("the server does not say where its feed goes on: is it a Rollcall server of this version?")
	}
	f.after, f.began, f.failed = place, true, 0
	return page.rows, next == "", nil
}

// pause waits before another attempt, longer each time.
func (f *follower) pause(ctx context.Context) error {
	timer := time.NewTimer(min(time.Second<<min(f.failed-1, 10), followRetry))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A changePrinter prints changes one by one, each at once. What has no end was
// cut short.
type changePrinter struct {
	w       io.Writer
	format  string
	began   bool
	printed int
}

func (p *changePrinter) page(rows []row) error {
	if !p.began {
		p.began = true
		if err := p.begin(); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if err := p.print(r); err != nil {
			return err
		}
	}
	return nil
}

func (p *changePrinter) begin() error {
	switch p.format {
	case "csv":
		return p.cells(changeColumns)
	case "json":
		_, err := io.WriteString(p.w, "[")
		return err
	}
	return nil
}

func (p *changePrinter) end() error {
	if p.format != "json" {
		return nil
	}
	_, err := io.WriteString(p.w, "\n]\n")
	return err
}

func (p *changePrinter) print(r row) error {
	p.printed++
	switch p.format {
	case "csv":
		return p.cells(r.texts(changeColumns))
	case "json":
		comma := ","
		if p.printed == 1 {
			comma = ""
		}
		_, err := fmt.Fprintf(p.w, "%s\n  %s", comma, r.raw)
		return err
	case "ndjson":
		return (&list{rows: []row{r}}).printLines(p.w)
	}
	_, err := fmt.Fprintln(p.w, changeLine(r))
	return err
}

func (p *changePrinter) cells(cells []string) error {
	writer := csv.NewWriter(p.w)
	if err := writer.Write(cells); err != nil {
		return err
	}
	writer.Flush()
	return writer.Error()
}

// changeLine tells a change to a person.
func changeLine(r row) string {
	parts := []string{r.text("not_after"), "rev " + r.text("revision"), fmt.Sprintf("%-24s", r.text("type"))}
	for _, part := range []string{r.group(), r.person(), r.update()} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	parts = append(parts, "by "+r.text("cause"))
	if actor := r.text("actor"); actor != "" {
		parts = append(parts, "of "+actor)
	}
	return printable(strings.Join(parts, "  "))
}

// group is the one that a row is about, or empty.
func (r row) group() string {
	id := r.text("group_id")
	if id == "" {
		return ""
	}
	return fmt.Sprintf("%s (%s)", r.text("group_name"), id)
}

// person is the one that a row is about, or empty.
func (r row) person() string {
	id, email := r.text("member_id"), r.text("email")
	if id == "" || email == "" {
		return id + email
	}
	return fmt.Sprintf("%s (%s)", email, id)
}

// update is what an update changed, or empty.
func (r row) update() string {
	if !strings.HasSuffix(r.text("type"), ".updated") {
		return ""
	}
	return r.text("changed")
}
