package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/tallyfysim"
)

// withCredentials is the environment of organization with an application's
// credentials for the token.
func withCredentials(env map[string]string, changes ...string) map[string]string {
	return with(with(env, "TALLYFY_ACCESS_TOKEN", "", "TALLYFY_CLIENT_ID", tallyfysim.DefaultClientID, "TALLYFY_CLIENT_SECRET", tallyfysim.DefaultClientSecret,
		"TALLYFY_TOKEN_URL", env["TALLYFY_BASE_URL"]+"/oauth/token"), changes...)
}

func TestServeLivesOnTheTokensOfAnApplication(t *testing.T) {
	sim, env := organization(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(tallyfysim.DefaultClientSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	for kind, env := range map[string]map[string]string{
		"application": withCredentials(env),
		"act_as":      withCredentials(env, "TALLYFY_ACT_AS", sim.Users()[0].Email, "TALLYFY_CLIENT_SECRET", "", "TALLYFY_CLIENT_SECRET_FILE", secret),
	} {
		p := start(t, with(env, "ROLLCALL_DB", filepath.Join(t.TempDir(), "rollcall.db")))
		p.sync()
		sim.LogOut(0)
		sim.RevokeIssued()
		p.sync()
		body, _ := p.get(http.StatusOK, "/v1/status")
		if !strings.Contains(body, `"token":{"kind":"`+kind+`","expires_at":"2`) || !strings.Contains(body, `"state":"fresh"`) {
			t.Errorf("%s: %s", kind, body)
		}
		if metrics, _ := p.get(http.StatusOK, "/metrics"); !strings.Contains(metrics, "\nrollcall_token_expiry_timestamp_seconds ") {
			t.Errorf("%s: no metric", kind)
		}
		if code, out, _ := invoke(t, nil, "status", "--server="+p.url); code != exitOK || !strings.Contains(out, kind) {
			t.Errorf("exit code %d, status lacks the token:\n%s", code, out)
		}
		p.end()
	}
	if code, out, stderr := invoke(t, withCredentials(env), "sync"); code != exitOK || !strings.HasPrefix(out, "published revision 1") {
		t.Errorf("sync: exit code %d, %q, %q", code, out, stderr)
	}
}

func TestRefusedCredentialsAreTold(t *testing.T) {
	_, env := organization(t)
	p := start(t, withCredentials(env, "TALLYFY_CLIENT_SECRET", "very-wrong-secret"))
	p.ask(http.StatusBadGateway, http.MethodPost, p.url+"/v1/sync?wait=60s", "", "")
	body, _ := p.get(http.StatusOK, "/v1/status")
	for _, part := range []string{`"state":"unauthorized"`, "(invalid_client); check TALLYFY_CLIENT_ID", `"token":{"kind":"application","expires_at":null}`} {
		if !strings.Contains(body, part) {
			t.Errorf("status lacks %s: %s", part, body)
		}
	}
}

// Neither the secret nor any token that came of it is told anywhere, whatever
// the token endpoint answers.
func TestTheSecretIsInNoLogAndNoFile(t *testing.T) {
	sim, env := organization(t)
	sim.SetClient("4711", "very-secret-secret")
	env = withCredentials(env, "TALLYFY_CLIENT_SECRET", "very-secret-secret", "TALLYFY_ACT_AS", sim.Users()[0].Email, "ROLLCALL_LOG_LEVEL", "debug")
	told := map[string]string{}
	p := start(t, env)
	p.sync()
	sim.Fault(tallyfysim.Fault{
		Match: tallyfysim.On(http.MethodPost, "/token"), Status: http.StatusBadRequest,
		Body: []byte(`{"error":"very-secret-secret","error_description":"very-secret-secret"}`),
	})
	sim.RevokeIssued()
	told["problem"], _ = p.ask(http.StatusBadGateway, http.MethodPost, p.url+"/v1/sync?wait=60s", "", "")
	for _, path := range []string{"/v1/status", "/metrics", "/readyz?verbose"} {
		told[path], _ = p.get(http.StatusOK, path)
	}
	p.end()
	told["log"] = string(<-p.log)
	_, told["config"], _ = invoke(t, env, "config")
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
	secrets := []string{"very-secret-secret", url.QueryEscape("very-secret-secret")}
	for _, r := range sim.Requests() {
		if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			secrets = append(secrets, token)
		}
	}
	if len(secrets) < 5 {
		t.Fatalf("%d secrets", len(secrets))
	}
	for where, text := range told {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %s", where, secret)
			}
		}
	}
}
