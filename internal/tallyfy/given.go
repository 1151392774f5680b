package tallyfy

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// A source is a TokenSource that can tell when its token expires, zero when
// nothing tells.
type source interface {
	TokenSource
	expiry(ctx context.Context) time.Time
}

// warnBefore is how long before its expiry the end of a given token is
// announced, or in the last tenth of its life if that is later.
const warnBefore = 72 * time.Hour

// A given source is one that the client cannot renew. It reads what a token
// says of its own end and says so once, in time.
type given struct {
	TokenSource
	log *slog.Logger

	mu      sync.Mutex
	read    string // the token that the dates are of
	warnAt  time.Time
	expires time.Time // zero for unknown
}

func (g *given) Token(ctx context.Context) (string, error) {
	token, err := g.TokenSource.Token(ctx)
	if err != nil {
		return "", err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if token != g.read {
		g.look(token)
	}
	if now := time.Now(); !g.warnAt.IsZero() && !now.Before(g.warnAt) {
		g.warnAt = time.Time{}
		g.log.Warn("the access token expires soon: give another one", "kind", string(directory.TokenPersonal), "expires_at", expiryText(g.expires))
	}
	return token, nil
}

func (g *given) look(token string) {
	var issued time.Time
	g.read = token
	issued, g.expires = datesOf(token)
	g.warnAt = time.Time{}
	if g.expires.IsZero() {
		return
	}
	before := warnBefore
	if life := g.expires.Sub(issued); !issued.IsZero() && life > 0 {
		before = min(before, life/10)
	}
	g.warnAt = g.expires.Add(-before)
}

func (g *given) expiry(ctx context.Context) time.Time {
	if _, err := g.Token(ctx); err != nil {
		return time.Time{}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.expires
}
