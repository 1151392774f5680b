package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/directory"
)

// A Querier runs reading SQL statements.
type Querier interface {
	// Query answers with what a statement finds at the present revision. It
	// fails with a *directory.QueryRefusedError for what is no single reading
	// statement, has an error or takes too long, and with
	// directory.ErrTooManyQueries.
	Query(context.Context, directory.Query) (directory.Table, directory.Freshness, error)
}

// A QueryInput is a statement and how to answer.
type QueryInput struct{ Body QueryBody }

// A QueryBody is a statement and how to answer.
type QueryBody struct {
	SQL    string     `json:"sql" example:"SELECT email FROM memberships WHERE group_name = ?" doc:"One statement that reads, in SQLite's SQL. Texts stand in single quotes."`
	Args   []queryArg `json:"args,omitempty" example:"[\"Sales\"]" maxItems:"1000" doc:"What ?, or ?1, stands for: null, true or false (1 and 0), a number or a text."`
	Format string     `json:"format,omitempty" enum:"json,ndjson,csv" default:"json"`
}

// A queryArg is null, a boolean, a number or a text. Whole numbers never become
// floats.
type queryArg struct{ value any }

// UnmarshalJSON refuses what has parts, and numbers that SQLite cannot hold.
func (a *queryArg) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	if text[0] == '[' || text[0] == '{' {
		return errors.New("a parameter is null, true, false, a number or a text")
	}
	if !strings.Contains("-0123456789", text[:1]) {
		return json.Unmarshal(raw, &a.value)
	}
	var err error
	if strings.ContainsAny(text, ".eE") {
		a.value, err = strconv.ParseFloat(text, 64)
	} else {
		a.value, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		return errors.New(text + " is beyond what SQLite can hold: send it as a text")
	}
	return nil
}

// Schema is that of what a parameter may be.
func (queryArg) Schema(huma.Registry) *huma.Schema {
	return anyOf("null", huma.TypeBoolean, huma.TypeNumber, huma.TypeString)
}

// A QueryOutput is the answer in the format that was asked for.
type QueryOutput struct {
	Freshness
	CacheControl string `header:"Cache-Control" doc:"private, no-cache: ask each time."`
	FeedCursor   string `header:"Rollcall-Cursor" doc:"The answer's place in the feed of changes; opaque."`
	Truncated    bool   `header:"Rollcall-Truncated" doc:"True where there was more than may be answered at once: 100,000 rows, or 32 MiB."`
	ContentType  string `header:"Content-Type" doc:"That of the format."`
	Body         []byte
}

// A QueryAnswer is the answer as JSON.
type QueryAnswer struct {
	Columns   []string  `json:"columns" doc:"As the statement names them; a name may come twice."`
	Rows      queryRows `json:"rows" doc:"Cells in the order of columns: null, numbers and texts; blobs are texts in base64. Whole numbers are exact, up to 64 bits."`
	Truncated bool      `json:"truncated" doc:"True where there was more than may be answered at once: 100,000 rows, or 32 MiB."`
	Shown
}

// queryRows hold what jsonCell makes.
type queryRows [][]any

// Schema is that of rows of null, numbers and texts.
func (queryRows) Schema(huma.Registry) *huma.Schema {
	row := &huma.Schema{Type: huma.TypeArray, Items: anyOf("null", huma.TypeNumber, huma.TypeString)}
	return &huma.Schema{Type: huma.TypeArray, Items: row}
}

func anyOf(types ...string) *huma.Schema {
	alternatives := make([]*huma.Schema, len(types))
	for i, name := range types {
		alternatives[i] = &huma.Schema{Type: name}
	}
	return &huma.Schema{AnyOf: alternatives}
}

var queryDoc = doc{
	"query", "Ask in SQL",
	"Runs one reading statement, a SELECT, VALUES or WITH … SELECT, on the present revision's snapshot, whose tables are named as the exports: groups, members, memberships, membership_history and changes. " +
		"Nothing else is run: anything that is not a single reading statement, an error in it, and a statement that runs for more than ten seconds are 422 query-refused, with the reason. " +
		"Two statements run at a time and a few wait; more are 429. Where there is more than may be answered at once, truncated says so, and Rollcall-Truncated in every format. " +
		"ndjson is one object a row, in which a name that comes twice gets _2, _3 …; csv is RFC 4180 with a header, and an empty field for null. " +
		"--allow-query turns this on where callers are told apart; without them it is on.", "tables",
}

// queryFormats are the types of the answer.
var queryFormats = map[string]string{"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}

func queryOperation(v1 huma.API) huma.Operation {
	answer := v1.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[QueryAnswer](), true, "")
	text := &huma.Schema{Type: huma.TypeString}
	return huma.Operation{
		Method: http.MethodPost, Path: "/v1/query",
		Responses: map[string]*huma.Response{"200": {Description: "The answer, in the format that was asked for.", Content: map[string]*huma.MediaType{
			"application/json": {Schema: answer}, "application/x-ndjson": {Schema: text}, "text/csv": {Schema: text},
		}}},
	}
}

// query runs a statement and leaves a line in the log, in which nothing of the
// statement stands: it may name persons.
func (s *server) query(ctx context.Context, in *QueryInput) (*QueryOutput, error) {
	if s.Queries == nil {
		return nil, forbidden("SQL is off on this server: --allow-query (ROLLCALL_ALLOW_QUERY) turns it on.")
	}
	began := time.Now()
	ctx, cancel := s.untilStopping(ctx)
	defer cancel()
	table, f, err := s.Queries.Query(ctx, directory.Query{SQL: in.Body.SQL, Args: argsOf(in.Body.Args)})
	infoOf(ctx).told = true
	s.Logger.InfoContext(ctx, "query", "result", resultOf(err), "rows", len(table.Rows), "truncated", table.Truncated, "format", in.Body.Format,
		"duration", time.Since(began), "actor", Actor(ctx), "request_id", RequestID(ctx))
	if err != nil {
		return nil, err
	}
	body, err := tableEncoders[in.Body.Format](table, f)
	if err != nil {
		return nil, err
	}
	return &QueryOutput{
		Freshness: freshnessOf(f, time.Now()), CacheControl: cacheControl, FeedCursor: feedPlace(f),
		Truncated: table.Truncated, ContentType: queryFormats[in.Body.Format], Body: body,
	}, nil
}

func argsOf(args []queryArg) []any {
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg.value
	}
	return values
}

func resultOf(err error) string {
	_, refused := errors.AsType[*directory.QueryRefusedError](err)
	switch {
	case err == nil:
		return "answered"
	case refused:
		return "refused"
	}
	return "failed"
}

// explainQuery words why a query was not answered; nil for other errors.
func explainQuery(err error) *Problem {
	if no, ok := errors.AsType[*directory.QueryRefusedError](err); ok {
		return newProblem(http.StatusUnprocessableEntity, queryRefused, "The query was refused. %s", no.Why)
	}
	if errors.Is(err, directory.ErrTooManyQueries) {
		p := newProblem(http.StatusTooManyRequests, tooManyRequests, "As many queries run and wait as may: try again later.")
		p.header.Set("Retry-After", seconds(2*time.Second))
		return p
	}
	return nil
}
