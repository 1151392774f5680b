package payload

import "testing"

func TestGroupsAreIncludedWrappedAndWithTheirOwnValues(t *testing.T) {
	full := IncludedGroup([]byte(`{"id":"0f","name":"A, \"b\"","description":"d","logo":{"data":[]},"members":["1",2],"guests":["a@x.test"],"created_at":"x"}`))
	bare := IncludedGroup([]byte("{ \"name\" : \"B\",\n\"id\":7, \"guests\":null}"))
	if want := `{"id":"0f","name":"A, \"b\"","logo":{"data":[]},"members":["1",2],"guests":["a@x.test"]}`; string(full) != want {
		t.Errorf("%s, want %s", full, want)
	}
	if want := `{"name":"B","id":7,"guests":null}`; string(bare) != want {
		t.Errorf("%s, want %s", bare, want)
	}
	included := [][]byte{full, []byte("{}"), bare}
	for _, c := range []struct {
		member string
		in     []int
		want   string
	}{
		{`{"id":1}`, nil, `{"id":1,"groups":{"data":[]}}`},
		{`{"id": 1.50, "groups":[{"id":"old"}], "e":{}}`, []int{1}, `{"id":1.50,"e":{},"groups":{"data":[{}]}}`},
		{`{}`, []int{1, 2}, `{"groups":{"data":[{},` + string(bare) + `]}}`},
	} {
		if got := AppendWithGroups([]byte("["), []byte(c.member), included, c.in); string(got) != "["+c.want {
			t.Errorf("%s became %s, want [%s", c.member, got, c.want)
		}
	}
}
