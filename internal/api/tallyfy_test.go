package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

const groupsPath = "/organizations/" + org + "/groups"

func TestTallyfyReadsServeRowsAsUpstreamSentThem(t *testing.T) {
	w := newPeople(t)
	groups, members := people()
	one := w.get(groupsPath + "/" + salesID).wants(200)
	if want := `{"data":` + groups[0] + `}`; one.body != want {
		t.Errorf("one group\n got %s\nwant %s", one.body, want)
	}
	one = w.get("/organizations/" + org + "/users/12").wants(200)
	if want := `{"data":` + members[1] + `}`; one.body != want {
		t.Errorf("one user\n got %s\nwant %s", one.body, want)
	}
	list := w.get(groupsPath).wants(200)
	if want := `{"data":[` + strings.Join(groups, ",") + `],"meta":`; !strings.HasPrefix(list.body, want) {
		t.Errorf("groups\n got %s\nwant %s…", list.body, want)
	}
	list = w.get("/organizations/" + org + "/users").wants(200)
	if want := `{"data":[` + strings.Join(members, ",") + `],"meta":`; !strings.HasPrefix(list.body, want) {
		t.Errorf("users\n got %s\nwant %s…", list.body, want)
	}
	if list.header.Get("Content-Type") != "application/json" {
		t.Error(list.header)
	}
}

func TestTallyfyReadsAreServedUnderAPIToo(t *testing.T) {
	w := newPeople(t)
	for _, path := range []string{groupsPath, groupsPath + "/" + salesID, "/organizations/" + org + "/users/11"} {
		plain, prefixed := w.get(path).wants(200), w.get("/api"+path).wants(200)
		if diff := cmp.Diff(plain.at("data"), prefixed.at("data")); diff != "" {
			t.Error(path, diff)
		}
	}
}

func TestPaginationTakesOddValuesAsTheDesignSays(t *testing.T) {
	w := newPeople(t)
	for _, c := range []struct {
		query                       string
		perPage, page, pages, count int
	}{
		{"", 10, 1, 1, 4},
		{"?page=1&per_page=3", 3, 1, 2, 3},
		{"?page=2&per_page=3", 3, 2, 2, 1},
		{"?page=3&per_page=3", 3, 3, 2, 0},
		{"?page=0", 10, 1, 1, 4},
		{"?page=-1&per_page=-1", 10, 1, 1, 4},
		{"?page=x&per_page=y", 10, 1, 1, 4},
		{"?page=&per_page=", 10, 1, 1, 4},
		{"?page=1.5&per_page=1e1", 10, 1, 1, 4},
		{"?per_page=0", 10, 1, 1, 4},
		{"?per_page=101", 100, 1, 1, 4},
		{"?per_page=99999999999999999999", 100, 1, 1, 4},
		{"?page=%2B2&per_page=03", 3, 2, 2, 1},
	} {
		got := w.get(groupsPath+c.query).wants(200).at("meta", "pagination").(map[string]any)
		delete(got, "links")
		want := map[string]any{
			"total": 4.0, "count": float64(c.count), "per_page": float64(c.perPage),
			"current_page": float64(c.page), "total_pages": float64(c.pages),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", c.query, diff)
		}
	}
	for _, query := range []string{"?page=9223372036854775807&per_page=100", "?page=99999999999999999999", "?page=92233720368547759&per_page=100"} {
		answer := w.get(groupsPath + query).wants(200)
		if rows := answer.at("data").([]any); len(rows) != 0 {
			t.Errorf("%s: %s", query, answer.body)
		}
	}
	if got := w.get("/organizations/"+org+"/users").at("meta", "pagination", "per_page"); got != 9999.0 {
		t.Errorf("users come %v a page, want 9999", got)
	}
}

func TestAnEmptyListHasOnePage(t *testing.T) {
	w := newWorld(t)
	w.publish(nil, nil)
	got := w.get(groupsPath).wants(200)
	if want := `{"data":[],"meta":{"pagination":{"total":0,"count":0,"per_page":10,"current_page":1,"total_pages":1,"links":[]}}}`; got.body != want {
		t.Errorf("got %s\nwant %s", got.body, want)
	}
}

func TestLinksPointAtTheHostTheClientUsed(t *testing.T) {
	w := newPeople(t)
	base := "http://localhost:1234/api" + groupsPath
	links := func(query string) any {
		return w.get("/api"+groupsPath+query, "Host", "localhost:1234").wants(200).at("meta", "pagination", "links")
	}
	want := map[string]any{"previous": nil, "next": base + "?page=2&per_page=1"}
	if diff := cmp.Diff(want, links("?per_page=1")); diff != "" {
		t.Error(diff)
	}
	want = map[string]any{"previous": base + "?page=1&per_page=1", "next": base + "?page=3&per_page=1"}
	if diff := cmp.Diff(want, links("?per_page=1&page=2")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(any([]any{}), links("?per_page=1&page=4")); diff != "" {
		t.Error(diff)
	}
}

func TestPublicURLRulesLinksAndItsPathIsStripped(t *testing.T) {
	public, _ := url.Parse("https://who.example/roll/call/")
	w := newPeople(t, func(o *Options) { o.PublicURL = public })
	for _, path := range []string{groupsPath, "/roll/call" + groupsPath} {
		got := w.get(path+"?per_page=1", "Host", "who.example").wants(200).at("meta", "pagination", "links", "next")
		if want := "https://who.example/roll/call" + groupsPath + "?page=2&per_page=1"; got != want {
			t.Errorf("%s: next is %v, want %s", path, got, want)
		}
	}
	link := w.get("/roll/call/v1/groups?limit=1", "Host", "who.example").wants(200).header.Get("Link")
	if !strings.HasPrefix(link, "<https://who.example/roll/call/v1/groups?") {
		t.Error("Link", link)
	}
	page := w.get("/roll/call/docs", "Host", "who.example").wants(200)
	if !strings.Contains(page.body, `"swaggerJsonUrl":"/roll/call/openapi.json"`) {
		t.Error(page.body)
	}
}

func TestTallyfyErrorsComeInTallyfysShapes(t *testing.T) {
	w := newPeople(t)
	w.get(groupsPath+"/0f").wantsTallyfy(404, "RESOURCE_NOT_FOUND")
	for _, id := range []string{"99", "x", "0", "-1", "99999999999999999999"} {
		w.get("/organizations/"+org+"/users/"+id).wantsTallyfy(404, "RESOURCE_NOT_FOUND")
	}
	w.get("/organizations/other/groups").wantsTallyfy(404, "RESOURCE_NOT_FOUND")
	w.get("/api/organizations/other/users/11").wantsTallyfy(404, "RESOURCE_NOT_FOUND")
	w.do("POST", "/organizations/other/groups", "{}").wantsTallyfy(404, "RESOURCE_NOT_FOUND")
	w.do("POST", "/applications/other/users", "{}").wantsTallyfy(404, "RESOURCE_NOT_FOUND")
	w.get("/nothing").wantsTallyfy(404, "ENDPOINT_NOT_FOUND")
	w.get("/").wantsTallyfy(404, "ENDPOINT_NOT_FOUND")
	w.get("/organizations").wantsTallyfy(404, "ENDPOINT_NOT_FOUND")
	w.get("/api").wantsTallyfy(404, "ENDPOINT_NOT_FOUND")
}

func TestTallyfyShapesByStatus(t *testing.T) {
	for _, c := range []struct {
		problem *Problem
		want    string
	}{
		{newProblem(401, unauthenticatedType, "Unauthenticated."), `{"message":"Unauthenticated."}`},
		{newProblem(429, tooManyRequests, "Slowly."), `{"code":"RATE_LIMIT_EXCEEDED","message":"Slowly."}`},
		{invalid("page", "is odd"), `{"errors":{"page":["is odd"]},"message":"The given data was invalid."}`},
		{newProblem(503, noDataYet, "No data, yet!"), `{"code":"NO_DATA_YET","error":true,"message":"No data, yet!"}`},
	} {
		got, err := encode(tallyfyShape(c.problem))
		if strings.TrimSpace(string(got)) != c.want || err != nil {
			t.Errorf("%d: %s, %v, want %s", c.problem.Status, got, err, c.want)
		}
	}
}

func TestReadsBeforeThereIsDataAre503WithTheReason(t *testing.T) {
	w := newWorld(t)
	w.poller.status = directory.PollStatus{State: directory.StateFailing, LastError: &directory.LastError{Reason: directory.ReasonTransport}}
	for _, path := range []string{groupsPath, groupsPath + "/x", "/organizations/" + org + "/users", "/organizations/" + org + "/users/1"} {
		got := w.get(path).wants(503)
		if got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "transport") || got.at("error") != true {
			t.Errorf("%s: %s %s", path, got.header, got.body)
		}
	}
	for _, path := range []string{"/v1/groups", "/v1/groups/x", "/v1/members", "/v1/members/1/groups", "/v1/guests/a@x.test/groups", "/v1/check?member=1&group=x"} {
		got := w.get(path)
		if p := got.wantsProblem(503, noDataYet); got.header.Get("Retry-After") == "" || !strings.Contains(p.Detail, "transport") {
			t.Errorf("%s: %s %s", path, got.header, got.body)
		}
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	w := newPeople(t)
	for _, path := range []string{groupsPath, "/v1/groups", "/livez"} {
		got := w.do(http.MethodHead, path, "").wants(200)
		if got.body != "" {
			t.Error(path, got.body)
		}
	}
}

func TestLargePagesAreCompressed(t *testing.T) {
	w := newWorld(t)
	var groups []string
	for i := range 60 {
		groups = append(groups, fmt.Sprintf(`{"id":"%032x","name":"Group %d","members":[]}`, i, i))
	}
	w.publish(groups, nil)
	for _, path := range []string{groupsPath + "?per_page=100", "/v1/groups"} {
		for _, coding := range []string{"gzip", "zstd", "identity"} {
			got := w.get(path, "Accept-Encoding", coding).wants(200)
			if encoded := got.header.Get("Content-Encoding"); encoded != coding && (coding != "identity" || encoded != "") {
				t.Errorf("%s as %s came as %q", path, coding, encoded)
			}
			if got.header.Get("Vary") != vary || len(got.header.Values("Vary")) != 1 || !strings.HasPrefix(got.header.Get("ETag"), "W/") {
				t.Errorf("%s as %s: %s", path, coding, got.header)
			}
		}
	}
}
