package tallyfysim_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/tallyfysim"
)

// grant asks for an application's token with a form as documented, changed by
// pairs of field and value.
func grant(t *testing.T, s *tallyfysim.Sim, changes ...string) reply {
	t.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {"*"},
		"client_id": {tallyfysim.DefaultClientID}, "client_secret": {tallyfysim.DefaultClientSecret},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	req := newRequest(t, s, http.MethodPost, "/oauth/token", form.Encode())
	req.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	return send(t, s, req)
}

func applicationToken(t *testing.T, s *tallyfysim.Sim) string {
	t.Helper()
	return grant(t, s).want(t, http.StatusOK, "access_token").body["access_token"].(string)
}

// askAs asks with another token than the organisation's own.
func askAs(t *testing.T, s *tallyfysim.Sim, token, method, path, body string) reply {
	t.Helper()
	req := newRequest(t, s, method, path, body)
	req.Header.Set("Authorization", "Bearer "+token)
	return send(t, s, req)
}

func mint(t *testing.T, s *tallyfysim.Sim, token, email string) reply {
	t.Helper()
	return askAs(t, s, token, http.MethodPost, "/applications/"+s.Organization()+"/users/"+email+"/token", "")
}

func TestAnApplicationIsGivenATokenForItsCredentials(t *testing.T) {
	s := small(tallyfysim.Options{})
	r := grant(t, s).want(t, http.StatusOK, "")
	if r.body["token_type"] != "Bearer" || r.body["expires_in"] != 604800.0 {
		t.Errorf("got %s", r.raw)
	}
	token := r.body["access_token"].(string)
	askAs(t, s, token, http.MethodGet, "./groups", "").want(t, http.StatusOK, "Night shift")
	askAs(t, s, token, http.MethodGet, "/me", "").want(t, http.StatusUnauthorized, "Unauthenticated.")
	strict := small(tallyfysim.Options{ApplicationRefused: true})
	askAs(t, strict, applicationToken(t, strict), http.MethodGet, "./groups", "").want(t, http.StatusUnauthorized, "Unauthenticated.")
}

func TestWrongCredentialsAreRefusedAsOAuthDoes(t *testing.T) {
	s := small(tallyfysim.Options{})
	grant(t, s, "client_secret", "other").want(t, http.StatusUnauthorized, `"error":"invalid_client"`)
	grant(t, s, "client_id", "12").want(t, http.StatusUnauthorized, `"error":"invalid_client"`)
	grant(t, s, "grant_type", "password").want(t, http.StatusBadRequest, `"error":"unsupported_grant_type"`)
	grant(t, s, "scope", "users").want(t, http.StatusBadRequest, `"error":"invalid_scope"`)
	ask(t, s, http.MethodPost, "/oauth/token", `{"grant_type":"client_credentials"}`).want(t, http.StatusBadRequest, `"error":"invalid_request"`)
	get(t, s, "/oauth/token").want(t, http.StatusNotFound, "ENDPOINT_NOT_FOUND")
	token := applicationToken(t, s)
	s.SetClient("", "")
	grant(t, s, "client_id", "", "client_secret", "").want(t, http.StatusUnauthorized, "invalid_client")
	askAs(t, s, token, http.MethodGet, "./groups", "").want(t, http.StatusOK, "")
	s.SetClient("5", "new")
	grant(t, s, "client_id", "5", "client_secret", "new").want(t, http.StatusOK, "")
}

func TestATokenIsMintedForAUserOfTheOrganisation(t *testing.T) {
	s := small(tallyfysim.Options{})
	application := applicationToken(t, s)
	r := mint(t, s, application, "WRENNA1%40works.test").want(t, http.StatusOK, `"token_type":"Bearer"`)
	if r.body["expires_in"] != 7776000.0 {
		t.Errorf("got %s", r.raw)
	}
	token := r.body["access_token"].(string)
	if me := askAs(t, s, token, http.MethodGet, "/me", "").data(t); me["id"] != 1002.0 {
		t.Errorf("acts as %v", me)
	}
	mint(t, s, application, "nobody@works.test").want(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
	mint(t, s, token, "wrenna0@works.test").want(t, http.StatusForbidden, "")
	mint(t, s, "other", "wrenna0@works.test").want(t, http.StatusUnauthorized, "")
	s.Disable(1002)
	askAs(t, s, token, http.MethodGet, "/me", "").want(t, http.StatusUnauthorized, "")
	mint(t, s, application, "wrenna1@works.test").want(t, http.StatusForbidden, "")
	wrapped := small(tallyfysim.Options{MintedWrapped: true})
	if data := mint(t, wrapped, applicationToken(t, wrapped), "wrenna1@works.test").data(t); data["access_token"] == nil {
		t.Errorf("got %v", data)
	}
}

func TestTokensExpireAndAreRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := small(tallyfysim.Options{ApplicationLife: time.Hour, MintedLife: 2 * time.Hour})
		application := applicationToken(t, s)
		user := mint(t, s, application, "wrenna1@works.test").body["access_token"].(string)
		own := s.PersonalToken(1002, 3*time.Hour)
		valid := func(when string, want ...bool) {
			t.Helper()
			for i, token := range []string{application, user, own, s.Token()} {
				if got := askAs(t, s, token, http.MethodGet, "./groups", "").status == http.StatusOK; got != want[i] {
					t.Errorf("%s: token %d is valid: %v", when, i, got)
				}
			}
		}
		time.Sleep(time.Hour - 1)
		valid("at once", true, true, true, true)
		time.Sleep(time.Nanosecond)
		valid("after an hour", false, true, true, true)
		application = applicationToken(t, s)
		s.LogOut(1002)
		valid("after logging out", true, true, false, true)
		own = s.PersonalToken(1002, 3*time.Hour)
		s.RevokeIssued()
		valid("after revoking", false, false, true, true)
		s.LogOut(0)
		valid("after the owner logged out", false, false, true, false)
	})
}

func TestATokenTellsWhenItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := small(tallyfysim.Options{ApplicationLife: 90 * time.Minute})
		parts := strings.Split(applicationToken(t, s), ".")
		if len(parts) != 3 {
			t.Fatalf("no JWT: %q", parts)
		}
		raw, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		var claims struct {
			IAT, EXP float64
			Sub      string
		}
		if err := json.Unmarshal(raw, &claims); err != nil || claims.EXP-claims.IAT != 5400 || claims.Sub != "" {
			t.Errorf("%s: %v", raw, err)
		}
		opaque := small(tallyfysim.Options{OpaqueTokens: true, NoExpiresIn: true})
		r := grant(t, opaque)
		if _, told := r.body["expires_in"]; told || strings.Contains(r.body["access_token"].(string), ".") {
			t.Errorf("got %s", r.raw)
		}
		grant(t, small(tallyfysim.Options{TextExpiresIn: true})).want(t, http.StatusOK, `"expires_in":"604800"`)
	})
}

func TestTokenRequestsAreThrottledAndFailLikeOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := small(tallyfysim.Options{PerMinute: 2})
		s.Fault(tallyfysim.Refuse(http.StatusServiceUnavailable, tallyfysim.FormHTML))
		grant(t, s).want(t, http.StatusServiceUnavailable, "<html>")
		grant(t, s).want(t, http.StatusOK, "")
		grant(t, s).want(t, http.StatusOK, "")
		if r := grant(t, s).want(t, http.StatusTooManyRequests, ""); r.header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
		}
		if n := len(s.Requests()); n != 4 {
			t.Errorf("%d requests noted", n)
		}
	})
}

func TestAnApplicationProvisionsUsers(t *testing.T) {
	s := small(tallyfysim.Options{Seats: 3})
	token, path := applicationToken(t, s), "/applications/"+s.Organization()+"/users"
	const row = `{"first_name":"Osric","last_name":"Pyke","email":"osric@works.test"}`
	made := askAs(t, s, token, http.MethodPost, path, row).want(t, http.StatusOK, "").data(t)
	if made["role"] != "standard" || made["status"] != "active" || made["timezone"] != "UTC" {
		t.Errorf("got %v", made)
	}
	askAs(t, s, token, http.MethodPost, path, row).want(t, http.StatusUnprocessableEntity, "email")
	askAs(t, s, token, http.MethodPost, path, `{"email":"b@works.test","role":"king"}`).want(t, http.StatusUnprocessableEntity, "first_name")
	askAs(t, s, token, http.MethodPost, path, strings.Replace(row, "osric", "other", 1)).want(t, http.StatusConflict, "SEAT_POOL_EXHAUSTED")
	ask(t, s, http.MethodPost, path, row).want(t, http.StatusForbidden, "")
	askAs(t, s, token, http.MethodPost, "/applications/ffffffffffffffffffffffffffffffff/users", row).want(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
}
