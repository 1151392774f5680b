package payload

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

func TestShapeTellsNamesAndKindsApartAndNothingElse(t *testing.T) {
	shape := func(rest string) uint64 {
		row, err := DecodeGroup(fmt.Appendf(nil, `{"id":"a","name":"b","members":[],%s}`, rest), directory.ListForm)
		if err != nil {
			t.Fatal(err)
		}
		return row.Shape
	}
	base := shape(`"x":1,"y":null`)
	for _, same := range []string{`"y":null,"x":-2.5`, ` "x" : 7 , "y" : null`} {
		if shape(same) != base {
			t.Errorf("%s has another shape", same)
		}
	}
	for _, other := range []string{`"x":"1","y":null`, `"x":1,"y":true`, `"x":1`, `"x":1,"z":null`, `"x":null,"y":1`, `"x":[],"y":{}`, `"x":{},"y":[]`} {
		if shape(other) == base {
			t.Errorf("%s has the same shape", other)
		}
	}
}

func TestFieldsAreNamedAsInTheNewestGeneration(t *testing.T) {
	long := strings.Repeat("é", 100)
	got := Fields([]byte(`{"id":"a","last_updated":"2026","user_role":null,"color":[1],"a\"b":{},"is_active":true,"n":-1,"` + long + `":0}`))
	want := []Field{
		{"id", Text, true},
		{"updated_at", Text, true},
		{"role", Null, true},
		{"color", Array, false},
		{`a"b`, Object, false},
		{"is_active", Flag, true},
		{"n", Number, false},
		{strings.Repeat("é", 32) + "…", Number, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := Fields([]byte(`[1]`)); got != nil {
		t.Errorf("an array has fields %v", got)
	}
}
