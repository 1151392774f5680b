package tallyfy

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
)

// A TokenSource supplies the access token and learns when it is refused. It
// is safe for concurrent use.
type TokenSource interface {
	// Token returns the token for the next request.
	Token(ctx context.Context) (string, error)
	// Refused says that Tallyfy answered 401 to a token, which may be
	// somebody else's.
	Refused(token string)
}

const redacted = "***"

// What secrets are called in errors.
const (
	accessToken  = "access token"
	clientSecret = "client secret"
)

// StaticToken is a token that never changes, from the environment. White
// space around it is dropped.
func StaticToken(token string) TokenSource {
	return &staticToken{accessToken, strings.TrimSpace(token)}
}

// StaticSecret is StaticToken for the secret of an application.
func StaticSecret(secret string) TokenSource {
	return &staticToken{clientSecret, strings.TrimSpace(secret)}
}

type staticToken struct{ what, token string }

func (s *staticToken) Token(context.Context) (string, error) { return checked(s.what, s.token) }
func (s *staticToken) Refused(string)                        {}
func (s *staticToken) String() string                        { return redacted }
func (s *staticToken) GoString() string                      { return redacted }
func (s *staticToken) LogValue() slog.Value                  { return slog.StringValue(redacted) }

// FileToken is a token in a file, which is read at first use and, once that
// token was refused, before every use until the file holds another.
func FileToken(path string) TokenSource { return &fileToken{what: accessToken, path: path} }

// FileSecret is FileToken for the secret of an application.
func FileSecret(path string) TokenSource { return &fileToken{what: clientSecret, path: path} }

type fileToken struct {
	what, path string

	mu      sync.Mutex
	token   string // empty when the file was not read yet
	refused string // last refused, empty for none
}

func (f *fileToken) Token(context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.token != "" && f.token != f.refused {
		return f.token, nil
	}
	content, err := os.ReadFile(f.path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", f.what, err)
	}
	token, err := checked(f.what, strings.TrimSpace(string(content)))
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.path, err)
	}
	f.token = token
	return token, nil
}

func (f *fileToken) Refused(token string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.token == token {
		f.refused = token
	}
}

func (f *fileToken) String() string       { return f.path }
func (f *fileToken) GoString() string     { return f.path }
func (f *fileToken) LogValue() slog.Value { return slog.StringValue(f.path) }

// checked refuses what no header can carry.
func checked(what, secret string) (string, error) {
	if secret == "" {
		return "", fmt.Errorf("the %s is empty", what)
	}
	for _, c := range []byte(secret) {
		if c <= ' ' || c > '~' {
			return "", fmt.Errorf("the %s contains a blank or a control character", what)
		}
	}
	return secret, nil
}
