package promises_test

import (
	"strings"
	"testing"

	"rollcall/internal/tallyfysim"
)

// One process writes a file; any number may read it meanwhile.
func TestASecondWriterIsRefusedAndReadersAreNot(t *testing.T) {
	up := newUpstream(t, tallyfysim.Options{Seed: 9, Groups: 8, Members: 30, Edges: 60})
	env := up.environment(t)
	path := env["ROLLCALL_DB"]
	p := serve(t, env)
	newCaller(t, p, up.sim).waitFor(t, p, "fresh", "")
	group := up.sim.Groups()[0]
	for _, command := range []string{"serve", "sync"} {
		runToEnd(t, env, command).wantRefused(t, 1, "another Rollcall process", path, "--db")
	}
	for _, command := range [][]string{
		{"status", "--db", path},
		{"groups", "--db", path, "1001"},
		{"members", "--db", path, group.ID},
		{"check", "--db", path, "1001", group.ID},
	} {
		if r := runToEnd(t, environment{}, command...); r.code != 0 || strings.TrimSpace(r.stdout) == "" {
			t.Errorf("%q beside a writer: exit code %d, %q, %q", command, r.code, r.stdout, r.stderr)
		}
	}
	checkFile(t, path) // while it is written

	p.kill()
	serve(t, env).stop() // nobody need take a lock away
}
