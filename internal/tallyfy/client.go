// Package tallyfy is the one client of Tallyfy's REST API
// (https://tallyfy.com/products/pro/integrations/open-api/).
//
// It promises that
//
//   - no more requests leave than the limits allow in any sliding five
//     seconds, minute and hour, retries and restarts included;
//   - forwarded requests go before single reads, and these before lists;
//   - reads are retried a few times, writes never;
//   - a 429 makes everybody wait;
//   - what comes back is a whole answer of the right shape or an error: never
//     an empty list for a failed one;
//   - the access token is in no error, log line or URL.
//
// Errors are *directory.UpstreamError. Every method ends early when its
// context does, with an error that wraps the context's.
package tallyfy

import (
	"cmp"
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

// Options configure a Client. BaseURL, Organization and Token are required.
type Options struct {
	BaseURL      string // with or without path and trailing slash
	Organization string // the id, 32 hex digits in practice
	Token        TokenSource

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
	token        TokenSource
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
	if o.Token == nil {
		return nil, errors.New("no access token: set TALLYFY_ACCESS_TOKEN or TALLYFY_ACCESS_TOKEN_FILE")
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
		token:        o.Token,
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
	return c, nil
}

// Close lets idle connections go. The client remains usable.
func (c *Client) Close() { c.once.CloseIdleConnections() }

// Budget tells how much of the limits is left at this instant. What was spent
// before a restart counts from the first request on.
func (c *Client) Budget() directory.Budget { return c.gate.budget(time.Now()) }
