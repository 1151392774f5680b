package api

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
)

// compressed lets h answer compressed to those who accept it, gzip or zstd,
// from a kilobyte up. Files are never wrapped: their ETags are strong.
func (s *server) compressed(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) (err error) {
		s.compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { err = h(w, r) }))(w, r)
		return err
	}
}

// newCompressor takes the defaults of the library: a kilobyte, fast levels.
func newCompressor() (func(http.Handler) http.HandlerFunc, error) { return gzhttp.NewWrapper() }
