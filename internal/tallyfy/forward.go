package tallyfy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"rollcall/internal/directory"
)

// hopByHop are the headers that concern one connection (RFC 9110, 7.6.1).
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

// notForwarded would make Go's transport send a write twice, belong to our
// own host, are the transport's to set, claim another method or path than the
// request's, or whose request it is: Tallyfy picks a rate bucket by the
// forwarded address.
var notForwarded = []string{
	"Idempotency-Key", "X-Idempotency-Key", "Cookie", "Host", "Expect", "Content-Length",
	"X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url",
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server",
	"X-Host", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Via",
}

// Forward sends r once, as it is: its method, body and headers, to its path
// and query below the base URL. Headers that must not travel are left out and
// those that Tallyfy requires are added; the Authorization is the caller's. An
// answer is coded as the request accepts, and not at all if that does not say.
//
// It waits at most ten seconds for its turn and then fails with ReasonBudget,
// having sent nothing. Any other error leaves open whether Tallyfy acted. The
// answer, of whatever status, is upstream's; the caller closes its body. The
// body of r is closed.
func (c *Client) Forward(ctx context.Context, r *http.Request) (*http.Response, error) {
	op := "forward " + r.Method
	out, err := c.forwarded(withLane(ctx, forwardLane), r)
	if err != nil {
		return nil, &directory.UpstreamError{Op: op, Reason: directory.ReasonInternal, Err: err}
	}
	resp, err := c.once.Do(out)
	if err != nil {
		failed := sendError(ctx, err)
		failed.Op = op
		return nil, failed
	}
	if resp.StatusCode == http.StatusUnauthorized {
		c.token.Refused(strings.TrimPrefix(out.Header.Get("Authorization"), "Bearer "))
	}
	dropConnection(resp.Header)
	resp.Header.Del("Set-Cookie")
	return resp, nil
}

// Authorize puts the access token of the client on a request that is to be
// forwarded in its name.
func (c *Client) Authorize(ctx context.Context, h http.Header) error {
	token, err := c.accessToken(ctx)
	if err != nil {
		return err
	}
	h.Set("Authorization", "Bearer "+token)
	return nil
}

func (c *Client) forwarded(ctx context.Context, r *http.Request) (*http.Request, error) {
	if !strings.HasPrefix(r.URL.Path, "/") {
		return nil, errors.New("the path must begin with a slash")
	}
	target := url.URL{
		Scheme:   c.base.Scheme,
		Host:     c.base.Host,
		Path:     c.base.Path + r.URL.Path,
		RawPath:  c.base.EscapedPath() + r.URL.EscapedPath(),
		RawQuery: r.URL.RawQuery,
	}
	out, err := http.NewRequestWithContext(ctx, r.Method, target.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("build the request: %w", err)
	}
	out.Body, out.GetBody, out.ContentLength = r.Body, r.GetBody, r.ContentLength
	if r.ContentLength == 0 {
		out.Body = http.NoBody
	}
	out.Header = r.Header.Clone()
	if out.Header == nil {
		out.Header = make(http.Header)
	}
	dropConnection(out.Header)
	for _, name := range notForwarded {
		out.Header.Del(name)
	}
	c.addRequired(out.Header)
	return out, nil
}

// dropConnection removes the headers of one connection, those included that
// it names itself.
func dropConnection(h http.Header) {
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			h.Del(textproto.TrimString(name))
		}
	}
	for _, name := range hopByHop {
		h.Del(name)
	}
}
