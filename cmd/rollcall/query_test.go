package main

import (
	"encoding/json"
	"testing"
)

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
