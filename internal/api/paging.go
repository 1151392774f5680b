package api

import (
	"errors"
	"math"
	"net/url"
	"slices"
	"strconv"
)

// A pageSize is how many rows of a list come on one page.
type pageSize struct{ normal, most int }

// A pageAsked is what the query asks for after defaults and clamps.
type pageAsked struct{ page, perPage int }

// parse is forgiving as Tallyfy is: a page that is no positive number is the
// first, a size that is none is the default, and above the cap it is the cap.
func (p pageSize) parse(query url.Values) pageAsked {
	asked := pageAsked{page: 1, perPage: p.normal}
	if n, ok := positive(query["page"]); ok {
		asked.page = n
	}
	if n, ok := positive(query["per_page"]); ok {
		asked.perPage = min(n, p.most)
	}
	return asked
}

// positive reads the last of values, as PHP does. A number too large to hold
// is the largest one.
func positive(values []string) (int, bool) {
	if len(values) == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(values[len(values)-1])
	return n, n > 0 && (err == nil || errors.Is(err, strconv.ErrRange))
}

func (a pageAsked) offset() int {
	if a.page-1 > math.MaxInt/a.perPage {
		return math.MaxInt
	}
	return (a.page - 1) * a.perPage
}

// pagination is Tallyfy's `meta.pagination`.
type pagination struct {
	Total       int `json:"total"`
	Count       int `json:"count"`
	PerPage     int `json:"per_page"`
	CurrentPage int `json:"current_page"`
	TotalPages  int `json:"total_pages"`
	Links       any `json:"links"` // pageLinks, or an empty list where there is no next page
}

type pageLinks struct {
	Previous *string `json:"previous"`
	Next     *string `json:"next"`
}

// meta describes a page. Links keep the query as it was asked, but for the
// page.
func (a pageAsked) meta(total, count int, path string, query url.Values) pagination {
	pages := max((total+a.perPage-1)/a.perPage, 1)
	m := pagination{total, count, a.perPage, a.page, pages, []string{}}
	if a.page < pages {
		links := pageLinks{Next: new(pageLink(path, query, a.page+1))}
		if a.page > 1 {
			links.Previous = new(pageLink(path, query, a.page-1))
		}
		m.Links = links
	}
	return m
}

func pageLink(path string, query url.Values, page int) string {
	query.Set("page", strconv.Itoa(page))
	return path + "?" + query.Encode()
}

// onlyKnown reports whether a query holds none but the known parameters and
// can be read at all.
func onlyKnown(query string, known []string) bool {
	values, err := url.ParseQuery(query)
	if err != nil {
		return false
	}
	for name := range values {
		if !slices.Contains(known, name) {
			return false
		}
	}
	return true
}
