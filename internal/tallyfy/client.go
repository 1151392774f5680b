// Package tallyfy is the one client of Tallyfy's REST API
// (https://tallyfy.com/products/pro/integrations/open-api/).
//
// It promises that
//
//   - no more requests leave than the limits allow in any sliding five
//     seconds, minute and hour, retries and restarts included;
//   - forwarded requests, and reads that a caller awaits, go before other
//     single reads, and these before lists;
//   - reads are retried a few times, writes never;
//   - a 429 makes everybody wait;
//   - what comes back is a whole answer of the right shape or an error: never
//     an empty list for a failed one;
//   - the access token is in no error, log line or URL;
//   - the tokens of an application are renewed before they expire and after
//     they were refused, within the limits and never in a storm.
//
// Errors are *directory.UpstreamError. Every method ends early when its
// context does, with an error that wraps the context's.
package tallyfy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/directory"
)

const (
	defaultTimeout = 60 * time.Second
	defaultMaxBody = 256 << 20
)

// Options configure a Client. BaseURL, Organization and one of Token and
// Application are required.
type Options struct {
	BaseURL      string // with or without path and trailing slash
	Organization string // the id, 32 hex digits in practice
	Token        TokenSource
	Application  *Application

	Rate   int // requests in any sliding minute, and never more than 12 in 5 s; 0 lifts both
	Hourly int // requests in any sliding hour; 0 lifts it
	Sweeps int // of these, requests of sweeps; 0 for all

	Timeout   time.Duration     // of one request with its answer; 60 s
	MaxBody   int64             // bytes of one answer; 256 MiB
	CAFile    string            // PEM certificates added to the system's roots
	Transport http.RoundTripper // replaces the network; CAFile is then not read
	Spend     SpendLog          // remembers spent requests over restarts; may be nil
	UserAgent string
	Logger    *slog.Logger
}

// A Client speaks to one organisation. It is safe for concurrent use.
type Client struct {
	base         *url.URL // without trailing slash
	organization string
	kind         directory.TokenKind
	token        source
	application  []*renewed // the sources of its tokens, none for a given one
	userAgent    string
	maxBody      int64
	reads        *retryablehttp.Client
	once         *http.Client
	gate         *gate
	meter        *meter // of all requests but those of sweeps
	sweeps       *meter
	requests     *prometheus.CounterVec
	log          *slog.Logger
}

// New builds a client and sends nothing. Its errors name the setting at
// fault.
func New(o Options) (*Client, error) {
	base, err := parseBase(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if o.Organization == "" || isDots(o.Organization) {
		return nil, fmt.Errorf("--org: %q is no organisation id", o.Organization)
	}
	if (o.Token == nil) == (o.Application == nil) {
		return nil, errors.New("no access token, or two: set one of TALLYFY_ACCESS_TOKEN, TALLYFY_ACCESS_TOKEN_FILE and TALLYFY_CLIENT_ID")
	}
	if o.Rate < 0 || o.Hourly < 0 || o.Sweeps < 0 {
		return nil, errors.New("--upstream-rate and --upstream-hourly: must be 0 or more")
	}
	transport := o.Transport
	if transport == nil {
		if transport, err = newTransport(o.CAFile); err != nil {
			return nil, err
		}
	}
	c := &Client{
		base:         base,
		organization: o.Organization,
		userAgent:    cmp.Or(o.UserAgent, "rollcall"),
		maxBody:      cmp.Or(o.MaxBody, defaultMaxBody),
		gate:         newGate(o.Rate, o.Hourly, o.Sweeps),
		meter:        &meter{log: o.Spend},
		sweeps:       &meter{log: o.Spend, bySweep: true},
		requests:     newRequestCounter(),
		log:          cmp.Or(o.Logger, slog.New(slog.DiscardHandler)),
	}
	c.once = &http.Client{
		Transport:     &attempts{client: c, next: transport, timeout: cmp.Or(o.Timeout, defaultTimeout)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.reads = newRetrier(c.once)
	if err := c.authenticate(o); err != nil {
		return nil, err
	}
	return c, nil
}

// authenticate sets up where tokens come from.
func (c *Client) authenticate(o Options) error {
	if o.Application == nil {
		c.kind, c.token = directory.TokenPersonal, &given{TokenSource: o.Token, log: c.log}
		return nil
	}
	application, err := o.Application.check(c.base)
	if err != nil {
		return err
	}
	c.application = newApplicationSources(c, application)
	c.kind, c.token = c.application[0].kind, c.application[0]
	return nil
}

// Close ends requests for tokens and lets idle connections go. The client
// remains usable.
func (c *Client) Close() {
	for _, r := range c.application {
		r.close()
	}
	c.once.CloseIdleConnections()
}

// TokenInfo tells what is known of the token that the client uses, without
// asking upstream.
func (c *Client) TokenInfo(ctx context.Context) directory.TokenInfo {
	return directory.TokenInfo{Kind: c.kind, ExpiresAt: c.token.expiry(ctx)}
}

// Budget tells how much of the limits is left at this instant. What was spent
// before a restart counts from the first request on.
func (c *Client) Budget() directory.Budget { return c.gate.budget(time.Now()) }
