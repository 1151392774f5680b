package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"rollcall/internal/tallyfy"
)

// A wire is an API whose upstream is reached over a network, by the real
// client.
type wire struct {
	*world
	mu   sync.Mutex
	seen []*http.Request // by upstream
	host string          // of upstream
}

func newWire(t *testing.T, upstream http.HandlerFunc) *wire {
	t.Helper()
	w := &wire{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.seen = append(w.seen, r)
		w.mu.Unlock()
		upstream(rw, r)
	}))
	t.Cleanup(server.Close)
	w.host = strings.TrimPrefix(server.URL, "http://")
	client, err := tallyfy.New(tallyfy.Options{BaseURL: server.URL + "/base", Organization: org, Token: tallyfy.StaticToken("t0ken")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w.world = newPeople(t, func(o *Options) { o.Upstream = client })
	return w
}

// requests are those that upstream has seen.
func (w *wire) requests() []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// raw sends bytes to the server and returns the answer. Its body is read.
func (w *wire) raw(request string) (*http.Response, string) {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		w.t.Fatalf("%q: %v", request, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%q: %v", request, err)
	}
	return resp, string(body)
}

// ask sends one request by a client that neither adds nor decodes anything.
func (w *wire) ask(method, path string, header ...string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer own")
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	resp, err := plainTransport.RoundTrip(r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

var plainTransport = &http.Transport{DisableCompression: true}

func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
