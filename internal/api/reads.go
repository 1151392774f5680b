package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rollcall/internal/directory"
)

// A ReadInput is what every read of /v1 takes. The header itself is read by
// isKnown.
type ReadInput struct {
	IfNoneMatch string `header:"If-None-Match" doc:"ETags of answers that the caller has: if the present one is among them, 304 comes without body."`
}

// A ListInput asks for part of a list.
type ListInput struct {
	ReadInput
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Rows on a page."`
	Cursor string `query:"cursor" doc:"next_cursor of the page before. It belongs to the same path and parameters, limit apart."`
	Sort   string `query:"sort" enum:"name,-name" doc:"By name, case folded, ties by id; - is descending. By id where it is left out."`
}

// query reads cursor, limit and sort.
func (in *ListInput) query(r *http.Request) (directory.ListQuery, error) {
	q := directory.ListQuery{Limit: in.Limit, ByName: in.Sort != "", Descending: in.Sort == "-name"}
	if in.Cursor == "" {
		return q, nil
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

func (s *server) readHeaders(r *http.Request, f directory.Freshness) ReadHeaders {
	return ReadHeaders{
		ETag: s.etag(f, canonical(r.URL)), Freshness: freshnessOf(f, time.Now()),
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

// A OneOutput is an answer with one object.
type OneOutput[T any] struct {
	Status int
	ReadHeaders
	Body One[T]
}

// listed answers with a page of rows, or with 304.
func listed[R, T any](ctx context.Context, s *server, page directory.Page[R], shape func(R) T) *ListOutput[T] {
	r := requestOf(ctx)
	out := &ListOutput[T]{Status: http.StatusOK, ReadHeaders: s.readHeaders(r, page.Freshness)}
	var next *string
	if page.Next != nil {
		next = new(place(page.Freshness, *page.Next, walk(r.URL)))
		out.Link = "<" + s.origin(r) + nextURL(r.URL, *next) + `>; rel="next"`
	}
	if isKnown(r, out.ETag) {
		out.Status = http.StatusNotModified
		return out
	}
	rows := make([]T, len(page.Rows))
	for i, row := range page.Rows {
		rows[i] = shape(row)
	}
	out.Body = List[T]{rows, next, shown(page.Freshness)}
	return out
}

// found answers with one object, or with 304.
func found[R, T any](ctx context.Context, s *server, row directory.Found[R], shape func(R) T) *OneOutput[T] {
	r := requestOf(ctx)
	out := &OneOutput[T]{Status: http.StatusOK, ReadHeaders: s.readHeaders(r, row.Freshness)}
	if isKnown(r, out.ETag) {
		out.Status = http.StatusNotModified
		return out
	}
	out.Body = One[T]{shape(row.Row), shown(row.Freshness)}
	return out
}

func nextURL(u *url.URL, cursor string) string {
	values := u.Query()
	values.Set("cursor", cursor)
	return u.EscapedPath() + "?" + values.Encode()
}

// tooOld refuses what must not be answered from a mirror older than
// --max-stale.
func (s *server) tooOld(f directory.Freshness) error {
	age := time.Since(f.ConfirmedAt)
	if s.MaxStale == 0 || age <= s.MaxStale {
		return nil
	}
	p := newProblem(http.StatusGatewayTimeout, tooStale, "What is known is %s old, more than the %s allowed by --max-stale: see /v1/status for the reason.",
		age.Round(time.Second), s.MaxStale)
	p.header.Set("Age", strconv.Itoa(int(age/time.Second)))
	return p
}
