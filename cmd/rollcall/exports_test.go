package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExportSavesAFileWholeOrNotAtAll(t *testing.T) {
	server := canned(t, map[string]string{
		"/v1/export/members.csv":                                "id\r\n1\r\n",
		"/v1/export/members.parquet":                            "PAR1",
		"/v1/export/groups.csv?as_of=rev%3A3&excel=true":        "excel",
		"/v1/export/members.ndjson?in=A%3DB&in=C&status=active": "filtered",
		"/v1/snapshot.sqlite?pseudonymize=true":                 "snapshot",
	})
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		args       []string
		name, want string
	}{
		{[]string{"export", "members", in("m.csv")}, "m.csv", "id\r\n1\r\n"},
		{[]string{"export", "members", in("m.parquet")}, "m.parquet", "PAR1"},
		{[]string{"export", "members", in("m.csv"), "--format", "parquet"}, "m.csv", "PAR1"}, // replaces
		{[]string{"export", "groups", in("g"), "--excel", "--as-of", "rev:3"}, "g", "excel"},
		{[]string{"export", "members", in("f"), "--format", "ndjson", "--filter", "in=A=B", "--filter", "in=C", "--filter", "status=active"}, "f", "filtered"},
		{[]string{"snapshot", in("s.sqlite"), "--pseudonymize"}, "s.sqlite", "snapshot"},
	} {
		code, out, stderr := invoke(t, nil, append(c.args, "--server", server)...)
		content, err := os.ReadFile(in(c.name))
		if code != exitOK || string(content) != c.want || !strings.Contains(out, "revision 7") || stderr != "" {
			t.Errorf("%v: %d %q %v, %s%s", c.args, code, content, err, out, stderr)
		}
		if info, err := os.Stat(in(c.name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(info, err)
		}
	}
	if code, out, _ := invoke(t, nil, "export", "members", "-", "--server", server); code != exitOK || out != "id\r\n1\r\n" {
		t.Errorf("%d %q", code, out)
	}
	for _, args := range [][]string{
		{"export", "groups", in("m.csv"), "--server", server},
		{"export", "members", in("m.csv"), "--server", breakingOff(t)},
	} {
		code, _, stderr := invoke(t, nil, args...)
		content, err := os.ReadFile(in("m.csv"))
		if code != exitFailure || err != nil || string(content) != "PAR1" || stderr == "" {
			t.Errorf("%v: %d %q %v %s", args, code, content, err, stderr)
		}
	}
	if left, err := filepath.Glob(in(".*")); err != nil || len(left) > 0 {
		t.Error("left behind:", left, err)
	}
	for _, args := range [][]string{{"export", "people"}, {"export", "members", "--format", "xlsx"}, {"export", "members", "--filter", "active"}} {
		if code, _, stderr := invoke(t, nil, append(args, "--server", server)...); code != exitUsage {
			t.Errorf("%v: %d %s", args, code, stderr)
		}
	}
}

// breakingOff is a server that cuts what it sends.
func breakingOff(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("row\r\n", 10_000))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestABarTellsHowMuchHasCome(t *testing.T) {
	var screen strings.Builder
	b := newBar(&screen, strings.NewReader("12345"), "m.csv", 10_000_000)
	b.done = 5_000_000
	if got, want := b.String(), "m.csv: [###############...............]  50%, 5.0 of 10.0 MB"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if _, err := b.Read(make([]byte, 8)); err != nil || !strings.Contains(screen.String(), "m.csv: [") {
		t.Error(err, screen.String())
	}
	if b.clear(); !strings.HasSuffix(screen.String(), clearLine) {
		t.Errorf("%q", screen.String())
	}
	if b.total = -1; b.String() != "m.csv: 5.0 MB" {
		t.Error(b.String())
	}
}

func TestThePseudonymKeyIsLongEnoughAndNeverShown(t *testing.T) {
	short, long := filepath.Join(t.TempDir(), "short"), filepath.Join(t.TempDir(), "long")
	for path, text := range map[string]string{short: "short\n", long: "long-enough-to-be-one\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		env  []string
		want string // of what serve says against it
	}{
		{[]string{"ROLLCALL_PSEUDONYM_KEY", "fifteen bytes.."}, "at least 16"},
		{[]string{"ROLLCALL_PSEUDONYM_KEY_FILE", short}, "ROLLCALL_PSEUDONYM_KEY_FILE"},
		{[]string{"ROLLCALL_PSEUDONYM_KEY_FILE", short + "x"}, "cannot be read"},
		{[]string{"ROLLCALL_PSEUDONYM_KEY_FILE", long, "ROLLCALL_PSEUDONYM_KEY", "long-enough-to-be-two"}, "both set"},
		{[]string{"ROLLCALL_PSEUDONYM_KEY_FILE", long}, ""},
		{[]string{"ROLLCALL_PSEUDONYM_KEY", "long-enough-to-be-two"}, ""},
	} {
		code, out, stderr := invoke(t, complete(c.env...), "config")
		if code != exitOK || !strings.Contains(stderr, c.want) || c.want == "" && stderr != "" {
			t.Errorf("%v: %d %s, want %q", c.env, code, stderr, c.want)
		}
		for _, secret := range []string{"fifteen bytes", "long-enough"} {
			if strings.Contains(out+stderr, secret) {
				t.Errorf("%v: a secret is shown:\n%s%s", c.env, out, stderr)
			}
		}
	}
}
