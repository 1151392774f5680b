package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// SQL sees on the snapshot what the lists show.
func TestSQLCountsWhatTheListsCount(t *testing.T) {
	invitation, stop := startDemo(t, "--listen=127.0.0.1:0", "--poll-interval=1h")
	defer stop()
	server := regexp.MustCompile(`Rollcall +(http://\S+)`).FindStringSubmatch(invitation)[1]
	ask := func(method, path, body string) string {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, server+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s %s %v", method, path, response.Status, text, err)
		}
		return string(text)
	}
	total := func(path string) string {
		return regexp.MustCompile(`"total":(\d+)`).FindStringSubmatch(ask("GET", path+"?count=true&limit=1", ""))[1]
	}
	rows := "[" + total("/v1/groups") + "," + total("/v1/members") + "," + total("/v1/memberships") + "]"
	answer := ask("POST", "/v1/query", `{"sql":"SELECT (SELECT count(*) FROM groups) g, (SELECT count(*) FROM members) m, (SELECT count(*) FROM memberships) e"}`)
	if !strings.HasPrefix(answer, `{"columns":["g","m","e"],"rows":[`+rows+`],"truncated":false,"revision":1,`) {
		t.Errorf("the lists hold %s rows, SQL says %s", rows, answer)
	}
}

func TestSQLIsOnWhereEverybodyReadsEverythingAndElsewhereIfAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
		want setting
	}{
		"nobody is asked":             {nil, nil, setting{"--allow-query", "true", "default"}},
		"nobody is asked, forbidden":  {map[string]string{"ROLLCALL_ALLOW_QUERY": "false"}, nil, setting{"--allow-query", "false", "ROLLCALL_ALLOW_QUERY"}},
		"forbidden by flag":           {map[string]string{"ROLLCALL_ALLOW_QUERY": "true"}, []string{"--no-allow-query"}, setting{"--allow-query", "false", "flag"}},
		"keys":                        {nil, []string{"--auth=keys"}, setting{"--allow-query", "false", "default"}},
		"keys, allowed":               {nil, []string{"--auth=keys", "--allow-query"}, setting{"--allow-query", "true", "flag"}},
		"tokens":                      {nil, []string{"--auth=tallyfy"}, setting{"--allow-query", "false", "default"}},
		"tokens, allowed":             {map[string]string{"ROLLCALL_ALLOW_QUERY": "1"}, []string{"--auth=tallyfy"}, setting{"--allow-query", "true", "ROLLCALL_ALLOW_QUERY"}},
		"beyond loopback, no way yet": {nil, []string{"--listen=0.0.0.0:1"}, setting{"--allow-query", "", "default"}},
	} {
		_, out, _ := invoke(t, c.env, append([]string{"config", "-o", "json"}, c.args...)...)
		var all []setting
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			t.Fatal(err, out)
		}
		for _, s := range all {
			if s.Name == "--allow-query" && s != c.want {
				t.Errorf("%s: %v, want %v", name, s, c.want)
			}
		}
	}
}
