package payload

import (
	"strings"
	"testing"

	"rollcall/internal/directory"
)

func TestMergeWritesWhatWasSeenInTheListsTypes(t *testing.T) {
	for name, c := range map[string]struct{ stored, seen, want string }{
		"same but for form": {groupList, groupSingle, groupList},
		"everything moves": {
			groupList,
			`{"id":"` + hex + `","name":"Day shift","description":null,"logo":"l","members":["13","12"],"guests":["b@x.test"],` +
				`"created_at":"2025-02-03T04:05:06.000000Z","updated_at":"2025-02-05T01:02:03.456000Z","colour":"red"}`,
			`{"id":"` + hex + `","name":"Day shift","description":null,"logo":"l","members":[13,12],"guests":["b@x.test"],` +
				`"created_at":"2025-02-03T04:05:06Z","last_updated":"2025-02-05T01:02:03Z"}`,
		},
		"absent stays":           {`{"id":"a","name":"n","x":1,"members":[1]}`, `{"id":"a","name":"m"}`, `{"id":"a","name":"m","x":1,"members":[1]}`},
		"null empties":           {`{"members":[1],"guests":["a"]}`, `{"members":null,"guests":null}`, `{"members":[],"guests":[]}`},
		"types of an empty list": {`{"members":[]}`, `{"members":["3","x"]}`, `{"members":[3,"x"]}`},
		"string ids in the list": {`{"id":"7","members":["1"]}`, `{"id":7,"members":[1,2]}`, `{"id":"7","members":["1","2"]}`},
		"case of the list":       {`{"role":"Admin"}`, `{"role":"standard"}`, `{"role":"Standard"}`},
		"case alone":             {`{"user_role":"Admin"}`, `{"role":"admin"}`, `{"user_role":"Admin"}`},
		"flags":                  {`{"active":true}`, `{"is_active":0}`, `{"active":false}`},
		"numbers and texts":      {`{"x":1,"y":"2","country_id":5}`, `{"x":"3","y":4,"country_id":"6"}`, `{"x":3,"y":"4","country_id":6}`},
		"first timestamp":        {`{"created_at":"2025-01-01 00:00:00","last_login_at":null}`, `{"last_login_at":"2025-02-02T02:02:02.000Z"}`, `{"created_at":"2025-01-01 00:00:00","last_login_at":"2025-02-02 02:02:02"}`},
		"more digits in list":    {`{"updated_at":"2025-01-01T00:00:00.000000Z"}`, `{"updated_at":"2025-01-01T00:00:01Z"}`, `{"updated_at":"2025-01-01T00:00:01.000000Z"}`},
		"another zone in list":   {`{"updated_at":"2025-01-01T02:00:00+02:00"}`, `{"updated_at":"2025-07-01T00:00:01Z"}`, `{"updated_at":"2025-07-01T02:00:01+02:00"}`},
		"timestamp cleared":      {`{"disabled_at":"2025-01-01T00:00:00Z"}`, `{"disabled_at":null}`, `{"disabled_at":null}`},
		"churn is taken":         {`{"profile_pic":"u?1","UTC_offset":"+01:00"}`, `{"profile_pic":"u?2","UTC_offset":"+02:00"}`, `{"profile_pic":"u?2","UTC_offset":"+02:00"}`},
		"includes stay":          {`{"groups":[1],"id":1}`, `{"groups":{"data":[]},"id":1}`, `{"groups":[1],"id":1}`},
		"both names":             {`{"updated_at":"2025-01-01","last_updated":"2025-01-01"}`, `{"updated_at":"2025-01-02"}`, `{"updated_at":"2025-01-02","last_updated":"2025-01-02"}`},
		"unknown objects":        {`{"x":{"b":1,"a":2}}`, `{"x":{"a":2,"b":1}}`, `{"x":{"b":1,"a":2}}`},
		"edges come":             {`{"id":"a"}`, `{"id":"a","guests":null,"x":1,"members":["2","y"]}`, `{"id":"a","members":[2,"y"],"guests":[]}`},
		"nothing stored":         {`{}`, `{"id":"a","guests":["a@x.test"]}`, `{"guests":["a@x.test"]}`},
		"large numbers":          {`{"x":1}`, `{"x":12345678901234567890.123}`, `{"x":12345678901234567890.123}`},
	} {
		got, err := MergeGroup([]byte(c.stored), []byte(c.seen))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if string(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestMergedRowIsTheSameAsTheOneSeen(t *testing.T) {
	seen := strings.ReplaceAll(strings.ReplaceAll(groupSingle, "Plant B", "Plant C"), `"12"`, `"13"`)
	merged, err := MergeGroup([]byte(groupList), []byte(seen))
	if err != nil {
		t.Fatal(err)
	}
	if !SameGroup(merged, []byte(seen)) {
		t.Errorf("%s is not the same as %s", merged, seen)
	}
	if row := decodeGroup(t, string(merged)); row.Members[1] != 13 || *row.Description != "Plant C" {
		t.Errorf("decoded as %+v", row)
	}
}

func TestMergeRefusesWhatIsNoRow(t *testing.T) {
	for _, pair := range [][2]string{{`[]`, `{}`}, {`{}`, `[]`}, {``, `{}`}, {`{}`, `{"a":`}} {
		if _, err := MergeMember([]byte(pair[0]), []byte(pair[1])); directory.ReasonOf(err) != directory.ReasonShape {
			t.Errorf("merge of %q into %q: %v", pair[1], pair[0], err)
		}
	}
}
