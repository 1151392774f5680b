package tallyfysim

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// queryValues are query parameters as a PHP program reads them: of a repeated
// one the last counts.
type queryValues url.Values

func (q queryValues) get(key string) string {
	if v := q[key]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// positive returns the parameter as a positive number, or absent.
func (q queryValues) positive(key string, absent int) int {
	n, err := strconv.ParseInt(q.get(key), 10, 0)
	if err != nil && n != math.MaxInt || n < 1 {
		return absent
	}
	return int(n)
}

// with says whether an include is asked for.
func (q queryValues) with(name string) bool {
	return slices.Contains(strings.Split(q.get("with"), ","), name)
}

// paging is the part of a list that is asked for, and what is said about it.
type paging struct {
	page, perPage int
	total, count  int
	totalPages    int
}

// cut returns the rows of the page that q asks for.
func cut[R any](s *Sim, q queryValues, rows []R, byDefault, atMost int) ([]R, paging) {
	p := paging{page: q.positive("page", 1), perPage: min(q.positive("per_page", byDefault), atMost), total: len(rows)}
	p.totalPages = pages(p.total, p.perPage)
	served := p.page
	if s.opts.RepeatLastPage {
		served = min(served, p.totalPages)
	}
	if s.opts.TotalPagesSize > 0 {
		p.totalPages = pages(p.total, s.opts.TotalPagesSize)
	}
	if served > pages(p.total, p.perPage) {
		return nil, p
	}
	from := (served - 1) * p.perPage
	rows = rows[from:min(from+p.perPage, len(rows))]
	p.count = len(rows)
	return rows, p
}

func pages(total, perPage int) int { return max(1, (total+perPage-1)/perPage) }

// listing renders a page: size is a guess at the bytes of its rows.
func listing[R any](s *Sim, c *call, rows []R, p paging, size int, write func(*writer, R)) answer {
	o := &writer{buf: make([]byte, 0, size+512)}
	o.buf = append(o.buf, `{"data":[`...)
	for _, row := range rows {
		o.separate()
		write(o, row)
	}
	o.buf = append(o.buf, ']')
	if !s.opts.NoMeta {
		o.buf = append(o.buf, `,"meta":{"pagination":`...)
		s.pagination(o, c, p)
		o.buf = append(o.buf, '}')
	}
	return rawAnswer(http.StatusOK, append(o.buf, '}'))
}

func (s *Sim) pagination(o *writer, c *call, p paging) {
	o.begin(nil)
	o.number("total", int64(p.total))
	o.number("count", int64(p.count))
	o.number("per_page", int64(p.perPage))
	o.number("current_page", int64(p.page))
	o.number("total_pages", int64(p.totalPages))
	if p.page >= p.totalPages {
		o.raw("links", "[]")
	} else if o.field("links") {
		o.begin(nil)
		o.textOrNull("previous", s.link(c, p.page-1))
		o.text("next", s.link(c, p.page+1))
		o.end()
	}
	o.end()
}

// item is an answer with one row.
func item(status int, write func(*writer)) answer {
	o := &writer{buf: []byte(`{"data":`)}
	write(o)
	return rawAnswer(status, append(o.buf, '}'))
}

// link is the URL of a page on the other public host, empty before the first.
func (s *Sim) link(c *call, page int) string {
	if page < 1 {
		return ""
	}
	q := url.Values{}
	for key := range c.query {
		q.Set(key, c.query.get(key))
	}
	q.Set("page", strconv.Itoa(page))
	return s.opts.LinkBase + strings.TrimPrefix(c.URL.EscapedPath(), "/api") + "?" + q.Encode()
}

// containsFold says whether any of texts contains q, whatever the case.
func containsFold(q string, texts ...string) bool {
	q = foldCase(q)
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(foldCase(t), q) })
}

// compareFold compares texts whatever their case and outer blanks.
func compareFold(a, b string) int {
	return strings.Compare(foldCase(strings.TrimSpace(a)), foldCase(strings.TrimSpace(b)))
}

// foldCase writes every character as one of those that differ from it in case
// alone: the lower case of ASCII, else the lowest. Unlike lower case, that
// takes σ and ς for the same, and İ for no i.
func foldCase(s string) string {
	return strings.Map(func(r rune) rune {
		lowest := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			lowest = min(lowest, other)
		}
		if lowest <= unicode.MaxASCII {
			return unicode.ToLower(lowest)
		}
		return lowest
	}, s)
}
