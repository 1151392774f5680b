package api

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"rollcall/internal/directory"
)

func TestForwardPassesTheRequestOnAsItCame(t *testing.T) {
	w := newPeople(t)
	for _, prefix := range []string{"", "/api"} {
		w.upstream.says(201, `{"data":{"id":5}}`, "X-RateLimit-Remaining", "7")
		path := "/organizations/" + org + "/tags/a%20b?x=1;y&z=%zz"
		got := w.do("PATCH", prefix+path, `{"broken`, "Authorization", "Bearer own", "Content-Type", "application/json", "X-Tallyfy-Client", "mine",
			"Connection", "X-Hop", "X-Hop", "1", "X-Forwarded-For", "10.0.0.1").wants(201)
		r := w.upstream.request
		if r.Method != "PATCH" || w.upstream.url.RequestURI() != path || w.upstream.body != `{"broken` {
			t.Errorf("upstream was asked %s %s with %q", r.Method, w.upstream.url.RequestURI(), w.upstream.body)
		}
		if r.Header.Get("Authorization") != "Bearer own" || r.Header.Get("X-Tallyfy-Client") != "mine" || r.Header.Get("X-Hop") != "" || r.Header.Get("X-Forwarded-For") != "" {
			t.Error(r.Header)
		}
		if got.body != `{"data":{"id":5}}` || got.header.Get("X-RateLimit-Remaining") != "7" || got.header.Get("Cache-Status") != "rollcall; fwd=method" {
			t.Error(got.header, got.body)
		}
	}
}

func TestEverythingElseOfTallyfyIsForwarded(t *testing.T) {
	w := newPeople(t)
	for _, c := range [][2]string{
		{"GET", "/me"},
		{"GET", "/me/organizations"},
		{"GET", "/organizations/" + org},
		{"GET", "/organizations/" + org + "/guests"},
		{"GET", "/organizations/" + org + "/groups/" + salesID + "/x"},
		{"PATCH", "/organizations/" + org + "/users/11"},
		{"OPTIONS", groupsPath},
		{"POST", "/applications/" + org + "/users"},
		{"POST", "/organizations/" + org + "/users"},
		{"PATCH", groupsPath + "/" + salesID},
	} {
		w.upstream.says(200, `{"data":1}`)
		w.upstream.request = nil
		w.do(c[0], c[1], "", "Authorization", "Bearer own").wants(200)
		if w.upstream.request == nil || w.upstream.request.Method != c[0] {
			t.Error(c, "did not reach upstream")
		}
	}
}

func TestUpstreamsRefusalsGoBackAsTheyCame(t *testing.T) {
	w := newPeople(t)
	for _, status := range []int{400, 401, 402, 403, 404, 409, 422, 429} {
		w.upstream.says(status, `{"message":"their words"}`, "Retry-After", "9")
		got := w.get("/me", "Authorization", "Bearer own").wants(status)
		if got.body != `{"message":"their words"}` || got.header.Get("Retry-After") != "9" {
			t.Error(got.header, got.body)
		}
	}
}

func TestUpstreamsSecretsStayOutOfAnswersAndLogs(t *testing.T) {
	w := newPeople(t)
	w.upstream.says(503, `SQLSTATE[HY000] at /var/www/html/app.php`, "Content-Type", "text/html", "Retry-After", "30",
		"Set-Cookie", "session=s3cret", "Server", "nginx/1.2", "Strict-Transport-Security", "max-age=9", "Access-Control-Allow-Origin", "*",
		"Location", "https://internal.example/")
	got := w.get("/me", "Authorization", "Bearer t0ken")
	got.wantsTallyfy(503, "TALLYFY_ANSWERED_503")
	if got.header.Get("Retry-After") != "30" || got.header.Get("Content-Type") != "application/json" {
		t.Error(got.header)
	}
	for _, name := range []string{"Set-Cookie", "Server", "Strict-Transport-Security", "Access-Control-Allow-Origin", "Location"} {
		if got.header.Get(name) != "" {
			t.Errorf("%s came through: %s", name, got.header.Get(name))
		}
	}
	for _, secret := range []string{"SQLSTATE", "s3cret", "t0ken", "internal.example"} {
		if strings.Contains(w.log.String()+got.body, secret) {
			t.Errorf("%s leaked", secret)
		}
	}
}

func TestAForwardThatFailsSaysHow(t *testing.T) {
	w := newPeople(t)
	for _, c := range []struct {
		reason directory.Reason
		status int
	}{
		{directory.ReasonBudget, 429}, {directory.ReasonThrottled, 429}, {directory.ReasonTransport, 502}, {directory.ReasonTimeout, 504}, {directory.ReasonShape, 502},
	} {
		w.upstream.answer = func() (*http.Response, error) {
			return nil, &directory.UpstreamError{Op: "forward GET", Reason: c.reason, Err: errors.New("dial tcp 10.1.2.3:443")}
		}
		got := w.get("/me", "Authorization", "Bearer own").wants(c.status)
		if strings.Contains(got.body, "10.1.2.3") || got.at("message") == "" || (c.status == 429) != (got.header.Get("Retry-After") != "") {
			t.Error(c.reason, got.header, got.body)
		}
	}
}

// A request that cannot be noted is not sent: whoever may mend it is told so,
// and the log says what is wrong.
func TestARequestThatCannotBeNotedSaysThatNothingWasSent(t *testing.T) {
	w := newPeople(t)
	full := &directory.UpstreamError{Op: "forward PUT", Reason: directory.ReasonStorage, Err: errors.New("note requests: database or disk is full (13)")}
	w.upstream.answer = func() (*http.Response, error) { return nil, full }
	w.writer.err, w.poller.err = full, full
	users := "/organizations/" + org + "/users/11"
	for _, c := range [][2]string{{"GET", "/me"}, {"PUT", users}, {"PUT", groupsPath + "/" + salesID}} {
		got := w.do(c[0], c[1], "{}", "Authorization", "Bearer own", "X-Request-Id", "r-"+c[0])
		got.wantsTallyfy(503, "NOTHING_WAS_SENT_TO_TALLY")
		message, _ := got.at("message").(string)
		if !strings.Contains(message, "free space") || strings.Contains(message, "(13)") || got.header.Get("Rollcall-Refresh") != "" || got.header.Get("Retry-After") != "60" {
			t.Error(c, got.header, got.body)
		}
		if !strings.Contains(w.log.String(), `disk is full (13)","route"`) || !strings.Contains(w.log.String(), "r-"+c[0]) {
			t.Error(w.log)
		}
	}
	p := w.do("POST", "/v1/sync?wait=1s", "", "X-Request-Id", "r-sync").wantsProblem(503, blank)
	if !strings.Contains(p.Detail, "Nothing was sent") || p.RequestID != "r-sync" {
		t.Errorf("%+v", p)
	}
	if w.poller.marks != 0 {
		t.Error("what was not sent is taken for a change")
	}
}

func TestAWriteOfUnknownReachMarksEverything(t *testing.T) {
	w := newPeople(t)
	lost := func() (*http.Response, error) {
		return nil, &directory.UpstreamError{Op: "forward PUT", Reason: directory.ReasonTransport}
	}
	spent := func() (*http.Response, error) {
		return nil, &directory.UpstreamError{Op: "forward PUT", Reason: directory.ReasonBudget}
	}
	for _, c := range []struct {
		method, path string
		status       int
		fails        func() (*http.Response, error)
		marked       bool
	}{
		{"PUT", "/organizations/" + org + "/users/11/custom-fields", 200, nil, true},
		{"DELETE", "/api/organizations/" + org + "/guests/a@x.test/custom-fields", 200, nil, true},
		{"POST", "/organizations/" + org + "/guests", 201, nil, true},
		{"PATCH", groupsPath + "/" + salesID, 200, nil, true},
		{"POST", "/applications/" + org + "/users", 200, nil, true},
		{"PUT", "/organizations/" + org + "/users/11/custom-fields", 500, nil, true},
		{"PUT", "/organizations/" + org + "/users/11/custom-fields", 504, lost, true},
		{"PUT", "/organizations/" + org + "/users/11/custom-fields", 429, spent, false},
		{"PUT", "/organizations/" + org + "/users/11/custom-fields", 422, nil, false},
		{"GET", "/organizations/" + org + "/users/11?with=groups", 200, nil, false},
		{"POST", "/organizations/" + org + "/tags", 201, nil, false},
		{"PUT", "/organizations/" + org + "/usersx/1", 200, nil, false},
	} {
		w.poller.marks = 0
		w.upstream.says(c.status, `{}`)
		if c.fails != nil {
			w.upstream.answer = c.fails
		}
		got := w.do(c.method, c.path, "{}", "Authorization", "Bearer own").wants(c.status)
		if (w.poller.marks == 1) != c.marked || (got.header.Get("Rollcall-Refresh") == "pending") != c.marked {
			t.Errorf("%s %s answered %d: %d marks, %s", c.method, c.path, c.status, w.poller.marks, got.header)
		}
	}
}

func TestABodyOverTheLimitIsRefused(t *testing.T) {
	w := newPeople(t)
	w.upstream.says(200, `{}`)
	long := strings.Repeat("x", maxBody+1)
	for _, path := range []string{groupsPath, "/organizations/" + org + "/tags"} {
		w.do("POST", path, long, "Authorization", "Bearer own").wants(413)
		if w.upstream.request != nil {
			t.Error("a body that says it is too long was sent on")
		}
		req, _ := http.NewRequestWithContext(t.Context(), "POST", w.server.URL+path, io.MultiReader(strings.NewReader(long))) // of unknown length
		req.Header.Set("Authorization", "Bearer own")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 413 {
			t.Error(path, resp.Status)
		}
	}
	if w.writer.request != nil {
		t.Error("a body over the limit was written")
	}
	w.do("POST", "/organizations/"+org+"/file", long, "Authorization", "Bearer own", "Content-Type", "multipart/form-data; boundary=b").wants(200)
	if w.upstream.body != long {
		t.Error("a file was cut")
	}
}

func TestAnAnswerThatBreaksOffIsNotTakenForWhole(t *testing.T) {
	w := newPeople(t)
	var end io.Reader
	w.upstream.answer = func() (*http.Response, error) {
		body := io.MultiReader(strings.NewReader(strings.Repeat("x", 5000)), end)
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(body), ContentLength: -1}, nil
	}
	for path, breaks := range map[string]io.Reader{"/me": failing{}, groupsPath + "?with=assets": failing{}, "/me/panics": panicking{}} {
		end = breaks
		req, _ := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+path, nil)
		req.Header.Set("Authorization", "Bearer own")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			continue
		}
		if _, err = io.Copy(io.Discard, resp.Body); err == nil {
			t.Error(path, "ended as if it were whole")
		}
		resp.Body.Close()
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("in the middle") }

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("reset") }
