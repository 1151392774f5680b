package write

import (
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
