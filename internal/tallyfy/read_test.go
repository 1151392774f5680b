package tallyfy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

const (
	group2025 = `{"id":"aa","name":"Night shift","description":"Plant B","logo":null,"members":[12,11],"guests":["a@x.test"],` +
		`"created_at":"2025-02-03T04:05:06Z","updated_at":"2025-02-04T04:05:06Z","deleted_at":null}`
	group2026 = `{"id":"aa","name":"Night shift","description":"Plant B","logo":null,"members":["11","12"],"guests":["a@x.test"],` +
		`"created_at":"2025-02-03T04:05:06.000Z","last_updated":"2025-02-04T04:05:06.000Z"}`
	member2025 = `{"id":1001,"email":"ines@plant.test","full_name":"Ines Rook","active":true,"is_suspended":false,"user_role":"Admin",` +
		`"created_at":"2023-01-15T09:00:00Z","last_updated":"2024-05-10T11:00:00Z","groups":[{"id":"g","name":"Sales"}]}`
	member2026 = `{"id":1001,"email":"ines@plant.test","full_name":"Ines Rook","is_active":true,"role":"admin","status":"active",` +
		`"created_at":"2023-01-15T09:00:00Z","updated_at":"2024-05-10T11:00:00Z"}`
)

func TestListsAskForWhatTheyShould(t *testing.T) {
	up := always(200, emptyList)
	c := newClient(t, up, func(o *Options) { o.UserAgent = "rollcall/1.2" })
	if _, err := c.MemberPage(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	members := up.last()
	if got := members.URL.String(); got != "https://tallyfy.test/api/organizations/"+testOrg+"/users?page=1" {
		t.Errorf("listed members at %s", got)
	}
	if _, err := c.GroupPage(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if got := up.last().URL.String(); got != "https://tallyfy.test/api/organizations/"+testOrg+"/groups?page=3&per_page=100" {
		t.Errorf("listed groups at %s", got)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer " + testToken, "Accept": "application/json", "X-Tallyfy-Client": "APIClient", "User-Agent": "rollcall/1.2",
	} {
		if got := members.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestListsOfBothGenerationsAreRead(t *testing.T) {
	const pagination = `{"total":2,"count":2,"per_page":100,"current_page":1,"total_pages":1,"links":%s}`
	full := &directory.Pagination{Total: 2, CurrentPage: 1, TotalPages: 1}
	for name, c := range map[string]struct {
		body string
		meta *directory.Pagination
	}{
		"no meta":         {`{"data":[%s,%s]}`, nil},
		"meta null":       {`{"data":[%s,%s],"meta":null}`, nil},
		"meta array":      {`{"data":[%s,%s],"meta":[]}`, nil},
		"no pagination":   {`{"data":[%s,%s],"meta":{"include":[]}}`, nil},
		"no total":        {`{"data":[%s,%s],"meta":{"pagination":{"count":2}}}`, nil},
		"total strange":   {`{"data":[%s,%s],"meta":{"pagination":{"total":"many"}}}`, nil},
		"total negative":  {`{"data":[%s,%s],"meta":{"pagination":{"total":-1}}}`, nil},
		"links array":     {`{"data":[%s,%s],"meta":{"pagination":` + fmt.Sprintf(pagination, `[]`) + `}}`, full},
		"links object":    {`{"data":[%s,%s],"meta":{"pagination":` + fmt.Sprintf(pagination, `{"next":"https://elsewhere.test/?page=2"}`) + `}}`, full},
		"links null":      {`{"data":[%s,%s],"meta":{"pagination":` + fmt.Sprintf(pagination, `null`) + `}}`, full},
		"links text":      {`{"data":[%s,%s],"meta":{"pagination":` + fmt.Sprintf(pagination, `"x"`) + `}}`, full},
		"meta first":      {`{"meta":{"pagination":` + fmt.Sprintf(pagination, `[]`) + `},"x":[{"data":[]}],"data":[%s,%s]}`, full},
		"numbers as text": {`{"data":[%s,%s],"meta":{"pagination":{"total":"2","current_page":"1","total_pages":"1"}}}`, full},
		"blanks":          {"\r\n { \"data\" : [ %s\n,\t%s ] , \"meta\":{} }\n\n", nil},
	} {
		groups, err := newClient(t, always(200, fmt.Sprintf(c.body, group2025, strings.Replace(group2026, "aa", "bb", 1)))).GroupPage(t.Context(), 1)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(groups.Rows) != 2 || groups.Rows[0].ID != "aa" || groups.Rows[1].ID != "bb" ||
			!groups.Rows[0].UpdatedAt.Equal(groups.Rows[1].UpdatedAt) || !cmp.Equal(groups.Rows[0].Members, groups.Rows[1].Members) {
			t.Errorf("%s: groups %+v", name, groups.Rows)
		}
		if diff := cmp.Diff(c.meta, groups.Meta); diff != "" {
			t.Errorf("%s: meta %s", name, diff)
		}
		members, err := newClient(t, always(200, fmt.Sprintf(c.body, member2025, member2026))).MemberPage(t.Context(), 1)
		if err != nil || len(members.Rows) != 2 || *members.Rows[0].Role != *members.Rows[1].Role || members.Rows[0].Form != directory.ListForm {
			t.Errorf("%s: members %+v, %v", name, members.Rows, err)
		}
	}
}

func TestSingleReads(t *testing.T) {
	up := always(200, `{"data":`+group2026+`}`)
	c := newClient(t, up)
	group, err := c.Group(t.Context(), "aa")
	if err != nil || group.Name != "Night shift" || group.Form != directory.SingleForm || string(group.Payload) != group2026 {
		t.Errorf("group %+v, %v", group, err)
	}
	if got := up.last().URL.Path; got != "/api/organizations/"+testOrg+"/groups/aa" {
		t.Errorf("read at %s", got)
	}
	_, err = c.Group(t.Context(), "x/../y z")
	wantReason(t, err, directory.ReasonShape) // another group came back
	if got := up.last().URL.EscapedPath(); got != "/api/organizations/"+testOrg+"/groups/x%2F..%2Fy%20z" {
		t.Errorf("read at %s", got)
	}
	before := up.count()
	for _, id := range []string{"", ".", ".."} {
		_, err = c.Group(t.Context(), id)
		wantReason(t, err, directory.ReasonInternal)
	}
	if up.count() != before {
		t.Error("asked for what is no id")
	}
	member, err := newClient(t, always(200, `{"data":`+member2026+`}`)).Member(t.Context(), 1001)
	if err != nil || member.Email != "ines@plant.test" {
		t.Errorf("member %+v, %v", member, err)
	}
	_, err = newClient(t, always(200, `{"data":`+member2026+`}`)).Member(t.Context(), 7)
	wantReason(t, err, directory.ReasonShape)
	if err := newClient(t, always(200, `{"data":{"id":7}}`)).Me(t.Context()); err != nil {
		t.Error(err)
	}
	wantReason(t, newClient(t, always(200, `{"data":[]}`)).Me(t.Context()), directory.ReasonShape)
}

// A failed, strange or partial answer must never pass for an empty list.
func TestAnAnswerThatIsNoListIsAnError(t *testing.T) {
	for body, want := range map[string]directory.Reason{
		"":                                directory.ReasonNotJSON,
		"  \n":                            directory.ReasonNotJSON,
		"<!DOCTYPE html><html></html>":    directory.ReasonNotJSON,
		"Unauthorized.":                   directory.ReasonNotJSON,
		`{"data":[]} <br/>`:               directory.ReasonNotJSON,
		`{"data":[]}{"data":[]}`:          directory.ReasonNotJSON,
		`{"data":[1 2]}`:                  directory.ReasonShape,
		`{"data":[` + group2025 + `,]}`:   directory.ReasonNotJSON,
		`{'data':[]}`:                     directory.ReasonNotJSON,
		`{"data":[] // none` + "\n" + `}`: directory.ReasonNotJSON,
		`{}`:                              directory.ReasonShape,
		`[]`:                              directory.ReasonShape,
		`null`:                            directory.ReasonShape,
		`"data"`:                          directory.ReasonShape,
		`17`:                              directory.ReasonShape,
		`{"meta":{}}`:                     directory.ReasonShape,
		`{"error":true,"message":"no"}`:   directory.ReasonShape,
		`{"data":null}`:                   directory.ReasonShape,
		`{"data":{}}`:                     directory.ReasonShape,
		`{"data":{"data":[]}}`:            directory.ReasonShape,
		`{"data":"[]"}`:                   directory.ReasonShape,
		`{"data":[],"data":[]}`:           directory.ReasonShape,
		`{"data":[[]]}`:                   directory.ReasonShape,
		`{"data":[null]}`:                 directory.ReasonShape,
		`{"data":[{}]}`:                   directory.ReasonKeyField,
		`{"data":[` + group2025 + `,{"id":"bb"}]}`:                               directory.ReasonKeyField,
		`{"data":[` + strings.Replace(group2025, `[12,11]`, `"12,11"`, 1) + `]}`: directory.ReasonKeyField,
		`{"data":[`:                   directory.ReasonTransport,
		`{"data":[` + group2025:       directory.ReasonTransport,
		`{"data":[` + group2025 + `,`: directory.ReasonTransport,
		`{"data":[]`:                  directory.ReasonTransport,
		`{"data":[],"meta":{"pagination":{"total":1`: directory.ReasonTransport,
		`{"da`: directory.ReasonTransport,
	} {
		page, err := newClient(t, always(200, body)).GroupPage(t.Context(), 3)
		up := wantReason(t, err, want)
		if up.Op != "list groups, page 3" || up.Status != 200 {
			t.Errorf("%s: error %v", body, err)
		}
		if page.Rows != nil || page.Meta != nil {
			t.Errorf("%s: a failed page has rows", body)
		}
		if strings.Contains(err.Error(), "html") || strings.Contains(err.Error(), "Night") {
			t.Errorf("%s: error %v quotes the body", body, err)
		}
	}
	wantReason(t, mePage(t, 204, ""), directory.ReasonNotJSON)
}

func mePage(t *testing.T, status int, body string) error {
	t.Helper()
	_, err := newClient(t, always(status, body)).MemberPage(t.Context(), 1)
	return err
}

func TestTheRowAtFaultIsNamed(t *testing.T) {
	_, err := newClient(t, always(200, `{"data":[`+group2025+`,{"id":"bb"}]}`)).GroupPage(t.Context(), 2)
	if want := `list groups, page 2: Tallyfy answered 200: row 2: decode group "bb": name is missing or no text`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestABodyOverTheLimitIsAnError(t *testing.T) {
	body := `{"data":[` + group2025 + `]}`
	for limit, ok := range map[int]bool{len(body): true, len(body) + 1: true, len(body) - 1: false, 1: false, len(body) / 2: false} {
		up := always(200, body)
		c := newClient(t, up, func(o *Options) { o.MaxBody = int64(limit) })
		page, err := c.GroupPage(t.Context(), 1)
		if ok && (err != nil || len(page.Rows) != 1) {
			t.Errorf("limit %d: %v", limit, err)
		}
		if !ok {
			wantReason(t, err, directory.ReasonTooLarge)
			if up.count() != 1 {
				t.Errorf("asked %d times for a body that is too large", up.count())
			}
		}
	}
}

func TestALimitInTheMiddleOfBlanksIsTheLimitStill(t *testing.T) {
	c := newClient(t, always(200, `{"data":[`+strings.Repeat(" ", 5000)+`]}`), func(o *Options) { o.MaxBody = 700 })
	_, err := c.GroupPage(t.Context(), 1)
	wantReason(t, err, directory.ReasonTooLarge)
}

func TestABodyThatBreaksOffIsReadOnceMore(t *testing.T) {
	up := inTurn(answer(200, `{"data":[`+group2025+`,`), answer(200, `{"data":[`+group2025+`]}`))
	page, err := newClient(t, up).GroupPage(t.Context(), 1)
	if err != nil || len(page.Rows) != 1 || up.count() != 2 {
		t.Errorf("%d rows, %v after %d requests", len(page.Rows), err, up.count())
	}
	up = always(200, `{"data":[`)
	_, err = newClient(t, up).GroupPage(t.Context(), 1)
	if wantReason(t, err, directory.ReasonTransport); up.count() != 2 {
		t.Errorf("asked %d times", up.count())
	}
}

// brokenBody fails in the middle of every answer's body.
type brokenBody struct{ next http.RoundTripper }

func (b brokenBody) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, 20), iotest.ErrReader(io.ErrNoProgress)))
	}
	return resp, err
}

func TestAConnectionThatBreaksIsATransportError(t *testing.T) {
	_, err := newClient(t, brokenBody{always(200, `{"data":[`+group2025+`]}`)}).GroupPage(t.Context(), 1)
	wantReason(t, err, directory.ReasonTransport)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 304, 307, 308} {
		up := inTurn(answer(status, "", "Location", "https://elsewhere.test/"))
		_, err := newClient(t, up).GroupPage(t.Context(), 1)
		if wantReason(t, err, directory.ReasonShape); up.count() != 1 {
			t.Errorf("%d: %d requests", status, up.count())
		}
	}
}

func TestCookiesAreNotKept(t *testing.T) {
	up := inTurn(answer(200, emptyList, "Set-Cookie", "session=1"))
	c := newClient(t, up)
	for range 2 {
		if _, err := c.GroupPage(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if got := up.last().Header.Get("Cookie"); got != "" {
		t.Errorf("sent the cookie %q", got)
	}
}

func TestALargePageIsDecodedAsAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := `{"data":[` + strings.Repeat(member2025+",", 20_000) + member2026 + `]}`
		page, err := newClient(t, always(200, body)).MemberPage(t.Context(), 1)
		if err != nil || len(page.Rows) != 20_001 {
			t.Errorf("%d rows, %v", len(page.Rows), err)
		}
	})
}

func FuzzDecodeList(f *testing.F) {
	for _, seed := range []string{emptyList, `{"data":[` + group2025 + `],"meta":[]}`, `{"meta":{"pagination":{"total":"7"}},"data":[]}`, `{"data":`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rows := 0
		_, err := decodeList(strings.NewReader(string(body)), func(raw []byte) error { rows++; return nil })
		if err == nil && rows == 0 && !strings.Contains(string(body), "[") {
			t.Error("an empty list out of nothing")
		}
		if err != nil {
			wantKnown(t, err)
		}
		codeOf(body)
	})
}

func wantKnown(t *testing.T, err error) {
	t.Helper()
	switch directory.ReasonOf(err) {
	case directory.ReasonNotJSON, directory.ReasonShape, directory.ReasonTransport:
	default:
		t.Errorf("error %v", err)
	}
}
