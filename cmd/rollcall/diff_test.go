package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"rollcall/internal/tallyfysim"
)

// differing is a server with two revisions: between them the first group got
// another name and member, and lost one, and another group came.
func differing(t *testing.T) (server *program, changed tallyfysim.Group, lost, gained int64) {
	t.Helper()
	sim, env := organization(t)
	changed = sim.Groups()[0]
	lost = changed.Members[0]
	for _, u := range sim.Users() {
		if !strings.Contains(fmt.Sprint(changed.Members), fmt.Sprint(u.ID)) {
			gained = u.ID
		}
	}
	server = start(t, env)
	server.sync()
	sim.UpdateGroup(changed.ID, func(g *tallyfysim.Group) {
		g.Name, g.Members = "R&D\x1b[2J", append(g.Members[1:], gained)
	})
	sim.CreateGroup(tallyfysim.Group{Name: "Night shift"})
	server.sync()
	return server, changed, lost, gained
}

func TestDiffTellsInEveryFormatWhatDiffers(t *testing.T) {
	server, group, lost, gained := differing(t)
	diff := func(args ...string) (code int, out, stderr string) {
		return invoke(t, nil, append([]string{"diff", "--server", server.url}, args...)...)
	}
	_, table, stderr := diff("rev:1")
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if len(lines) != 5 || !strings.Contains(stderr, "differences: 4, up to revision 2") {
		t.Fatalf("%s%s", table, stderr)
	}
	for i, parts := range [][]string{
		{"KIND", "GROUP", "PERSON"},
		{"- ", "member", group.Name, group.ID, fmt.Sprintf("(%d)", lost)},
		{"~ ", "group.updated", "R&D\ufffd[2J", group.ID, `"name":{"new":`},
		{"+ ", "group.created", "Night shift"},
		{"+ ", "member", "R&D", fmt.Sprintf("(%d)", gained)},
	} {
		// The two changes of groups come by their ids.
		line := lines[i]
		if kind := parts[1]; strings.HasPrefix(kind, "group.") && !strings.Contains(line, kind) {
			line = lines[5-i]
		}
		for _, part := range parts {
			if !strings.Contains(line, part) || i > 0 && !strings.HasPrefix(line, parts[0]) {
				t.Errorf("%q lacks %q", line, part)
			}
		}
	}

	_, out, _ := diff("rev:1", "rev:2", "-o", "csv")
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(records) != 5 || strings.Join(records[0][:3], ",") != "difference,kind,type" ||
		strings.Join(records[1][:5], ",") != "removed,member,,"+group.ID+","+group.Name || strings.Join(records[4][:2], ",") != "added,member" {
		t.Errorf("%v %q", err, records)
	}

	_, out, _ = diff("rev:1", "-o", "ndjson")
	var told []string
	for line := range strings.Lines(out) {
		var row struct{ Difference, Kind, Type string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err, line)
		}
		told = append(told, row.Difference)
	}
	if fmt.Sprint(told) != "[removed updated updated added]" {
		t.Error(out)
	}

	_, out, _ = diff("rev:1", "-o", "json")
	var got, want map[string]any
	body, _ := server.get(200, "/v1/diff?from=rev:1")
	if json.Unmarshal([]byte(out), &got) != nil || json.Unmarshal([]byte(body), &want) != nil || fmt.Sprint(got) != fmt.Sprint(want) || !strings.Contains(out, "R&D") {
		t.Errorf("%s, want the shape of\n%s", out, body)
	}
}

func TestDiffBeginsBeforeTheFirstSweepWhenAskedTo(t *testing.T) {
	server, _, _, _ := differing(t)
	code, out, stderr := invoke(t, nil, "diff", "2001-01-01", "rev:1", "--server", server.url)
	if code != exitFailure || out != "" {
		t.Errorf("exit code %d, %q", code, out)
	}
	wantSentence(t, stderr)
	_, feed, _ := invoke(t, nil, "changes", "--server", server.url, "-o", "ndjson")
	code, out, stderr = invoke(t, map[string]string{"ROLLCALL_INCLUDE_INITIAL": "true"}, "diff", "2001-01-01", "rev:1", "--server", server.url, "-o", "ndjson")
	if n := strings.Count(feed, `"revision":1,`); code != exitOK || n == 0 || strings.Count(out, "\n") != n {
		t.Errorf("exit code %d, %s; the first sweep found %d, told are %d", code, stderr, n, strings.Count(out, "\n"))
	}
}

func TestADiffOfSeveralPagesIsOne(t *testing.T) {
	server := canned(t, map[string]string{
		"/v1/diff?from=rev%3A1&limit=1000&to=rev%3A2":           `{"data":{"added":[{"kind":"member","group_id":"a"}],"removed":[{"kind":"guest","group_id":"b"}],"updated":[]},"next_cursor":"c2","revision":2}`,
		"/v1/diff?cursor=c2&from=rev%3A1&limit=1000&to=rev%3A2": `{"data":{"added":[{"kind":"member","group_id":"c"}],"removed":[],"updated":[]},"next_cursor":null,"revision":2}`,
	})
	for format, want := range map[string]string{
		"ndjson": `{"difference":"removed","kind":"guest","group_id":"b"}` + "\n" +
			`{"difference":"added","kind":"member","group_id":"a"}` + "\n" + `{"difference":"added","kind":"member","group_id":"c"}` + "\n",
		"json": `{"data":{"added":[{"kind":"member","group_id":"a"},{"kind":"member","group_id":"c"}],"removed":[{"kind":"guest","group_id":"b"}],"updated":[]},"next_cursor":null,"revision":2}`,
	} {
		code, out, stderr := invoke(t, nil, "diff", "rev:1", "rev:2", "--server", server, "-o", format)
		if format == "json" {
			out = strings.Join(strings.Fields(out), "")
		}
		if code != exitOK || out != want {
			t.Errorf("%s: exit code %d, %s, %s", format, code, out, stderr)
		}
	}
}

func TestDiffSaysInTheServersWordsWhatIsWrong(t *testing.T) {
	server, _, _, _ := differing(t)
	for _, args := range [][]string{{"rev:2", "rev:1"}, {"rev:9"}, {"yesterday"}} {
		code, out, stderr := invoke(t, nil, append([]string{"diff", "--server", server.url}, args...)...)
		if code != exitFailure || out != "" {
			t.Errorf("%q: exit code %d, %q", args, code, out)
		}
		wantSentence(t, stderr)
	}
	if code, _, _ := invoke(t, nil, "diff", "--server", server.url); code != exitUsage {
		t.Errorf("without a state: exit code %d", code)
	}
}
