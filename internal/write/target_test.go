package write

import (
	"bytes"
	"net/url"
	"testing"
)

func TestTargetOf(t *testing.T) {
	for _, c := range []struct {
		method, path, body string
		on                 string
		user               int64
		row                string
		alone              bool
		sent               string
	}{
		{"PUT", "/users/12", `{"a":1}`, "PUT users/{}", 12, "12", true, `{"a":1}`},
		{"PUT", "/users/12/role", `{}`, "PUT users/{}/role", 12, "12", true, `{}`},
		{"PUT", "/me", `{}`, "PUT me", 0, "", true, `{}`},
		{"POST", "/users/invite", welcome, "POST users/invite", 0, "", true, welcome},
		{"POST", "/users/invite", `{"email":"a@x.test","groups":[]}`, "POST users/invite", 0, "", false, `{"email":"a@x.test","groups":[]}`},
		{"POST", "/users/invite", `a=b`, "POST users/invite", 0, "", false, `a=b`},
		{"DELETE", "/users/12/disable", "", "DELETE users/{}/disable", 12, "12", false, `{"status":"disabled"}`},
		{"PUT", "/users/12/enable", "", "PUT users/{}/enable", 12, "12", false, `{"status":"active"}`},
		{"DELETE", "/users/12/", "", "DELETE users/{}", 12, "12", false, `{"status":"disabled"}`},
		{"DELETE", "/users/12/delete", "", "DELETE users/{}/delete", 12, "12", false, ""},
		{"PUT", "/users/12/to/guest", "", "PUT users/{}/to/guest", 12, "12", false, ""},
		{"PUT", "/users/12/anything", `{}`, "PUT users/{}/anything", 12, "12", false, ""},
		{"PATCH", "/users/12", `{}`, "PATCH users/{}", 12, "12", false, ""},
		{"DELETE", "/guests/A%2Bb@X.test", "", "DELETE guests/{}", 0, "a+b@x.test", false, ""},
		{"POST", "/guests/12/to/member", "", "POST guests/{}/to/member", 0, "12", false, ""},
		{"PUT", "/users/-3", "", "PUT users/{}", 0, "", true, ""},
		{"PUT", "/users/%zz", "", "PUT users/{}", 0, "", true, ""},
	} {
		u := &url.URL{Path: below + c.path}
		if parsed, err := url.Parse(below + c.path); err == nil {
			u = parsed
		}
		got := targetOf(c.method, u, []byte(c.body))
		if got.on != c.on || got.user != c.user || got.row() != c.row || got.alone != c.alone || !bytes.Equal(got.sent, []byte(c.sent)) {
			t.Errorf("%s %s: %+v", c.method, c.path, got)
		}
	}
}
