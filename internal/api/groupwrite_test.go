package api

import (
	"net/http"
	"strings"
	"testing"

	"rollcall/internal/directory"
)

func TestGroupWritesGoThroughTheWriter(t *testing.T) {
	w := newPeople(t)
	for _, c := range [][2]string{{"POST", groupsPath}, {"PUT", groupsPath + "/" + salesID}, {"DELETE", groupsPath + "/" + salesID}} {
		for _, prefix := range []string{"", "/api"} {
			w.writer.outcome = &directory.Outcome{
				Status: 201, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "X-Ratelimit-Limit": {"100"}, "Set-Cookie": {"a=b"}, "Content-Length": {"999"}},
				Body: []byte(`{"data":"theirs"}`), Refresh: directory.RefreshApplied, Freshness: directory.Freshness{Epoch: "e", Revision: 9},
			}
			got := w.do(c[0], prefix+c[1]+"?x=1", `{"broken`, "Authorization", "Bearer own", "X-Request-Id", "r-9").wants(201)
			if got.body != `{"data":"theirs"}` || got.header.Get("X-Ratelimit-Limit") != "100" || got.header.Get("Set-Cookie") != "" || got.header.Get("Rollcall-Refresh") != "" {
				t.Error(got.header, got.body)
			}
			if got.header.Get("Rollcall-Revision") != "9" || got.header.Get("Content-Type") != "application/json; charset=utf-8" {
				t.Error(got.header)
			}
			r := w.writer.request
			if r.Method != c[0] || r.URL.RequestURI() != c[1]+"?x=1" || w.writer.body != `{"broken` || r.Header.Get("Authorization") != "Bearer own" {
				t.Errorf("the writer was given %s %s %q %s", r.Method, r.URL, w.writer.body, r.Header)
			}
		}
	}
	if w.poller.marks != 0 || w.upstream.request != nil || w.writer.kind != "group" {
		t.Error("a write that is known row by row was forwarded beside the writer")
	}
}

func TestWritesOnUsersAndGuestsGoThroughTheWriter(t *testing.T) {
	w := newPeople(t)
	for _, c := range [][2]string{
		{"POST", "/users/invite"},
		{"PUT", "/users/11"},
		{"PUT", "/users/11/role"},
		{"PUT", "/users/11/enable"},
		{"DELETE", "/users/11/disable"},
		{"DELETE", "/users/11"},
		{"DELETE", "/users/11/delete"},
		{"PUT", "/users/11/to/guest"},
		{"PUT", "/me"},
		{"DELETE", "/guests/a%2Bb@x.test"},
		{"DELETE", "/guests/a@x.test/disable"},
		{"PUT", "/guests/a@x.test/enable"},
		{"POST", "/guests/a%40x.test/to/member"},
	} {
		for _, prefix := range []string{"", "/api"} {
			w.writer.kind, w.writer.outcome = "", &directory.Outcome{Status: 200, Header: http.Header{}, Body: []byte(`{"data":"theirs"}`), Refresh: directory.RefreshPending}
			path := "/organizations/" + org + c[1] + "?with_reassignment=true&to=3"
			got := w.do(c[0], prefix+path, `{"broken`, "Authorization", "Bearer own").wants(200)
			if got.body != `{"data":"theirs"}` || got.header.Get("Rollcall-Refresh") != "pending" || got.header.Get("Cache-Status") != "rollcall; fwd=method" {
				t.Error(got.header, got.body)
			}
			if r := w.writer.request; w.writer.kind != "person" || r.Method != c[0] || r.URL.RequestURI() != path || w.writer.body != `{"broken` || r.Header.Get("Authorization") != "Bearer own" {
				t.Errorf("%s %s: the %s writer was given %s %s %q", c[0], path, w.writer.kind, r.Method, r.URL, w.writer.body)
			}
		}
	}
	w.do("PUT", "/organizations/"+org+"/users/11", "{}").wants(401)
	w.do("PUT", "/organizations/other/users/11", "{}", "Authorization", "Bearer own").wants(404)
	w.writer.err = &directory.UpstreamError{Op: "forward PUT", Reason: directory.ReasonTransport}
	if got := w.do("PUT", "/organizations/"+org+"/users/11", "{}", "Authorization", "Bearer own").wants(504); got.header.Get("Rollcall-Refresh") != "pending" {
		t.Error(got.header)
	}
	if w.poller.marks != 0 || w.upstream.request != nil {
		t.Error("a write was forwarded beside the writer")
	}
}

func TestAWriteThatIsNotShownYetSaysSo(t *testing.T) {
	w := newPeople(t)
	w.writer.outcome = &directory.Outcome{Status: 204, Refresh: directory.RefreshPending}
	got := w.do("DELETE", groupsPath+"/"+salesID, "", "Authorization", "Bearer own").wants(204)
	if got.header.Get("Rollcall-Refresh") != "pending" || got.body != "" {
		t.Error(got.header, got.body)
	}
}

func TestAFailedWriteSaysWhetherItMayHaveHappened(t *testing.T) {
	w := newPeople(t)
	for _, c := range []struct {
		reason directory.Reason
		status int
	}{
		{directory.ReasonBudget, 429}, {directory.ReasonTransport, 504}, {directory.ReasonTimeout, 504}, {directory.ReasonInternal, 500},
	} {
		w.writer.err = &directory.UpstreamError{Op: "forward PUT", Reason: c.reason}
		got := w.do("PUT", groupsPath+"/"+salesID, "{}", "Authorization", "Bearer own").wants(c.status)
		if (got.header.Get("Rollcall-Refresh") == "pending") != (c.status == 504) {
			t.Error(c.reason, got.header)
		}
	}
	w.writer.err, w.writer.outcome = nil, &directory.Outcome{Status: 500, Body: []byte("Stack trace"), Refresh: directory.RefreshPending}
	got := w.do("PUT", groupsPath+"/"+salesID, "{}", "Authorization", "Bearer own")
	if got.wantsTallyfy(500, "TALLYFY_ANSWERED_500"); strings.Contains(got.body, "Stack") {
		t.Error(got.body)
	}
}
