package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

func TestTheDocumentListsTheRoutesAndNoOthers(t *testing.T) {
	w := newPeople(t)
	var documented []string
	for path, item := range w.get("/openapi.json").wants(200).at("paths").(map[string]any) {
		for method := range item.(map[string]any) {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(documented)
	want := []string{
		"DELETE /v1/groups/{g}/guests/{email}",
		"DELETE /v1/groups/{g}/members/{m}",
		"GET /v1/changes",
		"GET /v1/changes/stream",
		"GET /v1/check",
		"GET /v1/diff",
		"GET /v1/export/changes.csv",
		"GET /v1/export/changes.ndjson",
		"GET /v1/export/changes.parquet",
		"GET /v1/export/groups.csv",
		"GET /v1/export/groups.ndjson",
		"GET /v1/export/groups.parquet",
		"GET /v1/export/members.csv",
		"GET /v1/export/members.ndjson",
		"GET /v1/export/members.parquet",
		"GET /v1/export/membership_history.csv",
		"GET /v1/export/membership_history.ndjson",
		"GET /v1/export/membership_history.parquet",
		"GET /v1/export/memberships.csv",
		"GET /v1/export/memberships.ndjson",
		"GET /v1/export/memberships.parquet",
		"GET /v1/groups",
		"GET /v1/groups/{g}",
		"GET /v1/groups/{g}/members",
		"GET /v1/groups/{g}/timeline",
		"GET /v1/guests/{email}/groups",
		"GET /v1/hygiene",
		"GET /v1/members",
		"GET /v1/members/{m}",
		"GET /v1/members/{m}/co-members",
		"GET /v1/members/{m}/groups",
		"GET /v1/members/{m}/shared-groups",
		"GET /v1/members/{m}/timeline",
		"GET /v1/memberships",
		"GET /v1/overlap",
		"GET /v1/snapshot.sqlite",
		"GET /v1/status",
		"PATCH /v1/groups/{g}",
		"POST /v1/check",
		"POST /v1/members/{m}/forget",
		"POST /v1/query",
		"POST /v1/sync",
		"PUT /v1/groups/{g}/guests/{email}",
		"PUT /v1/groups/{g}/members/{m}",
	}
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Error(diff)
	}
	for _, route := range documented {
		method, path, _ := strings.Cut(route, " ")
		path = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "x")
		if _, pattern := w.api.server.mux.Handler(&http.Request{Method: method, URL: mustParse(t, path)}); pattern != route {
			t.Errorf("%s is served by %q", route, pattern)
		}
	}
}

func TestAnswersAreWhatTheDocumentSays(t *testing.T) {
	w := newPeople(t)
	w.poller.sweep = directory.Sweep{Result: directory.SweepPublished, BeganAt: time.Now()}
	w.poller.status = directory.PollStatus{
		State: directory.StateFresh, LastError: &directory.LastError{At: time.Now(), Reason: "timeout", Message: "m"}, Progress: &directory.Progress{},
	}
	var d openAPI
	w.get("/openapi.json").decode(&d)
	for _, c := range []struct{ method, path, operation string }{
		{"GET", "/v1/groups?limit=2", "/v1/groups"},
		{"GET", "/v1/groups?with=members", "/v1/groups"},
		{"GET", "/v1/groups?limit=x", "/v1/groups"},
		{"GET", "/v1/groups/Sales", "/v1/groups/{g}"},
		{"GET", "/v1/groups/support", "/v1/groups/{g}"},
		{"GET", "/v1/groups/SUPPORT/members", "/v1/groups/{g}/members"},
		{"GET", "/v1/groups/Sales/members", "/v1/groups/{g}/members"},
		{"GET", "/v1/members", "/v1/members"},
		{"GET", "/v1/members/11", "/v1/members/{m}"},
		{"GET", "/v1/members/11/groups", "/v1/members/{m}/groups"},
		{"GET", "/v1/guests/guest@outside.test/groups", "/v1/guests/{email}/groups"},
		{"GET", "/v1/guests/nobody@x.test/groups", "/v1/guests/{email}/groups"},
		{"GET", "/v1/hygiene?count=true", "/v1/hygiene"},
		{"GET", "/v1/overlap?count=true", "/v1/overlap"},
		{"GET", "/v1/members/11/co-members", "/v1/members/{m}/co-members"},
		{"GET", "/v1/members/11/shared-groups?with=13", "/v1/members/{m}/shared-groups"},
		{"GET", "/v1/check?member=12&group=Sales", "/v1/check"},
		{"GET", "/v1/check?member=11&group=Ops+/+Night", "/v1/check"},
		{"GET", "/v1/status", "/v1/status"},
		{"POST", "/v1/sync?wait=1s", "/v1/sync"},
		{"POST", "/v1/sync?wait=x", "/v1/sync"},
	} {
		got := w.do(c.method, c.path, "")
		if err := d.check(c.method, c.operation, got); err != nil {
			t.Errorf("%s %s: %v\n%s", c.method, c.path, err, got.body)
		}
	}
	w.poller.sweep, w.poller.status = directory.Sweep{Result: directory.SweepRunning}, directory.PollStatus{State: directory.StateStale}
	for _, c := range [][2]string{{"POST", "/v1/sync"}, {"GET", "/v1/status"}} {
		if err := d.check(c[0], c[1], w.do(c[0], c[1], "")); err != nil {
			t.Error(c, err)
		}
	}
}

func TestTheDocumentSaysHowToBeKnownAndWhatRefusalsSay(t *testing.T) {
	keyed, ring := newKeyed(t)
	var d openAPI
	keyed.get("/openapi.json").decode(&d)
	for path, got := range map[string]answer{
		"/v1/groups": keyed.get("/v1/groups").wants(401),
		"/v1/sync":   keyed.do("POST", "/v1/sync", "", ring.of("read")...).wants(403),
	} {
		method := map[string]string{"/v1/groups": "GET", "/v1/sync": "POST"}[path]
		if err := d.check(method, path, got); err != nil {
			t.Error(path, err)
		}
		if told := d.Paths[path][strings.ToLower(method)].Responses; told["401"].Headers["WWW-Authenticate"].Schema.Type == nil || told["403"].Content == nil {
			t.Errorf("%s: refusals are not told", path)
		}
	}
	for w, want := range map[*world]string{keyed: `[{"bearer":[]},{"basic":[]}]`, newPeople(t): `[{},{"bearer":[]}]`} {
		document := w.get("/openapi.json")
		if got, err := json.Marshal(document.at("security")); err != nil || string(got) != want {
			t.Errorf("%s %v, want %s", got, err, want)
		}
		for _, scheme := range []string{"bearer", "basic"} {
			if document.at("components", "securitySchemes", scheme, "scheme") != scheme {
				t.Error("no scheme", scheme)
			}
		}
	}
}

func TestTheCheckOfAnswersFindsWhatIsWrong(t *testing.T) {
	d := openAPI{Components: struct{ Schemas map[string]schema }{map[string]schema{
		"Row": {Type: "object", Required: []string{"id"}, Properties: map[string]schema{"id": {Type: "integer"}}, AdditionalProperties: false},
	}}}
	list := schema{Type: "array", Items: &schema{Ref: "#/components/schemas/Row"}}
	for body, ok := range map[string]bool{
		`[{"id":1}]`: true, `[]`: true, `null`: false, `[{"id":"1"}]`: false, `[{"id":1,"x":2}]`: false, `[{}]`: false, `[{"id":null}]`: false, `[{"id":1.5}]`: false,
	} {
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		if err := d.fits(list, v, "$"); (err == nil) != ok {
			t.Error(body, err)
		}
	}
}

func TestTheDocumentTellsWhatAWriteCanLose(t *testing.T) {
	w := newPeople(t)
	text := fmt.Sprint(w.get("/openapi.json").at("info", "description"))
	if !strings.Contains(text, "within the one round trip") || !strings.Contains(text, "may be overwritten") {
		t.Error(text)
	}
	if yaml := w.get("/openapi.yaml").wants(200); !strings.Contains(yaml.body, "/v1/groups/{g}/members:") {
		t.Error(yaml.body)
	}
}

func TestEveryParameterAndFieldOfTheDocumentIsTold(t *testing.T) {
	w := newPeople(t)
	var d openAPI
	w.get("/openapi.json").decode(&d)
	for name, s := range d.Components.Schemas {
		for field, property := range s.Properties {
			if types := property.types(); len(types) > 1 && slices.Contains(types, "array") {
				t.Errorf("%s.%s is %v; a list is never null", name, field, types)
			}
		}
	}
	for path, item := range d.Paths {
		for method, op := range item {
			if op.Summary == "" || op.Description == "" || op.OperationID == "" {
				t.Errorf("%s %s is not told", method, path)
			}
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s %s: parameter %s is not told", method, path, p.Name)
				}
			}
			for name, h := range op.Responses["200"].Headers {
				if h.Schema.Description == "" {
					t.Errorf("%s %s: header %s is not told", method, path, name)
				}
			}
		}
	}
}

func TestTheDocsPageLoadsNothingFromElsewhere(t *testing.T) {
	w := newPeople(t)
	page := w.get("/docs").wants(200).body
	if strings.Contains(page, "https://cdn") || strings.Contains(page, "unpkg") || regexp.MustCompile(`(src|href)="(https?:)?//`).MatchString(page) {
		t.Error(page)
	}
	for _, match := range regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		w.get(match[1]).wants(200)
	}
}
