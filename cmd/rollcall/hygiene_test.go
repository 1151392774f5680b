package main

import (
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/tallyfysim"
)

func TestHygieneExitsByWhatItFinds(t *testing.T) {
	sim, env := organization(t)
	sim.UpdateGroup(sim.Groups()[0].ID, func(g *tallyfysim.Group) {
		g.Members, g.Guests = append(g.Members, 999_999), []string{"visitor@Outside.test"}
	})
	server := start(t, env, "--guest-domains= inside.test,Other.Test ")
	server.sync()
	file := []string{"--db", env["ROLLCALL_DB"]}
	tests := []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"--rule=dangling-id"}, exitOK, "999999"},
		{[]string{"--rule=dangling-id", "--fail-on=never"}, exitOK, "999999"},
		{[]string{"--rule=dangling-id", "--fail-on=error"}, exitOK, "999999"},
		{[]string{"--rule=dangling-id", "--fail-on=warning"}, exitFound, "999999"},
		{[]string{"--rule=dangling-id", "--fail-on=info", "-o", "csv"}, exitFound, "warning,dangling-id,"},
		{[]string{"--rule=dangling-id", "--rule=guest-domain", "--fail-on=error"}, exitFound, "visitor@Outside.test"},
		{[]string{"--rule=guest-domain", "--fail-on=error", "-o", "ndjson"}, exitFound, `"severity":"error"`},
		{append(file, "--rule=guest-domain", "--fail-on=error"), exitOK, "SEVERITY"}, // without the setting
		{append(file, "--rule=guest-domain", "--fail-on=error", "--guest-domains=x.test"), exitFound, "visitor@Outside.test"},
		{append(file, "--rule=guest-domain", "--fail-on=error", "--guest-domains=outside.TEST,client.test,supplier.test,agency.test"), exitOK, "SEVERITY"},
	}
	for _, test := range tests {
		args := append([]string{"hygiene", "--server", server.url}, test.args...)
		code, out, stderr := invoke(t, nil, args...)
		if code != test.code || !strings.Contains(out, test.out) {
			t.Errorf("%q: exit code %d, %q, %q", test.args, code, out, stderr)
		}
	}
	if code, _, _ := invoke(t, map[string]string{"ROLLCALL_SERVER": server.url, "ROLLCALL_RULE": "guest-domain,dangling-id", "ROLLCALL_FAIL_ON": "error"}, "hygiene"); code != exitFound {
		t.Errorf("by the environment: exit code %d", code)
	}
}

func TestHygieneThatCannotBeToldIsNeitherGoodNorBad(t *testing.T) {
	_, env := organization(t)
	empty := start(t, with(env, "TALLYFY_ACCESS_TOKEN", "wrong"))
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--server=127.0.0.1:1"}, exitUnknown, "--server (ROLLCALL_SERVER)"},
		{[]string{"--server", empty.url}, exitUnknown, "sweep"},
		{[]string{"--db", filepath.Join(t.TempDir(), "none.db")}, exitUnknown, "--db"},
		{[]string{"--server=://"}, exitUsage, "--server"},
		{[]string{"--fail-on=fatal"}, exitUsage, "--fail-on"},
		{[]string{"--rule=tidy"}, exitUsage, "--rule (ROLLCALL_RULE)"},
		{[]string{"--guest-domains=@x.test"}, exitUsage, "--guest-domains (ROLLCALL_GUEST_DOMAINS)"},
	} {
		code, out, stderr := invoke(t, nil, append([]string{"hygiene"}, test.args...)...)
		if code != test.code || out != "" || !strings.Contains(stderr, test.says) {
			t.Errorf("%q: exit code %d, %q, %q", test.args, code, out, stderr)
		}
	}
}
