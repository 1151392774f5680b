package api

import (
	"context"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/directory"
)

var reads = []string{
	groupsPath, groupsPath + "/" + salesID, "/organizations/" + org + "/users", "/organizations/" + org + "/users/11",
	"/v1/groups", "/v1/groups?with=members", "/v1/groups/Sales", "/v1/groups/Sales/members", "/v1/members", "/v1/members/11",
	"/v1/members/11/groups", "/v1/guests/guest@outside.test/groups", "/v1/check?member=11&group=Sales",
}

func TestEveryReadSaysHowOldItIs(t *testing.T) {
	w := newPeople(t)
	f, err := w.db.Freshness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range reads {
		h := w.get(path).wants(200).header
		age, err := strconv.Atoi(h.Get("Age"))
		if err != nil || age < 60 || age > 600 {
			t.Errorf("%s: Age %q, published a minute ago", path, h.Get("Age"))
		}
		if at, err := time.Parse(time.RFC3339, h.Get("Rollcall-Confirmed-At")); err != nil || !at.Equal(f.ConfirmedAt) {
			t.Errorf("%s: confirmed at %q, want %s", path, h.Get("Rollcall-Confirmed-At"), f.ConfirmedAt)
		}
		for name, want := range map[string]string{
			"Cache-Status": "rollcall; hit", "Rollcall-Revision": "1", "Rollcall-Epoch": f.Epoch,
			"Cache-Control": "private, no-cache", "Vary": "Authorization, Accept-Encoding",
		} {
			if got := strings.Join(h.Values(name), "|"); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if !strings.HasPrefix(h.Get("ETag"), `W/"`) {
			t.Errorf("%s: ETag %q is not weak", path, h.Get("ETag"))
		}
		if isV1(path) && h.Get("Rollcall-Cursor") == "" {
			t.Errorf("%s has no place in the feed", path)
		}
	}
}

func TestAMissSaysHowOldItIs(t *testing.T) {
	w := newPeople(t)
	for _, path := range []string{groupsPath + "/none", "/organizations/" + org + "/users/99", "/v1/groups/none", "/v1/members/99", "/v1/check?member=99&group=Sales"} {
		h := w.get(path).wants(404).header
		if h.Get("Age") == "" || h.Get("Rollcall-Confirmed-At") == "" || h.Get("Rollcall-Revision") != "1" {
			t.Error(path, h)
		}
	}
}

func TestIfNoneMatchIsAnsweredWithTheHeadersAlone(t *testing.T) {
	w := newPeople(t)
	for _, path := range reads {
		full := w.get(path).wants(200)
		etag := full.header.Get("ETag")
		for _, known := range []string{etag, strings.TrimPrefix(etag, "W/"), `"x", ` + etag, "*", `W/"y",` + etag + `, "z"`} {
			got := w.get(path, "If-None-Match", known).wants(304)
			if got.body != "" || got.header.Get("Content-Type") != "" {
				t.Errorf("%s: a 304 with body %q of type %q", path, got.body, got.header.Get("Content-Type"))
			}
			for _, name := range []string{
				"ETag", "Cache-Control", "Vary", "Cache-Status", "Rollcall-Revision", "Rollcall-Epoch",
				"Rollcall-Confirmed-At", "Rollcall-Cursor",
			} {
				if got.header.Get(name) != full.header.Get(name) {
					t.Errorf("%s: 304 has %s %q, 200 had %q", path, name, got.header.Get(name), full.header.Get(name))
				}
			}
			if got.header.Get("Age") == "" {
				t.Errorf("%s: 304 without Age", path)
			}
		}
		w.get(path, "If-None-Match", `W/"other"`).wants(200)
		w.get(path, "If-None-Match", etag[:len(etag)-2]+`"`).wants(200)
	}
}

func TestAnETagIsOfOneStateAndOneQuery(t *testing.T) {
	w := newOwnPeople(t)
	seen := map[string]string{}
	distinct := func(label, etag string) {
		t.Helper()
		if before, twice := seen[etag]; twice {
			t.Errorf("%s and %s have one ETag", before, label)
		}
		seen[etag] = label
	}
	for _, path := range append(reads, "/v1/groups?limit=1", "/v1/groups?sort=name", groupsPath+"?per_page=1") {
		distinct(path, w.get(path).header.Get("ETag"))
	}
	distinct("another host in the links", w.get(groupsPath, "Host", "localhost:1").header.Get("ETag"))
	if a, b := w.get("/v1/groups?limit=1&sort=name"), w.get("/v1/groups?sort=name&limit=1"); a.header.Get("ETag") != b.header.Get("ETag") {
		t.Error("the order of parameters changes the ETag")
	}
	w.publish([]string{`{"id":"ffff","name":"New","members":[]}`}, nil)
	for _, path := range reads {
		distinct(path+" later", w.get(path).header.Get("ETag"))
	}
	distinct("another database", newPeople(t).get("/v1/groups").header.Get("ETag"))
	distinct("another program", newPeople(t, func(o *Options) { o.Version = "newer" }).get("/v1/groups").header.Get("ETag"))
}

func TestETagTellsEveryPartApart(t *testing.T) {
	s := &server{Options: Options{Version: "v"}}
	at := time.UnixMilli(1700000000000)
	base := directory.Freshness{Epoch: "e", Revision: 7, PublishedAt: at}
	tags := map[string]bool{}
	for _, c := range []struct {
		f     directory.Freshness
		query string
	}{
		{base, "/a?"},
		{directory.Freshness{Epoch: "f", Revision: 7, PublishedAt: at}, "/a?"},
		{directory.Freshness{Epoch: "e", Revision: 8, PublishedAt: at}, "/a?"},
		{directory.Freshness{Epoch: "e", Revision: 7, PublishedAt: at.Add(time.Millisecond)}, "/a?"},
		{directory.Freshness{Epoch: "e", Revision: 7, PublishedAt: at, Nonce: 1}, "/a?"},
		{base, "/b?"},
	} {
		tags[s.etag(c.f, c.query)] = true
	}
	if len(tags) != 6 {
		t.Errorf("%d ETags of 6 states and queries", len(tags))
	}
}

func TestTooOldToCheckOrToBeReady(t *testing.T) {
	w := newPeople(t, func(o *Options) { o.MaxStale = 30 * time.Second })
	p := w.get("/v1/check?member=11&group=Sales")
	p.wantsProblem(504, tooStale)
	if p.header.Get("Age") == "" {
		t.Error("too stale, but how old?", p.header)
	}
	w.get("/v1/groups").wants(200)
	if got := w.get("/readyz?verbose").wants(503); !strings.Contains(got.body, "[-] data younger than 30s") || got.header.Get("Retry-After") == "" {
		t.Error(got.body)
	}
	young := newPeople(t, func(o *Options) { o.MaxStale = time.Hour })
	young.get("/v1/check?member=11&group=Sales").wants(200)
	young.get("/readyz").wants(200)
}

// Nobody knows how old it is: it may be older than anything allowed.
func TestWhatAClockThatWasSetBackConfirmedIsTooOld(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.MaxStale = time.Hour })
	w.publish(people())
	ahead := time.Now().Add(10 * time.Minute)
	_, err := w.db.Publish(t.Context(), directory.Publication{Sweep: &directory.Sweep{BeganAt: ahead, EndedAt: ahead, Result: directory.SweepUnchanged}})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.get("/v1/groups").wants(200); got.header.Get("Age") != "2147483648" {
		t.Error(got.header)
	}
	w.get("/readyz").wants(503)
	p := w.get("/v1/check?member=11&group=Sales")
	if detail := p.wantsProblem(504, tooStale).Detail; !strings.Contains(detail, "of unknown age") || p.header.Get("Age") != "2147483648" {
		t.Error(p.header, detail)
	}
}

func TestProbes(t *testing.T) {
	w := newWorld(t)
	w.poller.status = directory.PollStatus{NextSweepAt: time.Now().Add(20 * time.Second)}
	w.get("/livez").wants(200)
	got := w.get("/readyz?verbose").wants(503)
	if wait, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || wait < 1 || wait > 20 {
		t.Error("Retry-After", got.header)
	}
	if !strings.Contains(got.body, "[-] data present") {
		t.Error(got.body)
	}
	w.publish(people())
	if got := w.get("/readyz").wants(200); got.body != "ok\n" {
		t.Error(got.body)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(cursor{Epoch: "e", Revision: 7, Published: 1700000000000, Query: "q", Key: "sales", ID: "0f"}.String())
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"r":1,"e":"x","p":0}`)))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := parseCursor(token)
		if err != nil {
			return
		}
		if c.String() != token {
			t.Errorf("%q reads as %+v, which is written %q", token, c, c)
		}
	})
}

func FuzzPaging(f *testing.F) {
	f.Add("page=2&per_page=3", 7)
	f.Add("page=-1&per_page=99999999999999999999", 0)
	f.Fuzz(func(t *testing.T, query string, total int) {
		values, err := url.ParseQuery(query)
		if err != nil || total < 0 {
			t.Skip()
		}
		asked := pageSize{10, 100}.parse(values)
		if asked.page < 1 || asked.perPage < 1 || asked.perPage > 100 || asked.offset() < 0 {
			t.Errorf("%q asks for %+v from %d", query, asked, asked.offset())
		}
		if m := asked.meta(total, 0, "/x", values); m.TotalPages < 1 {
			t.Errorf("%q: %+v", query, m)
		}
	})
}

func FuzzPath(f *testing.F) {
	f.Add("/organizations/../v1/groups")
	f.Add("/organizations/o/%2e%2E/x")
	f.Add("/api/organizations/o%2fx")
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.Parse(path)
		if err != nil || checkPath(u) != nil || !isTallyfys(u.Path) {
			t.Skip()
		}
		for segment := range strings.SplitSeq(below(u).Path, "/") {
			if segment == "." || segment == ".." {
				t.Errorf("%q goes upstream as %q", path, below(u))
			}
		}
		if strings.Contains(strings.ToLower(below(u).EscapedPath()), "%2f") {
			t.Errorf("%q goes upstream as %q", path, below(u))
		}
	})
}

// A movingMirror publishes while somebody misses a row.
type movingMirror struct {
	Mirror
	publish func()
}

func (m movingMirror) GroupSummary(ctx context.Context, ref directory.GroupRef, at *directory.AsOf) (directory.Found[directory.Group], error) {
	found, err := m.Mirror.GroupSummary(ctx, ref, at)
	if err != nil {
		m.publish()
	}
	return found, err
}

func TestAMissNeverClaimsAStateThatHoldsTheRow(t *testing.T) {
	var w *world
	publish := sync.OnceFunc(func() { w.publish([]string{`{"id":"ffff","name":"New","members":[]}`}, nil) })
	w = newWorld(t, func(o *Options) { o.Mirror = movingMirror{o.Mirror, publish} })
	w.publish(people())
	if got := w.get("/v1/groups/New"); got.status == 404 && got.header.Get("Rollcall-Revision") != "1" {
		t.Error("404 of revision", got.header.Get("Rollcall-Revision"), "which holds the group")
	}
}
