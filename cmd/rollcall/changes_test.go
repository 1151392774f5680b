package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/tallyfysim"
)

// cursors are those of the whole feed, in its order.
func (p *program) cursors() (all []string) {
	p.t.Helper()
	var page struct{ Data []struct{ Cursor string } }
	body, _ := p.get(http.StatusOK, "/v1/changes?limit=1000")
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		p.t.Fatal(err)
	}
	for _, change := range page.Data {
		all = append(all, change.Cursor)
	}
	return all
}

func cursorOf(t *testing.T, line string) string {
	t.Helper()
	var change struct{ Cursor string }
	if err := json.Unmarshal([]byte(line), &change); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return change.Cursor
}

func TestChangesAreTheWholeFeedInEveryFormat(t *testing.T) {
	server, group, _, _ := differing(t)
	all := server.cursors()
	changes := func(args ...string) (out string) {
		code, out, stderr := invoke(t, nil, append([]string{"changes", "--server", server.url}, args...)...)
		if code != exitOK || stderr != "" {
			t.Errorf("%q: exit code %d, %s", args, code, stderr)
		}
		return out
	}
	table := changes()
	if n := strings.Count(table, "\n"); n != len(all) || !strings.Contains(table, "group.updated") || !strings.Contains(table, "R&D\ufffd[2J ("+group.ID+")") {
		t.Errorf("%d lines for %d changes:\n%s", n, len(all), table)
	}
	records, err := csv.NewReader(strings.NewReader(changes("-o", "csv"))).ReadAll()
	if err != nil || len(records) != len(all)+1 || strings.Join(records[0], ",") != strings.Join(changeColumns, ",") {
		t.Errorf("%v, %d records for %d changes", err, len(records), len(all))
	}
	var rows []struct{ Cursor string }
	if err := json.Unmarshal([]byte(changes("-o", "json")), &rows); err != nil || len(rows) != len(all) {
		t.Errorf("%v, %d rows for %d changes", err, len(rows), len(all))
	}
	var told []string
	for line := range strings.Lines(changes("-o", "ndjson", "--after", all[3])) {
		told = append(told, cursorOf(t, line))
	}
	if fmt.Sprint(told) != fmt.Sprint(all[4:]) {
		t.Errorf("%d of %d changes", len(told), len(all)-4)
	}
	if out := changes("-o", "json", "--after=now"); strings.Join(strings.Fields(out), "") != "[]" {
		t.Errorf("nothing is %q", out)
	}
}

func TestAFeedThatIsRefusedIsNotAnEmptyOne(t *testing.T) {
	for _, format := range []string{"table", "json", "csv", "ndjson"} {
		code, out, stderr := invoke(t, nil, "changes", "--server", canned(t, nil), "-o", format)
		if code != exitFailure || out != "" {
			t.Errorf("%s: exit code %d, %q", format, code, out)
		}
		wantSentence(t, stderr)
	}
}

// A door leads to a server that may be away.
type door struct{ to atomic.Pointer[url.URL] }

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := d.to.Load()
	if to == nil {
		panic(http.ErrAbortHandler)
	}
	httputil.NewSingleHostReverseProxy(to).ServeHTTP(w, r)
}

func (d *door) open(t *testing.T, p *program) {
	t.Helper()
	to, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	d.to.Store(to)
}

func TestFollowGoesOnOverARestartWithoutGapOrRepeat(t *testing.T) {
	sim, env := organization(t)
	server := start(t, env)
	server.sync()
	var front door
	front.open(t, server)
	frontServer := httptest.NewServer(&front)
	defer frontServer.Close()

	ctx, interrupt := context.WithCancel(t.Context())
	stdout, out := io.Pipe()
	stderr, errs := io.Pipe()
	done := make(chan int, 1)
	go func() {
		defer out.Close()
		defer errs.Close()
		done <- run(ctx, []string{"changes", "--follow", "-o", "ndjson", "--server", frontServer.URL}, func(string) string { return "" }, strings.NewReader(""), out, errs)
	}()
	told := bufio.NewScanner(stdout)
	told.Buffer(nil, 1<<20)
	var got []string
	hear := func(upTo int) {
		for len(got) < upTo && told.Scan() {
			got = append(got, cursorOf(t, told.Text()))
		}
	}
	rename := func(name string) {
		sim.UpdateGroup(sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name = name })
		server.sync()
		hear(len(server.cursors()))
	}
	hear(len(server.cursors()))
	rename("First")

	front.to.Store(nil)
	server.end()
	complaint := bufio.NewScanner(stderr)
	if !complaint.Scan() || !strings.Contains(complaint.Text(), "trying again") {
		t.Errorf("stderr %q", complaint.Text())
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	server = start(t, env)
	front.open(t, server)
	rename("Second")

	all := server.cursors()
	interrupt()
	hear(len(all) + 1)
	if fmt.Sprint(got) != fmt.Sprint(all) {
		t.Errorf("told of %d changes of %d", len(got), len(all))
	}
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestFollowOutlivesAnswersThatAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		var at []time.Duration
		began := time.Now()
		from := &client{base: "http://x", http: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			at = append(at, time.Since(began))
			body := "<html>"
			switch len(at) {
			case 1:
				body = `{"data":[],"next_cursor":null}`
			case 4:
				interrupt()
			}
			return &http.Response{StatusCode: 200, Header: http.Header{"Rollcall-Cursor": {"c"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
		})}}
		var errs bytes.Buffer
		c := &changesCommand{Follow: true}
		_ = c.print(ctx, &console{stderr: &errs}, from, &changePrinter{w: io.Discard})
		if want := []time.Duration{0, 0, time.Second, 3 * time.Second}; fmt.Sprint(at) != fmt.Sprint(want) {
			t.Errorf("asked at %v, want %v: %s", at, want, errs.String())
		}
	})
}
