package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const usersPath = "/organizations/" + org + "/users"

func TestListsAreSearchedAndOrdered(t *testing.T) {
	w := newPeople(t)
	sales, support, shouted, slashed := salesID, supportID, shoutedID, slashedID
	for path, want := range map[string][]any{
		groupsPath + "?q=SUPP":                            {support, shouted},
		groupsPath + "?q=about&per_page=2&page=2":         {shouted, slashed},
		groupsPath + "?q=%20/%20N":                        {slashed},
		groupsPath + "?q=%25":                             {},
		groupsPath + "?q=_":                               {},
		groupsPath + "?q=":                                {sales, support, shouted, slashed},
		groupsPath + "?sort_by=name":                      {slashed, sales, support, shouted},
		groupsPath + "?sort_by=name&page=2&per_page=3":    {shouted},
		groupsPath + "?sort_by=created_at":                {sales, support, shouted, slashed},
		groupsPath + "?sort_by=updated_at":                {sales, support, shouted, slashed},
		groupsPath + "?sort_by=name&q=s&page=1":           {slashed, sales, support, shouted},
		usersPath + "?q=X.TEST":                           {11.0, 12.0, 13.0},
		usersPath + "?q=Example":                          {},
		usersPath + "?q=ada%40":                           {11.0},
		usersPath + "?sort=-created_at":                   {13.0, 12.0, 11.0},
		usersPath + "?sort=-created_at&per_page=2&page=2": {11.0},
		usersPath + "?sort=-email":                        {13.0, 12.0, 11.0},
		usersPath + "?sort=first_name":                    {11.0, 12.0, 13.0},
		usersPath + "?sort=-id&q=o":                       {12.0},
	} {
		got := w.get(path).wants(200)
		if diff := cmp.Diff(want, got.column("id")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	total := w.get(groupsPath+"?q=supp&per_page=1").at("meta", "pagination", "total")
	if total != 2.0 {
		t.Errorf("%v groups contain supp, want 2", total)
	}
}

func TestWhatTheMirrorCannotAnswerExactlyIsForwarded(t *testing.T) {
	w := newPeople(t)
	groups, group, users, user := groupsPath+"?", groupsPath+"/"+salesID+"?", usersPath+"?", usersPath+"/11?"
	for _, path := range []string{
		groups + "with=assets", groups + "with=users&page=1", groups + "with=groups", groups + "with=", groups + "sort=name",
		groups + "sort_by=-name", groups + "sort_by=", groups + "sort_by=id", groups + "sort_by=Name", groups + "limit=5",
		groups + "page[]=1", groups + "q[]=x", groups + "page=1&page=2", groups + "q=a&q=a", groups + "per.page=2", groups + "a;b",
		groups + "q=%ff", groups + "q=%00", groups + "q=%zz", groups + "=", groups + "Q=x",
		users + "sort_by=email", users + "sort=last_login_at", users + "sort=--id", users + "sort=-", users + "sort=full_name",
		users + "with=groups,stats", users + "with=stats", users + "with=Groups", users + "with=groups&with=groups", users + "with=groups&since=1",
		group + "with=assets", group + "page=1", user + "with=stats", user + "with=groups&page=1", user + "with=", user + "with=groups&with=groups",
	} {
		w.upstream.says(200, `{"data":"upstream's"}`)
		got := w.get(path, "Authorization", "Bearer own").wants(200)
		if got.at("data") != "upstream's" || w.upstream.url.RequestURI() != path {
			t.Errorf("%s was forwarded as %s and answered %s", path, w.upstream.url.RequestURI(), got.body)
		}
		if got.header.Get("ETag") != "" || !strings.Contains(got.header.Get("Cache-Status"), "fwd=bypass") {
			t.Error(path, got.header)
		}
		w.get(path).wants(401)
	}
}

func TestMembersComeWithTheirGroupsWrapped(t *testing.T) {
	w := newPeople(t)
	group := func(id, name, members, guests string) string {
		return fmt.Sprintf(`{"id":%q,"name":%q,"logo":null,"members":[%s],"guests":[%s]}`, id, name, members, guests)
	}
	sales := group(salesID, "Sales", "11,12,13", `"Guest@Outside.test"`)
	_, members := people()
	cy := strings.TrimSuffix(members[2], "}") + `,"groups":{"data":[` + sales + "," + group(slashedID, "Ops / Night", "13", "") + `]}}`
	bo := strings.TrimSuffix(members[1], "}") + `,"groups":{"data":[` + sales + `]}}`
	if got, want := w.get(usersPath+"/13?with=groups").wants(200).body, `{"data":`+cy+`}`; got != want {
		t.Errorf("one\n got %s\nwant %s", got, want)
	}
	list := w.get(usersPath + "?with=groups&sort=-id&per_page=2").wants(200)
	if want := `{"data":[` + cy + `,` + bo + `],"meta":{"pagination":{"total":3,`; !strings.HasPrefix(list.body, want) {
		t.Errorf("list\n got %s\nwant %s…", list.body, want)
	}
	again := w.get(usersPath+"?with=groups&sort=-id&per_page=2", "If-None-Match", list.header.Get("ETag")).wants(304)
	if again.body != "" || again.header.Get("Age") == "" {
		t.Error(again.header, again.body)
	}
	w.get(usersPath+"/99?with=groups").wantsTallyfy(404, "RESOURCE_NOT_FOUND")
	w.get(usersPath+"/x?with=groups").wantsTallyfy(404, "RESOURCE_NOT_FOUND")
}

// A group stands at each of its members, so that an answer can grow with the
// square of the organisation.
func TestAPageOfGroupsBeyond32MiBGoesUpstream(t *testing.T) {
	var ids, members []string
	for id := range 34 {
		ids = append(ids, fmt.Sprint(id+1))
		members = append(members, fmt.Sprintf(`{"id":%d,"email":"m%d@x.test"}`, id+1, id+1))
	}
	w := newWorld(t)
	w.publish([]string{fmt.Sprintf(`{"id":%q,"name":"Everybody","logo":%q,"members":[%s]}`, salesID, strings.Repeat("x", 1<<20), strings.Join(ids, ","))}, members)
	w.upstream.says(200, `{"data":"upstream's"}`)
	whole := w.get(usersPath+"?with=groups", "Authorization", "Bearer own").wants(200)
	if whole.body != `{"data":"upstream's"}` {
		t.Errorf("%d bytes were made here", len(whole.body))
	}
	w.get(usersPath + "?with=groups").wants(401)
	part := w.get(usersPath+"?with=groups&per_page=30", "Accept-Encoding", "identity").wants(200)
	if rows := strings.Count(part.body, `"email"`); rows != 30 || len(part.body) < 30<<20 {
		t.Errorf("%d rows in %d bytes", rows, len(part.body))
	}
}

func FuzzListQuery(f *testing.F) {
	for _, seed := range []string{
		"", "page=2&per_page=3", "q=%25_%C3%BC", "sort=-created_at&with=groups", "sort_by=name", "page[]=1", "q=%ff", "page=99999999999999999999&per_page=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, list := range []tallyfyList{tallyfyGroups, tallyfyUsers} {
			asked, ok := list.parse(raw)
			if !ok {
				continue
			}
			if asked.Limit < 1 || asked.Limit > list.size.most || asked.Offset < 0 || asked.page < 1 {
				t.Errorf("%q asks for %d rows from %d, page %d", raw, asked.Limit, asked.Offset, asked.page)
			}
			again, ok := list.parse(asked.query.Encode())
			if diff := cmp.Diff(asked.PayloadQuery, again.PayloadQuery); !ok || diff != "" {
				t.Errorf("%q reads otherwise than as %q: %s", raw, asked.query.Encode(), diff)
			}
			meta, err := json.Marshal(asked.meta(1_000_000, 1, "http://x.test/", asked.query))
			if err != nil {
				t.Error(err)
			}
			checkNext(t, list, asked, meta)
		}
	})
}

// checkNext holds that the next link asks for what follows, in the same way.
func checkNext(t *testing.T, list tallyfyList, asked listAsked, meta []byte) {
	t.Helper()
	var shown struct{ Links json.RawMessage }
	var links struct{ Next string }
	if json.Unmarshal(meta, &shown) != nil || json.Unmarshal(shown.Links, &links) != nil {
		return // the last page has an empty list
	}
	u, err := url.Parse(links.Next)
	if err != nil {
		t.Fatal(err)
	}
	next, ok := list.parse(u.RawQuery)
	want := asked.PayloadQuery
	want.Offset += want.Limit
	if diff := cmp.Diff(want, next.PayloadQuery); !ok || diff != "" || next.withGroups != asked.withGroups {
		t.Errorf("%s does not follow on %+v: %s", links.Next, asked.PayloadQuery, diff)
	}
}
