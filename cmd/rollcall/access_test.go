package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/tallyfysim"
)

// newKeysFile makes a keys file with one key of these scopes.
func newKeysFile(t *testing.T, scopes string) (file, key string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "keys")
	return file, addKey(t, file, "first", scopes)
}

func addKey(t *testing.T, file, name, scopes string) string {
	t.Helper()
	code, out, stderr := invoke(t, nil, "keys", "new", name, "--keys-file", file, "--scope", scopes)
	if code != exitOK {
		t.Fatal(stderr)
	}
	return strings.TrimSpace(out)
}

// newPair makes a self-signed certificate for names that are not the
// machine's, as it has them behind a load balancer.
func newPair(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestServeAsksForKeys(t *testing.T) {
	sim, env := organization(t)
	file, key := newKeysFile(t, "read,write")
	p := start(t, with(env, "ROLLCALL_AUTH", "keys", "ROLLCALL_KEYS_FILE", file))
	groups := "/organizations/" + sim.Organization() + "/groups"
	p.ask(http.StatusOK, http.MethodPost, p.url+"/v1/sync?wait=60s", key, "")
	p.ask(http.StatusUnauthorized, http.MethodGet, p.url+groups, "", "")
	p.ask(http.StatusUnauthorized, http.MethodGet, p.url+groups, sim.Token(), "")
	p.ask(http.StatusOK, http.MethodGet, p.url+groups, key, "")
	p.ask(http.StatusCreated, http.MethodPost, p.url+groups, key, `{"name":"By key","description":"d","members":[],"guests":[]}`)
	sent := sim.Requests()
	if last := sent[len(sent)-1]; last.Header.Get("Authorization") != "Bearer "+sim.Token() {
		t.Error("a write by key did not go under the sweep token")
	}
	for _, command := range [][]string{{"status"}, {"members", "By key"}, {"sync"}} {
		command = append(command, "--server", p.url)
		if code, _, stderr := invoke(t, map[string]string{"ROLLCALL_KEY": key}, command...); code != exitOK {
			t.Errorf("%q: exit code %d, %s", command, code, stderr)
		}
		if code, _, _ := invoke(t, nil, command...); code == exitOK {
			t.Errorf("%q needs no key", command)
		}
	}
	p.end()
	told := string(<-p.log)
	if !strings.Contains(told, `"actor":"first"`) || strings.Contains(told, key) {
		t.Errorf("the log lacks the actor, or holds the key:\n%s", told)
	}
}

func TestServeTakesTheCallersTallyfyToken(t *testing.T) {
	sim, env := organization(t)
	users := sim.Users()
	standard := slices.IndexFunc(users, func(u tallyfysim.User) bool {
		return u.Role == tallyfysim.RoleStandard && u.Status == tallyfysim.StatusActive
	})
	sim.AddToken("theirs", users[standard].ID)
	p := start(t, with(env, "ROLLCALL_AUTH", "tallyfy"))
	p.ask(http.StatusOK, http.MethodPost, p.url+"/v1/sync?wait=60s", sim.Token(), "")
	p.ask(http.StatusOK, http.MethodGet, p.url+"/v1/members", sim.Token(), "")
	p.ask(http.StatusOK, http.MethodGet, p.url+"/v1/groups", "theirs", "")
	p.ask(http.StatusForbidden, http.MethodGet, p.url+"/v1/members", "theirs", "")
	p.ask(http.StatusUnauthorized, http.MethodGet, p.url+"/v1/groups", "made-up", "")
	p.ask(http.StatusOK, http.MethodGet, p.url+"/livez", "", "")
}

func TestServeAnswersOverTLS(t *testing.T) {
	_, env := organization(t)
	cert, key := newPair(t, "who.example")
	env = with(env, "ROLLCALL_TLS_CERT", cert, "ROLLCALL_TLS_KEY", key)
	p := start(t, env)
	if !strings.HasPrefix(p.url, "https://127.0.0.1:") {
		t.Fatal(p.url)
	}
	pem, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "who.example"}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Get(p.url + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Proto != "HTTP/2.0" {
		t.Error(response.Status, response.Proto)
	}
}

// Where the certificate is known, the machine need not have a name in it.
func TestReadingCommandsExpectTheCertificateOfTheEnvironment(t *testing.T) {
	_, env := organization(t)
	cert, key := newPair(t, "who.example")
	p := start(t, with(env, "ROLLCALL_TLS_CERT", cert, "ROLLCALL_TLS_KEY", key))
	env = map[string]string{"ROLLCALL_LISTEN": strings.TrimPrefix(p.url, "https://"), "ROLLCALL_TLS_CERT": cert}
	for _, command := range []string{"health", "status"} {
		if code, _, stderr := invoke(t, env, command); code != exitOK {
			t.Errorf("%s: exit code %d, %s", command, code, stderr)
		}
	}
	for name, wrong := range map[string]string{"another": first(newPair(t, "who.example")), "none": "none.pem", "the key": key} {
		if code, _, stderr := invoke(t, with(env, "ROLLCALL_TLS_CERT", wrong), "health"); code == exitOK || stderr == "" {
			t.Errorf("%s certificate: exit code %d, %s", name, code, stderr)
		}
	}
	if code, _, _ := invoke(t, nil, "health", "--server", p.url); code == exitOK {
		t.Error("a certificate that nobody vouches for was believed")
	}
}

func first(cert, _ string) string { return cert }

func TestStaleDataIsNotReady(t *testing.T) {
	_, env := organization(t)
	if code, _, stderr := invoke(t, env, "sync"); code != exitOK {
		t.Fatal(stderr)
	}
	p := start(t, with(env, "ROLLCALL_MAX_STALE", "1ns", "TALLYFY_BASE_URL", "http://127.0.0.1:1"))
	p.get(http.StatusServiceUnavailable, "/readyz")
	p.get(http.StatusOK, "/v1/groups")
	if body, _ := p.get(http.StatusGatewayTimeout, "/v1/check?member=1001&group=Everybody"); !strings.Contains(body, `"too-stale"`) {
		t.Error(body)
	}
}

func TestOriginsAreNormalised(t *testing.T) {
	s := accessSettings{Origins: " https://App.example:443 ,http://localhost:3000, http://[::1]:80,"}
	got, err := s.origins()
	if want := []string{"https://app.example", "http://localhost:3000", "http://[::1]"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q %v, want %q", got, err, want)
	}
}

func TestWhatLooksLikeAnOversightIsTold(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	full, _ := newKeysFile(t, "read")
	cert, key := newPair(t, "who.example")
	for _, c := range []struct {
		name     string
		settings settings
		told     []string
	}{
		{"a key, on loopback", settings{listenSettings: listenSettings{Listen: "127.0.0.1:0"}, accessSettings: accessSettings{Auth: "keys", KeysFile: full}}, nil},
		{"no key", settings{listenSettings: listenSettings{Listen: "127.0.0.1:0"}, accessSettings: accessSettings{Auth: "keys", KeysFile: empty}}, []string{"holds no key"}},
		{"in the clear", settings{listenSettings: listenSettings{Listen: ":0"}, accessSettings: accessSettings{Auth: "keys", KeysFile: full}}, []string{"unencrypted"}},
		{"behind a proxy", settings{listenSettings: listenSettings{Listen: ":0", PublicURL: "https://who.example"}, accessSettings: accessSettings{Auth: "keys", KeysFile: full}}, nil},
		{"over TLS", settings{listenSettings: listenSettings{Listen: ":0"}, accessSettings: accessSettings{Auth: "keys", KeysFile: full, TLSCert: cert, TLSKey: key}}, nil},
	} {
		var log bytes.Buffer
		e, err := openEntrance(&c.settings, nil, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(c.name, err)
		}
		e.warn(&c.settings, slog.New(slog.NewTextHandler(&log, nil)))
		if strings.Count(log.String(), "\n") != len(c.told) {
			t.Errorf("%s: %s", c.name, &log)
		}
		for _, text := range c.told {
			if !strings.Contains(log.String(), text) {
				t.Errorf("%s: %s", c.name, &log)
			}
		}
	}
}
