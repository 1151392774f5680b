package main

import (
	"log/slog"
	"net/url"
	"strings"
	"time"

	"rollcall/internal/access"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tlsfiles"
)

// accessSettings say who may ask, and whether the line is encrypted.
type accessSettings struct {
	Auth       string        `name:"auth" env:"ROLLCALL_AUTH" placeholder:"none" help:"Who may ask: none lets in whoever reaches a loopback address or socket; keys takes a key of --keys-file; tallyfy takes the caller's own Tallyfy token. Beyond loopback and sockets it must be given."`
	KeysFile   string        `name:"keys-file" env:"ROLLCALL_KEYS_FILE" placeholder:"FILE" help:"Keys for --auth=keys, one a line, as rollcall keys new makes them; read again when it changes."`
	AuthMemory time.Duration `name:"auth-memory" env:"ROLLCALL_AUTH_MEMORY" default:"5m" help:"With --auth=tallyfy, how long it is remembered what Tallyfy shows to a token."`
	AuthGrace  time.Duration `name:"auth-grace" env:"ROLLCALL_AUTH_GRACE" default:"1h" help:"With --auth=tallyfy, how long a token that was let in stays so while Tallyfy cannot be asked."`
	LendToken  bool          `name:"lend-token" env:"ROLLCALL_LEND_TOKEN" help:"With --auth=none, writes on groups that come without a token go to Tallyfy with the sweep token (default: false)."`
	AllowQuery *bool         `name:"allow-query" env:"ROLLCALL_ALLOW_QUERY" negatable:"" help:"Answer SQL on POST /v1/query (default: true with --auth=none, else false)."`
	Origins    string        `name:"cors-origins" env:"ROLLCALL_CORS_ORIGINS" placeholder:"ORIGIN,..." help:"Origins whose pages may call from a browser, such as https://app.example."`
	TLSCert    string        `name:"tls-cert" env:"ROLLCALL_TLS_CERT" placeholder:"FILE" help:"Certificate with its chain, in PEM form, to answer on --listen with TLS; read again when it changes."`
	TLSKey     string        `name:"tls-key" env:"ROLLCALL_TLS_KEY" placeholder:"FILE" help:"Key of --tls-cert, in PEM form, without a passphrase."`
}

// check refuses what cannot be meant, and files that cannot be used.
func (s *accessSettings) check(listen address) error {
	mode, err := s.mode(listen)
	if err != nil {
		return err
	}
	switch {
	case mode == access.ModeKeys && s.KeysFile == "":
		return usagef("--keys-file is missing: --auth=keys needs one, rollcall keys new NAME --keys-file FILE makes it")
	case mode != access.ModeKeys && s.KeysFile != "":
		return usagef("--keys-file: with --auth=%s nobody is asked for a key, add --auth=keys or leave it out", mode)
	case mode != access.ModeNone && s.LendToken:
		return usagef("--lend-token: it is for --auth=none alone, leave it out")
	case s.AuthMemory <= 0:
		return usagef("--auth-memory: %s is not positive, give a duration such as 5m", s.AuthMemory)
	case s.AuthGrace <= 0:
		return usagef("--auth-grace: %s is not positive, give a duration such as 1h", s.AuthGrace)
	}
	return firstError(
		func() error { _, err := s.origins(); return err },
		func() error { return s.checkTLS(listen) },
		func() error { _, err := s.openKeys(slog.New(slog.DiscardHandler)); return err },
		func() error { _, err := s.openPair(slog.New(slog.DiscardHandler)); return err },
	)
}

// mode is how callers are told apart: as set, else by nothing, if only this
// machine can call.
func (s *accessSettings) mode(listen address) (access.Mode, error) {
	switch mode := access.Mode(s.Auth); {
	case mode == "" && listen.isLocal():
		return access.ModeNone, nil
	case mode == "":
		return "", usagef("--auth is missing: %s can be reached from other machines, so give --auth=keys or --auth=tallyfy, "+
			"or listen on 127.0.0.1, [::1] or a unix: socket", listen.where)
	case mode == access.ModeNone && !listen.isLocal():
		return "", usagef("--listen: %s can be reached from other machines, and --auth=none lets everybody in: "+
			"listen on 127.0.0.1, [::1] or a unix: socket, or give --auth=keys or --auth=tallyfy", listen.where)
	case mode == access.ModeNone, mode == access.ModeKeys, mode == access.ModeTallyfy:
		return mode, nil
	}
	return "", usagef("--auth: %q is not known, give none, keys or tallyfy", s.Auth)
}

func (s *accessSettings) checkTLS(listen address) error {
	switch {
	case s.TLSCert != "" && s.TLSKey == "":
		return usagef("--tls-key is missing: --tls-cert is of no use without its key")
	case s.TLSCert == "" && s.TLSKey != "":
		return usagef("--tls-cert is missing: --tls-key is of no use without its certificate")
	case s.TLSCert != "" && listen.network == "unix":
		return usagef("--tls-cert: nobody listens in on a unix: socket, leave it out, or listen on an address")
	}
	return nil
}

// allowsQuery reports whether SQL is answered: where everybody may read
// everything, unless it was forbidden, and elsewhere if it was allowed.
func (s *accessSettings) allowsQuery(mode access.Mode) bool {
	if s.AllowQuery != nil {
		return *s.AllowQuery
	}
	return mode == access.ModeNone
}

// origins are those of --cors-origins as browsers write them: in lower case,
// without a default port.
func (s *accessSettings) origins() ([]string, error) {
	var origins []string
	for text := range strings.SplitSeq(s.Origins, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		origin, ok := parseOrigin(text)
		if !ok {
			return nil, usagef("--cors-origins: %q is not an origin, name each in full, without wildcards and without a path, such as https://app.example", text)
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

func parseOrigin(text string) (origin string, ok bool) {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Host == "" || strings.Contains(u.Host, "*") || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	defaultPort := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	origin = u.Scheme + "://" + strings.TrimSuffix(u.Host, defaultPort)
	return origin, u.String() == u.Scheme+"://"+u.Host
}

// openKeys returns nil without --keys-file.
func (s *accessSettings) openKeys(log *slog.Logger) (*access.Keys, error) {
	if s.KeysFile == "" {
		return nil, nil
	}
	keys, err := access.OpenKeys(s.KeysFile, log)
	if err != nil {
		return nil, usagef("--keys-file: %w; rollcall keys new makes keys", err)
	}
	return keys, nil
}

// openPair returns nil without --tls-cert.
func (s *accessSettings) openPair(log *slog.Logger) (*tlsfiles.Pair, error) {
	if s.TLSCert == "" {
		return nil, nil
	}
	pair, err := tlsfiles.Open(s.TLSCert, s.TLSKey, log)
	if err != nil {
		return nil, usagef("--tls-cert: %w", err)
	}
	return pair, nil
}

// An entrance is what callers pass before they are answered.
type entrance struct {
	access *access.Access
	keys   *access.Keys   // nil without --auth=keys
	grants *access.Grants // nil without --auth=tallyfy
	pair   *tlsfiles.Pair // nil without TLS
}

// openEntrance makes the entrance that s asks for. It must be closed.
func openEntrance(s *settings, client *tallyfy.Client, log *slog.Logger) (*entrance, error) {
	mode, err := s.mode(s.address())
	if err != nil {
		return nil, err
	}
	e := &entrance{}
	if e.keys, err = s.openKeys(log); err != nil {
		return nil, err
	}
	if e.pair, err = s.openPair(log); err != nil {
		return nil, err
	}
	if mode == access.ModeTallyfy {
		e.grants, err = access.NewGrants(access.GrantsOptions{Prober: client.Prober(), Memory: s.AuthMemory, Grace: s.AuthGrace})
		if err != nil {
			return nil, err
		}
	}
	e.access, err = access.New(access.Options{Mode: mode, Keys: e.keys, Grants: e.grants, LendToken: s.LendToken})
	return e, err
}

// warn tells what is permitted and looks like an oversight.
func (e *entrance) warn(s *settings, log *slog.Logger) {
	if e.keys != nil && e.keys.Len() == 0 {
		log.Warn("the keys file holds no key, so nobody may ask: rollcall keys new makes one", "file", s.KeysFile)
	}
	if !s.address().isLocal() && e.pair == nil && !strings.HasPrefix(s.PublicURL, "https://") {
		log.Warn("keys and tokens cross the network unencrypted: give --tls-cert and --tls-key, or name the https:// address of the proxy in front in --public-url")
	}
}

// close ends the probes that are under way.
func (e *entrance) close() {
	if e.grants != nil {
		e.grants.Close()
	}
}
