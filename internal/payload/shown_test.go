package payload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMemberShowsWhatWasSent(t *testing.T) {
	const user = `{"id":"12","email":"a@x.test","first_name":"Os\u0072ic","user_role":"Admin","phone":null,"active":0,"groups":[],"updated_at":"2026-01-02T03:04:05Z"}`
	for sent, want := range map[string]Showing{
		`{}`: {},
		`{"id":12,"first_name":"Osric","role":"admin","phone":"","is_active":false}`: {Same: []string{"id", "first_name", "role", "phone", "is_active"}},
		`{"first_name":"osric","updated_at":"2026-01-02 03:04:05"}`:                  {Same: []string{"updated_at"}, Other: []string{"first_name"}},
		`{"message":"Hi","groups":[]}`:                                               {Absent: []string{"message", "groups"}},
		`{"first_name":"Osric","first_name":"other"}`:                                {Same: []string{"first_name"}, Other: []string{"first_name"}},
	} {
		got, ok := MemberShows([]byte(user), []byte(sent))
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %v\n%s", sent, ok, diff)
		}
	}
	for _, sent := range []string{``, `[]`, `first_name=Osric`, `{"first_name":`} {
		if got, ok := MemberShows([]byte(user), []byte(sent)); ok {
			t.Errorf("%q shows %v", sent, got)
		}
	}
	if got, ok := MemberShows([]byte(`<html>`), []byte(`{"role":"light"}`)); !ok || !cmp.Equal(got, Showing{Absent: []string{"role"}}) {
		t.Errorf("what is no user shows %v", got)
	}
}

func TestMemberChangedLooksAtTheNamedFieldsAlone(t *testing.T) {
	before, after := []byte(`{"user_role":"Admin","team":null,"last_name":"A"}`), []byte(`{"role":"admin","team":"North","last_name":"B"}`)
	for field, want := range map[string]bool{"role": false, "team": true, "last_name": true, "phone": false} {
		if got := MemberChanged(before, after, []string{field}); got != want {
			t.Errorf("%s changed: %v", field, got)
		}
	}
	if MemberChanged(before, after, nil) || !MemberChanged(before, []byte(`x`), []string{"role"}) {
		t.Error("nothing changed, or what cannot be read did not")
	}
}

// A user shows all of itself, as far as it is more than includes.
func FuzzMemberShows(f *testing.F) {
	for _, seed := range []string{member2025, memberList, typicalMember, `{"a":1,"a":2}`, `{"groups":null}`, ``} {
		f.Add([]byte(seed), []byte(memberList))
	}
	f.Fuzz(func(t *testing.T, raw, other []byte) {
		s, ok := MemberShows(raw, raw)
		if o, err := parseObject(raw); (err == nil) != ok || len(s.Same)+len(s.Other)+len(s.Absent) != len(o) {
			t.Errorf("%q has %d fields, shown are %v", raw, len(o), s)
		}
		if MemberChanged(raw, raw, s.Same) && ok {
			t.Errorf("%q changed into itself", raw)
		}
		MemberShows(raw, other)
		MemberChanged(raw, other, s.Same)
	})
}
