package main

import (
	"net/url"
	"strings"
	"time"

	"rollcall/internal/tallyfy"
)

// settings are those of a server. Each flag has an environment twin; what
// they promise stands in the README's table.
type settings struct {
	upstreamSettings
	fileSettings
	pollSettings
	guardSettings
	freshSettings
	historySettings
	domainSettings
	listenSettings
	accessSettings
	exportSettings
	logSettings
}

// check refuses what is missing, wrong or contradictory, before anything is
// created.
func (s *settings) check() error {
	return firstError(
		s.upstreamSettings.check, s.fileSettings.check, s.pollSettings.check, s.guardSettings.check, s.freshSettings.check, s.domainSettings.check, s.listenSettings.check,
		func() error { return s.accessSettings.check(s.address()) }, s.exportSettings.check,
	)
}

func firstError(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

type upstreamSettings struct {
	BaseURL string        `name:"base-url" env:"TALLYFY_BASE_URL" default:"https://go.tallyfy.com/api" help:"Tallyfy, with or without path or trailing slash; http:// only on loopback."`
	Org     string        `name:"org" env:"TALLYFY_ORG_ID" placeholder:"ID" help:"Organisation to mirror."`
	Rate    int           `name:"upstream-rate" env:"ROLLCALL_UPSTREAM_RATE" default:"90" help:"Most requests sent in any sliding minute, and never more than 12 in 5 s; 0 lifts both."`
	Hourly  int           `name:"upstream-hourly" env:"ROLLCALL_UPSTREAM_HOURLY" default:"900" help:"Most requests sent in any sliding hour; 0 means no limit."`
	Share   share         `name:"sweep-share" env:"ROLLCALL_SWEEP_SHARE" default:"70%" help:"Share of the hourly requests that sweeps may take, the rest stays for writes and single reads; sweeps of a large organisation come less often for it."`
	Timeout time.Duration `name:"upstream-timeout" env:"ROLLCALL_UPSTREAM_TIMEOUT" default:"60s" help:"For one request."`
	CAFile  string        `name:"upstream-ca-file" env:"ROLLCALL_UPSTREAM_CA_FILE" placeholder:"FILE" help:"Certificates in PEM form, added to the system's roots."`
}

// check has the client say what it would refuse, without asking for anything.
func (s *upstreamSettings) check() error {
	switch {
	case s.Org == "":
		return usagef("--org is missing: set it to the id of your Tallyfy organisation")
	case strings.ContainsFunc(s.Org, notInID):
		return usagef("--org: %q is not an organisation id, which has letters, digits, - and _ alone", s.Org)
	case s.Timeout <= 0:
		return usagef("--upstream-timeout: %s is not positive, give a duration such as 60s", s.Timeout)
	}
	options := s.clientOptions()
	options.Token = tallyfy.StaticToken("none")
	if _, err := tallyfy.New(options); err != nil {
		return usageError{err}
	}
	return nil
}

// sweepHourly is how many requests sweeps may make in an hour, 0 for any
// number.
func (s *upstreamSettings) sweepHourly() int {
	if s.Hourly <= 0 {
		return 0
	}
	return max(1, int(float64(s.Share)*float64(s.Hourly)+1e-9))
}

func notInID(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
}

func (s *upstreamSettings) clientOptions() tallyfy.Options {
	return tallyfy.Options{
		BaseURL:      s.BaseURL,
		Organization: s.Org,
		Rate:         s.Rate,
		Hourly:       s.Hourly,
		Sweeps:       s.sweepHourly(),
		Timeout:      s.Timeout,
		CAFile:       s.CAFile,
		UserAgent:    "rollcall/" + version(),
	}
}

type fileSettings struct {
	DB string `name:"db" env:"ROLLCALL_DB" default:"rollcall.db" placeholder:"rollcall.db" help:"Database file."`
}

func (s *fileSettings) check() error {
	if s.DB == "" || s.DB == ":memory:" || strings.HasPrefix(s.DB, "file:") {
		return usagef("--db: %q is not a file's path, give one such as rollcall.db", s.DB)
	}
	return nil
}

type pollSettings struct {
	PollInterval  time.Duration `name:"poll-interval" env:"ROLLCALL_POLL_INTERVAL" default:"60s" help:"Pause between sweeps."`
	ChurnInterval time.Duration `name:"churn-interval" env:"ROLLCALL_CHURN_INTERVAL" default:"1h" help:"How long last logins and picture links alone may wait to be published."`
	MaxStale      string        `name:"max-stale" env:"ROLLCALL_MAX_STALE" default:"off" placeholder:"off" help:"Age of the data beyond which /readyz is 503 and check answers too-stale; off sets no bound."`
}

func (s *pollSettings) check() error {
	if s.PollInterval <= 0 {
		return usagef("--poll-interval: %s is not positive, give a duration such as 60s", s.PollInterval)
	}
	if s.ChurnInterval <= 0 {
		return usagef("--churn-interval: %s is not positive, give a duration such as 1h", s.ChurnInterval)
	}
	_, err := s.maxStale()
	return err
}

// maxStale is 0 where no age is too high.
func (s *pollSettings) maxStale() (time.Duration, error) {
	if s.MaxStale == "off" {
		return 0, nil
	}
	age, err := time.ParseDuration(s.MaxStale)
	if err != nil || age <= 0 {
		return 0, usagef("--max-stale: %q is not a positive duration, give one such as 15m, or off", s.MaxStale)
	}
	return age, nil
}

// defaultListen is where serve listens and reading commands ask.
const defaultListen = "127.0.0.1:7655"

type listenSettings struct {
	Listen    string `name:"listen" env:"ROLLCALL_LISTEN" default:"${listen}" placeholder:"${listen}" help:"Address to answer on, or unix:/path?mode=0660."`
	OpsListen string `name:"ops-listen" env:"ROLLCALL_OPS_LISTEN" placeholder:"ADDRESS" help:"Second address with /livez, /readyz and /metrics alone, open to whoever reaches it."`
	PublicURL string `name:"public-url" env:"ROLLCALL_PUBLIC_URL" placeholder:"URL" help:"Origin and base path under which clients reach the server."`
}

func (s *listenSettings) check() error {
	if _, err := parseAddress("--listen", s.Listen); err != nil {
		return err
	}
	if s.OpsListen != "" {
		if _, err := parseAddress("--ops-listen", s.OpsListen); err != nil {
			return err
		}
	}
	return s.checkPublicURL()
}

// address is where to listen, once check has found that it can be read.
func (s *listenSettings) address() address {
	listen, _ := parseAddress("--listen", s.Listen)
	return listen
}

func (s *listenSettings) checkPublicURL() error {
	if s.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(s.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return usagef("--public-url: %q is not an origin with a base path, give one such as https://intranet.example/rollcall", s.PublicURL)
	}
	return nil
}

type logSettings struct {
	LogFormat string `name:"log-format" env:"ROLLCALL_LOG_FORMAT" enum:"auto,text,json" default:"auto" placeholder:"auto" help:"text, json, or auto: text on a terminal and json elsewhere."`
	LogLevel  string `name:"log-level" env:"ROLLCALL_LOG_LEVEL" enum:"debug,info,warn,error" default:"info" placeholder:"info" help:"The least level that is logged: debug, info, warn or error."`
}
