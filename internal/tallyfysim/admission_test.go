package tallyfysim_test

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/tallyfysim"
)

func TestRequestsMustCarryTheirHeaders(t *testing.T) {
	s := small(tallyfysim.Options{})
	for _, c := range []struct {
		name, header, value string
		status              int
		text                string
	}{
		{"no token", "Authorization", "", 401, `{"message":"Unauthenticated."}`},
		{"wrong token", "Authorization", "Bearer other", 401, "Unauthenticated."},
		{"two spaces", "Authorization", "Bearer  " + s.Token(), 401, "Unauthenticated."},
		{"no scheme", "Authorization", s.Token(), 401, "Unauthenticated."},
		{"no client", "X-Tallyfy-Client", "", 404, `"code":"ENDPOINT_NOT_FOUND"`},
		{"no accept", "Accept", "", 302, "<html>"},
		{"any accept", "Accept", "*/*", 302, "<html>"},
		{"another client", "X-Tallyfy-Client", "n8n", 200, `"data"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := newRequest(t, s, http.MethodGet, "./groups", "")
			req.Header.Set(c.header, c.value)
			send(t, s, req).want(t, c.status, c.text)
		})
	}
	stricter := small(tallyfysim.Options{MissingClient: http.StatusUnauthorized})
	req := newRequest(t, stricter, http.MethodGet, "./groups", "")
	req.Header.Del("X-Tallyfy-Client")
	send(t, stricter, req).want(t, http.StatusUnauthorized, "Unauthenticated.")
}

func TestUnknownPathsAreNotFound(t *testing.T) {
	s := small(tallyfysim.Options{})
	org := s.Organization()
	for _, c := range []struct{ method, path, code string }{
		{"GET", "/organizations/ffffffffffffffffffffffffffffffff/groups", "RESOURCE_NOT_FOUND"},
		{"GET", "./groups/nobody", "RESOURCE_NOT_FOUND"},
		{"GET", "./users/5", "RESOURCE_NOT_FOUND"},
		{"GET", "./users/me", "RESOURCE_NOT_FOUND"},
		{"GET", "./members", "ENDPOINT_NOT_FOUND"},
		{"GET", "./groups/", "ENDPOINT_NOT_FOUND"},
		{"PATCH", "./groups/g", "ENDPOINT_NOT_FOUND"},
		{"GET", "/api/api/organizations/" + org + "/groups", "ENDPOINT_NOT_FOUND"},
		{"GET", "/", "ENDPOINT_NOT_FOUND"},
	} {
		ask(t, s, c.method, c.path, "").want(t, http.StatusNotFound, `"code":"`+c.code+`"`)
	}
	odd := small(tallyfysim.Options{MalformedID: http.StatusUnprocessableEntity})
	get(t, odd, "./groups/g").want(t, http.StatusUnprocessableEntity, "errors")
	get(t, odd, "./groups/0123456789abcdef0123456789abcdef").want(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
}

func TestTokensActAsTheirUserAndEnd(t *testing.T) {
	s := small(tallyfysim.Options{})
	wren := person(s, "wren")
	s.AddToken("wrens", wren)
	as := func(token, path string) reply {
		req := newRequest(t, s, http.MethodGet, path, "")
		req.Header.Set("Authorization", "Bearer "+token)
		return send(t, s, req)
	}
	if me := as("wrens", "/me").data(t); me["id"] != float64(wren) {
		t.Errorf("got %v", me)
	}
	as("wrens", "./groups").want(t, http.StatusOK, "")
	as("wrens", "./users/1001").want(t, http.StatusForbidden, `"error":true`)
	s.Disable(wren)
	as("wrens", "/me").want(t, http.StatusUnauthorized, "")

	old := s.Token()
	s.SetToken("fresh")
	as(old, "/me").want(t, http.StatusUnauthorized, "")
	as("fresh", "/me").want(t, http.StatusOK, "")
	s.RevokeToken("fresh")
	as("fresh", "/me").want(t, http.StatusUnauthorized, "")
}

func TestWhoMayListUsers(t *testing.T) {
	for _, c := range []struct {
		o      tallyfysim.Options
		status int
		total  string
	}{
		{tallyfysim.Options{}, 200, `"total":4`},
		{tallyfysim.Options{UsersPartial: true}, 200, `"total":3`},
		{tallyfysim.Options{UsersNeedAdmin: true}, 403, ""},
	} {
		s := small(c.o)
		s.AddToken("wrens", person(s, "wren"))
		s.CreateUser(tallyfysim.User{Email: "i@works.test", Status: tallyfysim.StatusInvited})
		req := newRequest(t, s, http.MethodGet, "./users", "")
		req.Header.Set("Authorization", "Bearer wrens")
		send(t, s, req).want(t, c.status, c.total)
	}
}

func TestThrottleAdmitsSoManyInASlidingWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := small(tallyfysim.Options{PerFiveSeconds: 2, PerMinute: 3, PerHour: 4, RateHeaders: true})
		if r := get(t, s, "/me").want(t, 200, ""); r.header.Get("X-RateLimit-Remaining") != "2" || r.header.Get("X-RateLimit-Limit") != "3" {
			t.Errorf("got %v", r.header)
		}
		get(t, s, "/me").want(t, 200, "")
		for i, wait := range []string{"5", "55", "3540"} {
			r := get(t, s, "/me").want(t, http.StatusTooManyRequests, `{"message":"Too Many Attempts."}`)
			if after := r.header.Get("Retry-After"); after != wait {
				t.Fatalf("wait %d is %s, want %s", i, after, wait)
			}
			seconds, _ := strconv.Atoi(wait)
			time.Sleep(time.Duration(seconds) * time.Second)
			get(t, s, "/me").want(t, 200, "")
		}
	})
}
