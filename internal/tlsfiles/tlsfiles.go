// Package tlsfiles serves TLS with a certificate and key that may be replaced
// while the server runs.
package tlsfiles

import (
	"crypto/tls"
	"fmt"
	"log/slog"

	"rollcall/internal/reload"
)

// A Pair is a certificate with its chain, and its key, both in PEM form.
type Pair struct {
	files *reload.Value[*tls.Certificate]
}

// Open reads the pair. Later changes of either file are taken up by the first
// handshake a second after them, at the latest; while the files are missing,
// broken or do not belong together, the old pair stays and the logger is told
// once. Errors name the files and quote nothing of them.
func Open(certFile, keyFile string, log *slog.Logger) (*Pair, error) {
	files, err := reload.New("TLS certificate and key", []string{certFile, keyFile}, parse, log)
	if err != nil {
		return nil, err
	}
	return &Pair{files}, nil
}

// Config returns settings for a server. Connections that are open keep the
// certificate they began with.
func (p *Pair) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return p.files.Get(), nil
		},
	}
}

// Reload reads both files now. With an error, the old pair stays.
func (p *Pair) Reload() error { return p.files.Reload() }

func parse(contents [][]byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(contents[0], contents[1])
	if err != nil {
		return nil, fmt.Errorf("give the certificate with its chain, and its key without a passphrase, both in PEM form: %w", err)
	}
	return &pair, nil
}
