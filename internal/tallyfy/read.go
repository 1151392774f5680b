package tallyfy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/hashicorp/go-retryablehttp"

	"rollcall/internal/directory"
)

// A read is one GET and what makes sense of its answer.
type read struct {
	op     string // for errors: "list groups, page 3"
	lane   lane
	path   string // escaped, below the base
	query  url.Values
	decode func(io.Reader) error
}

// do sends a read. After a 401 it tries once more if there is another token;
// after an answer that broke off it tries once more, too.
func (c *Client) do(ctx context.Context, r read) error {
	err := c.authorized(ctx, r)
	if up, ok := errors.AsType[*directory.UpstreamError](err); ok {
		up.Op = r.op
		if errors.Is(up.Err, errToken) {
			up.Err = refusals[c.kind]
		}
		if up.Err == nil && up.Reason == directory.ReasonNotFound && r.lane == listLane {
			up.Err = errMissing
		}
	}
	return err
}

// authorized sends a read with the access token, and once more with a new one
// if that was refused.
func (c *Client) authorized(ctx context.Context, r read) error {
	token, err := c.accessToken(ctx)
	if err != nil {
		return err
	}
	err = c.try(ctx, r, token)
	switch {
	case directory.ReasonOf(err) == directory.ReasonUnauthorized:
		var fresh string
		if fresh, err = c.replace(ctx, token, err); fresh != "" {
			err = c.try(ctx, r, fresh)
		}
	case errors.Is(err, errCut):
		err = c.try(ctx, r, token)
	}
	return err
}

// probe sends a read with the token of a caller, once: strangers must not be
// able to have requests repeated.
func (c *Client) probe(ctx context.Context, token string, r read) error {
	err := c.send(ctx, r, token, func(request *retryablehttp.Request) (*http.Response, error) { return c.once.Do(request.Request) })
	if up, ok := errors.AsType[*directory.UpstreamError](err); ok {
		up.Op = r.op
	}
	return err
}

// try sends a read with a token, repeating it where that may help.
func (c *Client) try(ctx context.Context, r read, token string) error {
	return c.send(ctx, r, token, c.reads.Do)
}

// send sends a read with a token and decodes its answer.
func (c *Client) send(ctx context.Context, r read, token string, do func(*retryablehttp.Request) (*http.Response, error)) error {
	request, err := c.newRead(withLane(ctx, laneOf(ctx, r.lane)), r, token)
	if err != nil {
		return &directory.UpstreamError{Reason: directory.ReasonInternal, Err: err}
	}
	resp, err := do(request)
	if err != nil {
		return sendError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return statusError(resp)
	}
	err = r.decode(&bounded{body: resp.Body, left: c.maxBody})
	if ctx.Err() != nil && err != nil {
		return sendError(ctx, err)
	}
	if up, ok := errors.AsType[*directory.UpstreamError](err); ok {
		up.Status = resp.StatusCode
	}
	return err
}

func (c *Client) newRead(ctx context.Context, r read, token string) (*retryablehttp.Request, error) {
	address := c.base.String() + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	c.addRequired(request.Header)
	return request, nil
}

// addRequired adds what every request to Tallyfy must carry and this one
// lacks (https://tallyfy.com/products/pro/integrations/open-api/).
func (c *Client) addRequired(h http.Header) {
	for name, value := range map[string]string{
		"Accept":           "application/json",
		"X-Tallyfy-Client": "APIClient",
		"User-Agent":       c.userAgent,
	} {
		if h.Get(name) == "" {
			h.Set(name, value)
		}
	}
}

// accessToken's errors are the caller's to change.
func (c *Client) accessToken(ctx context.Context) (string, error) {
	token, err := c.token.Token(ctx)
	up, isUpstreams := errors.AsType[*directory.UpstreamError](err)
	switch {
	case err == nil:
		return token, nil
	case isUpstreams:
		return "", new(*up)
	case ctx.Err() != nil:
		return "", sendError(ctx, err)
	}
	return "", &directory.UpstreamError{Op: opToken, Reason: directory.ReasonUnauthorized, Err: err}
}

// replace returns another token than the refused one, or none and the error
// to report.
func (c *Client) replace(ctx context.Context, refused string, because error) (string, error) {
	c.token.Refused(refused)
	fresh, err := c.accessToken(ctx)
	if err != nil {
		return "", err
	}
	if fresh == refused {
		return "", because
	}
	return fresh, nil
}
