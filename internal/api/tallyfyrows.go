package api

import (
	"errors"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// tallyfyRows are rows as Tallyfy shapes them, on their way into a body: as
// stored rows are JSON already, they are joined, not encoded.
type tallyfyRows struct {
	count  int
	bytes  int // about as many
	append func(body []byte, i int) []byte
}

// plainRows are rows as they are stored.
func plainRows(rows [][]byte) tallyfyRows {
	bytes := 0
	for _, row := range rows {
		bytes += len(row)
	}
	return tallyfyRows{len(rows), bytes, func(body []byte, i int) []byte { return append(body, rows[i]...) }}
}

// rowsWithGroups are members with the groups that they are in.
func rowsWithGroups(found directory.MemberGroups) tallyfyRows {
	included := make([][]byte, len(found.Groups))
	for i, group := range found.Groups {
		included[i] = payload.IncludedGroup(group)
	}
	return tallyfyRows{len(found.Rows), found.Bytes, func(body []byte, i int) []byte {
		return payload.AppendWithGroups(body, found.Rows[i], included, found.In[i])
	}}
}

// A tallyfyPage is a page of rows as the mirror showed them in one state.
type tallyfyPage struct {
	tallyfyRows
	total int // rows on all pages
	directory.Freshness
}

func plainPage(page directory.PayloadPage, err error) (tallyfyPage, error) {
	return tallyfyPage{plainRows(page.Rows), page.Total, page.Freshness}, err
}

func plainRow(found directory.Found[[]byte], err error) (tallyfyPage, error) {
	return tallyfyPage{plainRows([][]byte{found.Row}), 1, found.Freshness}, err
}

func pageWithGroups(found directory.MemberGroups, err error) (tallyfyPage, error) {
	if errors.Is(err, directory.ErrTooLarge) {
		err = errBeyondMirror
	}
	return tallyfyPage{rowsWithGroups(found), found.Total, found.Freshness}, err
}

func envelope(rows tallyfyRows, pagination []byte) []byte {
	const head, middle, tail = `{"data":[`, `],"meta":{"pagination":`, `}}`
	size := len(head) + len(middle) + len(tail) + len(pagination) + rows.count + rows.bytes
	body := append(make([]byte, 0, size), head...)
	for i := range rows.count {
		if i > 0 {
			body = append(body, ',')
		}
		body = rows.append(body, i)
	}
	body = append(append(body, middle...), pagination...)
	return append(body, tail...)
}
