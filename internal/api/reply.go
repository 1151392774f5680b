package api

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/directory"
)

// A reply is an answer that can be given to many. Nothing of it is changed.
type reply struct {
	status int
	etag   string // empty where it has none
	header []field
	body   []byte
}

// A field is one of an answer's header.
type field struct {
	name   string // canonical
	values []string
	ofBody bool // a 304 does without
}

// size is about what it takes of memory.
func (a *reply) size() int {
	size := len(a.body)
	for _, f := range a.header {
		size += 64 + len(strings.Join(f.values, ""))
	}
	return size
}

// give sends the answer, or that the client has it already, under the headers
// that are there and its own.
func (a *reply) give(w http.ResponseWriter, r *http.Request) {
	isShort := a.etag != "" && isKnown(r, a.etag)
	header := w.Header()
	for _, f := range a.header {
		if !isShort || !f.ofBody {
			header[f.name] = f.values
		}
	}
	if isShort {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may have gone
}

// setMoving sets those headers that do not stay while the state does.
func setMoving(h http.Header, f directory.Freshness, now time.Time) {
	values := []string{strconv.Itoa(inSeconds(f.Age(now))), f.ConfirmedAt.UTC().Format(time.RFC3339Nano)}
	h["Age"], h["Rollcall-Confirmed-At"] = values[0:1:1], values[1:2:2]
}

// A draft is what a handler answers, before anybody receives it.
type draft struct {
	header http.Header
	status int
	body   bytes.Buffer
	err    error
	shows  state // the zero state where that is not known
}

// drafted has h answer.
func drafted(h handler, r *http.Request) *draft {
	about := *infoOf(r.Context())
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, &about))
	about.request = r
	r.Method = http.MethodGet // HEAD has the same header, compressed or not
	a := &draft{header: http.Header{}}
	a.err = h(a, r)
	a.shows = about.shows
	return a
}

// Header is that of the answer.
func (a *draft) Header() http.Header { return a.header }

// WriteHeader takes down the status.
func (a *draft) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write takes down a part of the body.
func (a *draft) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// reply is the draft for good.
func (a *draft) reply() *reply {
	a.header.Set("Content-Length", strconv.Itoa(a.body.Len()))
	done := &reply{status: a.status, body: a.body.Bytes(), header: make([]field, 0, len(a.header))}
	if a.status == http.StatusOK {
		done.etag = a.header.Get("ETag")
	}
	for name, values := range a.header {
		done.header = append(done.header, field{name, values, name == "Link" || strings.HasPrefix(name, "Content-")})
	}
	return done
}

// otherwise gives the draft; if there is none, h answers.
func (a *draft) otherwise(h handler) handler {
	if a == nil {
		return h
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		if a.err == nil {
			a.reply().give(w, r)
		}
		return a.err
	}
}
