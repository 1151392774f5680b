package api

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

func TestAForeignHostIsRefusedOnEveryRouteThatShowsAnything(t *testing.T) {
	w := newPeople(t)
	for _, path := range append(reads, "/v1/status", "/v1/nothing", "/nothing", "/metrics", "/me", "/organizations/"+org+"/../x") {
		got := w.get(path, "Host", "rebound.example:7655", "Authorization", "Bearer own").wants(403)
		if isV1(path) {
			got.wantsProblem(403, forbiddenType)
		} else if got.at("error") != true {
			t.Error(path, got.body)
		}
	}
	for _, path := range []string{"/livez", "/openapi.json", "/openapi.yaml", "/docs"} {
		w.get(path, "Host", "rebound.example").wants(200)
	}
	if w.upstream.request != nil || w.poller.waited != nil {
		t.Error("a refused request was acted upon")
	}
}

func TestOwnHosts(t *testing.T) {
	public, _ := url.Parse("https://Who.example:8443/base")
	w := newPeople(t, func(o *Options) { o.PublicURL = public })
	for host, status := range map[string]int{
		"localhost": 200, "LOCALHOST:1": 200, "127.0.0.1": 200, "127.8.9.1:80": 200, "[::1]": 200, "[::1]:7655": 200, "who.EXAMPLE": 200, "who.example:8443": 200,
		"localhost.evil.example": 403, "127.0.0.1.nip.io": 403, "0.0.0.0": 403, "10.0.0.1": 403, "[::2]": 403, "who.example.evil": 403, "x@localhost": 403, "localhost:1:2": 403,
	} {
		if got := w.get("/v1/groups", "Host", host); got.status != status {
			t.Errorf("host %q: %d, want %d", host, got.status, status)
		}
	}
}

func TestAnyHostIsOwnOnASocket(t *testing.T) {
	w := newPeople(t)
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(w.api, w.api.server.Logger)
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://whatever/v1/groups")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Error(resp.Status)
	}
}

func TestAPageOfAnotherOriginMayNotWrite(t *testing.T) {
	public, _ := url.Parse("https://who.example/base")
	w := newPeople(t, func(o *Options) { o.PublicURL = public })
	w.writer.outcome = nil
	for _, headers := range [][]string{
		{"Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "null"},
	} {
		headers = append(headers, "Authorization", "Bearer own")
		w.do("POST", "/v1/sync", "", headers...).wantsProblem(403, forbiddenType)
		w.do("POST", groupsPath, "{}", headers...).wants(403)
		w.do("DELETE", "/organizations/"+org+"/tags/1", "", headers...).wants(403)
		w.get("/v1/groups", headers...).wants(200)
	}
	if w.writer.request != nil || w.upstream.request != nil || w.poller.waited != nil {
		t.Error("a refused write was acted upon")
	}
	w.poller.sweep.Result = "running"
	w.do("POST", "/v1/sync", "", "Origin", "https://who.example").wants(202)
	w.do("POST", "/v1/sync", "", "Sec-Fetch-Site", "same-origin").wants(202)
	w.do("POST", "/v1/sync", "").wants(202)
}

func TestWhatGoesUpstreamTakesTheCallersOwnToken(t *testing.T) {
	w := newPeople(t)
	for _, c := range [][2]string{
		{"POST", groupsPath},
		{"PUT", groupsPath + "/" + salesID},
		{"DELETE", groupsPath + "/" + salesID},
		{"PATCH", groupsPath + "/x"},
		{"GET", "/me"},
		{"GET", "/api/me/organizations"},
		{"POST", "/organizations/" + org + "/users/invite"},
		{"GET", groupsPath + "?with=assets"},
		{"GET", "/organizations/" + org},
		{"POST", "/applications/" + org + "/users"},
	} {
		for _, authorization := range []string{"", "Bearer", "Bearer   "} {
			got := w.do(c[0], c[1], "{}", "Authorization", authorization).wants(401)
			if _, hasError := got.object()["error"]; hasError || got.at("message") == "" || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s as %q: %s %s", c[0], c[1], authorization, got.header, got.body)
			}
		}
	}
	if w.writer.request != nil || w.upstream.request != nil {
		t.Error("a request without a token went upstream")
	}
}

func TestPathTricksAreRefused(t *testing.T) {
	w := newPeople(t)
	for _, path := range []string{
		"/organizations/" + org + "/../other/groups", "/organizations/" + org + "/./groups", "/organizations/" + org + "/%2e%2e/other",
		"/organizations/" + org + "/%2E/x", "/organizations/" + org + "/groups/a%2fb", "/organizations/" + org + "%2F..%2Fother/groups",
		"/api/organizations/" + org + "/..", "/me/..", "/me/%2e%2e/v1", "/applications/" + org + "/a%2Fb",
	} {
		if got := w.get(path, "Authorization", "Bearer own"); got.status != 400 || got.at("error") != true {
			t.Errorf("%s: %d %s, want 400", path, got.status, got.body)
		}
	}
	for _, path := range []string{"//organizations/" + org + "/groups", "/organizations//" + org + "/groups", "/organizations/" + org + "//groups", "/x/../v1/groups", "/api/../organizations/" + org} {
		w.get(path, "Authorization", "Bearer own").wants(404)
	}
	if w.upstream.request != nil {
		t.Error("a bent path went upstream as", w.upstream.url.String())
	}
}

func TestRefusalsAreLoggedWithTheirActorAndBounded(t *testing.T) {
	w, ring := newKeyed(t)
	for range 100 {
		w.do("POST", "/v1/sync", "", append(ring.of("read"), "X-Request-Id", "r-1")...).wants(403)
		w.do("POST", "/v1/sync", "").wants(401)
	}
	lines := w.log.lines(t, "request refused")
	if len(lines) < 10 || len(lines) > 40 {
		t.Errorf("%d lines for 200 refusals", len(lines))
	}
	for key, want := range map[string]any{"level": "INFO", "type": forbiddenType, "request_id": "r-1", "route": "/v1/sync", "actor": "read", "status": 403.0} {
		if lines[0][key] != want {
			t.Errorf("%s is %v, want %v", key, lines[0][key], want)
		}
	}
	for _, line := range w.log.lines(t, "request") {
		if line["level"] != "DEBUG" {
			t.Fatal("a refusal is told again, without bounds:", line)
		}
	}
}

func TestAGroupWriteIsLoggedOnceWithItsActor(t *testing.T) {
	ring, keys := newKeyring(t)
	r := newReplica(t, newSim(), withKeys(t, keys))
	r.do("POST", groupsPath, `{"name":"n","description":"d"}`, append(ring.of("write"), "X-Request-Id", "r-1", "Content-Type", "application/json")...).wants(201)
	lines := r.log.lines(t, "write")
	if len(lines) != 1 || len(r.log.lines(t, "request")) != 0 {
		t.Fatal(r.log)
	}
	for key, want := range map[string]any{"actor": "write", "request_id": "r-1", "outcome": "applied", "status": 201.0} {
		if lines[0][key] != want {
			t.Errorf("%s is %v, want %v", key, lines[0][key], want)
		}
	}
}

func TestAWriteIsLoggedWithItsActor(t *testing.T) {
	w, ring := newKeyed(t)
	w.poller.sweep.Result = "running"
	w.do("POST", "/v1/sync", "", append(ring.of("write"), "X-Request-Id", "r-1")...).wants(202)
	lines := w.log.lines(t, "request")
	if len(lines) != 1 || lines[0]["level"] != "INFO" || lines[0]["actor"] != "write" || lines[0]["request_id"] != "r-1" {
		t.Error(w.log)
	}
	for name, key := range ring {
		if strings.Contains(w.log.String(), key) {
			t.Errorf("the key %s is in the log", name)
		}
	}
}
