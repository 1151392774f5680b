package payload

import (
	"strings"
	"testing"

	"rollcall/internal/directory"
)

func TestFingerprintIsStableOverVersions(t *testing.T) {
	group := decodeGroup(t, groupList)
	member, err := DecodeMember([]byte(memberList), directory.ListForm)
	if err != nil {
		t.Fatal(err)
	}
	// These stand in databases: a change here rewrites every row once.
	if want := (directory.Fingerprint{Row: -3105806633483317034, Churn: -2039914840885289964}); group.Fingerprint != want {
		t.Errorf("group fingerprint %#v", group.Fingerprint)
	}
	if want := (directory.Fingerprint{Row: -1166049686650162414, Churn: -7626340190377619978}); member.Fingerprint != want {
		t.Errorf("member fingerprint %#v", member.Fingerprint)
	}
}

func TestFingerprintIgnoresSpelling(t *testing.T) {
	for _, edit := range [][2]string{
		{`[11,12]`, `["12",11,"11"]`},
		{`"last_updated"`, `"updated_at"`},
		{`T04:05:06Z"`, `T04:05:06.000000Z"`},
		{`2025-02-03T04:05:06Z`, `2025-02-03 04:05:06`},
		{`a@x.test`, `A@X.test`},
		{`{`, `{ "assets" : {"data":[1]}, `},
		{`{`, `{"deleted_at":null,"is_suspended":false,`},
		{`"Night shift"`, `"Night\u0020shift"`},
	} {
		other := decodeGroup(t, strings.Replace(groupList, edit[0], edit[1], 1))
		if other.Fingerprint != decodeGroup(t, groupList).Fingerprint {
			t.Errorf("%s for %s changes the fingerprint", edit[1], edit[0])
		}
	}
}

func TestFingerprintShowsEveryChange(t *testing.T) {
	base := `{"id":"a","name":"n","description":null,"logo":"https://x.test/l.png?s=1","members":[1,2],"guests":["a@x.test"],` +
		`"created_at":"2025-02-03T04:05:06Z","note":{"a":[1,"2",null],"b":12345678901234567890.10}}`
	seen := map[int64]string{decodeGroup(t, base).Row: base}
	for _, edit := range [][2]string{
		{`"name":"n"`, `"name":"N"`},
		{`"description":null`, `"description":""`},
		{`"description":null,`, ``},
		{`l.png`, `m.png`},
		{`[1,2]`, `[1]`},
		{`[1,2]`, `[1,2,3]`},
		{`[1,2]`, `[1,2,"x"]`},
		{`[1,2]`, `[12]`},
		{`["a@x.test"]`, `[]`},
		{`["a@x.test"]`, `["a@x.test","b"]`},
		{`05:06Z`, `05:06.001Z`},
		{`05:06Z`, `05:07Z`},
		{`[1,"2",null]`, `["1","2",null]`},
		{`[1,"2",null]`, `[1,["2",null]]`},
		{`[1,"2",null]`, `["2",1,null]`},
		{`890.10`, `891.10`},
		{`"b":`, `"c":`},
		{`"note"`, `"notes"`},
		{`{`, `{"deleted_at":"2025-02-03",`},
		{`{`, `{"is_suspended":true,`},
	} {
		edited := strings.Replace(base, edit[0], edit[1], 1)
		row := decodeGroup(t, edited)
		if earlier, ok := seen[row.Row]; ok {
			t.Errorf("same fingerprint:\n%s\n%s", earlier, edited)
		}
		seen[row.Row] = edited
	}
}

func TestChurnMovesItsOwnFingerprintAlone(t *testing.T) {
	base := `{"id":7,"email":"a@x.test","profile_pic":"https:\/\/x.test\/p.png?sig=1","last_login_at":"2025-01-01T00:00:00Z",` +
		`"last_accessed_at":null,"UTC_offset":"+01:00","logo":{"sizes":[{"url":"https://x.test/s.png?sig=1"}]}}`
	was, err := DecodeMember([]byte(base), directory.ListForm)
	if err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{`p.png?sig=1`, `p.png?sig=2`},
		{`s.png?sig=1`, `s.png?sig=2`},
		{`2025-01-01`, `2025-01-02`},
		{`"last_accessed_at":null`, `"last_accessed_at":"2025-01-01 00:00:00"`},
		{`+01:00"`, `+02:00"`},
	} {
		now, err := DecodeMember([]byte(strings.Replace(base, edit[0], edit[1], 1)), directory.ListForm)
		if err != nil {
			t.Fatal(err)
		}
		if now.Row != was.Row {
			t.Errorf("%s moves the row's fingerprint", edit[1])
		}
		if now.Churn == was.Churn {
			t.Errorf("%s does not move the churn fingerprint", edit[1])
		}
	}
}

func TestSameComparesWhatBothCarry(t *testing.T) {
	for other, want := range map[string]bool{
		`{"id":"` + hex + `","name":"Night shift"}`:                            true,
		`{"id":"` + hex + `","name":"Night shift","colour":"red"}`:             true,
		`{"id":"` + hex + `","name":"Day shift"}`:                              false,
		`{"id":"` + hex + `","members":["12","11"]}`:                           true,
		`{"id":"` + hex + `","members":["12"]}`:                                false,
		`{"id":"` + hex + `","guests":null}`:                                   false,
		`{"id":"` + hex + `","updated_at":"2025-02-04T04:05:06.999999+00:00"}`: true,
		`{"id":"` + hex + `","updated_at":"2025-02-04T04:05:07.000000Z"}`:      false,
		`{"id":"` + hex + `","updated_at":"2025-02-04"}`:                       true,
		`{"id":"` + hex + `","logo":"https://x.test/l.png?sig=1"}`:             false,
		`{"id":"other"}`: false,
		`[]`:             false,
		`nonsense`:       false,
	} {
		if got := SameGroup([]byte(groupList), []byte(other)); got != want {
			t.Errorf("same as %s: %t", other, got)
		}
		if got := SameGroup([]byte(other), []byte(groupList)); got != want {
			t.Errorf("%s same as list: %t", other, got)
		}
	}
	if !SameMember([]byte(`{"id":7,"logo":"u?1","last_login_at":null}`), []byte(`{"id":"7","logo":"u?2","last_login_at":"2025-01-01"}`)) {
		t.Error("churn makes another member")
	}
}

func TestBothGenerationsHaveOneFingerprint(t *testing.T) {
	if now, old := decodeGroup(t, groupList), decodeGroup(t, group2025); now.Fingerprint != old.Fingerprint {
		t.Error("groups differ")
	}
	now, err := DecodeMember([]byte(memberList), directory.ListForm)
	if err != nil {
		t.Fatal(err)
	}
	if old, err := DecodeMember([]byte(member2025), directory.ListForm); err != nil || now.Fingerprint != old.Fingerprint {
		t.Error("members differ", err)
	}
}
