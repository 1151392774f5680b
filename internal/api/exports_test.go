package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

// objects reads NDJSON, without what every row of a file carries.
func objects(t *testing.T, ndjson string) []any {
	t.Helper()
	rows := []any{}
	for line := range strings.Lines(ndjson) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row["organization_id"] != org || row["revision"] == nil || row["published_at"] == nil {
			t.Errorf("whose row is it, and of when? %s", line)
		}
		for _, name := range []string{"organization_id", "revision", "published_at"} {
			delete(row, name)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestAnExportHasTheRowsOfItsList(t *testing.T) {
	w := newPeople(t)
	for _, query := range []string{
		"groups", "groups?min_members=1", "groups?q=sup", "members", "members?status=active", "members?in=Sales&not_in=Support",
		"memberships", "memberships?group=Sales&kind=member", "memberships?member=11", "groups?as_of=rev:1", "members?as_of=rev:1&status=disabled", "memberships?as_of=rev:1",
	} {
		table, parameters, _ := strings.Cut(query, "?")
		list := w.get("/v1/" + query).wants(200).at("data").([]any)
		file := w.get("/v1/export/" + table + ".ndjson?" + parameters).wants(200)
		if diff := cmp.Diff(list, objects(t, file.body)); diff != "" || len(list) == 0 {
			t.Error(query, diff)
		}
	}
}

func TestAFileHasTheHeadersOfAReadAndOfAFile(t *testing.T) {
	w := newPeople(t)
	list := w.get("/v1/groups")
	for target, contentType := range map[string]string{
		"/v1/export/groups.csv":               "text/csv; charset=utf-8; header=present",
		"/v1/export/members.ndjson":           "application/x-ndjson",
		"/v1/export/memberships.parquet":      "application/vnd.apache.parquet",
		"/v1/snapshot.sqlite":                 "application/vnd.sqlite3",
		"/v1/export/groups.csv?min_members=1": "text/csv; charset=utf-8; header=present",
		"/v1/snapshot.sqlite?as_of=rev:1":     "application/vnd.sqlite3",
	} {
		got := w.get(target, "Accept-Encoding", "gzip").wants(200)
		h := got.header
		if h.Get("Content-Type") != contentType || h.Get("Content-Encoding") != "" || !strings.HasPrefix(h.Get("ETag"), `"1-`) || got.body == "" {
			t.Error(target, h)
		}
		for _, name := range []string{"Rollcall-Cursor", "Rollcall-Revision", "Rollcall-Epoch", "Cache-Status", "Cache-Control", "Vary"} {
			if h.Get(name) == "" || h.Get(name) != list.header.Get(name) {
				t.Error(target, name, h.Get(name))
			}
		}
		published, err := time.Parse(time.RFC3339, list.at("published_at").(string))
		if modified, parseErr := http.ParseTime(h.Get("Last-Modified")); err != nil || parseErr != nil || !modified.Equal(published.Truncate(time.Second)) {
			t.Error(target, h.Get("Last-Modified"), published)
		}
		if h.Get("Age") == "" || h.Get("Rollcall-Confirmed-At") == "" || h.Get("Content-Disposition") == "" {
			t.Error(target, h)
		}
	}
}

func TestAFileIsFetchedInPartsAndNotTwice(t *testing.T) {
	w := newOwnPeople(t)
	const target = "/v1/export/memberships.csv"
	head := w.do("HEAD", target, "").wants(200)
	if head.header.Get("Content-Length") != "" {
		t.Error("a file was made for HEAD")
	}
	whole := w.get(target).wants(200)
	etag, modified := whole.header.Get("ETag"), whole.header.Get("Last-Modified")
	if head.header.Get("ETag") != etag {
		t.Error("HEAD names another file")
	}
	if length := w.do("HEAD", target, "").wants(200).header.Get("Content-Length"); length != fmt.Sprint(len(whole.body)) {
		t.Error("HEAD of a kept file:", length)
	}
	for _, c := range []struct {
		header []string
		status int
		body   string
	}{
		{[]string{"Range", "bytes=5-9"}, 206, whole.body[5:10]},
		{[]string{"Range", "bytes=-7"}, 206, whole.body[len(whole.body)-7:]},
		{[]string{"Range", "bytes=5-9", "If-Range", etag}, 206, whole.body[5:10]},
		{[]string{"Range", "bytes=5-9", "If-Range", `"1-other"`}, 200, whole.body},
		{[]string{"Range", "bytes=5-9", "If-Range", modified}, 200, whole.body},
		{[]string{"If-None-Match", etag}, 304, ""},
		{[]string{"If-None-Match", "W/" + etag + `, "x"`}, 304, ""},
		{[]string{"If-None-Match", "*"}, 304, ""},
		{[]string{"If-Modified-Since", modified}, 304, ""},
		{[]string{"If-Modified-Since", modified, "If-None-Match", `"x"`}, 200, whole.body},
		{[]string{"If-Match", etag}, 200, whole.body},
		{[]string{"If-Match", "*"}, 200, whole.body},
	} {
		got := w.get(target, c.header...).wants(c.status)
		if got.body != c.body || got.header.Get("ETag") != etag {
			t.Errorf("%v: %q %v", c.header, got.body, got.header)
		}
	}
	w.get(target, "Range", "bytes=99999-").wants(416)
	w.get(target, "If-Match", `"1-other"`).wantsProblem(412, preconditionFailed)
	w.get(target+"?kind=guest", "If-Match", `"1-other"`).wantsProblem(412, preconditionFailed)
	filtered := w.get(target+"?kind=guest", "Range", "bytes=1-2").wants(200)
	w.get(target+"?kind=guest", "If-None-Match", filtered.header.Get("ETag")).wants(304)
	if head := w.do("HEAD", target+"?kind=guest", "").wants(200); head.header.Get("ETag") != filtered.header.Get("ETag") || head.body != "" {
		t.Error(head.header)
	}
}

func TestWhoFetchesAFileInPartsGetsTheRestOfTheRevisionBefore(t *testing.T) {
	w := newOwnPeople(t)
	const target = "/v1/export/groups.ndjson"
	before := w.get(target).wants(200)
	etag := before.header.Get("ETag")
	w.publish([]string{strings.Replace(firstGroup(), `"Sales"`, `"Renamed"`, 1)}, nil)
	after := w.get(target).wants(200)
	if after.body == before.body || after.header.Get("ETag") == etag || !strings.Contains(after.body, "Renamed") {
		t.Fatal("the present file is not the present one")
	}
	rest := w.get(target, "Range", "bytes=10-", "If-Range", etag).wants(206)
	if rest.body != before.body[10:] || rest.header.Get("ETag") != etag || rest.header.Get("Rollcall-Revision") != "1" {
		t.Error(rest.header, rest.body)
	}
	if w.get(target, "If-Match", etag).wants(200).body != before.body {
		t.Error("If-Match names the file before")
	}
	w.publish([]string{strings.Replace(firstGroup(), `"Sales"`, `"Again"`, 1)}, nil)
	w.get(target).wants(200)
	if w.get(target, "Range", "bytes=10-", "If-Range", etag).wants(200).header.Get("Rollcall-Revision") != "3" {
		t.Error("the file of two revisions ago is still served")
	}
	w.get(target, "If-Match", etag).wantsProblem(412, preconditionFailed)
}

func firstGroup() string {
	groups, _ := people()
	return groups[0]
}

func TestADateOfASecondWithTwoRevisionsIsNotBelieved(t *testing.T) {
	w := newOwnPeople(t)
	published := func(f directory.Freshness) time.Time { return f.PublishedAt.Truncate(time.Second) }
	first := w.publish([]string{strings.Replace(firstGroup(), `"Sales"`, `"A"`, 1)}, nil)
	second := w.publish([]string{strings.Replace(firstGroup(), `"Sales"`, `"B"`, 1)}, nil)
	for !published(first).Equal(published(second)) { // the second ended between the two
		first, second = second, w.publish([]string{strings.Replace(firstGroup(), `"Sales"`, fmt.Sprintf("%q", second.PublishedAt), 1)}, nil)
	}
	w.get("/v1/export/groups.csv", "If-Modified-Since", published(second).UTC().Format(http.TimeFormat)).wants(200)
}

func TestExportsThatCannotBeAreRefused(t *testing.T) {
	w := newPeople(t)
	w.get("/v1/export/groups.xlsx").wantsProblem(404, noSuchPath)
	w.get("/v1/export/nothing.csv").wantsProblem(404, noSuchPath)
	w.get("/v1/export/groups.ndjson?excel=true").wantsProblem(422, invalidParameter)
	w.get("/v1/export/groups.csv?limit=5").wantsProblem(422, invalidParameter)
	w.get("/v1/export/groups.csv?excel=true&excel=true").wantsProblem(422, invalidParameter)
	w.get("/v1/export/groups.csv?excel=perhaps").wantsProblem(422, invalidParameter)
	w.get("/v1/export/membership_history.csv?group=Sales").wantsProblem(422, invalidParameter)
	w.get("/v1/export/memberships.csv?group=Nobody").wantsProblem(404, unknownGroup)
	w.get("/v1/export/memberships.csv?group=support&kind=member").wantsProblem(409, ambiguousName)
	w.get("/v1/export/groups.csv?as_of=2999-01-01").wantsProblem(422, invalidParameter)
	w.get("/v1/export/groups.csv?as_of=2001-01-01").wantsProblem(404, unknownInstant)
	w.get("/v1/snapshot.sqlite?as_of=rev:9").wantsProblem(422, invalidParameter)
	newWorld(t).get("/v1/export/groups.csv").wantsProblem(503, noDataYet)
	keyless := newPeople(t, func(o *Options) { o.Exports = withoutKey{o.Exports} })
	if p := keyless.get("/v1/export/groups.csv?pseudonymize=true").wantsProblem(422, invalidParameter); !strings.Contains(p.Detail, "--pseudonym-key") {
		t.Error(p.Detail)
	}
	newPeople(t, func(o *Options) { o.Exports = nil }).get("/v1/export/groups.csv").wantsProblem(404, noSuchPath)
}

type withoutKey struct{ Exports }

func (withoutKey) CanPseudonymize() bool { return false }

func TestAFileThatCannotBeMadeIsAProblemThatSaysWhatToDo(t *testing.T) {
	w := newPeople(t)
	if err := os.WriteFile(w.exports.Dir, nil, 0o600); err != nil { // in the folder's place
		t.Fatal(err)
	}
	for _, target := range []string{"/v1/export/groups.csv", "/v1/snapshot.sqlite", "/v1/snapshot.sqlite?as_of=rev:1"} {
		got := w.get(target)
		if p := got.wantsProblem(503, blank); !strings.Contains(p.Detail, "free space") || strings.Contains(p.Detail, filepath.Dir(w.exports.Dir)) {
			t.Error(p.Detail)
		}
		if got.header.Get("ETag") != "" || got.header.Get("Content-Disposition") != "" || got.header.Get("Retry-After") == "" {
			t.Error(got.header)
		}
	}
	w.get("/v1/export/groups.csv?empty=false").wants(200) // needs no place
	if err := os.Remove(w.exports.Dir); err != nil {
		t.Fatal(err)
	}
	w.get("/v1/export/groups.csv").wants(200)
}

// A breaking keeper fails after it has written something.
type breaking struct {
	Exports
	text string
}

func (b breaking) Stream(_ context.Context, w io.Writer, _ directory.ExportQuery) error {
	if b.text != "" {
		if _, err := io.WriteString(w, b.text); err != nil {
			return err
		}
	}
	return directory.ErrCursorGone
}

func TestAnErrorInTheMiddleOfAFileCutsTheConnection(t *testing.T) {
	const target = "/v1/export/groups.csv?empty=true"
	newPeople(t, func(o *Options) { o.Exports = breaking{o.Exports, ""} }).get(target).wantsProblem(410, cursorGone)
	w := newPeople(t, func(o *Options) { o.Exports = breaking{o.Exports, strings.Repeat("row\r\n", 50_000)} })
	response, err := http.Get(w.server.URL + target)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("a part of a file was taken for the whole")
	}
	if lines := w.log.lines(t, "export"); len(lines) != 1 || lines[0]["complete"] != false {
		t.Error(lines)
	}
}

func TestEachExportIsOneLineInTheLogAndOthersAreNone(t *testing.T) {
	w, ring := newKeyed(t)
	read := ring.of("read")
	etag := w.get("/v1/export/members.csv", append(read, "X-Request-Id", "mine")...).wants(200).header.Get("ETag")
	w.get("/v1/export/members.csv", append(read, "If-None-Match", etag)...).wants(304)
	w.do("HEAD", "/v1/export/members.csv", "", read...).wants(200)
	w.get("/v1/export/members.csv?role=admin", read...).wants(200)
	w.get("/v1/snapshot.sqlite", append(read, "Range", "bytes=0-9")...).wants(206)
	var told []string
	for _, line := range w.log.lines(t, "export") {
		told = append(told, fmt.Sprint(line["table"], ".", line["format"], " at ", line["revision"], " by ", line["actor"], ": ", line["complete"]))
		if line["request_id"] == "" {
			t.Error(line)
		}
	}
	want := []string{"members.csv at 1 by read: true", "members.csv at 1 by read: true", "snapshot.sqlite at 1 by read: true"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

func TestPseudonymsAreTheSameInEveryFileAndNameNobody(t *testing.T) {
	w := newPeople(t)
	byEmail := map[string]any{}
	members := objects(t, w.get("/v1/export/members.ndjson?pseudonymize=true").wants(200).body)
	for _, row := range members {
		m := row.(map[string]any)
		byEmail[m["email"].(string)] = m["id"]
	}
	edges := w.get("/v1/export/memberships.ndjson?pseudonymize=true").wants(200)
	joined := 0
	for _, row := range objects(t, edges.body) {
		e := row.(map[string]any)
		if e["kind"] == "member" && byEmail[e["email"].(string)] == e["member_id"] {
			joined++
		}
	}
	if joined != 5 || len(byEmail) != 3 {
		t.Error("joined", joined, "of 5 edges")
	}
	filtered := w.get("/v1/export/memberships.ndjson?pseudonymize=true&group=Sales").wants(200)
	for _, file := range []answer{edges, filtered, w.get("/v1/export/groups.csv?pseudonymize=true"), w.get("/v1/snapshot.sqlite?pseudonymize=true")} {
		for _, secret := range []string{"Ada", "x.test", "utside", "Sales", "SUPPORT", "Night", "About"} {
			if strings.Contains(file.body, secret) {
				t.Errorf("a file names %s", secret)
			}
		}
	}
	if w.get("/v1/export/members.csv").header.Get("ETag") == w.get("/v1/export/members.csv?pseudonymize=true").header.Get("ETag") {
		t.Error("two files of one name")
	}
}

func TestAChangeNamesItsPlaceAsTheFeedDoes(t *testing.T) {
	end := directory.Freshness{Epoch: "E", Revision: 7, PublishedAt: time.UnixMilli(8), Nonce: 9}
	if got := FeedCursor(end.FeedPlace()); got != feedPlace(end) {
		t.Error(got)
	}
	place := end.FeedPlace()
	place.Key = directory.ChangeKey{Step: directory.StepEdgesAdded, Group: "a", ID: 11}
	text, err := base64.RawURLEncoding.DecodeString(FeedCursor(place))
	if want := `{"e":"E","r":7,"p":8,"n":9,"w":{"s":6,"g":"a","m":11}}`; err != nil || string(text) != want {
		t.Errorf("%s %v, want %s", text, err, want)
	}
}

func TestTheFeedIsAFileUpToItsRevision(t *testing.T) {
	w := newOwnPeople(t)
	w.publish([]string{strings.Replace(firstGroup(), `"Sales"`, `"Renamed"`, 1)}, nil)
	first := w.get("/v1/export/changes.csv?as_of=rev:1").wants(200)
	all := w.get("/v1/export/changes.ndjson").wants(200)
	if n := strings.Count(first.body, "\r\n"); n != 14 || strings.Contains(first.body, "Renamed") { // a header, 4 groups, 3 members, 6 edges
		t.Error(n, first.body)
	}
	lines := strings.Split(strings.TrimSpace(all.body), "\n")
	var last map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || len(lines) != 14 {
		t.Fatal(err, len(lines))
	}
	if last["type"] != "group.updated" || last["revision"] != 2.0 || last["changed"] != `{"name":{"old":"Sales","new":"Renamed"}}` || last["published_at"] == nil {
		t.Error(last)
	}
}

func TestTheHistoryOfMembershipsIsAFileOfItsOwn(t *testing.T) {
	got := newPeople(t).get("/v1/export/membership_history.csv").wants(200)
	if lines := strings.Count(got.body, "\r\n"); lines != 7 || !strings.HasPrefix(got.body, "group_id,group_name,kind,") {
		t.Error(got.body)
	}
}
