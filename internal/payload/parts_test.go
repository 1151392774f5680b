package payload

import (
	"bytes"
	"testing"

	"rollcall/internal/directory"
)

func TestPartsKeepUpstreamsSpelling(t *testing.T) {
	p, err := PartsOf([]byte(`{"id":"a","name":"N\/\u00e9","description":"d","members":[3,"2","x7",{"id":1},"0"],"guests":[" B@x.test","b@X.test",7,""],"more":[1]}`))
	if err != nil {
		t.Fatal(err)
	}
	if string(p.Name) != `"N\/\u00e9"` || string(p.Description) != `"d"` {
		t.Errorf("name %s, description %s", p.Name, p.Description)
	}
	if got := values(p.Members); got != `3 2 "x7" {"id":1} "0"` {
		t.Errorf("members %s", got)
	}
	if got := values(p.Guests); got != `" B@x.test" "b@X.test" 7 ""` {
		t.Errorf("guests %s", got)
	}
}

func values(elements []Element) string {
	var all [][]byte
	for _, e := range elements {
		all = append(all, e.Value)
	}
	return string(bytes.Join(all, []byte(" ")))
}

func TestElementsAreTheSameUnderOneKey(t *testing.T) {
	member := func(s string) Element { return MemberElement([]byte(s)) }
	guest := func(s string) Element { return GuestElement([]byte(s)) }
	for _, pair := range [][2]Element{
		{member(`12`), member(`"12"`)},
		{member(`{"a":1,"b":2}`), member(`{"b":2, "a":1}`)},
		{guest(`"A@x.test"`), guest(`" a@X.TEST "`)},
	} {
		if pair[0].Key != pair[1].Key {
			t.Errorf("%s and %s are two", pair[0].Value, pair[1].Value)
		}
	}
	for _, pair := range [][2]Element{
		{member(`12`), member(`13`)},
		{member(`"x"`), member(`"y"`)},
		{member(`12`), member(`12.0`)},
		{member(`"i12:"`), member(`12`)},
		{guest(`"a@x.test"`), guest(`"b@x.test"`)},
		{guest(`""`), guest(`null`)},
		{guest(`7`), guest(`"7"`)},
	} {
		if pair[0].Key == pair[1].Key {
			t.Errorf("%s and %s are one", pair[0].Value, pair[1].Value)
		}
	}
}

func TestPartsOfWhatIsAbsentNullOrOdd(t *testing.T) {
	for _, raw := range []string{`{"name":"n"}`, `{"name":"n","description":null,"members":null,"guests":null}`, `{"name":"n","description":5,"members":{},"guests":"a@x.test"}`} {
		p, err := PartsOf([]byte(raw))
		if err != nil || p.Description != nil || len(p.Members)+len(p.Guests) > 0 {
			t.Errorf("%s: %+v, %v", raw, p, err)
		}
	}
	if _, err := PartsOf([]byte(`[]`)); directory.ReasonOf(err) != directory.ReasonShape {
		t.Errorf("error %v", err)
	}
}
