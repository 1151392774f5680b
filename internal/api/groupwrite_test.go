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
	if w.poller.marks != 0 || w.upstream.request != nil {
		t.Error("a write that is known row by row was forwarded beside the writer")
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
