package api

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"rollcall/internal/directory"
)

// A tallyfyList is what the mirror can answer exactly of one of Tallyfy's
// lists, beside q, page and per_page.
type tallyfyList struct {
	size       pageSize
	sort       string // the parameter that orders
	orders     map[string]directory.PayloadOrder
	reversible bool // - in front of the order is descending
	withGroups bool // with=groups
}

// https://tallyfy.com/products/pro/integrations/open-api/code-samples/groups/list-groups/
var tallyfyGroups = tallyfyList{
	size: pageSize{10, 100}, sort: "sort_by",
	orders: map[string]directory.PayloadOrder{
		"created_at": directory.ByCreation, "updated_at": directory.ByUpdate, "name": directory.ByName,
	},
}

// https://tallyfy.com/products/pro/integrations/open-api/code-samples/members/list-members/
var tallyfyUsers = tallyfyList{
	size: pageSize{9999, 9999}, sort: "sort",
	orders: map[string]directory.PayloadOrder{
		"created_at": directory.ByCreation, "updated_at": directory.ByUpdate, "id": directory.ByID,
		"email": directory.ByEmail, "first_name": directory.ByFirstName, "last_name": directory.ByLastName,
	},
	reversible: true, withGroups: true,
}

// A listAsked is a query of a list that the mirror answers.
type listAsked struct {
	pageAsked
	directory.PayloadQuery
	withGroups bool
	query      url.Values // as it came
}

// parse reads a query. It is not ok if the mirror could only guess what
// Tallyfy would answer.
func (l tallyfyList) parse(raw string) (asked listAsked, ok bool) {
	if asked.query, ok = parseSingles(raw); !ok {
		return asked, false
	}
	for name := range asked.query {
		switch value := asked.query.Get(name); name {
		case "page", "per_page":
		case "q":
			asked.Contains = value
		case "with":
			asked.withGroups = l.withGroups && value == "groups"
			ok = asked.withGroups
		case l.sort:
			asked.Order, asked.Descending, ok = l.order(value)
		default:
			ok = false
		}
		if !ok {
			return asked, false
		}
	}
	asked.pageAsked = l.size.parse(asked.query)
	asked.Offset, asked.Limit = asked.offset(), asked.perPage
	return asked, true
}

func (l tallyfyList) order(value string) (order directory.PayloadOrder, descending, ok bool) {
	if l.reversible {
		value, descending = strings.CutPrefix(value, "-")
	}
	order, ok = l.orders[value]
	return order, descending, ok
}

// parseSingles reads a query that has every parameter once and holds nothing
// that PHP or PostgreSQL reads in a way of its own.
func parseSingles(raw string) (url.Values, bool) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, false
	}
	for _, values := range query {
		if len(values) != 1 || !utf8.ValidString(values[0]) || strings.ContainsRune(values[0], 0) {
			return nil, false
		}
	}
	return query, true
}
