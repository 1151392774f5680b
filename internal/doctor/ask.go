package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rollcall/internal/directory"
)

// maxBody bounds what is read of an answer.
const maxBody = 64 << 20

// An asker sends reads, counts them and notes what every answer tells beside
// its body.
type asker struct {
	up       Upstream
	requests int

	clock      time.Duration // Tallyfy's clock minus ours, from the last Date header
	hasClock   bool
	rateHeader string // name of a rate limit header that came, if any
	throttled  *answer
}

// A fields is one JSON object.
type fields map[string]json.RawMessage

// An answer is what came back. Where nothing came, err says why and all else
// is empty.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	hasData bool
	rows    []fields // of a list
	row     fields   // of a single object
	meta    fields   // meta.pagination; nil without
	err     error
}

func (a *answer) ok() bool { return a != nil && a.err == nil && a.status/100 == 2 && a.hasData }

// list reports whether the answer is a list, empty or not.
func (a *answer) list() bool { return a.ok() && a.row == nil }

// said tells in a few words what came.
func (a *answer) said() string {
	switch {
	case a == nil:
		return "it was not asked for"
	case a.err != nil:
		return "no answer: " + string(directory.ReasonOf(a.err))
	case a.status/100 == 2 && !a.hasData:
		return fmt.Sprintf("%d without data", a.status)
	}
	return strconv.Itoa(a.status)
}

// get asks once. It fails only when ctx has ended.
func (k *asker) get(ctx context.Context, path string, query url.Values, header http.Header) (*answer, error) {
	if k.requests >= MaxRequests {
		return nil, errors.New("doctor: more requests than it may make")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	r.URL.RawQuery = query.Encode()
	for name, values := range header {
		r.Header[name] = values
	}
	if err := k.up.Authorize(ctx, r.Header); err != nil {
		return &answer{err: err}, ctx.Err()
	}
	k.requests++
	began := time.Now()
	response, err := k.up.Forward(ctx, r)
	if err != nil {
		return &answer{err: err}, ctx.Err()
	}
	defer response.Body.Close()
	k.note(response.Header, began)
	a := &answer{status: response.StatusCode, header: response.Header}
	if a.body, a.err = io.ReadAll(io.LimitReader(response.Body, maxBody)); a.err != nil {
		return a, ctx.Err()
	}
	a.parse()
	if a.status == http.StatusTooManyRequests {
		k.throttled = a
	}
	return a, ctx.Err()
}

func (k *asker) note(h http.Header, began time.Time) {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		half := time.Since(began) / 2
		k.clock, k.hasClock = date.Sub(began.Add(half)), true
	}
	for _, name := range []string{"X-RateLimit-Remaining", "X-RateLimit-Limit", "RateLimit-Remaining", "RateLimit"} {
		if h.Get(name) != "" {
			k.rateHeader = name
		}
	}
}

func (a *answer) parse() {
	var envelope struct {
		Data json.RawMessage `json:"data"`
		Meta struct {
			Pagination fields `json:"pagination"`
		} `json:"meta"`
	}
	if json.Unmarshal(a.body, &envelope) != nil {
		return
	}
	a.meta = envelope.Meta.Pagination
	a.hasData = json.Unmarshal(envelope.Data, &a.rows) == nil && a.rows != nil ||
		json.Unmarshal(envelope.Data, &a.row) == nil && a.row != nil
}

// number reads a number, in quotes or not.
func (f fields) number(name string) (int, bool) {
	digits := string(f[name])
	if unquoted, err := strconv.Unquote(digits); err == nil {
		digits = unquoted
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// text reads a text, or what stands for it, as it was sent.
func (f fields) text(name string) string {
	var s string
	if json.Unmarshal(f[name], &s) == nil {
		return s
	}
	return string(f[name])
}

// has reports whether the field was sent, as null or otherwise.
func (f fields) has(name string) bool { _, sent := f[name]; return sent }

// kind names the JSON kind of a field.
func (f fields) kind(name string) string {
	raw := f[name]
	if len(raw) == 0 {
		return "absent"
	}
	switch raw[0] {
	case '"':
		return "text"
	case '{':
		return "object"
	case '[':
		return "array"
	case 'n':
		return "null"
	case 't', 'f':
		return "flag"
	}
	return "number"
}

// elements are the values of an array.
func (f fields) elements(name string) []json.RawMessage {
	var all []json.RawMessage
	_ = json.Unmarshal(f[name], &all) // what is no array has none
	return all
}

// object decodes a field into v if it is an object.
func (f fields) object(name string, v any) {
	if f.kind(name) == "object" {
		_ = json.Unmarshal(f[name], v) // what does not fit stays empty
	}
}
