package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rollcall/internal/tallyfy"
)

// complete is an environment that serve accepts, but for what a test breaks.
// Its upstream is a port that nobody listens on.
func complete(changes ...string) map[string]string {
	env := map[string]string{
		"TALLYFY_ACCESS_TOKEN": "secret-of-the-test",
		"TALLYFY_ORG_ID":       "0123456789abcdef0123456789abcdef",
		"TALLYFY_BASE_URL":     "http://127.0.0.1:1",
		"ROLLCALL_LISTEN":      "127.0.0.1:0",
		"ROLLCALL_DB":          "test.db",
	}
	for i := 0; i+1 < len(changes); i += 2 {
		env[changes[i]] = changes[i+1]
	}
	return env
}

// application is complete with an application's credentials for the token.
func application(changes ...string) map[string]string {
	return complete(append([]string{
		"TALLYFY_ACCESS_TOKEN", "", "TALLYFY_CLIENT_ID", "4711", "TALLYFY_CLIENT_SECRET", "hidden-secret",
		"TALLYFY_TOKEN_URL", "http://127.0.0.1:1/oauth/token",
	}, changes...)...)
}

func TestWrongSettingsAreRefusedBeforeAnythingIsCreated(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		args []string
		says []string
	}{
		{"no token", complete("TALLYFY_ACCESS_TOKEN", ""), nil, []string{"TALLYFY_ACCESS_TOKEN", "set"}},
		{"no organisation", complete("TALLYFY_ORG_ID", ""), nil, []string{"--org (TALLYFY_ORG_ID)", "set"}},
		{"token and token file", complete("TALLYFY_ACCESS_TOKEN_FILE", "x"), nil, []string{"TALLYFY_ACCESS_TOKEN and TALLYFY_ACCESS_TOKEN_FILE", "unset one"}},
		{"two tokens", complete("TALLYFY_API_TOKEN", "other"), nil, []string{"TALLYFY_API_TOKEN", "unset one"}},
		{"token file missing", complete("TALLYFY_ACCESS_TOKEN", "", "TALLYFY_ACCESS_TOKEN_FILE", "none"), nil, []string{"TALLYFY_ACCESS_TOKEN_FILE", "make it give"}},
		{"token with the word Bearer", complete("TALLYFY_ACCESS_TOKEN", "Bearer abc"), nil, []string{"TALLYFY_ACCESS_TOKEN", "alone"}},
		{"token and credentials", complete("TALLYFY_CLIENT_ID", "5", "TALLYFY_CLIENT_SECRET", "hidden-secret"), nil, []string{"TALLYFY_ACCESS_TOKEN and TALLYFY_CLIENT_ID", "unset one"}},
		{"token file and credentials", application("TALLYFY_ACCESS_TOKEN_FILE", "x"), nil, []string{"TALLYFY_ACCESS_TOKEN_FILE and TALLYFY_CLIENT_ID", "unset one"}},
		{"token and somebody to act as", complete("TALLYFY_ACT_AS", "a@works.test"), nil, []string{"TALLYFY_ACCESS_TOKEN and TALLYFY_ACT_AS", "unset one"}},
		{"secret without id", application("TALLYFY_CLIENT_ID", ""), nil, []string{"TALLYFY_CLIENT_SECRET", "TALLYFY_CLIENT_ID", "set both"}},
		{"somebody to act as without credentials", complete("TALLYFY_ACCESS_TOKEN", "", "TALLYFY_ACT_AS", "a@works.test"), nil, []string{"TALLYFY_ACT_AS", "TALLYFY_CLIENT_ID", "set both"}},
		{"id without secret", application("TALLYFY_CLIENT_SECRET", ""), nil, []string{"TALLYFY_CLIENT_ID", "TALLYFY_CLIENT_SECRET_FILE"}},
		{"secret twice", application("TALLYFY_CLIENT_SECRET_FILE", "x"), nil, []string{"TALLYFY_CLIENT_SECRET and TALLYFY_CLIENT_SECRET_FILE", "unset one"}},
		{"secret file missing", application("TALLYFY_CLIENT_SECRET", "", "TALLYFY_CLIENT_SECRET_FILE", "none"), nil, []string{"TALLYFY_CLIENT_SECRET_FILE", "make it give"}},
		{"secret of two words", application("TALLYFY_CLIENT_SECRET", "hidden-secret two"), nil, []string{"TALLYFY_CLIENT_SECRET", "alone"}},
		{"token URL in the clear", application("TALLYFY_TOKEN_URL", "http://account.tallyfy.com/oauth/token"), nil, []string{"TALLYFY_TOKEN_URL", "https://"}},
		{"token URL with a password", application("TALLYFY_TOKEN_URL", "https://u:hidden-secret@x.test"), nil, []string{"TALLYFY_TOKEN_URL", "no user"}},
		{"no token URL for a stranger", application("TALLYFY_TOKEN_URL", ""), nil, []string{"TALLYFY_TOKEN_URL", "127.0.0.1:1", "such as https://"}},
		{"acting as no address", application("TALLYFY_ACT_AS", "wrenna"), nil, []string{"TALLYFY_ACT_AS", "e-mail"}},
		{"duration without unit", complete("ROLLCALL_POLL_INTERVAL", "60"), nil, []string{"--poll-interval (ROLLCALL_POLL_INTERVAL)", `"60"`, "90s"}},
		{"duration flag without unit", complete(), []string{"--upstream-timeout=5"}, []string{"--upstream-timeout", "unit"}},
		{"interval not positive", complete(), []string{"--poll-interval=0s"}, []string{"--poll-interval", "positive"}},
		{"unknown flag", complete(), []string{"--pol-interval=5s"}, []string{"--pol-interval", "--poll-interval"}},
		{"unknown argument", complete(), []string{"now"}, []string{"now", "--help"}},
		{"flag without value", complete(), []string{"--org"}, []string{"--org (TALLYFY_ORG_ID)", "wants a value"}},
		{"rate no number", complete("ROLLCALL_UPSTREAM_RATE", "many"), nil, []string{"--upstream-rate (ROLLCALL_UPSTREAM_RATE)", "whole number"}},
		{"rate negative", complete(), []string{"--upstream-rate=-1"}, []string{"--upstream-rate", "0 or more"}},
		{"share not a percentage", complete(), []string{"--sweep-share=0.7"}, []string{"--sweep-share", "70%"}},
		{"share of nothing", complete("ROLLCALL_SWEEP_SHARE", "0%"), nil, []string{"ROLLCALL_SWEEP_SHARE", "0%"}},
		{"hourly negative", complete(), []string{"--upstream-hourly=-1"}, []string{"--upstream-hourly", "0 or more"}},
		{"organisation with a slash", complete("TALLYFY_ORG_ID", "a/b"), nil, []string{"TALLYFY_ORG_ID", "letters"}},
		{"base URL without scheme", complete("TALLYFY_BASE_URL", "go.tallyfy.com/api"), nil, []string{"--base-url (TALLYFY_BASE_URL)", "https://"}},
		{"base URL in the clear", complete("TALLYFY_BASE_URL", "http://go.tallyfy.com/api"), nil, []string{"--base-url", "https://"}},
		{"base URL with a user", complete("TALLYFY_BASE_URL", "https://u:p@go.tallyfy.com"), nil, []string{"--base-url", "no user"}},
		{"CA file missing", complete("ROLLCALL_UPSTREAM_CA_FILE", "none"), nil, []string{"--upstream-ca-file"}},
		{"listen without port", complete("ROLLCALL_LISTEN", "127.0.0.1"), nil, []string{"--listen (ROLLCALL_LISTEN)", "host:port"}},
		{"listen beyond loopback", complete("ROLLCALL_LISTEN", "0.0.0.0:0"), nil, []string{"--auth (ROLLCALL_AUTH) is missing", "0.0.0.0:0", "--auth=keys", "127.0.0.1"}},
		{"listen everywhere", complete("ROLLCALL_LISTEN", ":0"), nil, []string{"--auth (ROLLCALL_AUTH) is missing"}},
		{"listen by name", complete("ROLLCALL_LISTEN", "intranet.example:0"), nil, []string{"--auth (ROLLCALL_AUTH) is missing"}},
		{"listen beyond loopback to anybody", complete("ROLLCALL_LISTEN", "0.0.0.0:0", "ROLLCALL_AUTH", "none"), nil, []string{"--listen (ROLLCALL_LISTEN)", "--auth=none", "127.0.0.1"}},
		{"listen everywhere with a certificate alone", complete("ROLLCALL_LISTEN", ":0"), []string{"--tls-cert=c", "--tls-key=k"}, []string{"--auth (ROLLCALL_AUTH) is missing"}},
		{"socket with unknown option", complete("ROLLCALL_LISTEN", "unix:/x?owner=me"), nil, []string{"--listen", "mode=0660"}},
		{"ops address", complete("ROLLCALL_OPS_LISTEN", "9090"), nil, []string{"--ops-listen (ROLLCALL_OPS_LISTEN)"}},
		{"auth not known", complete("ROLLCALL_AUTH", "maybe"), nil, []string{"--auth (ROLLCALL_AUTH)", `"maybe"`, "none, keys or tallyfy"}},
		{"keys without a file", complete("ROLLCALL_AUTH", "keys"), nil, []string{"--keys-file (ROLLCALL_KEYS_FILE) is missing", "rollcall keys new"}},
		{"keys file that is not there", complete("ROLLCALL_AUTH", "keys"), []string{"--keys-file=none"}, []string{"--keys-file", "none", "no such file", "rollcall keys new"}},
		{"keys file that nobody is asked for", complete("ROLLCALL_KEYS_FILE", "keys"), nil, []string{"--keys-file (ROLLCALL_KEYS_FILE)", "--auth=none", "--auth=keys"}},
		{"token lent to callers with keys", complete("ROLLCALL_AUTH", "tallyfy"), []string{"--lend-token"}, []string{"--lend-token", "--auth=none"}},
		{"memory of nothing", complete(), []string{"--auth-memory=0s"}, []string{"--auth-memory", "positive"}},
		{"grace negative", complete("ROLLCALL_AUTH_GRACE", "-1h"), nil, []string{"--auth-grace (ROLLCALL_AUTH_GRACE)", "positive"}},
		{"every origin", complete("ROLLCALL_CORS_ORIGINS", "*"), nil, []string{"--cors-origins (ROLLCALL_CORS_ORIGINS)", `"*"`, "wildcards"}},
		{"some origins", complete(), []string{"--cors-origins=https://a.example,https://*.example"}, []string{"--cors-origins", `"https://*.example"`}},
		{"origin of files and sandboxes", complete("ROLLCALL_CORS_ORIGINS", "null"), nil, []string{"--cors-origins", `"null"`, "in full"}},
		{"origin with a path", complete(), []string{"--cors-origins=https://app.example/"}, []string{"--cors-origins", "without a path"}},
		{"origin without a scheme", complete(), []string{"--cors-origins=app.example"}, []string{"--cors-origins", "https://"}},
		{"certificate without key", complete(), []string{"--tls-cert=c"}, []string{"--tls-key (ROLLCALL_TLS_KEY) is missing"}},
		{"key without certificate", complete("ROLLCALL_TLS_KEY", "k"), nil, []string{"--tls-cert (ROLLCALL_TLS_CERT) is missing"}},
		{"certificate that is not there", complete(), []string{"--tls-cert=none.pem", "--tls-key=none.key"}, []string{"--tls-cert", "none.pem"}},
		{"certificate for a socket", complete("ROLLCALL_LISTEN", "unix:s"), []string{"--tls-cert=c", "--tls-key=k"}, []string{"--tls-cert", "socket"}},
		{"staleness without unit", complete("ROLLCALL_MAX_STALE", "60"), nil, []string{"--max-stale (ROLLCALL_MAX_STALE)", `"60"`, "15m", "off"}},
		{"staleness of nothing", complete(), []string{"--max-stale=0s"}, []string{"--max-stale", "positive"}},
		{"public URL", complete("ROLLCALL_PUBLIC_URL", "intranet"), nil, []string{"--public-url (ROLLCALL_PUBLIC_URL)", "https://"}},
		{"database no path", complete("ROLLCALL_DB", ":memory:"), nil, []string{"--db (ROLLCALL_DB)", "path"}},
		{"guard without percent", complete("ROLLCALL_REMOVAL_GUARD", "0.25"), nil, []string{"--removal-guard (ROLLCALL_REMOVAL_GUARD)", `"0.25"`, "25%", "off"}},
		{"guard no number", complete(), []string{"--removal-guard=much%"}, []string{"--removal-guard", "25%"}},
		{"guard of nothing", complete(), []string{"--removal-guard=0%"}, []string{"--removal-guard", "above 0%", "off"}},
		{"guard of more than all", complete(), []string{"--removal-guard=101%"}, []string{"--removal-guard", "at most 100%"}},
		{"release negative", complete("ROLLCALL_HOLD_RELEASE", "-1h"), nil, []string{"--hold-release (ROLLCALL_HOLD_RELEASE)", "24h"}},
		{"release of nothing held", complete(), []string{"--removal-guard=off", "--hold-release=1h"}, []string{"--hold-release", "--removal-guard=off", "leave one"}},
		{"no wait for fresher rows", complete("ROLLCALL_REFRESH_WAIT", "0s"), nil, []string{"--refresh-wait (ROLLCALL_REFRESH_WAIT)", "10s"}},
		{"a guest's domain with an @", complete("ROLLCALL_GUEST_DOMAINS", "x.test,@y.test"), nil, []string{"--guest-domains (ROLLCALL_GUEST_DOMAINS)", "example.com"}},
		{"a wildcard of guests' domains", complete(), []string{"--guest-domains=*.x.test"}, []string{"--guest-domains", "without @ and wildcards"}},
		{"a guest's domain left out", complete(), []string{"--guest-domains=x.test,,y.test"}, []string{"--guest-domains"}},
		{"endless wait for fresher rows", complete(), []string{"--refresh-wait=61s"}, []string{"--refresh-wait", "at most 1m"}},
		{"log level", complete("ROLLCALL_LOG_LEVEL", "loud"), nil, []string{"--log-level (ROLLCALL_LOG_LEVEL)"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			code, stdout, stderr := invoke(t, test.env, append([]string{"serve"}, test.args...)...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit code %d, stdout %q; want %d and nothing", code, stdout, exitUsage)
			}
			wantSentence(t, stderr, test.says...)
			if strings.Contains(stderr, "secret-of-the-test") || strings.Contains(stderr, "hidden-secret") {
				t.Errorf("a secret is told: %q", stderr)
			}
			wantEmptyFolder(t)
		})
	}
}

func wantEmptyFolder(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

func TestSyncAndDemoCheckTheirSettingsLikeServe(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, stderr := invoke(t, complete("TALLYFY_ORG_ID", ""), "sync")
	if code != exitUsage {
		t.Errorf("sync: exit code %d", code)
	}
	wantSentence(t, stderr, "TALLYFY_ORG_ID")
	code, _, stderr = invoke(t, nil, "demo", "--listen=0.0.0.0:0")
	if code != exitUsage {
		t.Errorf("demo: exit code %d", code)
	}
	wantSentence(t, stderr, "--listen")
	wantEmptyFolder(t)
}

func TestNoCommandAndUnknownCommandAreUsageErrors(t *testing.T) {
	for _, args := range [][]string{nil, {"mirror"}} {
		code, _, stderr := invoke(t, nil, args...)
		if code != exitUsage {
			t.Errorf("%q: exit code %d", args, code)
		}
		wantSentence(t, stderr, "--help")
	}
}

// Every flag of every command stands in its help with its twin.
func TestHelpNamesEveryFlagWithItsTwinAndDefault(t *testing.T) {
	code, help, _ := invoke(t, nil, "serve", "--help")
	if code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	for flag, twin := range map[string]string{
		"--base-url=\"https://go.tallyfy.com/api\"": "TALLYFY_BASE_URL",
		"--org=ID":                  "TALLYFY_ORG_ID",
		"--listen=127.0.0.1:7655":   "ROLLCALL_LISTEN",
		"--ops-listen=ADDRESS":      "ROLLCALL_OPS_LISTEN",
		"--public-url=URL":          "ROLLCALL_PUBLIC_URL",
		"--db=rollcall.db":          "ROLLCALL_DB",
		"--poll-interval=60s":       "ROLLCALL_POLL_INTERVAL",
		"--churn-interval=1h":       "ROLLCALL_CHURN_INTERVAL",
		"--guest-domains=DOMAIN":    "ROLLCALL_GUEST_DOMAINS",
		"--refresh-wait=10s":        "ROLLCALL_REFRESH_WAIT",
		"--upstream-rate=90":        "ROLLCALL_UPSTREAM_RATE",
		"--upstream-hourly=900":     "ROLLCALL_UPSTREAM_HOURLY",
		"--sweep-share=70%":         "ROLLCALL_SWEEP_SHARE",
		"--upstream-timeout=60s":    "ROLLCALL_UPSTREAM_TIMEOUT",
		"--upstream-ca-file=FILE":   "ROLLCALL_UPSTREAM_CA_FILE",
		"--auth=none":               "ROLLCALL_AUTH",
		"--keys-file=FILE":          "ROLLCALL_KEYS_FILE",
		"--auth-memory=5m":          "ROLLCALL_AUTH_MEMORY",
		"--auth-grace=1h":           "ROLLCALL_AUTH_GRACE",
		"--lend-token":              "ROLLCALL_LEND_TOKEN",
		"--[no-]allow-query":        "ROLLCALL_ALLOW_QUERY",
		"--cors-origins=ORIGIN,...": "ROLLCALL_CORS_ORIGINS",
		"--tls-cert=FILE":           "ROLLCALL_TLS_CERT",
		"--tls-key=FILE":            "ROLLCALL_TLS_KEY",
		"--max-stale=off":           "ROLLCALL_MAX_STALE",
		"--log-format=auto":         "ROLLCALL_LOG_FORMAT",
		"--log-level=info":          "ROLLCALL_LOG_LEVEL",
		"token":                     "TALLYFY_ACCESS_TOKEN_FILE",
		"dies when its owner":       "TALLYFY_CLIENT_SECRET_FILE",
		"minted":                    "TALLYFY_ACT_AS",
		"asked for":                 "TALLYFY_TOKEN_URL",
	} {
		if !strings.Contains(help, flag) || !strings.Contains(help, "$"+twin) {
			t.Errorf("help lacks %s or $%s:\n%s", flag, twin, help)
		}
	}
}

func TestReadmeTellsEverySettingWithItsTwinAndDefault(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	code, settings, _ := invoke(t, nil, "config", "-o", "json")
	if code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	_, help, _ := invoke(t, nil, "serve", "--help")
	var all []setting
	if err := json.Unmarshal([]byte(settings), &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{tokenVar, tokenFileVar, clientIDVar, secretVar, secretFileVar, tokenURLVar, actAsVar} {
		if !strings.Contains(string(readme), "\n| | `"+name+"` | ") {
			t.Errorf("the table lacks %s", name)
		}
	}
	for _, s := range all[1:] {
		row := regexp.MustCompile("\\| `" + s.Name + "` \\| `([A-Z_]+)` \\| (?:`([^`]*)`)?").FindSubmatch(readme)
		if row == nil {
			t.Errorf("the table lacks %s", s.Name)
			continue
		}
		if twin := "$" + string(row[1]); !strings.Contains(help, twin) {
			t.Errorf("%s: serve knows no %s", s.Name, twin)
		}
		if told := string(row[2]); told != s.Value && !strings.Contains(help, s.Name+"="+told) {
			t.Errorf("%s: the table tells %q, the default is %q", s.Name, told, s.Value)
		}
	}
}

func TestFlagsWinOverTheEnvironmentWhichWinsOverDefaults(t *testing.T) {
	_, out, _ := invoke(t, complete("ROLLCALL_LOG_LEVEL", "debug", "ROLLCALL_POLL_INTERVAL", "5m"), "config", "--poll-interval=7s")
	for _, line := range []string{"--poll-interval 7s flag", "--log-level debug ROLLCALL_LOG_LEVEL", "--upstream-rate 90 default"} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), line) {
			t.Errorf("config lacks %q:\n%s", line, out)
		}
	}
}

func TestConfigRedactsSecretsAndSaysWhyServeWouldRefuse(t *testing.T) {
	env := complete("TALLYFY_BASE_URL", "https://user:passphrase@go.tallyfy.com")
	for _, format := range []string{"table", "json"} {
		code, out, stderr := invoke(t, env, "config", "-o", format)
		if code != exitOK || !strings.Contains(out, redacted) {
			t.Errorf("exit code %d, output without %s:\n%s", code, redacted, out)
		}
		if all := out + stderr; strings.Contains(all, "secret-of-the-test") || strings.Contains(all, "passphrase") {
			t.Errorf("a secret is told:\n%s", all)
		}
		wantSentence(t, stderr, "--base-url")
	}
}

func TestConfigShowsCredentialsWithoutTheSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("hidden-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const own = "https://go.tallyfy.com/api"
	for _, test := range []struct {
		env   map[string]string
		lines []string
	}{
		{application("TALLYFY_BASE_URL", own, "TALLYFY_TOKEN_URL", ""), []string{
			"TALLYFY_CLIENT_ID 4711 TALLYFY_CLIENT_ID", "TALLYFY_CLIENT_SECRET *** TALLYFY_CLIENT_SECRET",
			"TALLYFY_TOKEN_URL https://account.tallyfy.com/oauth/token default",
		}},
		{application("TALLYFY_CLIENT_SECRET", "", "TALLYFY_CLIENT_SECRET_FILE", file, "TALLYFY_ACT_AS", "a@works.test"), []string{
			"TALLYFY_CLIENT_SECRET_FILE " + file, "TALLYFY_TOKEN_URL http://127.0.0.1:1/oauth/token TALLYFY_TOKEN_URL", "TALLYFY_ACT_AS a@works.test TALLYFY_ACT_AS",
		}},
		{application("TALLYFY_TOKEN_URL", "https://u:hidden-secret@x.test"), []string{"TALLYFY_TOKEN_URL https://u:xxxxx@x.test"}},
	} {
		code, out, stderr := invoke(t, test.env, "config")
		all := strings.Join(strings.Fields(out), " ")
		for _, line := range test.lines {
			if code != exitOK || !strings.Contains(all, line) {
				t.Errorf("exit code %d, config lacks %q:\n%s", code, line, out)
			}
		}
		if strings.Contains(out+stderr, "hidden-secret") || strings.Contains(out, tokenVar) {
			t.Errorf("shown:\n%s%s", out, stderr)
		}
	}
}

func TestTokenComesFromOneOfThreePlaces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		env                map[string]string
		variable, wantText string
	}{
		{map[string]string{tokenVar: " a \n"}, tokenVar, "a"},
		{map[string]string{tokenAlias: "b"}, tokenAlias, "b"},
		{map[string]string{tokenVar: "c", tokenAlias: "c"}, tokenVar, "c"},
		{map[string]string{tokenFileVar: file}, tokenFileVar, "from-file"},
	}
	for _, test := range tests {
		chosen, err := tokenFrom(t.Context(), func(name string) string { return test.env[name] }, tallyfy.Options{})
		if err != nil || chosen.settings[0].Source != test.variable {
			t.Errorf("%v: %v %v", test.env, chosen.settings, err)
			continue
		}
		if text, err := chosen.given.Token(t.Context()); err != nil || text != test.wantText {
			t.Errorf("%v: %q %v", test.env, text, err)
		}
	}
}
