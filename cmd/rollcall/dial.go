package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"strings"
)

// serverSettings name a running server.
type serverSettings struct {
	Server string `name:"server" env:"ROLLCALL_SERVER" placeholder:"URL" help:"Server to ask, http://host:port, https://host:port or unix:/path (default: the one that serve would be here, by $ROLLCALL_LISTEN or 127.0.0.1:7655)."`
}

// server is the one to ask: the one that is set, else the one that serve
// would be in this environment.
func (s *serverSettings) server(env func(string) string) string {
	if s.Server != "" {
		return s.Server
	}
	listen := cmp.Or(env("ROLLCALL_LISTEN"), defaultListen)
	if host, port, err := net.SplitHostPort(listen); err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		listen = net.JoinHostPort("127.0.0.1", port)
	}
	if env(tlsCertVar) != "" && !strings.HasPrefix(listen, "unix:") {
		return "https://" + listen
	}
	return listen
}

// dial makes a client of the server, which nobody is known to.
func (s *serverSettings) dial(env func(string) string) (*client, error) {
	c, err := newClient(s.server(env))
	if cert := env(tlsCertVar); err == nil && s.Server == "" && cert != "" && strings.HasPrefix(c.base, "https:") {
		err = c.expect(cert)
	}
	return c, err
}

// client is dial for what not everybody may ask.
func (s *serverSettings) client(env func(string) string) (*client, error) {
	c, err := s.dial(env)
	if err == nil {
		c.key, err = keyFrom(env)
	}
	return c, err
}

// The environment variables that say how to call a server. A key has no flag:
// what stands on a command line can be read by every user of the machine.
const (
	keyVar     = "ROLLCALL_KEY"
	keyFileVar = "ROLLCALL_KEY_FILE"
	tlsCertVar = "ROLLCALL_TLS_CERT"
)

// keyFrom reads the key or Tallyfy token that the environment gives, empty if
// it gives none.
func keyFrom(env func(string) string) (string, error) {
	key, file := env(keyVar), env(keyFileVar)
	if file == "" {
		return strings.TrimSpace(key), nil
	}
	if key != "" {
		return "", usagef("%s and %s are both set, unset one of them", keyVar, keyFileVar)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", usagef("%s cannot be read: %w", keyFileVar, err)
	}
	return strings.TrimSpace(string(content)), nil
}

// expect has the server show the certificate in a file, by the first of the
// names in it: serve in this environment shows it, whatever name or address it
// is called by here.
func (c *client) expect(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return usagef("%s cannot be read: %w", tlsCertVar, err)
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return usagef("%s: %s holds no certificate in PEM form", tlsCertVar, file)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return usagef("%s: %s holds no certificate that can be read: %w", tlsCertVar, file, err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	switch {
	case len(leaf.DNSNames) > 0:
		config.ServerName = strings.Replace(leaf.DNSNames[0], "*", "any", 1)
	case len(leaf.IPAddresses) > 0:
		config.ServerName = leaf.IPAddresses[0].String()
	}
	c.http.Transport = &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	return nil
}
