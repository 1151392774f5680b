package api

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/access"
)

const pages = "https://app.example"

// newOpenTo is a world that asks for keys, and lets one origin's pages call.
func newOpenTo(t *testing.T) (*world, keyring) {
	t.Helper()
	ring, keys := newKeyring(t)
	return newPeople(t, withKeys(t, keys), func(o *Options) { o.Origins = []string{pages} }), ring
}

func TestAPreflightNeedsNoKeyAndReachesNothing(t *testing.T) {
	w, _ := newOpenTo(t)
	for _, path := range []string{"/v1/groups", "/v1/sync", groupsPath, "/organizations/" + org + "/users/11", "/nothing"} {
		got := w.do("OPTIONS", path, "", "Origin", pages, "Access-Control-Request-Method", "DELETE",
			"Access-Control-Request-Headers", "authorization,if-match,x-tallyfy-client", "Access-Control-Request-Private-Network", "true").wants(204)
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": pages, "Access-Control-Allow-Methods": "DELETE", "Access-Control-Allow-Private-Network": "true",
			"Access-Control-Allow-Headers": "authorization,if-match,x-tallyfy-client", "Access-Control-Max-Age": "600", "Access-Control-Allow-Credentials": "",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got.header.Get(name), want)
			}
		}
		w.do("OPTIONS", path, "", "Origin", pages).wants(401) // no preflight
	}
	if w.upstream.request != nil {
		t.Error("a preflight went upstream")
	}
}

func TestAPageOfAPermittedOriginReadsAnswersAndTheirHeaders(t *testing.T) {
	w, ring := newOpenTo(t)
	first := w.get("/v1/groups", append(ring.of("read"), "Origin", pages)...).wants(200)
	answers := []answer{
		first,
		w.get("/v1/groups", append(ring.of("read"), "Origin", pages, "If-None-Match", first.header.Get("ETag"))...).wants(304),
		w.get(groupsPath, append(ring.of("read"), "Origin", pages, "Accept-Encoding", "gzip")...).wants(200),
		w.get("/v1/groups", "Origin", pages).wants(401),
		w.get("/v1/groups/none", append(ring.of("read"), "Origin", pages)...).wants(404),
		w.get("/readyz", "Origin", pages).wants(200),
	}
	for i, got := range answers {
		readable := strings.ToLower(strings.Join(got.header.Values("Access-Control-Expose-Headers"), ","))
		if got.header.Get("Access-Control-Allow-Origin") != pages || !varies(got, "Origin") {
			t.Error(i, got.header)
		}
		for _, name := range []string{"etag", "age", "link", "retry-after", "rollcall-revision", "rollcall-confirmed-at", "rollcall-cursor", "rollcall-refresh"} {
			if !strings.Contains(readable, name) {
				t.Errorf("%d: %s is not readable", i, name)
			}
		}
	}
	if !varies(first, "Authorization") || !varies(first, "Accept-Encoding") {
		t.Error(first.header)
	}
}

func varies(a answer, by string) bool {
	listed := strings.Split(strings.Join(a.header.Values("Vary"), ","), ",")
	return slices.ContainsFunc(listed, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), by) })
}

func TestAPageOfAnyOtherOriginReadsNothing(t *testing.T) {
	w, ring := newOpenTo(t)
	for _, origin := range []string{"https://evil.example", "http://app.example", "https://app.example.evil", "https://app.example:8443", "https://APP.example", "null", "*"} {
		for _, got := range []answer{
			w.get("/v1/groups", append(ring.of("read"), "Origin", origin)...).wants(200),
			w.do("OPTIONS", "/v1/groups", "", "Origin", origin, "Access-Control-Request-Method", "GET").wants(204),
		} {
			if got.header.Get("Access-Control-Allow-Origin") != "" || !varies(got, "Origin") {
				t.Error(origin, got.header)
			}
		}
		w.do("POST", "/v1/sync", "", append(ring.of("all"), "Origin", origin)...).wantsProblem(403, forbiddenType)
	}
	if w.poller.waited != nil {
		t.Error("a page of another origin had a sweep made")
	}
}

func TestWithoutCORSNoPageOfAnotherOriginReads(t *testing.T) {
	w := newPeople(t)
	got := w.get("/v1/groups", "Origin", pages).wants(200)
	if got.header.Get("Access-Control-Allow-Origin") != "" || varies(got, "Origin") {
		t.Error(got.header)
	}
	w.do("OPTIONS", "/v1/groups", "", "Origin", pages, "Access-Control-Request-Method", "GET").wants(405)
}

func TestAPageOfAPermittedOriginWritesInEveryMode(t *testing.T) {
	write := func(w *world, authorization ...string) {
		t.Helper()
		w.poller.sweep.Result = "running"
		w.do("POST", "/v1/sync", "", append(authorization, "Origin", pages, "Sec-Fetch-Site", "cross-site")...).wants(202)
	}
	keyed, ring := newOpenTo(t)
	write(keyed, ring.of("write")...)
	write(newPeople(t, func(o *Options) { o.Origins = []string{pages} }))
	r := newTokened(t, newSim(), func(o *Options) { o.Origins = []string{pages} })
	r.do("POST", "/v1/sync", "", "Authorization", simToken, "Origin", pages).wants(202)
	r.do("POST", "/v1/sync", "", "Authorization", simToken, "Origin", "https://evil.example").wantsProblem(403, forbiddenType)
}

func TestUpstreamsOwnCORSHeadersAreReplaced(t *testing.T) {
	w := newPeople(t, func(o *Options) { o.Origins = []string{pages} })
	w.upstream.says(200, `{}`, "Access-Control-Allow-Origin", "*", "Vary", "X-Theirs")
	got := w.get("/me", "Authorization", "Bearer own", "Origin", pages).wants(200)
	if all := got.header.Values("Access-Control-Allow-Origin"); !slices.Equal(all, []string{pages}) || !varies(got, "X-Theirs") || !varies(got, "Origin") {
		t.Error(got.header)
	}
}

func TestOriginsThatNoBrowserSendsAreRefused(t *testing.T) {
	for _, origin := range []string{"", "*", "null", "app.example", "https://app.example/", "https://app.example/x"} {
		if _, err := newBorders(access.ModeNone, nil, []string{origin}); err == nil || !strings.Contains(err.Error(), "--cors-origins") {
			t.Errorf("%q: %v", origin, err)
		}
	}
	if _, err := newBorders(access.ModeNone, &url.URL{Scheme: "https", Host: "who.example"}, []string{pages}); err != nil {
		t.Error(err)
	}
}
