package api

import (
	"errors"
	"math"
	"net/url"
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
	if n, ok := positive(query.Get("page")); ok {
		asked.page = n
	}
	if n, ok := positive(query.Get("per_page")); ok {
		asked.perPage = min(n, p.most)
	}
	return asked
}

// positive reads a number. One too large to hold is the largest.
func positive(text string) (int, bool) {
	n, err := strconv.Atoi(text)
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
