package api

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"rollcall/internal/directory"
)

// A cursor is a place in a walk over a list, pinned to the revision that the
// walk began with; without a query, it is a place in the feed: the end of
// that revision. Callers see base64url and look no further.
type cursor struct {
	Epoch     string `json:"e"`
	Revision  int64  `json:"r"`
	Published int64  `json:"p"` // unix milliseconds
	Nonce     int64  `json:"n"`
	Query     string `json:"q,omitempty"`
	Key       string `json:"k,omitempty"`
	ID        string `json:"i,omitempty"`

	Within *directory.ChangeKey `json:"w,omitempty"` // of a place in the feed inside of the revision
}

// maxCursor bounds what is decoded: a folded name and an id, with room.
const maxCursor = 4096

var errCursor = errors.New("not a cursor")

func (c cursor) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and integers always encode
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// parseCursor accepts what String makes and nothing else.
func parseCursor(token string) (cursor, error) {
	if len(token) > maxCursor {
		return cursor{}, errCursor
	}
	var c cursor
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil || c.Epoch == "" || c.Revision < 1 || c.String() != token {
		return cursor{}, errCursor
	}
	return c, nil
}

// feedPlace is where a reader of the feed goes on after what f shows.
func feedPlace(f directory.Freshness) string {
	return feedCursor(f.FeedPlace())
}

// feedCursor names any place in the feed.
func feedCursor(p directory.FeedPlace) string {
	c := cursor{Epoch: p.Epoch, Revision: p.Revision, Published: p.PublishedAt.UnixMilli(), Nonce: p.Nonce}
	if p.Key.Step != 0 {
		c.Within = &p.Key
	}
	return c.String()
}

// feedPlace is the place that a cursor of the feed names; it is not ok for a
// cursor of a list.
func (c cursor) feedPlace() (place directory.FeedPlace, ok bool) {
	place.Pin = *c.pin()
	if c.Within != nil {
		place.Key = *c.Within
	}
	return place, c.Query == "" && c.Key == "" && c.ID == "" && (c.Within == nil || place.Key.Step.IsKnown())
}

// place is where a walk goes on after a page.
func place(f directory.Freshness, after directory.Position, query string) string {
	return cursor{f.Epoch, f.Revision, f.PublishedAt.UnixMilli(), f.Nonce, query, after.Key, after.ID, nil}.String()
}

func (c cursor) pin() *directory.Pin {
	return &directory.Pin{Epoch: c.Epoch, Revision: c.Revision, PublishedAt: time.UnixMilli(c.Published).UTC(), Nonce: c.Nonce}
}

func (c cursor) position() *directory.Position {
	return &directory.Position{Key: c.Key, ID: c.ID}
}

// walk names the list a cursor belongs to: what was asked but for the place
// and the size of the page.
func walk(u *url.URL) string { return digest(canonical(u, "cursor", "limit"), 9) }
