package tallyfy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"rollcall/internal/directory"
)

// An applicant asks for the tokens of an application.
type applicant struct {
	Application
	http *http.Client

	mu    sync.Mutex
	tried string // the secret last sent, empty for none
}

// newApplicationSources returns the sources of an application's tokens: that
// of the tokens to use, and that of those it mints them with, if need be.
func newApplicationSources(c *Client, a Application) []*renewed {
	applicant := &applicant{Application: a, http: &http.Client{
		Transport:     &grantTransport{client: c, next: c.once.Transport},
		CheckRedirect: c.once.CheckRedirect,
	}}
	own := &renewed{kind: directory.TokenApplication, ask: applicant.ask, mended: applicant.isMended, log: c.log}
	if a.ActAs == "" {
		return []*renewed{own}
	}
	m := &minter{application: own, http: applicant.http, url: c.base.String() + "/applications/" + url.PathEscape(c.organization) +
		"/users/" + url.PathEscape(a.ActAs) + "/token"}
	user := &renewed{kind: directory.TokenActAs, ask: m.ask, mended: applicant.isMended, log: c.log}
	return []*renewed{user, own}
}

// ask sends the credentials as a form, as Tallyfy wants them.
func (a *applicant) ask(ctx context.Context) (lease, error) {
	secret, err := a.Secret.Token(ctx)
	a.try(secret)
	if err != nil {
		return lease{}, &directory.UpstreamError{Op: opToken, Reason: directory.ReasonUnauthorized, Err: err}
	}
	credentials := clientcredentials.Config{
		ClientID: a.ClientID, ClientSecret: secret, TokenURL: a.TokenURL, Scopes: []string{"*"}, AuthStyle: oauth2.AuthStyleInParams,
	}
	began := time.Now()
	got, err := credentials.Token(context.WithValue(withLane(ctx, forwardLane), oauth2.HTTPClient, a.http))
	if err != nil {
		failed := grantError(ctx, err)
		if failed.Reason == directory.ReasonUnauthorized {
			a.Secret.Refused(secret)
		}
		return lease{}, failed
	}
	return usable(got.AccessToken, began, got.Expiry)
}

func (a *applicant) try(secret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tried = secret
}

// isMended reports whether there is a secret that was not tried last.
func (a *applicant) isMended(ctx context.Context) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	secret, err := a.Secret.Token(ctx)
	return err == nil && secret != a.tried
}

// usable is the lease of a token that a header can carry.
func usable(token string, began, told time.Time) (lease, error) {
	if _, err := checked(accessToken, token); err != nil {
		return lease{}, &directory.UpstreamError{Op: opToken, Reason: directory.ReasonShape, Status: http.StatusOK, Err: err}
	}
	return newLease(token, began, told), nil
}

// opToken is what a request for a token is called where no other request
// waits for it.
const opToken = "get an access token"

var (
	errFutile    = &directory.UpstreamError{Op: opToken, Reason: directory.ReasonUnauthorized, Err: errToken}
	errNoGrant   = errors.New("the token endpoint gave no token")
	errNoGrants  = errors.New("no token endpoint there; check TALLYFY_TOKEN_URL")
	errGrantMove = errors.New("the token endpoint redirects, which is not followed; check TALLYFY_TOKEN_URL")
	errNotAToken = errors.New("the token endpoint's answer holds no access token; check TALLYFY_TOKEN_URL")
)

// grantCodes are the errors of RFC 6749, 5.2, which blame the application.
var grantCodes = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
}

// grantError makes an error of a request for a token that brought none. It
// takes nothing from the answer but its status, Retry-After and a known code:
// some endpoints repeat what they were sent.
func grantError(ctx context.Context, err error) *directory.UpstreamError {
	var failed *directory.UpstreamError
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		failed = grantRefusal(refused.Response, refused.ErrorCode)
	} else if _, ok := errors.AsType[*url.Error](err); ok {
		failed = sendError(ctx, err)
		failed.Err = fmt.Errorf("%w: %w", errNoGrant, failed.Err)
	} else {
		failed = &directory.UpstreamError{Reason: directory.ReasonShape, Status: http.StatusOK, Err: errNotAToken}
	}
	failed.Op = opToken
	return failed
}

func grantRefusal(resp *http.Response, code string) *directory.UpstreamError {
	e := &directory.UpstreamError{Status: resp.StatusCode, RetryAfter: min(retryAfter(resp), pauseMost)}
	e.Reason, e.Err = classify(resp.StatusCode)
	isOurs := resp.StatusCode < http.StatusInternalServerError && slices.Contains(grantCodes, code)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		e.Err = errNoGrant
	case isOurs:
		e.Reason, e.Err = directory.ReasonUnauthorized, fmt.Errorf("the token endpoint refuses the application (%s); check TALLYFY_CLIENT_ID and its secret", code)
	case e.Reason == directory.ReasonUnauthorized, resp.StatusCode == http.StatusBadRequest:
		e.Reason, e.Err = directory.ReasonUnauthorized, errors.New("the token endpoint refuses the application; check TALLYFY_CLIENT_ID and its secret")
	case e.Reason == directory.ReasonNotFound:
		e.Err = errNoGrants
	case e.Reason == directory.ReasonShape:
		e.Err = errGrantMove
	default:
		e.Err = errNoGrant
	}
	return e
}

// mostGrantBody bounds the answer to a request for a token.
const mostGrantBody = 1 << 20

// A grantTransport sends requests for tokens as all others are sent, and reads
// their answers whole, so that one that breaks off is told from nonsense.
type grantTransport struct {
	client *Client
	next   http.RoundTripper
}

func (t *grantTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	t.client.addRequired(r.Header)
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(&bounded{body: resp.Body, left: mostGrantBody})
	if err != nil {
		return nil, bodyError(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
