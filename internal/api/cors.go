package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/rs/cors"
)

// exposed are the headers that a page of a permitted origin may read.
var exposed = []string{
	"Age", "Cache-Status", "Content-Disposition", "ETag", "Link", "Retry-After", "WWW-Authenticate",
	"Rollcall-Confirmed-At", "Rollcall-Cursor", "Rollcall-Epoch", "Rollcall-Refresh", "Rollcall-Revision",
	"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-Request-Id",
}

// preflightMemory is how long a browser need not ask again.
const preflightMemory = 10 * time.Minute

// newCORS lets pages of these origins call, by whatever name this machine
// has. A page brings its key or token itself: no browser adds one for it. A
// preflight is answered for whoever asks, before anybody is known.
func newCORS(origins []string) *cors.Cors {
	return cors.New(cors.Options{
		AllowOriginFunc: func(origin string) bool { return slices.Contains(origins, origin) },
		AllowedMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		},
		AllowedHeaders:      []string{"*"},
		ExposedHeaders:      exposed,
		MaxAge:              int(preflightMemory / time.Second),
		AllowPrivateNetwork: true,
	})
}
