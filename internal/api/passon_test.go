package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/tallyfy"
)

func TestTunnelsAndEchoesAreNotPassedOn(t *testing.T) {
	w := newWire(t, func(http.ResponseWriter, *http.Request) {})
	for _, method := range []string{"CONNECT", "TRACE"} {
		for _, path := range []string{"/me", "/organizations/" + org + "/users/11", "/applications/" + org} {
			got, body := w.raw(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n\r\n", method, path))
			if got.StatusCode != 405 || !strings.Contains(got.Header.Get("Allow"), "PATCH") || strings.Contains(body, "s3cret") {
				t.Errorf("%s %s: %s %s", method, path, got.Status, body)
			}
		}
	}
	if got, _ := w.raw("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n"); got.StatusCode/100 != 4 {
		t.Error(got.Status)
	}
	if n := len(w.requests()); n != 0 {
		t.Errorf("%d requests were passed on", n)
	}
}

func TestUpgradesAreRefusedButForTheOfferOfHTTP2(t *testing.T) {
	w := newWire(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "plain") })
	for _, protocol := range []string{"websocket", "WebSocket", "h2c, websocket", "TLS/1.0", "x"} {
		if got := w.ask("GET", "/me", "Connection", "Upgrade", "Upgrade", protocol, "Sec-WebSocket-Key", "x"); got.StatusCode != 400 {
			t.Errorf("%s: %s", protocol, got.Status)
		}
	}
	if n := len(w.requests()); n != 0 {
		t.Errorf("%d requests were passed on", n)
	}
	got := w.ask("GET", "/me", "Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c", "HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")
	if body := read(t, got); got.StatusCode != 200 || body != "plain" {
		t.Errorf("%s %s", got.Status, body)
	}
	if h := w.requests()[0].Header; h.Get("Upgrade")+h.Get("Connection")+h.Get("HTTP2-Settings") != "" {
		t.Error(h)
	}
}

// targets are request targets of which some would like to be another host's.
var targets = []string{
	"http://evil.example/me", "https://evil.example:443/organizations/" + org + "/tags", "http://localhost@evil.example/me", "http://localhost/me", "//evil.example/me", "///evil.example/me", "/\\evil.example/me",
	"/me/http://evil.example/", "/me/https:evil.example", "/me/@evil.example", "/me@evil.example/", "/me/\\evil.example", "/me/%5c%5cevil.example", "/me/%5C..%5Cx",
	"/me/%2f%2fevil.example", "/me/%2F..%2fx", "/me/..", "/me/../../x", "/me/%2e%2e/x", "/me/.%2E/x", "/me/%252e%252e/x", "/me/%252f%252fevil.example",
	"/me//evil.example", "/api//evil.example/me", "/api/me", "/%61pi/me", "/api/api/me", "/api/http://evil.example/me", "/me;@evil.example/x", "/me?url=http://evil.example", "/me?@evil.example", "/me#@evil.example", "/me/%00", "/me/%0d%0aHost:%20evil.example", "/me/%09x", "/me/x:y@z",
	"/organizations/" + org + "/tags/..;/x", "/organizations/" + org + "@evil.example/tags", "/organizations/" + org + "%2f..%2fother/tags", "/organizations/" + org + "/tags/a%20b", "*",
}

func TestNoPathLeadsToAnotherHost(t *testing.T) {
	w := newWire(t, func(http.ResponseWriter, *http.Request) {})
	passed := 0
	for _, target := range targets {
		for _, host := range []string{"localhost", "evil.example"} {
			before := len(w.requests())
			got, _ := w.raw(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer own\r\nConnection: close\r\n\r\n", target, host))
			seen := w.requests()[before:]
			if len(seen) == 0 && got.StatusCode/100 != 4 || len(seen) > 1 || len(seen) == 1 && host == "evil.example" && !strings.HasPrefix(target, "http://localhost/") {
				t.Errorf("%q on %s: %s, %d passed on", target, host, got.Status, len(seen))
			}
			for _, r := range seen {
				passed++
				w.wantOwn(target, r)
			}
		}
	}
	if passed < 10 {
		t.Errorf("only %d paths passed", passed)
	}
}

// wantOwn wants a request to have gone where requests go.
func (w *wire) wantOwn(target string, r *http.Request) {
	w.t.Helper()
	path, below := strings.CutPrefix(r.URL.EscapedPath(), "/base")
	if r.Host != w.host || !below || !isTallyfys(path) || strings.HasPrefix(path, "/api") || hasDots(r.URL.Path) || strings.Contains(r.URL.Path, "//") || r.Header.Get("Host") != "" {
		w.t.Errorf("%q went to %s%s", target, r.Host, r.URL)
	}
}

// Whatever the target, what is passed on stands below the base.
func FuzzForwardedPath(f *testing.F) {
	for _, target := range targets {
		f.Add(target)
	}
	w := &world{upstream: &playedUpstream{}}
	f.Fuzz(func(t *testing.T, target string) {
		if w.api == nil {
			w = newPeople(t)
		}
		r, err := http.NewRequest("PATCH", "http://localhost/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL, err = url.ParseRequestURI(target); err != nil || !strings.HasPrefix(r.URL.Path, "/") { // a server takes none
			return
		}
		r.Header.Set("Authorization", "Bearer own")
		w.upstream.request = nil
		w.upstream.says(200, "{}")
		out := httptest.NewRecorder()
		w.api.ServeHTTP(out, r)
		if w.upstream.request == nil {
			if out.Code/100 != 4 {
				t.Errorf("%q: %d", target, out.Code)
			}
			return
		}
		u := w.upstream.url
		if u.Host != "" || u.Scheme != "" || u.User != nil || !isTallyfys(u.Path) || strings.HasPrefix(u.Path, "/api") || hasDots(u.Path) || strings.ContainsAny(u.Path, "\\\n") || strings.Contains(u.EscapedPath(), "//") {
			t.Errorf("%q was passed on as %q", target, u.String())
		}
	})
}

func TestAnEndlessAnswerIsCut(t *testing.T) {
	w := newPeople(t)
	w.upstream.answer = func() (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(endless{}), ContentLength: -1}, nil
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+"/me", nil)
	req.Header.Set("Authorization", "Bearer own")
	resp, err := plainTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err == nil || n > maxDownload {
		t.Errorf("%d bytes came, and then %v", n, err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestAnAnswerThatSaysItIsTooLongIsNotBegun(t *testing.T) {
	w := newPeople(t)
	for method, status := range map[string]int{"GET": 502, "HEAD": 200, "PATCH": 504} {
		w.upstream.answer = func() (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(endless{}), ContentLength: maxDownload + 1}, nil
		}
		if method == "HEAD" {
			w.upstream.answer = func() (*http.Response, error) {
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, ContentLength: maxDownload + 1}, nil
			}
		}
		w.do(method, "/organizations/"+org+"/guests", "", "Authorization", "Bearer own").wants(status)
	}
}

func TestAnUploadWithoutEndIsRefused(t *testing.T) {
	w := newWire(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for media, limit := range map[string]int64{"application/json": maxBody, "": maxBody, "multipart/form-data; boundary=b": maxUpload, "application/vnd.api+json": maxBody} {
		sent := &counted{}
		r, _ := http.NewRequestWithContext(t.Context(), "POST", w.server.URL+"/organizations/"+org+"/file", sent)
		r.Header.Set("Authorization", "Bearer own")
		r.Header.Set("Content-Type", media)
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
		if err == nil && resp.StatusCode != 413 {
			t.Errorf("%s: %s", media, resp.Status)
		}
		if err == nil {
			resp.Body.Close()
		}
		if over := sent.n.Load() - limit; over > 32<<20 { // buffers of sockets
			t.Errorf("%s: %d bytes beyond the limit were taken", media, over)
		}
	}
	for _, r := range w.requests() {
		if r.ContentLength >= 0 {
			t.Errorf("upstream took a whole body of %d bytes", r.ContentLength)
		}
	}
}

// A slowWorld is in virtual time: the real client over a transport of the
// test's.
func slowWorld(t *testing.T, send roundTripper) *world {
	t.Helper()
	client, err := tallyfy.New(tallyfy.Options{BaseURL: "http://localhost", Organization: org, Token: tallyfy.StaticToken("t0ken"), Transport: send})
	if err != nil {
		t.Fatal(err)
	}
	return newPeople(t, func(o *Options) { o.Upstream = client })
}

// trickle gives a byte a second for ever, or until its context ends.
type trickle struct{ context.Context }

func (b trickle) Read(p []byte) (int, error) {
	select {
	case <-b.Done():
		return 0, b.Err()
	case <-time.After(time.Second):
		p[0] = 'x'
		return 1, nil
	}
}

func (trickle) Close() error { return nil }

func TestATricklingAnswerIsCutWhenItsTimeIsUp(t *testing.T) {
	if _, err := sharedPeople(); err != nil { // outside of the bubble
		t.Fatal(err)
	}
	w := slowWorld(t, func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: trickle{r.Context()}, ContentLength: -1}, nil
	})
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		out := httptest.NewRecorder()
		defer func() {
			if cut := recover(); cut != http.ErrAbortHandler || time.Since(began) != time.Minute || out.Body.Len() == 0 {
				t.Errorf("after %v and %d bytes: %v", time.Since(began), out.Body.Len(), cut)
			}
		}()
		w.api.ServeHTTP(out, slowRequest(t, "GET", "/me", nil))
	})
}

// slowRequest is as a server hands it over.
func slowRequest(t *testing.T, method, target string, body io.Reader) *http.Request {
	ctx := context.WithValue(t.Context(), http.ServerContextKey, &http.Server{})
	r := httptest.NewRequestWithContext(ctx, method, "http://localhost"+target, body)
	r.Header.Set("Authorization", "Bearer own")
	return r
}

func TestATricklingUploadEndsWhenItsTimeIsUp(t *testing.T) {
	if _, err := sharedPeople(); err != nil {
		t.Fatal(err)
	}
	w := slowWorld(t, func(r *http.Request) (*http.Response, error) {
		go func() { _, _ = io.Copy(io.Discard, r.Body) }() // as a network's transport does
		<-r.Context().Done()
		_ = r.Body.Close()
		return nil, r.Context().Err()
	})
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		out := httptest.NewRecorder()
		upload, stop := context.WithCancel(t.Context())
		w.api.ServeHTTP(out, slowRequest(t, "POST", "/organizations/"+org+"/file", trickle{upload}))
		if out.Code != 504 || time.Since(began) != time.Minute {
			t.Errorf("%d after %v", out.Code, time.Since(began))
		}
		stop()
	})
}

// counted is a body without end that knows how much was taken of it.
type counted struct{ n atomic.Int64 }

func (c *counted) Read(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}
