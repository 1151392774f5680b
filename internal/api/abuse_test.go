package api

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/tallyfysim"
)

// doors are requests that show something: one for each way in.
var doors = append(
	[]string{
		"/v1/status", "/metrics", "/v1/nothing", "/nothing", "/me", "/organizations/" + org, "/organizations/" + org + "/guests",
		groupsPath + "?with=assets", "/organizations/other/groups",
	},
	reads...,
)

// persons are in the world of people, at least one in whatever shows anything.
var persons = []string{"Ada", "ada@x.test", "guest@outside", "Sales", salesID, "rollcall_rows"}

// showsNothing wants a refusal that names nobody.
func (a answer) showsNothing(status int) {
	a.t.Helper()
	a.wants(status)
	for _, person := range persons {
		if strings.Contains(a.body, person) {
			a.t.Errorf("%s is shown: %s", person, a.body)
		}
	}
	if a.header.Get("ETag") != "" || a.header.Get("Rollcall-Cursor") != "" || a.header.Get("Rollcall-Revision") != "" {
		a.t.Error(a.header)
	}
}

// etags are those of all reads, as somebody sees them who may.
func (w *world) etags(header ...string) map[string]string {
	w.t.Helper()
	stolen := map[string]string{}
	for _, path := range reads {
		stolen[path] = w.get(path, header...).wants(200).header.Get("ETag")
	}
	return stolen
}

// raw sends a request as it stands.
func (w *world) raw(request string) answer {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		w.t.Fatalf("%q: %v", request, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{w.t, resp.StatusCode, resp.Header, string(body)}
}

func TestAStrangerGetsNothingAtAnyDoor(t *testing.T) {
	keyed, ring := newKeyed(t)
	r := newTokened(t, newSim())
	stolen := keyed.etags(ring.of("read")...)
	for _, w := range []*world{keyed, &r.world} {
		for _, path := range doors {
			for _, header := range [][]string{
				nil,
				{"Authorization", ""},
				{"Authorization", "Bearer"},
				{"Authorization", "Bearer  "},
				{"Authorization", "Basic !"},
				{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"))},
				{"Authorization", "Digest x"},
				{"Authorization", "Bearer " + strings.Repeat("x", 9<<10)},
				{"Authorization", "Bearer a b"},
				{"If-None-Match", stolen[path]},
				{"If-None-Match", "*"},
				{"Cache-Control", "only-if-cached"},
				{"Origin", "http://localhost"},
			} {
				got := w.get(path, header...)
				got.showsNothing(401)
				if challenges := strings.Join(got.header.Values("WWW-Authenticate"), "; "); !strings.Contains(challenges, "Bearer realm=") || !strings.Contains(challenges, "Basic realm=") {
					t.Error(path, challenges)
				}
				if isV1(path) {
					got.wantsProblem(401, unauthenticatedType)
				} else if body := got.object(); len(body) != 1 || !strings.HasPrefix(fmt.Sprint(body["message"]), "Unauthenticated.") {
					t.Error(path, got.body)
				}
			}
		}
		for _, path := range []string{"/livez", "/readyz", "/readyz?verbose", "/openapi.json", "/docs"} {
			got := w.get(path).wants(200)
			for _, person := range persons {
				if strings.Contains(got.body, person) && path != "/openapi.json" {
					t.Errorf("%s shows %s", path, person)
				}
			}
		}
	}
	if n := len(r.sim.Requests()); n != 2 {
		t.Errorf("strangers without a token had %d requests made", n-2)
	}
}

func TestAWrongKeyOpensNothing(t *testing.T) {
	w, ring := newKeyed(t)
	key := ring["all"]
	for _, wrong := range []string{
		key[:len(key)-1], key + "A", "rollcall_", strings.ToLower(key), strings.TrimPrefix(key, "rollcall_"), "Bearer", "all", tallyfysim.DefaultToken, "of the sweeps",
		"rollcall_" + strings.Repeat("A", 52),
	} {
		for _, header := range []string{"Bearer " + wrong, "Basic " + basic("all", wrong), "Basic " + basic(wrong, "x")} {
			for _, path := range doors {
				w.get(path, "Authorization", header).showsNothing(401)
			}
			w.do("POST", "/v1/sync", "", "Authorization", header).showsNothing(401)
			w.do("POST", groupsPath, "{}", "Authorization", header).showsNothing(401)
		}
	}
	if w.upstream.request != nil || w.writer.request != nil || w.poller.waited != nil {
		t.Error("a wrong key had something done")
	}
	twice := w.raw("GET /v1/groups HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nAuthorization: Bearer " + key + "\r\n\r\n")
	twice.showsNothing(401)
}

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

func TestAReadKeyWritesNothing(t *testing.T) {
	w, ring := newKeyed(t)
	for _, c := range [][2]string{
		{"POST", groupsPath},
		{"PUT", groupsPath + "/" + salesID},
		{"DELETE", groupsPath + "/" + salesID},
		{"PATCH", groupsPath + "/" + salesID},
		{"POST", "/api/organizations/" + org + "/users/invite"},
		{"DELETE", "/organizations/" + org + "/users/11"},
		{"PUT", "/organizations/" + org + "/me"},
		{"POST", "/applications/" + org + "/users"},
		{"POST", "/v1/sync"},
		{"POST", "/v1/sync?accept_removals=x"},
	} {
		for _, disguise := range [][]string{nil, {"X-HTTP-Method-Override", "GET"}, {"X-Method-Override", "GET"}} {
			w.do(c[0], c[1], "{}", append(ring.of("read"), disguise...)...).showsNothing(403)
		}
	}
	if w.upstream.request != nil || w.writer.request != nil || w.poller.waited != nil || w.poller.accepted != nil {
		t.Error("a read key had something written")
	}
	for _, path := range reads {
		w.get(path, ring.of("read")...).wants(200)
	}
}

func TestAKeyInTheURLOrACookieOpensNothing(t *testing.T) {
	w, ring := newKeyed(t)
	key := ring["all"]
	for _, name := range []string{"key", "api_key", "access_token", "token", "authorization", "Authorization"} {
		w.get("/v1/groups?" + name + "=" + url.QueryEscape(key)).showsNothing(401)
		w.get(groupsPath + "?" + name + "=Bearer+" + url.QueryEscape(key)).showsNothing(401)
		w.get("/v1/groups", "Cookie", name+"="+key).showsNothing(401)
	}
	for _, target := range []string{"http://x:" + key + "@localhost/v1/groups", "http://" + key + "@localhost/v1/groups", "/v1/groups#" + key, "/" + key + "/v1/groups"} {
		w.raw("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").showsNothing(401)
	}
	if strings.Contains(w.log.String(), key) {
		t.Error("the key is in the log")
	}
}

func TestAKeyNeverGoesUpstream(t *testing.T) {
	ring, keys := newKeyring(t)
	r := newReplica(t, newSim(), withKeys(t, keys))
	for _, c := range [][2]string{
		{"POST", groupsPath},
		{"PUT", groupsPath + "/x"},
		{"DELETE", groupsPath + "/x"},
		{"POST", "/organizations/" + org + "/users/invite"},
		{"PUT", "/organizations/" + org + "/users/1/role"},
		{"DELETE", "/organizations/" + org + "/users/1"},
		{"GET", "/me"},
		{"GET", groupsPath + "?with=assets"},
		{"GET", groupsPath},
	} {
		for _, header := range [][]string{
			{"Authorization", "Bearer " + ring["all"]},
			{"Authorization", "Basic " + basic("anybody", ring["all"])},
			{"Authorization", "bearer " + ring["all"], "Connection", "Authorization", "Proxy-Authorization", "Bearer " + ring["all"]},
		} {
			r.do(c[0], c[1], `{"name":"n","description":"d"}`, header...)
		}
	}
	sent := r.sim.Requests()
	if len(sent) < 15 {
		t.Errorf("only %d requests went upstream", len(sent))
	}
	for _, request := range sent {
		if text := fmt.Sprint(request); strings.Contains(text, ring["all"]) || strings.Contains(text, basic("anybody", ring["all"])) {
			t.Errorf("%s %s carries the key", request.Method, request.Path)
		}
	}
}

func TestUpstreamsRefusalOfTheSweepTokenIsNotTheCallers(t *testing.T) {
	w, ring := newKeyed(t)
	for status, kind := range map[int]string{401: "TALLYFY_REFUSES_THE_TOKEN", 403: "TALLYFY_FORBIDS_THIS_TO_T"} {
		w.upstream.says(status, `{"message":"their words"}`, "WWW-Authenticate", "Bearer")
		w.writer.outcome = outcome(status)
		for _, got := range []answer{
			w.do("POST", groupsPath, "{}", ring.of("write")...),
			w.do("DELETE", groupsPath+"/"+salesID, "", ring.of("write")...),
			w.do("PUT", "/organizations/"+org+"/users/11/role", "{}", ring.of("admin")...),
		} {
			if got.wantsTallyfy(502, kind); got.header.Get("WWW-Authenticate") != "" || strings.Contains(got.body, "their words") {
				t.Error(got.header, got.body)
			}
		}
	}
	w.writer.outcome = outcome(422)
	w.writer.outcome.Body = []byte(`{"message":"their words"}`)
	if got := w.do("PUT", "/organizations/"+org+"/users/11/role", "{}", ring.of("admin")...).wants(422); got.body != `{"message":"their words"}` {
		t.Error(got.body)
	}
}

// A groups-only token of a Tallyfy that lets nobody but administrators list
// users.
func TestATokenThatSeesGroupsAloneSeesNoPersonAtAnyDoor(t *testing.T) {
	sim := tallyfysim.New(tallyfysim.Options{Organization: org, Groups: 12, Members: 30, Edges: 80, Guests: 5, UsersNeedAdmin: true})
	r := newTokened(t, sim)
	token, person := "Bearer "+newToken(t, sim), sim.Users()[3]
	who := itoa(person.ID)
	users := "/organizations/" + org + "/users"
	hidden := []string{
		users, "/api" + users, users + "/" + who, users + "?page=1", users + "?with=groups",
		"/v1/members", "/v1/members?limit=1", "/v1/members/" + who, "/v1/members/" + url.PathEscape(person.Email), "/v1/members/" + who + "/groups",
		"/v1/groups/" + sim.Groups()[0].ID + "/members", "/v1/guests/" + url.PathEscape(aGuest(sim)) + "/groups",
		"/v1/check?member=" + who + "&group=" + sim.Groups()[0].ID, "/v1/status", "/metrics",
	}
	for _, path := range hidden {
		seen := r.get(path, "Authorization", simToken).wants(200)
		for _, header := range [][]string{nil, {"If-None-Match", seen.header.Get("ETag")}, {"If-None-Match", "*"}, {"Cache-Control", "only-if-cached"}, {"Range", "bytes=0-"}} {
			want := 403
			if slices.Contains(header, "only-if-cached") && strings.Contains(path, users) {
				want = 504 // it would be asked of Tallyfy
			}
			got := r.get(path, append([]string{"Authorization", token}, header...)...).wants(want)
			if strings.Contains(got.body, person.Email) || strings.Contains(got.body, person.LastName) {
				t.Error(path, got.body)
			}
		}
		if head := r.do("HEAD", path, "", "Authorization", token); head.status != 403 || head.header.Get("ETag") != "" {
			t.Errorf("HEAD %s: %d %v", path, head.status, head.header)
		}
	}
	for _, path := range []string{groupsPath, groupsPath + "/" + sim.Groups()[0].ID, "/v1/groups", "/v1/groups?with=members", "/v1/groups/" + sim.Groups()[0].ID} {
		r.get(path, "Authorization", token).wants(200)
	}
	sweep := r.do("POST", "/v1/sync", "", "Authorization", token).wants(202)
	if sweep.at("data", "members") != nil {
		t.Error("a sweep tells how many members there are:", sweep.body)
	}
	r.do("POST", "/v1/sync?accept_removals=x", "", "Authorization", token).wants(403)
}

func aGuest(sim *tallyfysim.Sim) string {
	for _, g := range sim.Groups() {
		if len(g.Guests) > 0 {
			return g.Guests[0]
		}
	}
	return ""
}

// What a token sees of Tallyfy's surface is what Tallyfy shows it, though the
// mirror holds more.
func TestTallyfysSurfaceShowsATokenWhatTallyfyShowsIt(t *testing.T) {
	for name, options := range map[string]tallyfysim.Options{
		"a part of the users":     {UsersPartial: true},
		"all users, none singly":  {},
		"no users":                {UsersNeedAdmin: true},
		"all users, in old words": {Generation: tallyfysim.Gen2025},
	} {
		t.Run(name, func(t *testing.T) {
			options.Organization, options.Groups, options.Members, options.Edges = org, 5, 30, 40
			sim := tallyfysim.New(options)
			r := newTokened(t, sim)
			token := "Bearer " + newToken(t, sim)
			who := itoa(sim.Users()[3].ID)
			for _, path := range []string{"/users", "/users?per_page=7", "/users/" + who, "/users/0", "/groups"} {
				path = "/organizations/" + org + path
				want, got := r.upstreamAs(token, "GET", path, ""), r.get(path, "Authorization", token)
				if want.status != got.status || want.status == 200 && fmt.Sprint(want.at("data")) != fmt.Sprint(got.at("data")) {
					t.Errorf("%s: %d %.200s, Tallyfy says %d %.200s", path, got.status, got.body, want.status, want.body)
				}
				sim.ResetRequests()
				r.get("/v1/groups", "Authorization", token).wants(200)
				if n := len(sim.Requests()); n > 0 {
					t.Errorf("%s took the token's rights, and %d requests to give them back", path, n)
				}
			}
		})
	}
}

func TestMadeUpTokensAreProbedSixTimesAMinute(t *testing.T) {
	sim := newSim()
	r := newTokened(t, sim)
	r.get("/v1/groups", "Authorization", simToken).wants(200)
	sim.ResetRequests()
	refused := 0
	for i := range 100 {
		got := r.get("/v1/groups", "Authorization", fmt.Sprintf("Bearer made-up-%d", i))
		switch got.status {
		case 401:
			refused++
		case 503:
			got.wantsProblem(503, blank)
			if wait, err := time.ParseDuration(got.header.Get("Retry-After") + "s"); err != nil || wait < time.Second || wait > time.Minute {
				t.Error(got.header)
			}
		default:
			t.Error(got.status, got.body)
		}
	}
	if n := len(sim.Requests()); n > 6 || refused > 6 {
		t.Errorf("%d requests went upstream, %d tokens were refused", n, refused)
	}
	r.get("/v1/groups", "Authorization", simToken).wants(200)
	if lines := r.log.lines(t, "request refused"); len(lines) > 40 {
		t.Errorf("%d lines tell of 100 refusals", len(lines))
	}
	if strings.Contains(r.log.String(), "made-up") {
		t.Error("a token is in the log")
	}
}

func TestARefusalByTallyfyEndsWhatATokenMaySee(t *testing.T) {
	sim := newSim()
	r := newTokened(t, sim)
	token := newToken(t, sim)
	r.get("/v1/groups", "Authorization", "Bearer "+token).wants(200)
	sim.RevokeToken(token)
	r.get("/v1/groups", "Authorization", "Bearer "+token).wants(200) // for five minutes, unless Tallyfy is asked
	r.get("/me", "Authorization", "Bearer "+token).wants(401)
	r.get("/v1/groups", "Authorization", "Bearer "+token).wantsProblem(401, unauthenticatedType)
}

func TestAKnownTokenStaysInWhileTallyfyIsDownAndANewOneWaits(t *testing.T) {
	sim := newSim()
	r := newTokened(t, sim)
	r.get("/v1/groups", "Authorization", simToken).wants(200)
	sim.Fault(tallyfysim.Fault{Status: http.StatusBadGateway})
	r.get("/v1/groups", "Authorization", simToken).wants(200)
	for path, isProblem := range map[string]bool{"/v1/groups": true, groupsPath: false} {
		got := r.get(path, "Authorization", "Bearer "+newToken(t, sim)).wants(503)
		if got.header.Get("Retry-After") == "" || strings.Contains(got.body, "502") || isProblem != (got.header.Get("Content-Type") == "application/problem+json") {
			t.Error(got.header, got.body)
		}
	}
}

func TestATokenAsBasicPasswordGoesUpstreamAsBearer(t *testing.T) {
	sim := newSim()
	r := newTokened(t, sim)
	header := "Basic " + basic("spreadsheet", tallyfysim.DefaultToken)
	r.get("/v1/members", "Authorization", header).wants(200)
	r.get("/me", "Authorization", header).wants(200)
	sent := sim.Requests()
	if got := sent[len(sent)-1].Header.Get("Authorization"); got != simToken {
		t.Errorf("upstream saw %.5s…", got)
	}
}

// The path that goes upstream begins where Tallyfy's begins, whatever the
// request line says.
func TestNoRequestLineBendsTheWayUpstream(t *testing.T) {
	ring, keys := newKeyring(t)
	w := newPeople(t, withKeys(t, keys))
	other := newPeople(t)
	for _, w := range []*world{w, other} {
		for target, status := range map[string]int{
			"http://evil.example/organizations/" + org + "/../x":            400,
			"http://evil.example/%6frganizations/" + org + "/groups/a%2F..": 400,
			"//evil.example/organizations/" + org:                           404,
			"/organizations/" + org + "/..%2f..%2fother":                    400,
			"/organizations/" + org + "/%2e%2e/%2e%2e/me":                   400,
			"/organizations/" + org + "@evil.example/groups":                404,
			"/organizations/" + org + "\\..\\x":                             400,
			"/@evil.example/organizations/" + org:                           404,
			"@evil.example/organizations/" + org:                            400,
			"/api/api/organizations/" + org + "/groups":                     404,
			"evil.example:80": 404,
		} {
			request := "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + ring["all"] + "\r\nConnection: close\r\n\r\n"
			got := w.raw(request)
			if isForeign := strings.HasPrefix(target, "http://"); isForeign && w == other {
				status = 403 // the mode without keys goes by hosts
			}
			if got.status != status {
				t.Errorf("%s: %d %s, want %d", target, got.status, got.body, status)
			}
		}
		got := w.raw("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n")
		if got.status/100 != 4 {
			t.Error("CONNECT:", got.status)
		}
	}
	if w.upstream.request != nil || other.upstream.request != nil {
		t.Error("a bent request went upstream")
	}
	for _, target := range []string{"http://evil.example/me?x=http://evil", "/api/me?x=http://evil"} {
		other.upstream.says(200, `{}`)
		other.raw("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer own\r\nConnection: close\r\n\r\n")
	}
	if r := other.upstream.request; r == nil || r.URL.Path != "/me" || r.URL.Host != "" || r.URL.RawQuery != "x=http://evil" {
		t.Error(other.upstream.url.String())
	}
}
