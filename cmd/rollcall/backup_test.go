package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/tallyfysim"
)

func TestABackupMadeBesideAServerCanBePutBack(t *testing.T) {
	sim, env := organization(t)
	file, copied := env["ROLLCALL_DB"], filepath.Join(t.TempDir(), "copy.db")
	person := fmt.Sprintf("/v1/members/%d/groups", sim.Users()[0].ID)
	server := start(t, env)
	server.sync()
	want, header := server.get(http.StatusOK, person)
	first, _ := server.get(http.StatusOK, "/v1/groups?limit=1")
	code, out, stderr := invoke(t, env, "backup", copied)
	if code != exitOK || stderr != "" || !strings.Contains(out, "copied "+file+" to "+copied) {
		t.Fatalf("exit code %d, %q, %q", code, out, stderr)
	}
	if entries, err := os.ReadDir(filepath.Dir(copied)); err != nil || len(entries) != 1 {
		t.Errorf("the backup is of %d files, %v", len(entries), err)
	}
	sim.CreateGroup(tallyfysim.Group{Name: "Lost"})
	server.sync()
	lost, lostHeader := server.get(http.StatusOK, "/v1/groups?limit=1")
	server.end()

	if err := os.Rename(copied, file); err != nil {
		t.Fatal(err)
	}
	server = start(t, with(env, "TALLYFY_BASE_URL", "http://127.0.0.1:1"))
	if got, again := server.get(http.StatusOK, person); got != want || again.Get("ETag") != header.Get("ETag") {
		t.Errorf("after the restore\n%s\nwant\n%s", got, want)
	}
	server.get(http.StatusGone, "/v1/groups?limit=1&cursor="+nextCursor(t, lost))
	server.end()

	server = start(t, env)
	server.sync() // the revision's number is reached again
	_, again := server.get(http.StatusOK, "/v1/groups?limit=1")
	if a, b := again.Get("Rollcall-Revision"), lostHeader.Get("Rollcall-Revision"); a != b || again.Get("ETag") == lostHeader.Get("ETag") {
		t.Errorf("revision %s has ETag %s; in the lost life revision %s had %s", a, again.Get("ETag"), b, lostHeader.Get("ETag"))
	}
	server.get(http.StatusGone, "/v1/groups?limit=1&cursor="+nextCursor(t, lost))
	server.get(http.StatusOK, "/v1/groups?limit=1&cursor="+nextCursor(t, first))
}

func nextCursor(t *testing.T, page string) string {
	t.Helper()
	var decoded struct {
		Next string `json:"next_cursor"`
	}
	if err := json.Unmarshal([]byte(page), &decoded); err != nil || decoded.Next == "" {
		t.Fatalf("%v: no cursor in %s", err, page)
	}
	return decoded.Next
}

func TestABackupIsRefusedInASentence(t *testing.T) {
	_, env := organization(t)
	if code, _, stderr := invoke(t, env, "sync"); code != exitOK {
		t.Fatal(stderr)
	}
	dir, file := t.TempDir(), env["ROLLCALL_DB"]
	taken := filepath.Join(dir, "taken")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code  int
		args  []string
		parts []string
	}{
		{exitUsage, []string{"backup"}, []string{"<file>", "--help"}},
		{exitUsage, []string{"backup", "x", "--db", ":memory:"}, []string{"--db (ROLLCALL_DB)"}},
		{exitFailure, []string{"backup", filepath.Join(dir, "copy"), "--db", filepath.Join(dir, "rollcall.db")}, []string{"no mirror to read", "--db"}},
		{exitFailure, []string{"backup", taken, "--db", file}, []string{taken, "exists", "new file"}},
		{exitFailure, []string{"backup", filepath.Join(dir, "none", "copy"), "--db", file}, []string{"back up to", "folder that exists"}},
	} {
		code, out, stderr := invoke(t, nil, c.args...)
		if code != c.code || out != "" {
			t.Errorf("%q: exit code %d, %q", c.args, code, out)
		}
		wantSentence(t, stderr, c.parts...)
	}
	if content, err := os.ReadFile(taken); err != nil || string(content) != "precious" {
		t.Errorf("%q, %v", content, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}
