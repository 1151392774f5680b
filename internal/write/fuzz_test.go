package write

import (
	"net/url"
	"strings"
	"testing"

	"rollcall/internal/directory"
)

// What a body says is sent is in the row that it makes, and nothing that came
// from outside makes the parsers fall over.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		`{"name":"Night shift","description":"Plant B","members":[1,"2"],"guests":["A@x.test"]}`,
		`{"data":{"id":"0f","name":"Night shift","members":[2,1],"guests":[]}}`,
		`{"members":null,"guests":null}`, `{"members":[1,1,{}]}`, `{"name":5}`, `[]`, ``, `{"data":[]}`, `{"data":{"id":""}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := parseSent(body)
		complete := s.row
		complete.MembersAbsent, complete.GuestsAbsent = false, false
		if s.readable && s.fields != (directory.Sent{}) && !s.isIn(&complete) {
			t.Errorf("what %q sends is not in the row that it makes", body)
		}
		if row, err := parseAnswer(body); err == nil && row.ID == "" {
			t.Errorf("%q passes for a group without an id", body)
		}
		saysDeleted(&directory.Outcome{Status: 200, Body: body})
	})
}

// However a path is written, who is meant stands in one line, the log learns
// no name, and nothing but the documented writes is held to reach one row.
func FuzzTargetOf(f *testing.F) {
	for _, seed := range [][2]string{
		{"PUT", "/users/12"},
		{"PUT", "/users/12/role"},
		{"POST", "/users/invite"},
		{"DELETE", "/guests/a%40x.test/disable"},
		{"PUT", "/me"},
		{"PATCH", "/users//1"},
		{"PUT", "/users/%2F/role"},
		{"", ""},
		{"PUT", "/users/9223372036854775808"},
	} {
		f.Add(seed[0], seed[1], welcome)
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		u, err := url.Parse(below + path)
		if err != nil {
			return
		}
		got := targetOf(method, u, []byte(body))
		if got.user != 0 && got.guest != "" || got.user < 0 {
			t.Errorf("%s %s is about two: %+v", method, path, got)
		}
		if got.alone && method != "PUT" && !strings.HasPrefix(got.on, "POST users/invite") {
			t.Errorf("%s %s reaches one row", method, path)
		}
		if got.sentFields() != nil && got.sent == nil {
			t.Errorf("%s %s sent %v", method, path, got.sentFields())
		}
	})
}
