package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

// playedQueries answer as a test says.
type playedQueries struct {
	asked directory.Query
	table directory.Table
	err   error
}

var queriedAt = directory.Freshness{
	Epoch: "e", Revision: 7, PublishedAt: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), ConfirmedAt: time.Now().Add(-time.Minute),
}

func (p *playedQueries) Query(_ context.Context, q directory.Query) (directory.Table, directory.Freshness, error) {
	p.asked = q
	return p.table, queriedAt, p.err
}

func newQueries(t *testing.T, table directory.Table) (*world, *playedQueries) {
	played := &playedQueries{table: table}
	return newPeople(t, func(o *Options) { o.Queries = played }), played
}

func (w *world) query(body string) answer {
	w.t.Helper()
	return w.do("POST", "/v1/query", body, "Content-Type", "application/json")
}

var mixed = directory.Table{
	Columns: []string{"id", "a", "a", "a_2", `"<é`},
	Rows: [][]any{
		{int64(9007199254740993), nil, "text; \"q\",\n", []byte{0, 255}, 0.1},
		{int64(math.MinInt64), 1.0, "", math.Inf(1), 1e300},
	},
}

func TestQueriesAreAnsweredInEveryFormat(t *testing.T) {
	w, _ := newQueries(t, mixed)
	for format, c := range map[string]struct{ contentType, body string }{
		"": {"application/json", `{"columns":["id","a","a","a_2","\"<é"],"rows":[[9007199254740993,null,"text; \"q\",\n","AP8=",0.1],` +
			`[-9223372036854775808,1.0,"",9e999,1e+300]],"truncated":false,"revision":7,"epoch":"e","published_at":"2026-03-01T09:00:00Z"}` + "\n"},
		"ndjson": {"application/x-ndjson", `{"id":9007199254740993,"a":null,"a_3":"text; \"q\",\n","a_2":"AP8=","\"<é":0.1}` + "\n" +
			`{"id":-9223372036854775808,"a":1.0,"a_3":"","a_2":9e999,"\"<é":1e+300}` + "\n"},
		"csv": {"text/csv; charset=utf-8", "id,a,a,a_2,\"\"\"<é\"\r\n9007199254740993,,\"text; \"\"q\"\",\n\",AP8=,0.1\r\n-9223372036854775808,1.0,\"\",9e999,1e+300\r\n"},
	} {
		body := `{"sql":"SELECT 1"}`
		if format != "" {
			body = fmt.Sprintf(`{"sql":"SELECT 1","format":%q}`, format)
		}
		got := w.query(body).wants(200)
		if diff := cmp.Diff(c.body, got.body); diff != "" || got.header.Get("Content-Type") != c.contentType {
			t.Error(format, got.header.Get("Content-Type"), diff)
		}
		for name, want := range map[string]string{
			"Rollcall-Revision": "7", "Rollcall-Epoch": "e", "Cache-Status": "rollcall; hit", "Rollcall-Truncated": "false",
			"Rollcall-Cursor": feedPlace(queriedAt), "Cache-Control": "private, no-cache",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", format, name, got.header.Get(name), want)
			}
		}
		if got.header.Get("Age") == "" || got.header.Get("Rollcall-Confirmed-At") == "" {
			t.Error(format, "does not say how old it is", got.header)
		}
	}
}

func TestQueriesAreAnsweredAsTheDocumentSays(t *testing.T) {
	w, _ := newQueries(t, directory.Table{Columns: []string{"a", "b", "c"}, Rows: [][]any{{int64(1), nil, "x"}, {1.5, []byte("y"), "z"}}})
	var d openAPI
	w.get("/openapi.json").decode(&d)
	for _, body := range []string{`{"sql":"SELECT 1"}`, `{"sql":1}`} {
		got := w.query(body)
		if err := d.check("POST", "/v1/query", got); err != nil {
			t.Error(err, got.body)
		}
	}
}

func TestAnEmptyAnswerHasItsColumns(t *testing.T) {
	w, _ := newQueries(t, directory.Table{Columns: []string{"id"}})
	for format, want := range map[string]string{"json": `"columns":["id"],"rows":[],`, "ndjson": "", "csv": "id\r\n"} {
		if got := w.query(`{"sql":"SELECT 1","format":"` + format + `"}`).wants(200); !strings.Contains(got.body, want) || want == "" && got.body != "" {
			t.Errorf("%s: %q", format, got.body)
		}
	}
}

func TestACutAnswerSaysSo(t *testing.T) {
	w, _ := newQueries(t, directory.Table{Columns: []string{"id"}, Rows: [][]any{{int64(1)}}, Truncated: true})
	for _, format := range []string{"json", "ndjson", "csv"} {
		if got := w.query(`{"sql":"SELECT 1","format":"` + format + `"}`).wants(200); got.header.Get("Rollcall-Truncated") != "true" {
			t.Error(format, got.header)
		}
	}
	if got := w.query(`{"sql":"SELECT 1"}`); got.at("truncated") != true {
		t.Error(got.body)
	}
}

func TestParametersReachTheStatementExactly(t *testing.T) {
	w, played := newQueries(t, directory.Table{})
	w.query(`{"sql":"SELECT ?","args":[null,true,false,9007199254740993,-0,1.5,1e3,"x","12"]}`).wants(200)
	want := directory.Query{SQL: "SELECT ?", Args: []any{nil, true, false, int64(9007199254740993), int64(0), 1.5, 1000.0, "x", "12"}}
	if diff := cmp.Diff(want, played.asked); diff != "" {
		t.Error(diff)
	}
	for _, body := range []string{
		`{"sql":"SELECT ?","args":[9223372036854775808]}`, `{"sql":"SELECT ?","args":[1e999]}`, `{"sql":"SELECT ?","args":[[1]]}`, `{"sql":"SELECT ?","args":[{}]}`,
		`{"sql":"SELECT ?","args":{"a":1}}`, `{"args":[]}`, `{"sql":1}`, `{"sql":"SELECT 1","format":"xml"}`, `{"sql":"SELECT 1","more":1}`, `[]`, ``, `{"sql":"SELECT 1"`,
	} {
		w.query(body).wantsProblem(422, invalidParameter)
	}
	w.query(`{"sql":"`+strings.Repeat("x", 2<<20)+`"}`).wantsProblem(413, tooLarge)
}

func TestWhatIsNotAnsweredSaysWhy(t *testing.T) {
	w, played := newQueries(t, directory.Table{})
	played.err = fmt.Errorf("wrapped: %w", &directory.QueryRefusedError{Why: "It is more than one statement."})
	if p := w.query(`{"sql":"SELECT 'secret'; SELECT 2"}`).wantsProblem(422, queryRefused); p.Detail != "The query was refused. It is more than one statement." {
		t.Error(p.Detail)
	}
	played.err = directory.ErrTooManyQueries
	busy := w.query(`{"sql":"SELECT 1"}`)
	if busy.wantsProblem(429, tooManyRequests); busy.header.Get("Retry-After") == "" {
		t.Error(busy.header)
	}
	played.err = directory.ErrNoData
	w.query(`{"sql":"SELECT 1"}`).wantsProblem(503, noDataYet)
	played.err = errors.New("disk on fire")
	w.query(`{"sql":"SELECT 1"}`).wants(500)
	off := newPeople(t, func(o *Options) { o.Queries = nil })
	if p := off.query(`{"sql":"SELECT 1"}`).wantsProblem(403, forbiddenType); !strings.Contains(p.Detail, "--allow-query (ROLLCALL_ALLOW_QUERY)") {
		t.Error(p.Detail)
	}
}

func TestPagesOfOtherOriginsMayNotQuery(t *testing.T) {
	w, played := newQueries(t, directory.Table{})
	w.do("POST", "/v1/query", `{"sql":"SELECT 1"}`, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").wantsProblem(403, forbiddenType)
	if played.asked.SQL != "" {
		t.Error("it was run")
	}
}

func TestTheLogTellsOfAQueryAndNothingInIt(t *testing.T) {
	w, played := newQueries(t, mixed)
	w.query(`{"sql":"SELECT 'S3CRET' -- S3CRET","args":["S3CRET"]}`).wants(200)
	played.err = &directory.QueryRefusedError{Why: `near "S3CRET": syntax error`}
	w.query(`{"sql":"S3CRET"}`).wants(422)
	text := w.log.String()
	if strings.Contains(text, "S3CRET") {
		t.Error("the log holds the statement:\n" + text)
	}
	for _, part := range []string{`"msg":"query","result":"answered","rows":2,"truncated":false,"format":"json"`, `"result":"refused"`, `"request_id":"`, `"actor":"`} {
		if !strings.Contains(text, part) {
			t.Errorf("the log lacks %s:\n%s", part, text)
		}
	}
	if strings.Count(text, `"level":"INFO"`) != 2 {
		t.Error("not one line a query:\n" + text)
	}
}
