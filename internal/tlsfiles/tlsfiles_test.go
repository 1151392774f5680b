package tlsfiles

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type testFiles struct{ cert, key string }

func newTestFiles(t *testing.T) testFiles {
	dir := t.TempDir()
	return testFiles{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
}

// pair makes a certificate that its serial tells apart.
func pair(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func put(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// handshake returns the serial of the certificate that a client is shown.
func handshake(t *testing.T, config *tls.Config, client *tls.Config) (int64, error) {
	t.Helper()
	near, far := net.Pipe()
	server, asker := tls.Server(near, config), tls.Client(far, client)
	ended := make(chan error, 1)
	go func() {
		ended <- server.HandshakeContext(t.Context())
		near.Close()
	}()
	err := asker.HandshakeContext(t.Context())
	far.Close()
	<-ended
	if err != nil {
		return 0, err
	}
	return asker.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

var trusting = &tls.Config{InsecureSkipVerify: true}

func wantSerial(t *testing.T, p *Pair, want int64) {
	t.Helper()
	got, err := handshake(t, p.Config(), trusting)
	if err != nil || got != want {
		t.Errorf("handshake: certificate %d (%v), want %d", got, err, want)
	}
}

func TestARenewedCertificateIsServedWithoutARestart(t *testing.T) {
	files := newTestFiles(t)
	synctest.Test(t, func(t *testing.T) {
		cert, key := pair(t, 1)
		put(t, files.cert, cert)
		put(t, files.key, key)
		p, err := Open(files.cert, files.key, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		wantSerial(t, p, 1)

		cert, key = pair(t, 2)
		put(t, files.cert, cert)
		time.Sleep(time.Second)
		wantSerial(t, p, 1) // the new certificate without its key is no pair
		if err := p.Reload(); err == nil {
			t.Error("Reload took a certificate with another's key")
		}
		put(t, files.key, key)
		time.Sleep(time.Second)
		wantSerial(t, p, 2)

		put(t, files.cert, nil)
		time.Sleep(time.Second)
		wantSerial(t, p, 2)
	})
}

func TestOldProtocolsAreRefused(t *testing.T) {
	files := newTestFiles(t)
	cert, key := pair(t, 1)
	put(t, files.cert, cert)
	put(t, files.key, key)
	p, err := Open(files.cert, files.key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	old := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if _, err := handshake(t, p.Config(), old); err == nil {
		t.Error("a client of TLS 1.1 was served")
	}
}

func TestOpenRefusesWhatIsNoPairAndQuotesNothing(t *testing.T) {
	files := newTestFiles(t)
	cert, key := pair(t, 1)
	_, otherKey := pair(t, 2)
	for name, contents := range map[string][2][]byte{
		"key of another":      {cert, otherKey},
		"swapped":             {key, cert},
		"no PEM":              {[]byte("hidden text"), []byte("hidden text")},
		"key without content": {cert, nil},
	} {
		t.Run(name, func(t *testing.T) {
			put(t, files.cert, contents[0])
			put(t, files.key, contents[1])
			_, err := Open(files.cert, files.key, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), files.cert) || !strings.Contains(err.Error(), files.key) {
				t.Errorf("error %v, want one that names both files", err)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Errorf("the error quotes a file: %v", err)
			}
		})
	}
	if _, err := Open(files.cert+"x", files.key, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), files.cert+"x") {
		t.Errorf("missing certificate: error %v, want one that names it", err)
	}
}
