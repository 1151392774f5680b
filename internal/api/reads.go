package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rollcall/internal/directory"
)

// A ReadInput is what every read of /v1 takes. The headers themselves are read
// by isKnown and demandOf.
type ReadInput struct {
	Dated
	IfNoneMatch  string `header:"If-None-Match" doc:"ETags of answers that the caller has: if the present one is among them, 304 comes without body."`
	CacheControl string `header:"Cache-Control" example:"max-age=5, stale-if-error=3600" doc:"How old the answer may be (RFC 9111): with max-age=N, rows that were confirmed more than N seconds ago are asked of Tallyfy anew before the answer; with no-cache, always. Where that fails, stale-if-error=N allows N seconds more; else 504 says too-stale. With only-if-cached nothing is asked, and what is too old is 504 not-cached. max-stale and min-fresh are passed over. With as_of it is met by a confirmation after the instant, as nothing newer can be known of it."`
}

// A ListInput asks for part of a list.
type ListInput struct {
	ReadInput
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Rows on a page."`
	Cursor string `query:"cursor" doc:"next_cursor of the page before. It belongs to the same path and parameters, limit apart."`
	Sort   string `query:"sort" enum:"name,-name" doc:"By name, case folded, ties by id; - is descending. By id where it is left out."`
	Count  bool   `query:"count" doc:"Add total, the rows of the whole list."`
}

// query reads cursor, limit and sort.
func (in *ListInput) query(r *http.Request) (directory.ListQuery, error) {
	at, err := in.asOf()
	q := directory.ListQuery{Limit: in.Limit, ByName: in.Sort != "", Descending: in.Sort == "-name", Count: in.Count, AsOf: at}
	if err != nil || in.Cursor == "" {
		return q, err
	}
	c, err := parseCursor(in.Cursor)
	if err != nil {
		return q, invalid("cursor", "is not a cursor of this server: begin again without one")
	}
	if c.Query != walk(r.URL) {
		return q, invalid("cursor", "belongs to another query: keep path and parameters while you walk, or begin again without a cursor")
	}
	q.Pin, q.After = c.pin(), c.position()
	return q, nil
}

// ReadHeaders go with every read of /v1, and with its 304.
type ReadHeaders struct {
	ETag string `header:"ETag" doc:"Names the answer, for If-None-Match; weak."`
	Freshness
	CacheControl string `header:"Cache-Control" doc:"private, no-cache: ask each time."`
	Vary         string `header:"Vary" doc:"What the answer depends on."`
	FeedCursor   string `header:"Rollcall-Cursor" doc:"The answer's place in the feed of changes; opaque."`
}

func (s *server) readHeaders(r *http.Request, f directory.Freshness, of scope) ReadHeaders {
	infoOf(r.Context()).shows = stateOf(f)
	etag := ""
	if isSettled(f) {
		etag = s.etag(f, s.asked(r, of))
	}
	return ReadHeaders{
		ETag: etag, Freshness: freshnessFor(r, f),
		CacheControl: cacheControl, Vary: vary, FeedCursor: feedPlace(f),
	}
}

// A ListOutput is an answer with a list.
type ListOutput[T any] struct {
	Status int
	ReadHeaders
	Link string `header:"Link" doc:"The next page, as rel=next; absent at the end."`
	Body List[T]
}

func (*ListOutput[T]) scope() scope { return scopeList }

// A OneOutput is an answer with one object.
type OneOutput[T any] struct {
	Status int
	ReadHeaders
	Body One[T]
}

func (*OneOutput[T]) scope() scope { return scopeRow }

// listed reads a page of rows and answers with it, or with 304. As a list
// depends on rows that it lacks, all are refreshed where it is too old.
func listed[R, T any](ctx context.Context, s *server, shape func(R) T, read func() (directory.Page[R], error)) (*ListOutput[T], error) {
	r := requestOf(ctx)
	page, err := fresh(s, r, read, everything)
	if err != nil {
		return nil, err
	}
	out := &ListOutput[T]{Status: http.StatusOK, ReadHeaders: s.readHeaders(r, page.Freshness, scopeList)}
	if isKnown(r, out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	var next *string
	if page.Next != nil {
		next = new(place(page.Freshness, *page.Next, walk(r.URL)))
		out.Link = "<" + s.origin(r) + nextURL(r.URL, *next) + `>; rel="next"`
	}
	data := make([]T, len(page.Rows))
	for i, row := range page.Rows {
		data[i] = shape(row)
	}
	out.Body = List[T]{data, next, page.Total, shown(page.Freshness)}
	return out, nil
}

// one answers with one object, or with 304.
func one[R, T any](ctx context.Context, s *server, object directory.Found[R], shape func(R) T) *OneOutput[T] {
	r := requestOf(ctx)
	out := &OneOutput[T]{Status: http.StatusOK, ReadHeaders: s.readHeaders(r, object.Freshness, scopeRow)}
	if isKnown(r, out.ETag) {
		out.Status = http.StatusNotModified
		return out
	}
	out.Body = One[T]{shape(object.Row), shown(object.Freshness)}
	return out
}

func nextURL(u *url.URL, cursor string) string {
	values := u.Query()
	values.Set("cursor", cursor)
	return u.EscapedPath() + "?" + values.Encode()
}

// tooOld refuses what must not be answered from a mirror older than
// --max-stale. A past state that was confirmed afterwards does not age.
func (s *server) tooOld(f directory.Freshness) error {
	now := time.Now()
	age := f.Age(now)
	if s.MaxStale == 0 || age <= s.MaxStale || f.Then != nil && isSettled(f) {
		return nil
	}
	text := age.Round(time.Second).String() + " old, more than"
	if f.ConfirmedAt.After(now) {
		text = "of unknown age, as the clock was set back since it was confirmed: it may be older than"
	}
	p := newProblem(http.StatusGatewayTimeout, tooStale, "What is known is %s the %s allowed by --max-stale: see /v1/status for the reason.", text, s.MaxStale)
	p.header.Set("Age", strconv.Itoa(inSeconds(age)))
	return p
}
