package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// awkward is a name in which every shell finds something to do.
const awkward = `Zoë's "own" $HOME * \ ` + "`x`" + `; a&b|c (d) #e!`

// knowing answers with a few groups and members, whatever is asked.
func knowing(t *testing.T) string {
	t.Helper()
	names := func(field string, names ...string) string {
		rows := make([]map[string]string, len(names))
		for i, name := range names {
			rows[i] = map[string]string{field: name}
		}
		body, err := json.Marshal(map[string]any{"data": rows, "next_cursor": nil, "revision": 1})
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	groups := names("name", "Night shift", "Night watch", "Sales", "Sales", "A:B=C", awkward, "-flag", "two\nlines", "")
	members := names("email", "ann@example.com", "o'hara@example.com")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, map[string]string{"/v1/groups": groups, "/v1/members": members}[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestWordsAreCompleted(t *testing.T) {
	env := map[string]string{"ROLLCALL_SERVER": knowing(t)}
	for line, want := range map[string]string{
		"":                        "serve|demo|*",
		"mem":                     "members",
		"keys ":                   "new",
		"members ":                "Night shift|Night watch|Sales|A:B=C|" + awkward,
		"members ni":              "Night shift|Night watch",
		"members -o csv Sal":      "Sales",
		"members --db=":           "exit 1",
		"members Sales ":          "",
		"members -- S":            "Sales",
		"members --serv":          "--server",
		"members -o ":             "table|json|csv|ndjson",
		"members --output=j":      "--output=json",
		"members --output=json ":  "Night shift|*",
		"check a":                 "ann@example.com",
		"check ann@example.com N": "Night shift|Night watch",
		"check --include-disabled ann@example.com N": "Night shift|Night watch",
		"groups O":                      "o'hara@example.com",
		"serve --keys-file ":            "exit 1",
		"serve --log-level ":            "debug|info|warn|error",
		"serve --poll-interval ":        "",
		"completion ":                   "bash|zsh|fish",
		"nonsense --of words ":          "serve|*",
		"members --server 127.0.0.1:1 ": "",
	} {
		code, out, stderr := invoke(t, env, append([]string{"complete", "words"}, strings.Split(line, " ")...)...)
		got := strings.ReplaceAll(strings.TrimSuffix(out, "\n"), "\n", "|")
		if code != exitOK {
			got = fmt.Sprint("exit ", code)
		}
		if stderr != "" {
			t.Errorf("%q: it complains: %s", line, stderr)
		}
		beginning, isBeginning := strings.CutSuffix(want, "*")
		if got != want && !(isBeginning && strings.HasPrefix(got, beginning)) {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
}

func TestCompletionAsksForWhatTheWordBeginsWithUnderTheKey(t *testing.T) {
	var asked, key string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked, key = r.URL.RequestURI(), r.Header.Get("Authorization")
	}))
	defer server.Close()
	code, out, stderr := invoke(t, map[string]string{"ROLLCALL_KEY": "k3y"}, "complete", "words", "check", "--server", server.URL, "an")
	if asked != "/v1/members?limit=1000&q=an&sort=name" || key != "Bearer k3y" {
		t.Errorf("it asked for %q under %q", asked, key)
	}
	if code != exitOK || out != "" || stderr != "" {
		t.Errorf("of an answer that cannot be read: exit code %d, %q, %q", code, out, stderr)
	}
}

// Who presses the key does not wait for a server that hangs.
func TestCompletionGivesUpOnASilentServer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	code, out, stderr := invoke(t, nil, "complete", "words", "members", "--server", silent.Addr().String(), "")
	if code != exitOK || out != "" || stderr != "" {
		t.Errorf("exit code %d, %q, %q", code, out, stderr)
	}
	if completionTimeout > time.Second {
		t.Error("it may take", completionTimeout)
	}
}

func TestALineIsSplitAndQuotedAsBashDoes(t *testing.T) {
	const breaks = " \t\n\"'><=;|&(:@"
	for line, c := range map[string]struct{ words, candidate, inserted string }{
		`rollcall members Ni`:               {"members|Ni", "Night shift", `Night\ shift`},
		`rollcall members Night\ s`:         {"members|Night s", "Night shift", `Night\ shift`},
		`rollcall members "Night s`:         {"members|Night s", "Night shift", `Night shift`},
		`rollcall members "a\"b\x`:          {`members|a"b\x`, `a"b\x$`, `a\"b\\x\$`},
		`rollcall members 'a"b`:             {`members|a"b`, `a"b'c`, `a"b'\''c`},
		`rollcall members --in="Night s`:    {"members|--in=Night s", "--in=Night shift", `Night shift`},
		`rollcall members --in=Sa`:          {"members|--in=Sa", "--in=Sales", "Sales"},
		`rollcall  check	ann@ex`:            {"check|ann@ex", "ann@example.com", "@example.com"},
		`rollcall check ann\@ex`:            {"check|ann@ex", "ann@example.com", "ann@example.com"},
		`rollcall members A:B`:              {"members|A:B", "A:B=C", "B=C"},
		`rollcall members `:                 {"members|", "#1; $x", `\#1\;\ \$x`},
		`rollcall `:                         {"", "serve", "serve"},
		`rollcall check "ann@example.com" `: {"check|ann@example.com|", "Zoë", "Zoë"},
		`rollcall members ""`:               {"members|", "x", "x"},
	} {
		l := newBashLine(fmt.Sprint(len(line)), breaks, line)
		if got := strings.Join(l.words, "|"); got != c.words {
			t.Errorf("%s: words %q, want %q", line, got, c.words)
		} else if got := l.worded(c.candidate); got != c.inserted {
			t.Errorf("%s: inserts %q, want %q", line, got, c.inserted)
		}
	}
	if l := newBashLine("17", breaks, "rollcall members Nixxx"); !slices.Equal(l.words, []string{"members", ""}) {
		t.Error("what follows the cursor counts:", l.words)
	}
}

func FuzzBashLine(f *testing.F) {
	f.Add("16", " \"'=@:", `rollcall members "Night s`, "Night shift")
	f.Fuzz(func(_ *testing.T, cursor, breaks, line, more string) {
		l := newBashLine(cursor, breaks, line)
		if len(l.words) > 0 {
			l.worded(l.words[len(l.words)-1] + more)
		}
	})
}

// Each shell is typed into on a terminal, as people do, and says which words it
// then would run.
func TestShellsCompleteAndQuote(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil || testing.Short() || runtime.GOOS == "windows" {
		t.Skip("builds the program and types into shells by Python")
	}
	dir := t.TempDir()
	build(t, filepath.Join(dir, "program"))
	stub := "#!/bin/sh\ncase $1 in comp*) exec " + dir + "/program \"$@\";; esac\nprintf 'WORDS'; printf '<%s>' \"$@\"; echo\n"
	if err := os.WriteFile(filepath.Join(dir, "rollcall"), []byte(stub), 0o755); err != nil {
		t.Fatal(err)
	}
	typed := []struct{ keys, words string }{
		{"rollcall memb\tSa\t", "<members><Sales>"},
		{"rollcall members \"Night s\t", "<members><Night shift>"},
		{"rollcall members Night\\ s\t", "<members><Night shift>"},
		{"rollcall members Zo\t", "<members><" + awkward + ">"},
		{"rollcall members A\t", "<members><A:B=C>"},
		{"rollcall members --output=js\tSa\t", "<members><--output=json><Sales>"},
		{"rollcall check ann@\tNight\\ w\t", "<check><ann@example.com><Night watch>"},
		{"rollcall groups o\t", "<groups><o'hara@example.com>"},
	}
	keys := make([]string, len(typed))
	for i, one := range typed {
		keys[i] = one.keys
	}
	lines, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	for shell, start := range map[string][]string{
		"bash": {"bash", "--noprofile", "--rcfile", "START"},
		"zsh":  {"zsh", "-i"},
		"fish": {"fish", "--no-config", "-C", "source START"},
	} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip("no", shell, "here")
			}
			home := t.TempDir()
			rc := map[string]string{
				"bash": "set +H; PS1='READY>' PS2='READY>'; source <(rollcall completion bash)\n",
				"zsh":  "setopt no_prompt_cr no_bang_hist; unsetopt prompt_sp; PS1='READY>' PS2='READY>'; autoload -U compinit; compinit -u -D; source <(rollcall completion zsh)\n",
				"fish": "function fish_prompt; echo -n 'READY>'; end; function fish_greeting; end; rollcall completion fish | source\n",
			}[shell]
			file := filepath.Join(home, ".zshrc")
			if err := os.WriteFile(file, []byte(rc), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"testdata/keyboard.py", string(lines)}
			for _, arg := range start {
				args = append(args, strings.Replace(arg, "START", file, 1))
			}
			command := exec.CommandContext(t.Context(), "python3", args...)
			command.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + home, "ZDOTDIR=" + home, "TERM=xterm", "LANG=C.UTF-8", "ROLLCALL_SERVER=" + knowing(t)}
			screen, err := command.CombinedOutput()
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range typed {
				if !strings.Contains(string(screen), "WORDS"+one.words) {
					t.Errorf("%q does not become %s", one.keys, one.words)
				}
			}
			if t.Failed() {
				t.Logf("%q", screen)
			}
		})
	}
}
