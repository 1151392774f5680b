package payload

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

func FuzzDecodeGroup(f *testing.F) {
	for _, seed := range []string{group2025, groupList, groupSingle, `{"id":1,"name":"","members":["",{}],"guests":[[]],"logo":[{"a":"?"}]}`} {
		f.Add([]byte(seed), []byte(groupList))
	}
	f.Fuzz(func(t *testing.T, raw, other []byte) {
		row, err := DecodeGroup(raw, directory.ListForm)
		if err != nil {
			return
		}
		again, err := DecodeGroup(row.Payload, directory.ListForm)
		row.Oddities, again.Oddities = nil, nil
		if diff := cmp.Diff(row, again); err != nil || diff != "" {
			t.Errorf("decoded again: %v %s", err, diff)
		}
		if !SameGroup(row.Payload, row.Payload) {
			t.Error("not the same as itself")
		}
		checkMerge(t, row.Payload, other)
	})
}

func FuzzDecodeMember(f *testing.F) {
	for _, seed := range []string{member2025, memberList, typicalMember, `{"id":"1","email":"","is_active":"0","role":null}`} {
		f.Add([]byte(seed), []byte(memberList))
	}
	f.Fuzz(func(t *testing.T, raw, other []byte) {
		row, err := DecodeMember(raw, directory.SingleForm)
		if err != nil {
			return
		}
		again, err := DecodeMember(row.Payload, directory.SingleForm)
		row.Oddities, again.Oddities = nil, nil
		if diff := cmp.Diff(row, again); err != nil || diff != "" {
			t.Errorf("decoded again: %v %s", err, diff)
		}
		checkMerge(t, row.Payload, other)
	})
}

// checkMerge holds that a merge is valid JSON and that merging once more
// changes nothing.
func checkMerge(t *testing.T, stored, seen []byte) {
	t.Helper()
	merged, err := merge("row", stored, seen)
	if err != nil {
		return
	}
	if !json.Valid(merged) {
		t.Fatalf("merged to %q", merged)
	}
	twice, err := merge("row", merged, seen)
	if err != nil || string(twice) != string(merged) {
		t.Errorf("merged twice: %v\n%s\n%s", err, merged, twice)
	}
}
