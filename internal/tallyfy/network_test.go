package tallyfy

import (
	"compress/gzip"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"rollcall/internal/directory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a real server and returns a client of it, which trusts it.
func serve(t *testing.T, handler http.HandlerFunc, change ...func(*Options)) *Client {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, encoded, 0o600); err != nil {
		t.Fatal(err)
	}
	change = append(change, func(o *Options) { o.BaseURL, o.CAFile = server.URL+"/api/", file })
	c := newClient(t, nil, change...)
	t.Cleanup(c.Close)
	return c
}

func TestTheCAFileIsTrusted(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, emptyList) })
	if _, err := c.GroupPage(t.Context(), 1); err != nil {
		t.Error(err)
	}
	stranger := newClient(t, nil, func(o *Options) { o.BaseURL = c.base.String() })
	defer stranger.Close()
	_, err := stranger.GroupPage(t.Context(), 1)
	wantReason(t, err, directory.ReasonTransport)
}

func TestAnAnswerShorterThanAnnouncedIsNoList(t *testing.T) {
	tries := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		tries++
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, emptyList)
	})
	_, err := c.GroupPage(t.Context(), 1)
	if wantReason(t, err, directory.ReasonTransport); tries != 2 {
		t.Errorf("%d tries", tries)
	}
}

func TestCompressedAnswersAreRead(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("accepts %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, emptyList)
		_ = zip.Close()
	})
	if _, err := c.GroupPage(t.Context(), 1); err != nil {
		t.Error(err)
	}
	resp, err := c.Forward(t.Context(), post(t))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != emptyList || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("forwarded answer %q", body)
	}
}

func TestAForwardedBodyArrivesWithItsLength(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d %v %s %s", r.Method, r.ContentLength, r.TransferEncoding, r.Host, body)
	})
	for method, want := range map[string]string{"POST": `POST 12 [] %s {"name":"n"}`, "DELETE": `DELETE 0 [] %s `} {
		r := post(t)
		r.Method = method
		if method == "DELETE" {
			r.Body, r.GetBody, r.ContentLength = http.NoBody, nil, 0
		}
		resp, err := c.Forward(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if string(got) != fmt.Sprintf(want, c.base.Host) {
			t.Errorf("arrived as %s", got)
		}
	}
}
