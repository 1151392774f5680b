package tallyfy

import (
	"context"
	"errors"
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
	// Refused says that Tallyfy answered 401 to a token.
	Refused(token string)
}

const redacted = "***"

// StaticToken is a token that never changes, from the environment. White
// space around it is dropped.
func StaticToken(token string) TokenSource { return &staticToken{token: strings.TrimSpace(token)} }

type staticToken struct{ token string }

func (s *staticToken) Token(context.Context) (string, error) { return checkToken(s.token) }
func (s *staticToken) Refused(string)                        {}
func (s *staticToken) String() string                        { return redacted }
func (s *staticToken) GoString() string                      { return redacted }
func (s *staticToken) LogValue() slog.Value                  { return slog.StringValue(redacted) }

// FileToken is a token in a file, which is read at first use and, once that
// token was refused, before every use until the file holds another.
func FileToken(path string) TokenSource { return &fileToken{path: path} }

type fileToken struct {
	path string

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
		return "", fmt.Errorf("read access token: %w", err)
	}
	token, err := checkToken(strings.TrimSpace(string(content)))
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

// checkToken refuses what no header can carry.
func checkToken(token string) (string, error) {
	if token == "" {
		return "", errors.New("the access token is empty")
	}
	for _, c := range []byte(token) {
		if c <= ' ' || c > '~' {
			return "", errors.New("the access token contains a blank or a control character")
		}
	}
	return token, nil
}
