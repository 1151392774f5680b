package tallyfysim

import "net/http"

// An answer is what leaves: body cut after cut bytes when cut is positive.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    int
}

func (a answer) isCut() bool { return a.cut > 0 && a.cut < len(a.body) }

func (a answer) sent() []byte {
	if a.isCut() {
		return a.body[:a.cut]
	}
	return a.body
}

func plainAnswer(status int, contentType, body string) answer {
	return answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: []byte(body)}
}

// rawAnswer carries JSON. Upstream forbids caching and sets a cookie of its
// content network.
func rawAnswer(status int, body []byte) answer {
	return answer{status: status, body: body, header: http.Header{
		"Content-Type":  {"application/json"},
		"Cache-Control": {"no-cache, private"},
		"Set-Cookie":    {"__cf_bm=simulated; path=/; HttpOnly; Secure"},
	}}
}

func jsonAnswer(status int, v any) answer { return rawAnswer(status, mustJSON(v)) }

func noContent() answer {
	return answer{status: http.StatusNoContent, header: http.Header{"Cache-Control": {"no-cache, private"}}}
}
