package payload

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

const hex = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"

// The same group as the two generations of Tallyfy and the two forms of one
// generation have sent it.
const (
	group2025 = `{"id":"` + hex + `","name":"Night shift","description":"Plant B","logo":null,"members":[12,11],` +
		`"guests":["A@x.test"],"created_at":"2025-02-03T04:05:06Z","updated_at":"2025-02-04T04:05:06Z","deleted_at":null}`
	groupList = `{"id":"` + hex + `","name":"Night shift","description":"Plant B","logo":null,"members":[11,12],` +
		`"guests":["a@x.test"],"created_at":"2025-02-03T04:05:06Z","last_updated":"2025-02-04T04:05:06Z"}`
	groupSingle = `{"last_updated":"2025-02-04T04:05:06.120Z","members":["11","12"],"name":"Night shift","guests":["a@x.test"],` +
		`"created_at":"2025-02-03 04:05:06","id":"` + hex + `","description":"Plant B","logo":null,"assets":{"data":[]}}`
)

const (
	member2025 = `{"id":1001,"email":"ines@plant.test","username":"ines","first_name":"Ines","last_name":"Rook","full_name":"Ines Rook",` +
		`"profile_pic":"https:\/\/cdn.test\/1001.jpg","active":true,"is_suspended":false,"created_at":"2023-01-15T09:00:00Z",` +
		`"last_updated":"2024-05-10T11:00:00Z","last_login_at":"2024-05-20T10:30:00Z","status":"active","user_role":"Admin",` +
		`"groups":[{"id":"g1","name":"Sales"}]}`
	memberList = `{"id":1001,"email":"ines@plant.test","username":"ines","first_name":"Ines","last_name":"Rook","full_name":"Ines Rook",` +
		`"profile_pic":"https://cdn.test/1001.jpg","is_active":true,"created_at":"2023-01-15T09:00:00Z",` +
		`"updated_at":"2024-05-10T11:00:00Z","last_login_at":"2024-05-20T10:30:00Z","status":"active","role":"admin"}`
)

func TestEveryVariantOfAGroupIsTheSameGroup(t *testing.T) {
	want := directory.Group{
		ID: hex, Name: "Night shift", Description: new("Plant B"), Members: []int64{11, 12}, MemberCount: 2, GuestCount: 1,
		CreatedAt: time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC), UpdatedAt: time.Date(2025, 2, 4, 4, 5, 6, 0, time.UTC),
	}
	for name, raw := range map[string]string{"2025": group2025, "list": groupList, "single": groupSingle} {
		row := decodeGroup(t, raw)
		got := row.Group
		if len(got.Guests) != 1 || !strings.EqualFold(got.Guests[0], "a@x.test") {
			t.Errorf("%s: guests %q", name, got.Guests)
		}
		got.Guests, got.UpdatedAt = nil, got.UpdatedAt.Truncate(time.Second)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if row.Oddities != nil || row.Deleted || row.MembersAbsent || row.GuestsAbsent {
			t.Errorf("%s: found strange: %+v", name, row)
		}
		if !SameGroup([]byte(groupList), []byte(raw)) || !SameGroup([]byte(raw), []byte(groupList)) {
			t.Errorf("%s: is not the same as the list form", name)
		}
	}
}

func TestBothGenerationsOfAMemberDecodeAlike(t *testing.T) {
	old, err := DecodeMember([]byte(member2025), directory.ListForm)
	if err != nil {
		t.Fatal(err)
	}
	now, err := DecodeMember([]byte(memberList), directory.ListForm)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(now.Member, old.Member); diff != "" {
		t.Error(diff)
	}
	want := directory.Member{
		ID: 1001, Email: "ines@plant.test", FirstName: new("Ines"), LastName: new("Rook"), FullName: new("Ines Rook"), Role: new("admin"),
		Status: directory.Active, LastLoginAt: time.Date(2024, 5, 20, 10, 30, 0, 0, time.UTC),
		CreatedAt: time.Date(2023, 1, 15, 9, 0, 0, 0, time.UTC), UpdatedAt: time.Date(2024, 5, 10, 11, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, now.Member); diff != "" {
		t.Error(diff)
	}
	if !SameMember([]byte(member2025), []byte(memberList)) {
		t.Error("the generations are not the same member")
	}
}

func TestDecodeGroupToleratesWhatIsStrange(t *testing.T) {
	for name, c := range map[string]struct {
		raw      string
		want     func(*directory.GroupRow) bool
		oddities []string
	}{
		"numeric id":          {`{"id":42,"name":"n","members":[],"guests":[]}`, func(g *directory.GroupRow) bool { return g.ID == "42" }, nil},
		"any text as id":      {`{"id":"new_group 7","name":"n","members":[],"guests":[]}`, func(g *directory.GroupRow) bool { return g.ID == "new_group 7" }, nil},
		"members null":        {`{"id":"a","name":"n","members":null,"guests":null}`, func(g *directory.GroupRow) bool { return len(g.Members) == 0 && !g.MembersAbsent && !g.GuestsAbsent }, nil},
		"members absent":      {`{"id":"a","name":"n"}`, func(g *directory.GroupRow) bool { return g.MembersAbsent && g.GuestsAbsent }, nil},
		"ids of both types":   {`{"id":"a","name":"n","members":[3,"2",3,"3",1]}`, func(g *directory.GroupRow) bool { return cmp.Equal(g.Members, []int64{1, 2, 3}) }, nil},
		"ids that are none":   {`{"id":"a","name":"n","members":["user_id_1",2,null,1.5,-4,0,{"id":9},99999999999999999999]}`, func(g *directory.GroupRow) bool { return cmp.Equal(g.Members, []int64{2}) }, []string{"members: not a number"}},
		"guests twice":        {`{"id":"a","name":"n","members":[],"guests":["B@x.test","a@x.test","b@X.test"," "]}`, func(g *directory.GroupRow) bool { return cmp.Equal(g.Guests, []string{"a@x.test", "B@x.test"}) }, []string{"guests: not an e-mail"}},
		"guests included":     {`{"id":"a","name":"n","members":[],"guests":{"data":[]}}`, func(g *directory.GroupRow) bool { return g.GuestsAbsent }, []string{"guests: not an array"}},
		"logo object":         {`{"id":"a","name":"n","members":[],"guests":[],"logo":{"url":"u"}}`, func(g *directory.GroupRow) bool { return g.Logo == nil }, []string{"logo: not a text"}},
		"deleted":             {`{"id":"a","name":"n","deleted_at":"2025-01-01T00:00:00Z"}`, func(g *directory.GroupRow) bool { return g.Deleted }, nil},
		"not deleted":         {`{"id":"a","name":"n","deleted_at":false}`, func(g *directory.GroupRow) bool { return !g.Deleted }, nil},
		"no timestamp":        {`{"id":"a","name":"n","created_at":"YYYY-MM-DDTHH:MM:SSZ"}`, func(g *directory.GroupRow) bool { return g.CreatedAt.IsZero() }, []string{"created_at: not a timestamp"}},
		"both update names":   {`{"id":"a","name":"n","updated_at":"2025-01-01 00:00:00","last_updated":null}`, func(g *directory.GroupRow) bool { return g.UpdatedAt.Year() == 2025 }, nil},
		"blanks and escapes":  {" {\t\"id\" : \"a\" , \"\\u006eame\":\"n\\\"\\u00e9\\/\" } ", func(g *directory.GroupRow) bool { return g.Name == `n"é/` }, nil},
		"key twice":           {`{"id":"a","name":"first","name":"last"}`, func(g *directory.GroupRow) bool { return g.Name == "last" }, nil},
		"not UTF-8":           {"{\"id\":\"a\",\"name\":\"n\xff\"}", func(g *directory.GroupRow) bool { return g.Name == "n\uFFFD" }, []string{"row: not UTF-8"}},
		"empty name":          {`{"id":"a","name":""}`, func(g *directory.GroupRow) bool { return g.Name == "" }, nil},
		"description strange": {`{"id":"a","name":"n","description":7}`, func(g *directory.GroupRow) bool { return g.Description == nil }, []string{"description: not a text"}},
	} {
		row := decodeGroup(t, c.raw)
		if !c.want(&row) {
			t.Errorf("%s: decoded as %+v", name, row)
		}
		if diff := cmp.Diff(c.oddities, row.Oddities); diff != "" {
			t.Errorf("%s: oddities %s", name, diff)
		}
	}
}

func TestStatusComesFromTheFlagsWhereThereIsNone(t *testing.T) {
	for fields, want := range map[string]directory.Status{
		``:                                      directory.Active,
		`,"status":null`:                        directory.Active,
		`,"status":"Invited"`:                   directory.Invited,
		`,"status":"disabled","active":true`:    directory.Disabled,
		`,"status":"active","is_active":false`:  directory.Active,
		`,"active":false`:                       directory.Disabled,
		`,"is_active":0`:                        directory.Disabled,
		`,"is_active":null`:                     directory.Active,
		`,"is_suspended":true`:                  directory.Disabled,
		`,"is_suspended":"1"`:                   directory.Disabled,
		`,"disabled_at":"2025-01-01 00:00:00"`:  directory.Disabled,
		`,"disabled_at":null,"is_active":true`:  directory.Active,
		`,"status":"on leave","is_active":true`: directory.Active,
	} {
		row, err := DecodeMember([]byte(`{"id":"7","email":"a@x.test"`+fields+`}`), directory.ListForm)
		if err != nil {
			t.Fatal(err)
		}
		if row.ID != 7 || row.Status != want {
			t.Errorf("%s: status %q, want %q", fields, row.Status, want)
		}
	}
}

func TestARowWithoutItsKeyFieldsIsAnError(t *testing.T) {
	group := func(raw string) error { _, err := DecodeGroup([]byte(raw), directory.ListForm); return err }
	member := func(raw string) error { _, err := DecodeMember([]byte(raw), directory.ListForm); return err }
	for _, c := range []struct {
		decode func(string) error
		raw    string
		want   directory.Reason
	}{
		{group, ``, directory.ReasonShape},
		{group, `[]`, directory.ReasonShape},
		{group, `null`, directory.ReasonShape},
		{group, `"a"`, directory.ReasonShape},
		{group, `{"id":"a","name":"n"`, directory.ReasonShape},
		{group, `{"id":"a" /* why */,"name":"n"}`, directory.ReasonShape},
		{group, `{"name":"n"}`, directory.ReasonKeyField},
		{group, `{"id":"","name":"n"}`, directory.ReasonKeyField},
		{group, `{"id":null,"name":"n"}`, directory.ReasonKeyField},
		{group, `{"id":1.5,"name":"n"}`, directory.ReasonKeyField},
		{group, `{"id":"a"}`, directory.ReasonKeyField},
		{group, `{"id":"a","name":null}`, directory.ReasonKeyField},
		{group, `{"id":"a","name":7}`, directory.ReasonKeyField},
		{group, `{"id":"a","name":"n","members":"11,12"}`, directory.ReasonKeyField},
		{group, `{"id":"a","name":"n","members":{"data":[]}}`, directory.ReasonKeyField},
		{member, `{}`, directory.ReasonKeyField},
		{member, `{"id":0,"email":"a@x.test"}`, directory.ReasonKeyField},
		{member, `{"id":"x","email":"a@x.test"}`, directory.ReasonKeyField},
		{member, `{"id":7}`, directory.ReasonKeyField},
		{member, `{"id":7,"email":null}`, directory.ReasonKeyField},
		{member, `7`, directory.ReasonShape},
	} {
		err := c.decode(c.raw)
		if up, ok := errors.AsType[*directory.UpstreamError](err); !ok || up.Reason != c.want {
			t.Errorf("%s: error %v, want reason %s", c.raw, err, c.want)
		}
	}
}

func TestPayloadIsACopy(t *testing.T) {
	raw := []byte(groupList)
	row := decodeGroup(t, string(raw))
	clear(raw)
	if string(row.Payload) != groupList {
		t.Errorf("payload %s", row.Payload)
	}
}

func TestEverySpellingOfAnInstantIsRead(t *testing.T) {
	want := time.Date(2025, 1, 15, 10, 30, 0, 0, time.UTC)
	for _, spelling := range []string{
		"2025-01-15T10:30:00Z", "2025-01-15T10:30:00.000Z", "2025-01-15T10:30:00.000000Z", "2025-01-15T10:30:00+00:00",
		"2025-01-15T12:30:00+02:00", "2025-01-15 10:30:00", "2025-01-15T10:30:00", "2025-01-15 10:30:00.000000", "2025-01-15 10:30:00+00:00",
		"2025-01-15T10:30:00+0000",
	} {
		if s, ok := stampOf(quote(spelling)); !ok || !s.Equal(want) {
			t.Errorf("%s read as %v", spelling, s)
		}
	}
	if s, ok := stampOf([]byte(`"2026-01-01"`)); !ok || !s.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("a date alone read as %v", s)
	}
}

func decodeGroup(t *testing.T, raw string) directory.GroupRow {
	t.Helper()
	row, err := DecodeGroup([]byte(raw), directory.ListForm)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return row
}
