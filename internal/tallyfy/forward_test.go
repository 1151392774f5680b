package tallyfy

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall/internal/directory"
)

func TestForwardSendsTheRequestAsItIs(t *testing.T) {
	var body []byte
	up := &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		answer(201, `{"data":{}}`, "X-Request-Id", "7")(w, r)
	}}
	c := newClient(t, up)
	// As a server receives it: with a host, a request URI and a remote address.
	in := httptest.NewRequest(http.MethodPut, "http://own.test/organizations/o/guests/a%2Bb@x.test/x%20y?with=stats&with=a+b&b=%2f", strings.NewReader(`{"name": "é" }`))
	in.Header.Set("Content-Type", "application/json; charset=utf-8")
	in.Header.Set("Authorization", "Bearer callers-own")
	in.Header.Set("X-Tallyfy-Client", "n8n")
	in.Header.Set("X-Custom", "kept")
	in.Header.Set("Accept-Encoding", "br;q=1.0, gzip")
	resp, err := c.Forward(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	answered, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 201 || string(answered) != `{"data":{}}` || resp.Header.Get("X-Request-Id") != "7" {
		t.Errorf("answer %v %s", resp, answered)
	}
	out := up.last()
	if out.Method != http.MethodPut || string(body) != `{"name": "é" }` || out.ContentLength != int64(len(body)) {
		t.Errorf("sent %s %q of %d bytes", out.Method, body, out.ContentLength)
	}
	if got := out.URL.String(); got != "https://tallyfy.test/api/organizations/o/guests/a%2Bb@x.test/x%20y?with=stats&with=a+b&b=%2f" {
		t.Errorf("sent to %s", got)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Authorization": "Bearer callers-own",
		"X-Tallyfy-Client": "n8n", "X-Custom": "kept", "Accept": "application/json", "Accept-Encoding": "br;q=1.0, gzip",
	} {
		if got := out.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if in.Header.Get("Accept") != "" {
		t.Error("changed the caller's headers")
	}
}

func TestForwardLeavesOutWhatMustNotTravel(t *testing.T) {
	up := inTurn(answer(200, "{}", "Set-Cookie", "a=b", "Connection", "X-Hop", "X-Hop", "1", "Keep-Alive", "5"))
	c := newClient(t, up)
	r := post(t)
	for _, name := range []string{
		"Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
		"Idempotency-Key", "X-Idempotency-Key", "Cookie", "Host", "Expect", "Content-Length",
		"X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL",
		"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server",
		"X-Host", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Via",
	} {
		r.Header.Set(name, "x")
	}
	r.Header["Connection"] = []string{"close, X-Secret-Hop", "x-other"}
	r.Header.Set("X-Secret-Hop", "1")
	r.Header.Set("X-Other", "1")
	resp, err := c.Forward(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	out := up.last()
	for name := range out.Header {
		switch name {
		case "Accept", "X-Tallyfy-Client", "User-Agent":
		default:
			t.Errorf("sent %s: %q", name, out.Header.Get(name))
		}
	}
	if out.Host != "" && out.Host != "tallyfy.test" {
		t.Errorf("sent to host %s", out.Host)
	}
	for _, name := range []string{"Set-Cookie", "Connection", "X-Hop", "Keep-Alive"} {
		if resp.Header.Get(name) != "" {
			t.Errorf("handed back %s", name)
		}
	}
}

func TestForwardNeverUsesOurTokenByItself(t *testing.T) {
	up := always(401, "")
	resp, err := newClient(t, up).Forward(t.Context(), post(t))
	if err != nil || resp.StatusCode != 401 || up.last().Header.Get("Authorization") != "" {
		t.Errorf("%v, sent %q", err, up.last().Header.Get("Authorization"))
	}
}

func TestForwardHandsRedirectsBack(t *testing.T) {
	up := inTurn(answer(302, "", "Location", "https://elsewhere.test/"))
	resp, err := newClient(t, up).Forward(t.Context(), post(t))
	if err != nil || resp.StatusCode != 302 || up.count() != 1 {
		t.Errorf("%v after %d requests", err, up.count())
	}
}

func TestForwardGoesToNoOtherHost(t *testing.T) {
	for _, address := range []string{"https://evil.test/me", "//evil.test/me", "https://user:pass@evil.test:8443/me#x"} {
		r, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		up := always(200, "{}")
		if _, err := newClient(t, up).Forward(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got := up.last(); got.URL.String() != "https://tallyfy.test/api/me" || got.Host != "" && got.Host != "tallyfy.test" {
			t.Errorf("%s sent to %s, host %s", address, got.URL, got.Host)
		}
	}
	r := post(t)
	r.URL.Path = "@evil.test/"
	up := always(200, "{}")
	_, err := newClient(t, up).Forward(t.Context(), r)
	if wantReason(t, err, directory.ReasonInternal); up.count() != 0 {
		t.Error("sent a request without a path")
	}
}

func TestForwardEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newClient(t, always(200, "{}")).Forward(ctx, post(t))
	wantReason(t, err, directory.ReasonTransport)
}
