package tallyfy

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// groupsPerPage is the most that Tallyfy gives.
const groupsPerPage = 100

// MemberPage reads a page, from 1, of the organisation's users, of every
// status. No page size is asked for: Tallyfy then sends 9999 at once.
//
// https://tallyfy.com/products/pro/integrations/open-api/code-samples/members/list-members/
func (c *Client) MemberPage(ctx context.Context, page int) (directory.ListingPage[directory.MemberRow], error) {
	query := url.Values{"page": {strconv.Itoa(page)}}
	return listPage(ctx, c, "users", page, query, payload.DecodeMember)
}

// GroupPage reads a page, from 1, of up to a hundred groups.
//
// https://tallyfy.com/products/pro/integrations/open-api/code-samples/groups/list-groups/
func (c *Client) GroupPage(ctx context.Context, page int) (directory.ListingPage[directory.GroupRow], error) {
	query := url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(groupsPerPage)}}
	return listPage(ctx, c, "groups", page, query, payload.DecodeGroup)
}

// Group reads one group.
//
// https://tallyfy.com/products/pro/integrations/open-api/code-samples/groups/get-group/
func (c *Client) Group(ctx context.Context, id string) (directory.GroupRow, error) {
	row, err := readRow(ctx, c, "group", "groups", id, payload.DecodeGroup)
	if err == nil && !strings.EqualFold(row.ID, id) {
		return row, otherRow("group", id)
	}
	return row, err
}

// Member reads one user; the token must be an administrator's.
//
// https://tallyfy.com/products/pro/integrations/open-api/code-samples/members/get-member/
func (c *Client) Member(ctx context.Context, id int64) (directory.MemberRow, error) {
	text := strconv.FormatInt(id, 10)
	row, err := readRow(ctx, c, "user", "users", text, payload.DecodeMember)
	if err == nil && row.ID != id {
		return row, otherRow("user", text)
	}
	return row, err
}

// Me asks who the token belongs to, the cheapest proof that it works. An
// application is nobody: with its own token one group is listed instead.
func (c *Client) Me(ctx context.Context) error {
	if c.kind == directory.TokenApplication {
		return c.do(ctx, read{
			op: "list one group", lane: readLane, path: c.collection("groups"), query: url.Values{"per_page": {"1"}},
			decode: func(body io.Reader) error {
				_, err := decodeList(body, func([]byte) error { return nil })
				return err
			},
		})
	}
	return c.do(ctx, read{
		op: "read me", lane: readLane, path: "/me",
		decode: func(body io.Reader) error { return decodeOne(body, func([]byte) error { return nil }) },
	})
}

type decoder[T any] func(raw []byte, form directory.Form) (T, error)

func listPage[T any](ctx context.Context, c *Client, what string, page int, query url.Values, decode decoder[T]) (directory.ListingPage[T], error) {
	var got directory.ListingPage[T]
	err := c.do(ctx, read{
		op:    fmt.Sprintf("list %s, page %d", what, page),
		lane:  listLane,
		path:  c.collection(what),
		query: query,
		decode: func(body io.Reader) (err error) {
			got = directory.ListingPage[T]{}
			got.Meta, err = decodeList(body, func(raw []byte) error {
				row, err := decode(raw, directory.ListForm)
				got.Rows = append(got.Rows, row)
				return err
			})
			return err
		},
	})
	if err != nil {
		return directory.ListingPage[T]{}, err
	}
	return got, nil
}

func readRow[T any](ctx context.Context, c *Client, what, collection, id string, decode decoder[T]) (row T, err error) {
	op := fmt.Sprintf("read %s %.64s", what, id)
	if id == "" || isDots(id) {
		return row, &directory.UpstreamError{Op: op, Reason: directory.ReasonInternal, Err: fmt.Errorf("%q is no id", id)}
	}
	err = c.do(ctx, read{
		op:   op,
		lane: readLane,
		path: c.collection(collection) + "/" + url.PathEscape(id),
		decode: func(body io.Reader) error {
			return decodeOne(body, func(raw []byte) (err error) {
				row, err = decode(raw, directory.SingleForm)
				return err
			})
		},
	})
	return row, err
}

func (c *Client) collection(name string) string {
	return "/organizations/" + url.PathEscape(c.organization) + "/" + name
}

func otherRow(what, id string) error {
	return &directory.UpstreamError{
		Op: fmt.Sprintf("read %s %.64s", what, id), Reason: directory.ReasonShape, Status: 200,
		Err: fmt.Errorf("another %s came back", what),
	}
}
