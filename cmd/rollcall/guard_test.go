package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"rollcall/internal/tallyfysim"
)

// lose deletes so many groups of a simulated organisation.
func lose(sim *tallyfysim.Sim, groups int) {
	for _, g := range sim.Groups()[:groups] {
		sim.DeleteGroup(g.ID)
	}
}

var heldID = regexp.MustCompile(`[0-9a-f]{16}`)

func TestHeldRemovalsAreShownAndAcceptedThroughTheServer(t *testing.T) {
	sim, env := organization(t)
	p := start(t, env)
	p.sync()
	lose(sim, 12)
	code, out, stderr := invoke(t, nil, "sync", "--server", p.url)
	if code != exitHeld || !strings.HasPrefix(out, "held revision 1\n") {
		t.Errorf("exit code %d, %q, %q", code, out, stderr)
	}
	_, status, _ := invoke(t, nil, "status", "--server", p.url)
	_, held, _ := strings.Cut(status, "\nheld ")
	id := heldID.FindString(held)
	for _, part := range []string{": 12 groups, 0 members, ", "group ", "--accept-removals " + id} {
		if !strings.Contains(held, part) {
			t.Errorf("status does not say %q:\n%s", part, status)
		}
	}
	if metrics, _ := p.get(200, "/metrics"); !strings.Contains(metrics, `rollcall_held_removals{kind="groups"} 12`) {
		t.Error("the metrics do not tell")
	}

	code, _, stderr = invoke(t, nil, "sync", "--server", p.url, "--accept-removals", "0123456789abcdef")
	if code != exitHeld || !strings.Contains(stderr, id) {
		t.Errorf("another id: exit code %d, %q", code, stderr)
	}
	code, out, stderr = invoke(t, map[string]string{"ROLLCALL_LISTEN": strings.TrimPrefix(p.url, "http://")}, "sync", "--accept-removals", id)
	if code != exitOK || out != "published revision 2\n" {
		t.Errorf("exit code %d, %q, %q", code, out, stderr)
	}
	if metrics, _ := p.get(200, "/metrics"); !strings.Contains(metrics, `rollcall_held_removals{kind="groups"} 0`) {
		t.Error("the metrics go on")
	}
	if _, status, _ = invoke(t, nil, "status", "--server", p.url); strings.Contains(status, "\nheld ") {
		t.Error(status)
	}
}

func TestSyncIntoAFileExitsWithItsOwnCodeWhenHeld(t *testing.T) {
	sim, env := organization(t)
	invoke(t, env, "sync")
	lose(sim, 12)
	for range 2 { // another process does not mend it
		code, out, stderr := invoke(t, env, "sync")
		if code != exitHeld || !strings.Contains(out, "12 groups, 0 members and ") || !strings.Contains(out, "--removal-guard=off") || !strings.Contains(out, "\n  group ") {
			t.Errorf("exit code %d, %q, %q", code, out, stderr)
		}
	}
	_, out, _ := invoke(t, nil, "status", "--db", env["ROLLCALL_DB"], "-o", "json")
	var told struct {
		Data struct {
			State string
			Held  struct{ ID string }
		}
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || told.Data.State != "held" || told.Data.Held.ID == "" {
		t.Errorf("the file says %q, %v", out, err)
	}
	invoke(t, with(env, "ROLLCALL_REMOVAL_GUARD", "off"), "sync")
	if _, out, _ = invoke(t, nil, "status", "--db", env["ROLLCALL_DB"], "-o", "json"); !strings.Contains(out, `"groups":0`) {
		t.Errorf("without the guard: %s", out)
	}
}
