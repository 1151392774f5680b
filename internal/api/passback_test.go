package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

func TestHopByHopHeadersPassNeitherWay(t *testing.T) {
	names := []string{"Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "X-Named"}
	w := newWire(t, func(rw http.ResponseWriter, _ *http.Request) {
		for _, name := range names {
			rw.Header().Set(name, "x")
		}
		rw.Header().Set("Connection", "X-Named")
		rw.Header().Set("X-Plain", "1")
	})
	header := []string{"Connection", "close, X-Named", "X-Plain", "1"}
	for _, name := range names {
		header = append(header, name, "x")
	}
	got := w.ask("GET", "/me", header...)
	for _, name := range names {
		if got.Header.Get(name) != "" || w.requests()[0].Header.Get(name) != "" {
			t.Errorf("%s passed", name)
		}
	}
	if got.Header.Get("X-Plain") != "1" || w.requests()[0].Header.Get("X-Plain") != "1" {
		t.Error("what is no hop's own did not pass")
	}
}

func TestCompressedAnswersPassUntouched(t *testing.T) {
	var zipped bytes.Buffer
	out := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(out, strings.Repeat("upstream's own words ", 200))
	_ = out.Close()
	w := newWire(t, func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			rw.Header().Set("Content-Encoding", "gzip")
			_, _ = rw.Write(zipped.Bytes())
			return
		}
		_, _ = io.WriteString(rw, "plain")
	})
	for _, path := range []string{"/me", groupsPath + "?with=assets"} {
		got := w.ask("GET", path, "Accept-Encoding", "gzip")
		if body := read(t, got); body != zipped.String() || got.Header.Get("Content-Encoding") != "gzip" || got.Header.Get("Content-Length") == "" {
			t.Errorf("%s: %d bytes of %d, %v", path, len(body), zipped.Len(), got.Header)
		}
		if got := w.ask("GET", path, "Accept-Encoding", "identity"); read(t, got) != "plain" || got.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: coded for a client that takes none: %v", path, got.Header)
		}
		if got := w.ask("GET", path); !strings.HasPrefix(read(t, got), "upstream's own words") || got.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: coded for a client that says nothing: %v", path, got.Header)
		}
	}
}

func TestAnswersWithoutABodyPass(t *testing.T) {
	w := newWire(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", `"theirs"`)
		switch {
		case r.Method == "HEAD":
			rw.Header().Set("Content-Length", "12345")
		case r.Method == "DELETE":
			rw.WriteHeader(http.StatusNoContent)
		case r.Header.Get("If-None-Match") == `"theirs"`:
			rw.WriteHeader(http.StatusNotModified)
		}
	})
	for _, c := range []struct {
		method string
		header []string
		status int
		length string
	}{
		{"HEAD", nil, 200, "12345"}, {"DELETE", nil, 204, ""}, {"GET", []string{"If-None-Match", `"theirs"`}, 304, ""}, {"GET", nil, 200, "0"},
	} {
		got := w.ask(c.method, "/me", c.header...)
		if body := read(t, got); got.StatusCode != c.status || body != "" || got.Header.Get("Content-Length") != c.length || got.Header.Get("ETag") != `"theirs"` {
			t.Errorf("%s: %s %v %q", c.method, got.Status, got.Header, body)
		}
	}
}

func TestTrailersPassButForUpstreamsOwn(t *testing.T) {
	w := newWire(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Trailer", "X-Digest, X-Served-By")
		_, _ = io.WriteString(rw, "body")
		rw.Header().Set("X-Digest", "abc")
		rw.Header().Set("X-Served-By", "web-3.internal.example")
		rw.Header().Set(http.TrailerPrefix+"Set-Cookie", "session=s3cret")
		rw.Header().Set(http.TrailerPrefix+"X-Late", "yes")
	})
	got := w.ask("GET", "/me", "TE", "trailers")
	if body := read(t, got); body != "body" || got.Trailer.Get("X-Digest") != "abc" || got.Trailer.Get("X-Late") != "yes" || len(got.Trailer) != 2 {
		t.Errorf("%q with trailers %v", body, got.Trailer)
	}
}

func TestInformationalAnswersPassWithoutUpstreamsHeaders(t *testing.T) {
	w := newWire(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Link", "<https://internal.example/style.css>; rel=preload")
		rw.Header().Set("Set-Cookie", "session=s3cret")
		rw.Header().Set("X-Plain", "early")
		rw.WriteHeader(http.StatusEarlyHints)
		rw.WriteHeader(http.StatusProcessing)
		rw.Header().Set("X-Plain", "late")
		_, _ = io.WriteString(rw, "body")
	})
	var early []http.Header
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
		early = append(early, http.Header(h))
		return nil
	}})
	r, _ := http.NewRequestWithContext(ctx, "GET", w.server.URL+"/me", nil)
	r.Header.Set("Authorization", "Bearer own")
	r.Header.Set("X-Request-Id", "r-7")
	got, err := plainTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if read(t, got) != "body" || got.Header.Get("X-Plain") != "late" || got.Header.Get("X-Request-Id") != "r-7" || got.Header.Get("Link")+got.Header.Get("Set-Cookie") != "" {
		t.Error(got.Header)
	}
	if len(early) != 2 || early[0].Get("X-Plain") != "early" || len(early[0]) != 1 {
		t.Errorf("early answers %v", early)
	}
}

// foreign are headers by which upstream tells of itself.
var foreign = map[string]string{
	"Location": "/login", "Content-Location": "/x", "Link": "</x>; rel=next", "Refresh": "0; url=/x", "Set-Cookie": "a=b", "Set-Cookie2": "a=b",
	"Server": "nginx", "Via": "1.1 x", "X-Served-By": "web-3", "X-Powered-By": "PHP", "Cf-Ray": "8", "X-Amzn-Trace-Id": "Root=1", "X-Backend-Server": "b",
	"Access-Control-Allow-Origin": "*", "Content-Security-Policy": "default-src x", "Report-To": "{}", "Strict-Transport-Security": "max-age=1",
	"X-Next-Page": "https://internal.example/page/2", "X-Debug-Token-Link": "x", "Rollcall-Revision": "77", "Rollcall-Refresh": "applied", "X-Request-Id": "theirs",
}

func TestUpstreamsOwnHeadersStayOut(t *testing.T) {
	tell := func(h http.Header) {
		for name, value := range foreign {
			h.Set(name, value)
		}
		h.Set("X-RateLimit-Remaining", "7")
	}
	w := newWire(t, func(rw http.ResponseWriter, _ *http.Request) { tell(rw.Header()) })
	written := &directory.Outcome{Status: 200, Header: http.Header{}}
	tell(written.Header)
	w.writer.outcome = written
	for _, got := range []*http.Response{w.ask("GET", "/me"), w.ask("POST", groupsPath), w.ask("PUT", "/organizations/"+org+"/users/11")} {
		for name, value := range foreign {
			if got.Header.Get(name) == value {
				t.Errorf("%s: %s came through", name, value)
			}
		}
		if got.Header.Get("X-RateLimit-Remaining") != "7" {
			t.Error(got.Header)
		}
	}
}

func TestUpstreamsHeadersComeAmongOurOwn(t *testing.T) {
	own := http.Header{"X-Request-Id": {"ours"}, "Cache-Control": {"ours"}, "Vary": {"Origin"}}
	takeOver(own, http.Header{"Cache-Control": {"theirs"}, "Vary": {"Accept"}, "X-Plain": {"1"}})
	want := http.Header{"X-Request-Id": {"ours"}, "Cache-Control": {"theirs"}, "Vary": {"Origin", "Accept"}, "X-Plain": {"1"}}
	if diff := cmp.Diff(want, own); diff != "" {
		t.Error(diff)
	}
}

func TestRedirectsLeadNowhere(t *testing.T) {
	w := newWire(t, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "https://internal.example/login", http.StatusFound)
	})
	header := http.Header{"Location": {"https://internal.example/login"}, "Content-Encoding": {"gzip"}}
	w.writer.outcome = &directory.Outcome{Status: 302, Header: header, Body: []byte("internal.example")}
	for _, got := range []*http.Response{w.ask("GET", "/me"), w.ask("POST", groupsPath)} {
		body := read(t, got)
		if got.StatusCode != 302 || got.Header.Get("Location")+got.Header.Get("Content-Encoding") != "" || !strings.Contains(body, "TALLYFY_ANSWERED_302") || strings.Contains(body, "internal") {
			t.Errorf("%s %v %s", got.Status, got.Header, body)
		}
	}
	if len(w.requests()) != 1 {
		t.Error("the redirect was followed")
	}
}

// Nobody asked for it, and what follows would be no HTTP.
func TestUpstreamThatChangesTheProtocolIsRefused(t *testing.T) {
	for method, status := range map[string]int{"GET": 502, "PATCH": 504} {
		w := newWire(t, func(rw http.ResponseWriter, _ *http.Request) {
			conn, _, err := rw.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		})
		if got := w.ask(method, "/organizations/"+org+"/guests/x"); got.StatusCode != status {
			t.Errorf("%s: %s", method, got.Status)
		}
		if got := w.poller.marks == 1; got != (method == "PATCH") {
			t.Errorf("%s: %d marks", method, w.poller.marks)
		}
	}
}

func TestAnAnswerThatBreaksOffDoesNotNameUpstreamInTheLog(t *testing.T) {
	w := newWire(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Set-Cookie", "session=s3cret")
		_, _ = io.WriteString(rw, "half of it")
		_ = http.NewResponseController(rw).Flush()
		conn, _, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset, whose error names both ends
		_ = conn.Close()
	})
	if body, err := io.ReadAll(w.ask("GET", "/me").Body); err == nil {
		t.Errorf("%q passed for a whole answer", body)
	}
	if log := w.log.String(); !strings.Contains(log, "broke off") || strings.Contains(log, w.host) || strings.Contains(log, "s3cret") {
		t.Error(log)
	}
}
