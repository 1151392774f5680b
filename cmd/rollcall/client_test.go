package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// canned answers as a server would: paths to bodies.
func canned(t *testing.T, answers map[string]string) string {
	t.Helper()
	server := httptest.NewServer(cannedHandler(answers))
	t.Cleanup(server.Close)
	return server.URL
}

func cannedHandler(answers map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Rollcall-Revision", "7")
		w.Header().Set("Rollcall-Confirmed-At", time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
		for _, target := range []string{r.URL.RequestURI(), r.URL.EscapedPath()} {
			if body, ok := answers[target]; ok {
				fmt.Fprint(w, body)
				return
			}
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"type":"urn:rollcall:unknown-person","title":"Not Found","status":404,"detail":"nobody is called that, look at /v1/members"}`)
	})
}

const twoPages = `{"data":[{"id":"a","name":"Ann's\u001b[2J & co","member_count":12345678901234567890,"guest_count":0,"since_not_before":null,"since_not_after":"2026-03-01T09:00:00Z","later":1}],"next_cursor":"c2","revision":7,"epoch":"e","published_at":"2026-03-01T09:00:00Z"}`

func groupsServer(t *testing.T) string {
	return canned(t, map[string]string{
		"/v1/members/ann@example.com/groups?limit=1000": twoPages,
		"/v1/members/ann@example.com/groups?cursor=c2&limit=1000": `{"data":[{"id":"b","name":"B, \"C\"","member_count":2,"guest_count":0,
			"since_not_before":null,"since_not_after":null}],"next_cursor":null,"revision":7,"epoch":"e","published_at":"2026-03-01T09:00:00Z"}`,
	})
}

func TestListsAreReadToTheirEndInEveryFormat(t *testing.T) {
	for format, want := range map[string]string{
		"table": "ID  NAME            MEMBER COUNT          GUEST COUNT  SINCE NOT BEFORE  SINCE NOT AFTER\n" +
			"a   Ann's\ufffd[2J & co  12345678901234567890  0                              2026-03-01T09:00:00Z\n" +
			"b   B, \"C\"          2                     0                              \n",
		"csv": "id,name,member_count,guest_count,since_not_before,since_not_after\n" +
			"a,Ann's\x1b[2J & co,12345678901234567890,0,,2026-03-01T09:00:00Z\n" +
			"b,\"B, \"\"C\"\"\",2,0,,\n",
		"ndjson": `{"id":"a","name":"Ann's\u001b[2J & co","member_count":12345678901234567890,"guest_count":0,"since_not_before":null,"since_not_after":"2026-03-01T09:00:00Z","later":1}` + "\n" +
			`{"id":"b","name":"B, \"C\"","member_count":2,"guest_count":0,"since_not_before":null,"since_not_after":null}` + "\n",
	} {
		code, out, stderr := invoke(t, nil, "groups", "ann@example.com", "--server", groupsServer(t), "-o", format)
		if code != exitOK || out != want {
			t.Errorf("%s: exit code %d, %q, want\n%q", format, code, out, want)
		}
		if told := strings.Contains(stderr, "rows: 2, at revision 7, confirmed 1m0s ago"); told != (format == "table") {
			t.Errorf("%s: stderr %q", format, stderr)
		}
	}
}

func TestFiltersOfACommandAreThoseOfTheServer(t *testing.T) {
	one := `{"data":[{"id":1,"name":"A","kind":"member"}],"next_cursor":null}`
	server := canned(t, map[string]string{
		"/v1/groups?limit=1000": one,
		"/v1/groups?empty=true&has_guests=true&limit=1000&min_members=2&q=a+b": one,
		"/v1/members?limit=1000": one,
		"/v1/members?domain=x.test&in=Sales&in=A%2C+B&in_any=C&limit=1000&no_group=true&not_in=Contractors&q=z&role=admin&status=disabled": one,
		"/v1/groups/Sales/members?limit=1000&status=active": one,
	})
	for _, test := range []struct {
		args []string
		code int
	}{
		{[]string{"groups"}, exitOK},
		{[]string{"groups", "--search=a b", "--min-members=2", "--empty", "--has-guests"}, exitOK},
		{[]string{"groups", "11", "--empty"}, exitUsage},
		{[]string{"members"}, exitOK},
		{[]string{"members", "--in", "Sales", "--in", "A, B", "--in-any=C", "--not-in=Contractors", "--no-group", "--search=z", "--status=disabled", "--role=admin", "--domain=x.test"}, exitOK},
		{[]string{"members", "Sales", "--status=active"}, exitOK},
		{[]string{"members", "Sales", "--in=Support"}, exitUsage},
		{[]string{"members", "--status=gone"}, exitUsage},
	} {
		code, out, stderr := invoke(t, map[string]string{"ROLLCALL_SERVER": server}, append(test.args, "-o", "ndjson")...)
		if code != test.code || (code == exitOK) != strings.Contains(out, `"name":"A"`) {
			t.Errorf("%q: exit code %d, %q, %s", test.args, code, out, stderr)
		}
	}
	if code, out, stderr := invoke(t, map[string]string{"ROLLCALL_SERVER": server, "ROLLCALL_STATUS": "active"}, "members", "Sales", "-o", "ndjson"); code != exitOK || out == "" {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestJSONKeepsTheShapeOfTheServer(t *testing.T) {
	_, out, _ := invoke(t, nil, "groups", "ann@example.com", "--server", groupsServer(t), "-o", "json")
	for _, part := range []string{`"revision": 7`, `"epoch": "e"`, `"next_cursor": null`, `12345678901234567890`, `"id": "b"`, `& co`} {
		if !strings.Contains(out, part) {
			t.Errorf("output lacks %s:\n%s", part, out)
		}
	}
}

func TestRefusalsAreToldInTheServersWords(t *testing.T) {
	code, out, stderr := invoke(t, map[string]string{"ROLLCALL_SERVER": canned(t, nil)}, "groups", "nobody")
	if code != exitFailure || out != "" {
		t.Errorf("exit code %d, stdout %q", code, out)
	}
	wantSentence(t, stderr, "nobody is called that", "look at")
}

func TestAServerThatIsNotThereIsNamedWithTheMend(t *testing.T) {
	code, _, stderr := invoke(t, nil, "members", "Sales", "--server=127.0.0.1:1")
	if code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	wantSentence(t, stderr, "http://127.0.0.1:1", "rollcall serve", "--server (ROLLCALL_SERVER)")
	code, _, stderr = invoke(t, nil, "members", "Sales", "--server=ftp://x")
	if code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	wantSentence(t, stderr, "--server (ROLLCALL_SERVER)")
}

func TestReadingCommandsFindTheServerThatServeWouldBe(t *testing.T) {
	for listen, want := range map[string]string{
		"": "127.0.0.1:7655", "127.0.0.1:80": "127.0.0.1:80", "0.0.0.0:80": "127.0.0.1:80", ":80": "127.0.0.1:80",
		"[::]:80": "127.0.0.1:80", "[::1]:80": "[::1]:80", "unix:/run/x?mode=0660": "unix:/run/x?mode=0660",
	} {
		s := serverSettings{}
		env := map[string]string{"ROLLCALL_LISTEN": listen}
		if got := s.server(func(name string) string { return env[name] }); got != want {
			t.Errorf("%q: %q, want %q", listen, got, want)
		}
		if env["ROLLCALL_TLS_CERT"] = "cert.pem"; !strings.HasPrefix(want, "unix:") {
			want = "https://" + want
		}
		if got := s.server(func(name string) string { return env[name] }); got != want {
			t.Errorf("%q with a certificate: %q, want %q", listen, got, want)
		}
	}
}

func TestSocketsAreAskedLikeAddresses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	server := &http.Server{Handler: cannedHandler(map[string]string{"/v1/groups/Sales%2FEMEA/members": `{"data":[]}`})}
	go server.Serve(listener)
	defer server.Close()
	code, out, stderr := invoke(t, map[string]string{"ROLLCALL_LISTEN": "unix:" + path + "?mode=0600"}, "members", "Sales/EMEA", "-o", "ndjson")
	if code != exitOK || out != "" || stderr != "" {
		t.Errorf("exit code %d, %q, %q", code, out, stderr)
	}
}

func TestCheckExitsByItsAnswer(t *testing.T) {
	server := canned(t, map[string]string{
		"/v1/check?group=Sales&member=11":                       `{"data":{"member":true,"kind":"member","status":"active","group_id":"a","member_id":11,"reason":null}}`,
		"/v1/check?group=Sales&member=12":                       `{"data":{"member":false,"kind":"member","status":"disabled","group_id":"a","member_id":12,"reason":"disabled"}}`,
		"/v1/check?group=Sales&include_disabled=true&member=12": `{"data":{"member":true,"kind":"guest","status":null,"group_id":"a","member_id":null,"reason":null}}`,
		"/v1/check?group=Sales&member=14":                       `<html>`,
	})
	tests := []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"11", "Sales"}, exitOK, "in: 11 is a member of Sales\n"},
		{[]string{"12", "Sales"}, exitNotIn, "not in: disabled\n"},
		{[]string{"12", "Sales", "--include-disabled"}, exitOK, "in: 12 is a guest of Sales\n"},
		{[]string{"13", "Sales"}, exitUnknown, ""},
		{[]string{"14", "Sales"}, exitUnknown, ""},
		{[]string{"11", "Sales", "--server=127.0.0.1:1"}, exitUnknown, ""},
		{[]string{"11", "Sales", "--server=://"}, exitUsage, ""},
		{[]string{"11"}, exitUsage, ""},
	}
	for _, test := range tests {
		args := append([]string{"check"}, test.args...)
		code, out, _ := invoke(t, map[string]string{"ROLLCALL_SERVER": server}, args...)
		if code != test.code || out != test.out {
			t.Errorf("%q: exit code %d, %q", args, code, out)
		}
	}
}

// guarded answers those who show the key.
func guarded(key string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got == "Bearer "+key || r.URL.Path == "/livez" && got == "" {
			fmt.Fprint(w, `{"data":[]}`)
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"type":"unauthenticated","detail":"Unauthenticated. Send a key."}`)
	})
}

func TestReadingCommandsShowTheKeyOfTheEnvironment(t *testing.T) {
	server := httptest.NewServer(guarded("k3y"))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("k3y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, env := range []map[string]string{{"ROLLCALL_KEY": "k3y"}, {"ROLLCALL_KEY_FILE": file}} {
		if code, _, stderr := invoke(t, env, "members", "Sales", "-o", "ndjson", "--server", server.URL); code != exitOK {
			t.Errorf("exit code %d, %s", code, stderr)
		}
	}
	code, _, stderr := invoke(t, map[string]string{"ROLLCALL_KEY": "0ther"}, "members", "Sales", "--server", server.URL)
	if code != exitFailure || strings.Contains(stderr, "0ther") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	wantSentence(t, stderr, "Unauthenticated.", "$ROLLCALL_KEY", "$ROLLCALL_KEY_FILE")
	for _, env := range []map[string]string{{"ROLLCALL_KEY": "k3y", "ROLLCALL_KEY_FILE": file}, {"ROLLCALL_KEY_FILE": file + "x"}} {
		code, _, stderr := invoke(t, env, "members", "Sales", "--server", server.URL)
		if code != exitUsage {
			t.Errorf("exit code %d", code)
		}
		wantSentence(t, stderr, "ROLLCALL_KEY_FILE")
		if code, _, stderr := invoke(t, env, "health", "--server", server.URL); code != exitOK {
			t.Errorf("a probe needs no key: exit code %d, %s", code, stderr)
		}
	}
}
