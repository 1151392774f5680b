package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"rollcall/internal/tallyfysim"
)

// organization starts a simulated Tallyfy and returns it with the environment
// of a serve that mirrors it into a folder of its own.
func organization(t *testing.T) (*tallyfysim.Sim, map[string]string) {
	t.Helper()
	sim := tallyfysim.New(tallyfysim.Options{Seed: 3, Groups: 12, Members: 40, Edges: 150, Guests: 5})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return sim, map[string]string{
		"TALLYFY_BASE_URL":         server.URL,
		"TALLYFY_ORG_ID":           sim.Organization(),
		"TALLYFY_ACCESS_TOKEN":     sim.Token(),
		"ROLLCALL_LISTEN":          "127.0.0.1:0",
		"ROLLCALL_DB":              filepath.Join(t.TempDir(), "rollcall.db"),
		"ROLLCALL_UPSTREAM_RATE":   "0",
		"ROLLCALL_UPSTREAM_HOURLY": "0",
	}
}

// with is env with some variables changed.
func with(env map[string]string, changes ...string) map[string]string {
	env = maps.Clone(env)
	for i := 0; i+1 < len(changes); i += 2 {
		env[changes[i]] = changes[i+1]
	}
	return env
}

// A program is a run of rollcall under way.
type program struct {
	t    *testing.T
	url  string // where it listens
	ops  string // its second address, if there is one
	stop context.CancelFunc
	done chan int
	log  chan []byte // all of stderr, once it has ended
}

// start runs serve and returns once it listens. The program is stopped with
// the test if not before.
func start(t *testing.T, env map[string]string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	p := &program{t: t, stop: cancel, done: make(chan int, 1), log: make(chan []byte, 1)}
	go func() {
		defer close(p.done)
		defer write.Close()
		p.done <- run(ctx, append([]string{"serve"}, args...), func(name string) string { return env[name] }, strings.NewReader(""), io.Discard, write)
	}()
	p.follow(read, env["ROLLCALL_OPS_LISTEN"] != "")
	t.Cleanup(p.end)
	return p
}

// follow reads the log until every address is known, and the rest aside.
func (p *program) follow(stderr io.Reader, hasOps bool) {
	p.t.Helper()
	var all []byte
	lines := bufio.NewScanner(stderr)
	for p.url == "" || hasOps && p.ops == "" {
		if !lines.Scan() {
			p.t.Fatalf("ended before it listened:\n%s", all)
		}
		all = append(append(all, lines.Bytes()...), '\n')
		var entry struct{ Msg, URL string }
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			continue
		}
		switch entry.Msg {
		case "listening":
			p.url = entry.URL
		case "listening for operations":
			p.ops = entry.URL
		}
	}
	go func() {
		for lines.Scan() {
			all = append(append(all, lines.Bytes()...), '\n')
		}
		p.log <- all
	}()
}

// end stops the program, which must exit with 0. Ending twice is harmless.
func (p *program) end() {
	p.t.Helper()
	p.stop()
	if code, ok := <-p.done; ok && code != exitOK {
		p.t.Errorf("exit code %d", code)
	}
}

// get asks the program and wants a status.
func (p *program) get(status int, path string) (body string, header http.Header) {
	p.t.Helper()
	return p.ask(status, http.MethodGet, p.url+path, "", "")
}

func (p *program) ask(status int, method, target, token, sent string) (string, http.Header) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, target, strings.NewReader(sent))
	if err != nil {
		p.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		p.t.Fatalf("%s %s: %d %v, want %d\n%s", method, target, response.StatusCode, err, status, body)
	}
	return string(body), response.Header
}

// sync has the program sweep and waits for it.
func (p *program) sync() {
	p.t.Helper()
	p.ask(http.StatusOK, http.MethodPost, p.url+"/v1/sync?wait=60s", "", "")
}

func TestServeReadsWritesRestartsAndStops(t *testing.T) {
	sim, env := organization(t)
	person, group := sim.Users()[0], sim.Groups()[0]
	before := goleak.IgnoreCurrent()
	p := start(t, env)
	p.sync()

	body, header := p.get(http.StatusOK, "/v1/check?member="+url.QueryEscape(person.Email)+"&group="+group.ID)
	if !strings.Contains(body, `"member":true`) || header.Get("Rollcall-Revision") != "1" {
		t.Errorf("check: %s %v", body, header)
	}
	p.get(http.StatusOK, "/organizations/"+sim.Organization()+"/groups")
	made, _ := p.ask(http.StatusCreated, http.MethodPost, p.url+"/organizations/"+sim.Organization()+"/groups", sim.Token(),
		fmt.Sprintf(`{"name":"Night shift","description":"d","members":[%d],"guests":[]}`, person.ID))
	if body, _ := p.get(http.StatusOK, "/v1/members/"+fmt.Sprint(person.ID)+"/groups?limit=1000"); !strings.Contains(body, `"Night shift"`) {
		t.Errorf("a write that was answered is not shown: %s\n%s", made, body)
	}
	p.end()

	// Upstream is gone for the second life; the first life's data is not.
	p = start(t, with(env, "TALLYFY_BASE_URL", "http://127.0.0.1:1"))
	p.get(http.StatusOK, "/readyz")
	if body, _ := p.get(http.StatusOK, "/v1/groups/Night%20shift"); !strings.Contains(body, `"member_count":1`) {
		t.Errorf("after a restart: %s", body)
	}
	p.end()
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

func TestReadingCommandsSayTheSameOfServerAndFile(t *testing.T) {
	sim, env := organization(t)
	person, group := sim.Users()[0], sim.Groups()[0]
	p := start(t, env)
	p.sync()
	for _, args := range [][]string{
		{"groups", person.Email, "-o", "csv"},
		{"members", group.Name, "-o", "ndjson"},
		{"members", group.ID, "-o", "json"},
		{"check", person.Email, group.Name},
		{"check", "nobody@works.test", group.Name},
		{"check", "nobody", group.Name, "-o", "json"},
	} {
		code, out, stderr := invoke(t, map[string]string{"ROLLCALL_SERVER": p.url}, args...)
		ofFile := append(args, "--db", env["ROLLCALL_DB"])
		fileCode, fileOut, fileErr := invoke(t, nil, ofFile...)
		if code != fileCode || out != fileOut || stderr != fileErr {
			t.Errorf("%q: server %d %q %q, file %d %q %q", args, code, out, stderr, fileCode, fileOut, fileErr)
		}
		if code == exitOK && out == "" {
			t.Errorf("%q: said nothing", args)
		}
	}
	for _, args := range [][]string{{"health"}, {"ready"}} {
		if code, _, stderr := invoke(t, map[string]string{"ROLLCALL_SERVER": p.url}, args...); code != exitOK {
			t.Errorf("%q: exit code %d, %s", args, code, stderr)
		}
	}
	for _, from := range []string{"--server=" + p.url, "--db=" + env["ROLLCALL_DB"]} {
		code, out, _ := invoke(t, nil, "status", from)
		if code != exitOK || !strings.Contains(out, sim.Organization()) || !strings.Contains(out, `"groups":12`) {
			t.Errorf("status %s: exit code %d\n%s", from, code, out)
		}
	}
	p.end()
	if code, _, stderr := invoke(t, nil, "ready", "--server="+p.url); code != exitFailure {
		t.Errorf("ready without a server: exit code %d, %s", code, stderr)
	}
}

func TestUpstreamDownAtFirstStartIsToldAndTriedAgain(t *testing.T) {
	sim, env := organization(t)
	gone := sim.Fault(tallyfysim.Fault{Status: http.StatusBadGateway})
	p := start(t, env)
	for _, path := range []string{"/readyz", "/v1/groups", "/organizations/" + sim.Organization() + "/groups"} {
		if _, header := p.get(http.StatusServiceUnavailable, path); header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
	p.get(http.StatusOK, "/livez")
	if code, _, _ := invoke(t, nil, "ready", "--server="+p.url); code != exitFailure {
		t.Errorf("ready: exit code %d", code)
	}
	gone()
	p.sync()
	p.get(http.StatusOK, "/readyz")
}

func TestOperationsHaveTheirOwnAddress(t *testing.T) {
	sim, env := organization(t)
	p := start(t, with(env, "ROLLCALL_OPS_LISTEN", "127.0.0.1:0", "ROLLCALL_UPSTREAM_RATE", "90", "ROLLCALL_UPSTREAM_HOURLY", "900"))
	p.sync()
	sim.Fault(tallyfysim.Fault{Status: http.StatusForbidden})
	p.ask(http.StatusBadGateway, http.MethodPost, p.url+"/v1/sync?wait=60s", "", "")
	for _, path := range []string{"/livez", "/readyz", "/metrics"} {
		p.ask(http.StatusOK, http.MethodGet, p.ops+path, "", "")
	}
	p.ask(http.StatusNotFound, http.MethodGet, p.ops+"/v1/groups", "", "")
	metrics, _ := p.ask(http.StatusOK, http.MethodGet, p.ops+"/metrics", "", "")
	for _, name := range []string{
		"rollcall_confirmed_timestamp_seconds", "rollcall_last_attempt_timestamp_seconds", "rollcall_state", "rollcall_revision", "rollcall_rows",
		"rollcall_sweeps_total", "rollcall_sweep_duration_seconds", "rollcall_sweep_failures_total", "rollcall_upstream_requests_total",
		"rollcall_upstream_budget_remaining", "rollcall_http_requests_total", "rollcall_http_request_duration_seconds", "rollcall_db_size_bytes",
		"go_goroutines", "process_start_time_seconds",
	} {
		if !strings.Contains(metrics, "# TYPE "+name+" ") {
			t.Errorf("no metric %s", name)
		}
	}
}

func TestServeAnswersOnASocket(t *testing.T) {
	_, env := organization(t)
	socket := filepath.Join(t.TempDir(), "s")
	env = with(env, "ROLLCALL_LISTEN", "unix:"+socket)
	start(t, env)
	if code, _, stderr := invoke(t, env, "health"); code != exitOK {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if code, _, _ := invoke(t, env, "serve", "--db", filepath.Join(t.TempDir(), "other.db")); code != exitFailure {
		t.Errorf("a second server on the socket: exit code %d", code)
	}
}

func TestSyncSweepsOnceAndExits(t *testing.T) {
	sim, env := organization(t)
	code, out, stderr := invoke(t, env, "sync")
	if code != exitOK || !strings.HasPrefix(out, "published revision 1: 12 groups and 40 members in 2 requests") {
		t.Errorf("exit code %d, %q, %q", code, out, stderr)
	}
	if code, out, _ = invoke(t, env, "sync"); code != exitOK || !strings.HasPrefix(out, "unchanged revision 1") {
		t.Errorf("again: exit code %d, %q", code, out)
	}
	sim.Fault(tallyfysim.Fault{Status: http.StatusForbidden})
	code, _, stderr = invoke(t, env, "sync")
	if code != exitFailure || !strings.Contains(stderr, "rollcall: the sweep failed, nothing was published: ") {
		t.Errorf("refused: exit code %d, %q", code, stderr)
	}
}

func TestSyncCanAskAServer(t *testing.T) {
	sim, env := organization(t)
	p := start(t, env)
	p.sync()
	sim.CreateGroup(tallyfysim.Group{Name: "Newcomers"})
	code, out, stderr := invoke(t, nil, "sync", "--server", p.url)
	if code != exitOK || out != "published revision 2\n" {
		t.Errorf("exit code %d, %q, %q", code, out, stderr)
	}
	sim.Fault(tallyfysim.Fault{Status: http.StatusForbidden})
	code, _, stderr = invoke(t, nil, "sync", "--server", p.url)
	if code != exitFailure {
		t.Errorf("refused: exit code %d", code)
	}
	wantSentence(t, stderr, "sweep failed")
}

// What cannot be served ends with 1 and one sentence, and creates nothing.
func TestWhatCannotBeServedIsRefusedAtStart(t *testing.T) {
	_, env := organization(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if code, _, stderr := invoke(t, env, "sync"); code != exitOK {
		t.Fatal(stderr)
	}
	tests := []struct {
		name string
		env  map[string]string
		says []string
	}{
		{"address taken", with(env, "ROLLCALL_LISTEN", taken.Addr().String(), "ROLLCALL_DB", "new.db"), []string{"--listen (ROLLCALL_LISTEN)", "choose another"}},
		{"second address taken", with(env, "ROLLCALL_LISTEN", "unix:socket", "ROLLCALL_OPS_LISTEN", taken.Addr().String(), "ROLLCALL_DB", "new.db"), []string{"--ops-listen (ROLLCALL_OPS_LISTEN)", "choose another"}},
		{"no such folder", with(env, "ROLLCALL_DB", filepath.Join("none", "rollcall.db")), []string{"none", "--db"}},
		{"a folder", with(env, "ROLLCALL_DB", "."), []string{"--db"}},
		{"another organisation's", with(env, "TALLYFY_ORG_ID", "another"), []string{"another", "--org", "--db"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			code, _, stderr := invoke(t, test.env, "serve")
			if code != exitFailure {
				t.Errorf("exit code %d", code)
			}
			wantSentence(t, stderr, test.says...)
			wantEmptyFolder(t)
		})
	}
}

func TestASecondWriterIsRefused(t *testing.T) {
	_, env := organization(t)
	start(t, env)
	code, _, stderr := invoke(t, env, "sync")
	if code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	wantSentence(t, stderr, "--db")
}

func TestTheTokenIsInNoLogAndNoFile(t *testing.T) {
	sim, env := organization(t)
	sim.SetToken("very-secret-token")
	env = with(env, "TALLYFY_ACCESS_TOKEN", "very-secret-token", "ROLLCALL_LOG_LEVEL", "debug")
	p := start(t, env)
	p.sync()
	sim.RevokeToken("very-secret-token")
	p.ask(http.StatusBadGateway, http.MethodPost, p.url+"/v1/sync?wait=60s", "", "")
	status, _ := p.get(http.StatusOK, "/v1/status")
	p.end()
	told := map[string]string{"log": string(<-p.log), "status": status}
	files, err := filepath.Glob(env["ROLLCALL_DB"] + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		told[file] = string(content)
	}
	for where, text := range told {
		if strings.Contains(text, "very-secret-token") {
			t.Errorf("%s holds the token", where)
		}
	}
}
