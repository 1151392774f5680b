package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/access"
	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/poller"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
	"rollcall/internal/write"
)

const simToken = "Bearer " + tallyfysim.DefaultToken

// A replica is the whole of it, in front of a simulated Tallyfy.
type replica struct {
	world
	sim    *tallyfysim.Sim
	poller *poller.Poller
}

// newReplica has swept once. Sweeps happen when a test asks for one; nothing
// limits requests.
func newReplica(t *testing.T, sim *tallyfysim.Sim, change ...func(*Options)) *replica {
	t.Helper()
	mirror := dbtest.New(t)
	client, err := tallyfy.New(tallyfy.Options{
		BaseURL: "http://localhost/api", Organization: org, Transport: sim.Transport(), Token: tallyfy.StaticToken(tallyfysim.DefaultToken),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	r := &replica{world: world{t: t, db: mirror, log: &logbook{}, registry: prometheus.NewPedanticRegistry()}, sim: sim}
	logger := slog.New(slog.NewJSONHandler(r.log, nil))
	if r.poller, err = poller.New(t.Context(), poller.Options{Upstream: client, Store: mirror, Logger: logger}); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Organization: org, Access: anybody(t), Mirror: mirror, Poller: r.poller, Upstream: client, Logger: logger, Registry: r.registry, Version: "test",
		Writer: write.New(write.Options{Upstream: client, Mirror: r.poller, Groups: mirror, Logger: logger, Actor: Actor, RequestID: RequestID}),
	}
	for _, f := range change {
		f(&o)
	}
	if r.api, err = New(o); err != nil {
		t.Fatal(err)
	}
	r.server = httptest.NewServer(r.api)
	t.Cleanup(r.server.Close)
	r.sweep()
	return r
}

func (r *replica) sweep() {
	r.t.Helper()
	if _, err := r.poller.Sweep(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func newSim() *tallyfysim.Sim {
	return tallyfysim.New(tallyfysim.Options{Organization: org, Groups: 12, Members: 30, Edges: 80})
}

// upstream asks the simulator itself.
func (r *replica) upstream(method, target, body string) answer {
	r.t.Helper()
	return r.upstreamAs(simToken, method, target, body)
}

func (r *replica) upstreamAs(authorization, method, target, body string) answer {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, target, strings.NewReader(body))
	req.Header.Set("Authorization", authorization)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-Tallyfy-Client", "APIClient")
	req.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	r.sim.ServeHTTP(rec, req)
	return answer{r.t, rec.Code, rec.Header(), rec.Body.String()}
}

func TestReadsEqualUpstreams(t *testing.T) {
	r := newReplica(t, newSim())
	for _, path := range []string{
		"/groups", "/groups?page=2", "/groups?page=2&per_page=5", "/groups?page=3&per_page=5", "/groups?page=9", "/groups?per_page=1000", "/groups?page=x&per_page=-1",
		"/users", "/users?per_page=7&page=2", "/users?page=0",
	} {
		path = "/organizations/" + org + path
		want, got := r.upstream("GET", path, "").wants(200), r.get(path).wants(200)
		if diff := cmp.Diff(want.at("data"), got.at("data")); diff != "" {
			t.Error(path, diff)
		}
		pages := func(a answer) map[string]any {
			m, _ := a.at("meta", "pagination").(map[string]any)
			if links, ok := m["links"].(map[string]any); ok {
				for rel, link := range links {
					if link, ok := link.(string); ok {
						links[rel] = link[strings.LastIndex(link, "/"):]
					}
				}
			}
			return m
		}
		if diff := cmp.Diff(pages(want), pages(got)); diff != "" {
			t.Error(path, diff)
		}
	}
	for _, path := range []string{"/organizations/" + org + "/groups/none", "/organizations/" + org + "/users/1", "/organizations/other/groups", "/nothing"} {
		want, got := r.upstream("GET", path, ""), r.get(path)
		if want.status != got.status || !cmp.Equal(want.object(), got.object()) {
			t.Errorf("%s: %d %s, upstream says %d %s", path, got.status, got.body, want.status, want.body)
		}
	}
}

func TestAWriteIsShownByTheNextRead(t *testing.T) {
	r := newReplica(t, newSim())
	created := r.do("POST", groupsPath, `{"name":"Through","description":"d","members":[],"guests":["new@guest.test"]}`, "Authorization", simToken, "Content-Type", "application/json").wants(201)
	id, _ := created.at("data", "id").(string)
	if got := r.get("/v1/groups/Through?with=members").wants(200); got.at("data", "id") != id || !cmp.Equal(got.at("data", "guests"), []any{"new@guest.test"}) {
		t.Error(got.body)
	}
	r.get(groupsPath + "/" + id).wants(200)
	if got := r.get("/v1/check?member=NEW@guest.test&group=Through").wants(200); got.at("data", "member") != true {
		t.Error(got.body)
	}
	before := r.get("/v1/groups/" + id).header
	renamed := r.do("PUT", "/api"+groupsPath+"/"+id, `{"name":"Renamed","description":"d"}`, "Authorization", simToken, "Content-Type", "application/json")
	if renamed.status/100 != 2 || renamed.header.Get("Rollcall-Refresh") == "pending" {
		t.Fatal(renamed)
	}
	if got := r.get("/v1/groups/"+id, "If-None-Match", before.Get("ETag")).wants(200); got.at("data", "name") != "Renamed" || got.header.Get("Rollcall-Revision") == before.Get("Rollcall-Revision") {
		t.Error(got.header, got.body)
	}
	r.do("DELETE", groupsPath+"/"+id, "", "Authorization", simToken).wants(204)
	r.get("/v1/groups/"+id).wantsProblem(404, unknownGroup)
	r.get(groupsPath+"/"+id).wantsTallyfy(404, "RESOURCE_NOT_FOUND")
	if lines := r.log.lines(t, "write"); len(lines) != 3 || lines[0]["request_id"] != created.header.Get("X-Request-Id") {
		t.Error(r.log)
	}
	if lines := r.log.lines(t, "request"); len(lines) != 0 {
		t.Error("a write is told twice:", lines)
	}
	if strings.Contains(r.log.String(), tallyfysim.DefaultToken) {
		t.Error("the token is in the log")
	}
}

func TestUpstreamsRefusalOfAWriteComesBack(t *testing.T) {
	r := newReplica(t, newSim())
	for _, body := range []string{`{"broken`, `{"description":"no name"}`} {
		r.sim.ResetRequests()
		want := r.upstream("POST", groupsPath, body)
		got := r.do("POST", groupsPath, body, "Authorization", simToken, "Content-Type", "application/json")
		if got.status != want.status || got.body != want.body || got.status/100 != 4 {
			t.Errorf("%s: %d %s, upstream says %d %s", body, got.status, got.body, want.status, want.body)
		}
		if sent := r.sim.Requests(); len(sent) != 2 || string(sent[1].Body) != body {
			t.Errorf("upstream saw %d requests", len(sent))
		}
	}
	r.do("POST", groupsPath, `{"name":"x","description":"d"}`, "Authorization", "Bearer stranger").wants(401)
}

func TestALostAnswerToAWriteIs504(t *testing.T) {
	r := newReplica(t, newSim())
	id := r.sim.Groups()[0].ID
	r.sim.Fault(tallyfysim.Fault{Times: 1, DropConnection: true, Match: func(r *http.Request) bool { return r.Method == "PUT" }})
	got := r.do("PUT", groupsPath+"/"+id, `{"name":"Lost","description":"d"}`, "Authorization", simToken, "Content-Type", "application/json").wants(504)
	if got.header.Get("Rollcall-Refresh") != "pending" || got.at("error") != true {
		t.Error(got.header, got.body)
	}
	r.sweep()
	if got := r.get("/v1/groups/" + id).wants(200); got.at("data", "name") != "Lost" {
		t.Error(got.body)
	}
}

func TestForwardsReachUpstreamUnderTheCallersName(t *testing.T) {
	r := newReplica(t, newSim())
	got := r.get("/me", "Authorization", simToken).wants(200)
	if got.at("data", "id") == nil {
		t.Error(got.body)
	}
	r.get("/me", "Authorization", "Bearer stranger").wants(401)
	sent := r.sim.Requests()
	if last := sent[len(sent)-1]; last.Header.Get("Authorization") != "Bearer stranger" || last.Header.Get("X-Tallyfy-Client") == "" {
		t.Error(last.Header)
	}
	r.sim.Fault(tallyfysim.Fault{Times: 1, TruncateAfter: 10})
	req, _ := http.NewRequestWithContext(t.Context(), "GET", r.server.URL+"/me", nil)
	req.Header.Set("Authorization", simToken)
	if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Error("half an answer came back as a whole one")
		}
		resp.Body.Close()
	}
}

func TestAChunkedBodyOverTheLimitIs413AndNoWrite(t *testing.T) {
	r := newReplica(t, newSim())
	r.sim.ResetRequests()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", r.server.URL+"/organizations/"+org+"/users/invite", io.MultiReader(strings.NewReader(strings.Repeat("x", maxBody+1))))
	req.Header.Set("Authorization", simToken)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Error(resp.Status)
	}
	for _, sent := range r.sim.Requests() {
		t.Errorf("upstream took %s %s", sent.Method, sent.Path)
	}
}

func TestAUserWriteIsShownByTheNextRead(t *testing.T) {
	r := newReplica(t, newSim())
	users := "/organizations/" + org + "/users"
	write := func(method, path, body string) answer {
		t.Helper()
		got := r.do(method, users+path, body, "Authorization", simToken, "Content-Type", "application/json").wants(200)
		if got.header.Get("Rollcall-Refresh") != "" || got.header.Get("Rollcall-Revision") == "" {
			t.Error(got.header)
		}
		return got
	}
	invited := write("POST", "/invite", `{"email":"new@works.test","first_name":"New","last_name":"Pyke","role":"standard","message":"Welcome"}`)
	id := itoa(int64(invited.at("data", "id").(float64)))
	if got := r.get("/v1/members/new@works.test").wants(200); got.at("data", "status") != "invited" || itoa(int64(got.at("data", "id").(float64))) != id {
		t.Error(got.body)
	}
	write("PUT", "/"+id+"/role", `{"role":"light"}`)
	write("PUT", "/"+id, `{"first_name":"Osric","last_name":"Vane","timezone":"UTC"}`)
	if got := r.get(users + "/" + id).wants(200); got.at("data", "role") != "light" || got.at("data", "full_name") != "Osric Vane" {
		t.Error(got.body)
	}
}

func TestAUserWriteIsShownAfterTheSyncItAsksFor(t *testing.T) {
	r := newReplica(t, newSim())
	var member int64
	for _, u := range r.sim.Users() {
		if u.Status == tallyfysim.StatusActive && !u.Bot && !u.DefaultAdmin && u.Role != tallyfysim.RoleAdmin {
			member = u.ID
		}
	}
	path := "/organizations/" + org + "/users/" + itoa(member)
	got := r.do("DELETE", path+"/disable", "", "Authorization", simToken).wants(200)
	if got.header.Get("Rollcall-Refresh") != "pending" {
		t.Error(got.header)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = r.poller.Run(ctx) })
	defer running.Wait()
	defer cancel()
	synced := r.do("POST", "/v1/sync?wait=30s", "").wants(200)
	if result := synced.at("data", "result"); result != "published" {
		t.Error(synced.body)
	}
	if got := r.get("/v1/members/" + itoa(member)).wants(200); got.at("data", "status") != "disabled" || got.at("data", "group_count") != 0.0 {
		t.Error(got.body)
	}
}

var (
	_ Mirror   = (*db.DB)(nil)
	_ Poller   = (*poller.Poller)(nil)
	_ Writer   = (*write.Writer)(nil)
	_ Upstream = (*tallyfy.Client)(nil)

	_ access.Prober = (*tallyfy.Prober)(nil)
)

func itoa(id int64) string { return strconv.FormatInt(id, 10) }
