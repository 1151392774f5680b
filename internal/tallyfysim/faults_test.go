package tallyfysim_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/tallyfysim"
)

func TestFaultsComeInTheOrderTheyWereAdded(t *testing.T) {
	s := small(tallyfysim.Options{})
	s.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodGet, "/groups"), Times: 2, Status: 503, RetryAfter: "7"})
	s.Fault(tallyfysim.Fault{Times: 1, Status: 500, Body: []byte("SQLSTATE")})
	get(t, s, "/me").want(t, 500, "SQLSTATE")
	if r := get(t, s, "./groups").want(t, 503, ""); r.header.Get("Retry-After") != "7" {
		t.Errorf("got %v", r.header)
	}
	get(t, s, "./groups").want(t, 503, "")
	get(t, s, "./groups").want(t, 200, "")
}

func TestFaultsStayUntilTakenAway(t *testing.T) {
	s := small(tallyfysim.Options{})
	remove := s.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/users"), Status: 502})
	s.Fault(tallyfysim.Fault{Status: 500})
	for range 3 {
		get(t, s, "./users").want(t, 502, "")
	}
	remove()
	get(t, s, "./users").want(t, 500, "")
	s.Clear()
	get(t, s, "./users").want(t, 200, "")
}

func TestAStatusKeepsAWriteFromTakingEffectUnlessHandled(t *testing.T) {
	s := small(tallyfysim.Options{})
	s.Fault(tallyfysim.Fault{Times: 1, Status: 502})
	ask(t, s, http.MethodDelete, "./groups/g", "").want(t, 502, "")
	if _, there := s.Group("g"); !there {
		t.Fatal("the refused deletion took effect")
	}
	s.Fault(tallyfysim.Fault{Times: 1, Status: 502, Handled: true})
	ask(t, s, http.MethodDelete, "./groups/g", "").want(t, 502, "")
	if _, there := s.Group("g"); there {
		t.Fatal("the deletion behind a 502 took no effect")
	}
}

func TestHooksRunAroundTheAnswer(t *testing.T) {
	s := small(tallyfysim.Options{})
	rename := func(name string) func() {
		return func() { s.UpdateGroup("g", func(g *tallyfysim.Group) { g.Name = name }) }
	}
	s.Fault(tallyfysim.Fault{Times: 1, Before: rename("before"), After: rename("after")})
	get(t, s, "./groups/g").want(t, 200, `"name":"before"`)
	get(t, s, "./groups/g").want(t, 200, `"name":"after"`)
}

func TestRewriteAndHeader(t *testing.T) {
	s := small(tallyfysim.Options{})
	s.Fault(tallyfysim.Fault{
		Header:  http.Header{"content-type": {"text/html"}},
		Rewrite: func(body []byte) []byte { return bytes.Replace(body, []byte(`"links":[]`), []byte(`"links":{}`), 1) },
	})
	if r := get(t, s, "./groups").want(t, 200, `"links":{}`); r.header.Get("Content-Type") != "text/html" {
		t.Errorf("got %v", r.header)
	}
}

func TestRefusalsHaveEveryShape(t *testing.T) {
	s := small(tallyfysim.Options{})
	for _, c := range []struct {
		form   tallyfysim.ErrorForm
		status int
		text   string
		isJSON bool
	}{
		{tallyfysim.FormFlagged, 404, `{"code":"NOT_FOUND","error":true`, true},
		{tallyfysim.FormMessage, 401, `{"message":"Unauthorized."}`, true},
		{tallyfysim.FormMessage, 429, `"code":"RATE_LIMIT_EXCEEDED"`, true},
		{tallyfysim.FormFields, 422, `{"error":true,"errors":{"name":[`, true},
		{tallyfysim.FormInvalid, 422, `"members":{"0":[`, true},
		{tallyfysim.FormSeats, 409, `"pool_type":"full"`, true},
		{tallyfysim.FormOAuth, 401, `"error":"invalid_client"`, true},
		{tallyfysim.FormEdge, 401, `apsh213`, true},
		{tallyfysim.FormText, 401, `Unauthorized.`, false},
		{tallyfysim.FormHTML, 503, `<!DOCTYPE html>`, false},
		{tallyfysim.FormEmpty, 502, ``, false},
	} {
		s.Fault(tallyfysim.Refuse(c.status, c.form))
		r := get(t, s, "/me").want(t, c.status, c.text)
		if (r.body != nil) != c.isJSON {
			t.Errorf("form %d: %s", c.form, r.raw)
		}
	}
	get(t, s, "/me").want(t, 200, "")
}

// overSocket and inProcess are the two ways to a simulator; both must break
// alike.
func ways(t *testing.T, s *tallyfysim.Sim) map[string]*http.Client {
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = nil
	server.Start()
	t.Cleanup(server.Close)
	socket := server.Client()
	socket.Transport.(*http.Transport).DisableKeepAlives = true
	redirect := http.RoundTripper(socketTo{server.Listener.Addr().String(), socket.Transport})
	return map[string]*http.Client{"socket": {Transport: redirect}, "in process": {Transport: s.Transport()}}
}

type socketTo struct {
	host string
	next http.RoundTripper
}

func (s socketTo) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Host = s.host
	return s.next.RoundTrip(req)
}

func TestConnectionsBreakAlikeOverSocketAndInProcess(t *testing.T) {
	s := small(tallyfysim.Options{})
	for name, client := range ways(t, s) {
		t.Run(name, func(t *testing.T) {
			put := func(description string) (*http.Response, error) {
				return client.Do(newRequest(t, s, http.MethodPut, "./groups/g", `{"description":"`+description+`"}`))
			}
			described := func() string { g, _ := s.Group("g"); return g.Description }

			s.Fault(tallyfysim.Fault{Times: 1, DropRequest: true})
			if _, err := put(name + " lost request"); err == nil || described() == name+" lost request" {
				t.Errorf("DropRequest: %v, %q", err, described())
			}
			s.Fault(tallyfysim.Fault{Times: 1, DropConnection: true})
			if _, err := put(name + " lost answer"); err == nil || described() != name+" lost answer" {
				t.Errorf("DropConnection: %v, %q", err, described())
			}
			s.Fault(tallyfysim.Fault{Times: 1, TruncateAfter: 20})
			res, err := put(name + " cut answer")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			raw, err := io.ReadAll(res.Body)
			if !errors.Is(err, io.ErrUnexpectedEOF) || len(raw) != 20 || res.ContentLength < 20 {
				t.Errorf("TruncateAfter: %v after %d bytes of %d", err, len(raw), res.ContentLength)
			}
			res, err = put(name)
			if err != nil || res.StatusCode != http.StatusCreated {
				t.Fatal(res, err)
			}
			res.Body.Close()
		})
	}
}

func TestInProcessDropNamesItself(t *testing.T) {
	s := small(tallyfysim.Options{})
	s.Fault(tallyfysim.Fault{DropConnection: true})
	if _, err := s.Transport().RoundTrip(newRequest(t, s, http.MethodGet, "/me", "")); !errors.Is(err, tallyfysim.ErrDropped) {
		t.Errorf("got %v", err)
	}
}

func TestAnswersAreAlikeOverSocketAndInProcess(t *testing.T) {
	s := small(tallyfysim.Options{})
	clients := ways(t, s)
	for _, c := range []struct{ method, path, body string }{
		{"GET", "./groups", ""},
		{"HEAD", "./groups", ""},
		{"GET", "./users/1001", ""},
		{"GET", "./nothing", ""},
		{"PUT", "./groups/g", `{"description":"d"}`},
		{"DELETE", "./groups/h", ""},
	} {
		var bodies []string
		for _, client := range clients {
			res, err := client.Do(newRequest(t, s, c.method, c.path, c.body))
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, res.Status+" "+res.Header.Get("Content-Type")+" "+string(raw))
		}
		if bodies[0] != bodies[1] {
			t.Errorf("%s %s: %q, %q", c.method, c.path, bodies[0], bodies[1])
		}
	}
}

func TestRequestsAreNoted(t *testing.T) {
	s := small(tallyfysim.Options{})
	start := time.Now()
	s.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodPut, ""), DropConnection: true})
	get(t, s, "/api/organizations/"+s.Organization()+"/groups?page=2&page=3")
	req := newRequest(t, s, http.MethodPut, "./guests/a%2Bb@x.test", `{"description":"d"}`)
	req.Header.Del("Authorization")
	_, _ = s.Transport().RoundTrip(req)

	got := s.Requests()
	if len(got) != 2 {
		t.Fatalf("got %d requests", len(got))
	}
	first, second := got[0], got[1]
	if first.Method != "GET" || !strings.HasPrefix(first.Path, "/api/") || !slices.Equal(first.Query["page"], []string{"2", "3"}) ||
		first.Status != 200 || !first.Authorization || first.At.Before(start) || first.Header.Get("X-Tallyfy-Client") != "APIClient" {
		t.Errorf("got %+v", first)
	}
	if !strings.HasSuffix(second.Path, "/a%2Bb@x.test") || second.Status != 0 || second.Authorization || !json.Valid(second.Body) {
		t.Errorf("got %+v", second)
	}
	s.ResetRequests()
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d left", n)
	}
}
