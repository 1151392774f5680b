package tallyfy

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
)

// net/http sends a request that changes nothing once more, by itself and
// uncounted, when a connection that it had kept turns out to be dead. It is
// kept from that, so that whoever repeats a request asks the gate again.

// unrepeated makes of r a request, the same on the wire, that net/http cannot
// send twice: it has a body, though an empty one, and that cannot be had again.
// Other requests net/http repeats only where nothing of them was sent.
func unrepeated(r *http.Request) *http.Request {
	if !isHarmless(r) {
		return r
	}
	r.GetBody = nil
	if hasNoBody(r) {
		r.Body = io.NopCloser(strings.NewReader(""))
		r.TransferEncoding = []string{"identity"} // no length and no chunks are announced
	}
	return r
}

// isRepeatable reports whether r may be sent again after a failure.
func isRepeatable(r *http.Request) bool {
	return isHarmless(r) && hasNoBody(r) && r.Context().Err() == nil
}

func isHarmless(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

func hasNoBody(r *http.Request) bool { return r.Body == nil || r.Body == http.NoBody }

// withReuse has isReused tell whether the request was sent on a connection
// that had been kept.
func withReuse(ctx context.Context, isReused *bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(c httptrace.GotConnInfo) { *isReused = c.Reused },
	})
}
