package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestManyChecksAreAnsweredInOrder(t *testing.T) {
	w := newPeople(t)
	body := `{"pairs":[
		{"member":11,"group":"Sales"}, {"member":"11","group":"` + salesID + `"}, {"member":"ADA@x.test","group":"ops / night"},
		{"member":12,"group":"Sales"}, {"member":"guest@outside.test","group":"id:` + salesID + `"}, {"member":"id:13","group":"name:Sales"},
		{"member":99,"group":"Sales"}, {"member":11,"group":"Salse"}, {"member":"nobody@x.test","group":"Salse"}, {"member":13,"group":"supporT"}, {"member":13,"group":"Support"}, {"member":11,"group":"Sales"}]}`
	row := func(member bool, kind, status, group, id, reason any) map[string]any {
		return map[string]any{"member": member, "kind": kind, "status": status, "group_id": group, "member_id": id, "reason": reason}
	}
	ada := row(true, "member", "active", salesID, 11.0, nil)
	want := []any{
		ada, ada, row(false, nil, "active", slashedID, 11.0, nil),
		row(false, "member", "disabled", salesID, 12.0, "disabled"), row(true, "guest", nil, salesID, nil, nil), row(true, "member", "invited", salesID, 13.0, nil),
		row(false, nil, nil, salesID, nil, "unknown member"), row(false, nil, "active", nil, 11.0, "unknown group"), row(false, nil, nil, nil, nil, "unknown group"),
		row(false, nil, "invited", nil, 13.0, "ambiguous"), row(false, nil, "invited", supportID, 13.0, nil), ada,
	}
	got := w.do("POST", "/v1/check", body, "Content-Type", "application/json").wants(200)
	if diff := cmp.Diff(want, got.at("data")); diff != "" {
		t.Error(diff)
	}
	f, _ := w.db.Freshness(t.Context())
	if got.at("revision") != float64(f.Revision) || got.header.Get("Rollcall-Revision") == "" || got.header.Get("Rollcall-Cursor") == "" ||
		got.header.Get("Age") == "" || got.header.Get("ETag") != "" || got.header.Get("Cache-Control") != cacheControl {
		t.Error(got.header, got.body)
	}
	got = w.do("POST", "/v1/check?include_disabled=true", `{"pairs":[{"member":12,"group":"Sales"}]}`).wants(200)
	if diff := cmp.Diff([]any{row(true, "member", "disabled", salesID, 12.0, nil)}, got.at("data")); diff != "" {
		t.Error(diff)
	}
}

func TestManyChecksOfThePast(t *testing.T) {
	w := newOwnPeople(t)
	groups, members := people()
	groups[0] = strings.Replace(groups[0], "[11,12,13]", "[12,13]", 1)
	w.publish(groups, members)
	for query, want := range map[string]any{"": false, "?as_of=rev:1": true, "?as_of=rev:2": false} {
		got := w.do("POST", "/v1/check"+query, `{"pairs":[{"member":11,"group":"Sales"}]}`).wants(200)
		if in := got.at("data").([]any)[0].(map[string]any)["member"]; in != want {
			t.Errorf("%q: %v, want %v", query, in, want)
		}
		if in := w.get("/v1/check?member=11&group=Sales"+strings.Replace(query, "?", "&", 1)).wants(200).at("data", "member"); in != want {
			t.Errorf("%q alone: %v, want %v", query, in, want)
		}
	}
	w.do("POST", "/v1/check?as_of=rev:3", `{"pairs":[{"member":11,"group":"Sales"}]}`).wantsProblem(422, invalidParameter)
}

func TestManyChecksThatCannotBeReadAre422(t *testing.T) {
	w := newPeople(t)
	pair := `{"member":11,"group":"Sales"}`
	for body, place := range map[string]string{
		`{"pairs":[]}`: "body.pairs",
		`{"pairs":[` + strings.Repeat(pair+",", 1000) + pair + `]}`: "body.pairs",
		`{}`:                                                          "body",
		`{"pairs":null}`:                                              "body.pairs",
		`{"pairs":{}}`:                                                "body.pairs",
		`{"pairs":[1]}`:                                               "body.pairs[0]",
		`{"pairs":[` + pair + `,{"member":11}]}`:                      "body.pairs[1]",
		`{"pairs":[{"member":11,"group":7}]}`:                         "body.pairs[0].group",
		`{"pairs":[{"member":11,"group":""}]}`:                        "body.pairs[0].group",
		`{"pairs":[{"member":"","group":"Sales"}]}`:                   "body.pairs[0].member",
		`{"pairs":[{"member":0,"group":"Sales"}]}`:                    "body.pairs[0].member",
		`{"pairs":[{"member":1.5,"group":"Sales"}]}`:                  "body.pairs[0].member",
		`{"pairs":[{"member":null,"group":"Sales"}]}`:                 "body.pairs[0].member",
		`{"pairs":[{"member":true,"group":"Sales"}]}`:                 "body.pairs[0].member",
		`{"pairs":[{"member":11,"group":"Sales","since":"today"}]}`:   "body.pairs[0].since",
		`{"pairs":[` + pair + `],"include_disabled":true}`:            "body.include_disabled",
		`{"pairs":[{"member":99999999999999999999,"group":"Sales"}]}`: "body",
		`{"pairs":[`: "body",
		`[]`:         "body",
		``:           "",
	} {
		p := w.do("POST", "/v1/check", body, "Content-Type", "application/json").wantsProblem(422, invalidParameter)
		if place != "" && (len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Location, place)) {
			t.Errorf("%.80s: %+v does not name %s", body, p, place)
		}
	}
	w.do("POST", "/v1/check?member=11", `{"pairs":[`+pair+`]}`).wantsProblem(422, invalidParameter)
	w.do("POST", "/v1/check", `{"pairs":["`+strings.Repeat("x", 2<<20)+`"]}`).wantsProblem(413, tooLarge)
	if got := w.do("POST", "/v1/check", `{"pairs":[`+strings.Repeat(pair+",", 999)+pair+`]}`).wants(200); len(got.at("data").([]any)) != 1000 {
		t.Error(len(got.body))
	}
}

func TestManyChecksAreNotAnsweredFromWhatIsTooOld(t *testing.T) {
	body := `{"pairs":[{"member":11,"group":"Sales"}]}`
	w := newPeople(t, func(o *Options) { o.MaxStale = 30 * time.Second })
	if p := w.do("POST", "/v1/check", body); p.wantsProblem(504, tooStale).Detail == "" || p.header.Get("Age") == "" {
		t.Error(p.header)
	}
	fresh := newPeople(t)
	fresh.do("POST", "/v1/check", body, "Cache-Control", "max-age=1, only-if-cached").wantsProblem(504, notCached)
	fresh.do("POST", "/v1/check", body, "Cache-Control", "max-age=3600, only-if-cached").wants(200)
	empty := newWorld(t)
	empty.do("POST", "/v1/check", body).wantsProblem(503, noDataYet)
}

// A read tells no outcome, whatever its method.
func TestManyChecksAreNoWriteInTheLog(t *testing.T) {
	w := newPeople(t)
	w.do("POST", "/v1/check", `{"pairs":[{"member":11,"group":"Sales"}]}`).wants(200)
	for _, line := range w.log.lines(t, "request") {
		if line["route"] == "/v1/check" && line["level"] != "DEBUG" {
			t.Error(line)
		}
	}
}

// BenchmarkCheckMany checks a hundred people in one group; floor is the server
// itself.
func BenchmarkCheckMany(b *testing.B) {
	w := newBenchWorld(b)
	var pairs []string
	for _, id := range w.people {
		pairs = append(pairs, fmt.Sprintf(`{"member":%d,"group":%q}`, id, w.group))
	}
	body := `{"pairs":[` + strings.Join(pairs, ",") + `]}`
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			w.serve(b, "/livez", "")
		}
	})
	b.Run("100", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "http://localhost/v1/check", strings.NewReader(body))
			recorder := httptest.NewRecorder()
			if w.api.ServeHTTP(recorder, r); recorder.Code != http.StatusOK {
				b.Fatal(recorder.Code, recorder.Body)
			}
		}
	})
}
