package tallyfy

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// A Prober asks what Tallyfy shows to the token of a caller. Each call is one
// request, which is not repeated if it fails; with the sweep token's own it is
// as with any read.
type Prober struct{ client *Client }

// Prober returns one that shares the client's limits.
func (c *Client) Prober() *Prober { return &Prober{c} }

// Me returns the id of the token's owner.
func (p *Prober) Me(ctx context.Context, token string) (int64, error) {
	owner, err := p.user(ctx, token, "read me", "/me")
	return owner.ID, err
}

// Role returns the role of a user, in lower case, empty when Tallyfy names
// none. The token must be an administrator's.
func (p *Prober) Role(ctx context.Context, token string, user int64) (string, error) {
	id := strconv.FormatInt(user, 10)
	found, err := p.user(ctx, token, "read user "+id, p.client.collection("users")+"/"+id)
	switch {
	case err != nil || found.Role == nil:
		return "", err
	case found.ID != user:
		return "", otherRow("user", id)
	}
	return *found.Role, nil
}

// GroupTotal returns how many groups the token is shown.
func (p *Prober) GroupTotal(ctx context.Context, token string) (int, error) {
	return p.total(ctx, token, "groups")
}

// UserTotal returns how many users the token is shown.
func (p *Prober) UserTotal(ctx context.Context, token string) (int, error) {
	return p.total(ctx, token, "users")
}

// SweepGroupTotal returns how many groups the client's own token is shown.
func (p *Prober) SweepGroupTotal(ctx context.Context) (int, error) {
	return p.sweepTotal(ctx, "groups")
}

// SweepUserTotal returns how many users the client's own token is shown.
func (p *Prober) SweepUserTotal(ctx context.Context) (int, error) { return p.sweepTotal(ctx, "users") }

func (p *Prober) user(ctx context.Context, token, op, path string) (row directory.MemberRow, err error) {
	err = p.client.probe(ctx, token, read{
		op: op, lane: readLane, path: path,
		decode: func(body io.Reader) error {
			return decodeOne(body, func(raw []byte) (err error) {
				row, err = payload.DecodeMember(raw, directory.SingleForm)
				return err
			})
		},
	})
	return row, err
}

func (p *Prober) total(ctx context.Context, token, what string) (total int, err error) {
	err = p.client.probe(ctx, token, p.countRows(what, &total))
	return total, err
}

func (p *Prober) sweepTotal(ctx context.Context, what string) (total int, err error) {
	err = p.client.do(ctx, p.countRows(what, &total))
	return total, err
}

var errNoTotal = errors.New("the list has no `meta.pagination.total`")

// countRows is a list of one row, read for its total. It goes in the lane of
// single reads: a caller waits for it.
func (p *Prober) countRows(what string, total *int) read {
	return read{
		op: "count " + what, lane: readLane,
		path: p.client.collection(what), query: url.Values{"page": {"1"}, "per_page": {"1"}},
		decode: func(body io.Reader) error {
			page, err := decodeList(body, func([]byte) error { return nil })
			if err == nil && page == nil {
				err = &directory.UpstreamError{Reason: directory.ReasonShape, Err: errNoTotal}
			}
			if err == nil {
				*total = page.Total
			}
			return err
		},
	}
}
