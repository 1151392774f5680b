package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The end of the context, of an interrupt say, ends what was started.
func TestProcessesEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := start{name: "sleeper", args: []string{"sleep", "600"}}.run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := p.finish(); err == nil {
		t.Error("it slept to the end")
	}
}

func TestAStoppedProcessHasEnded(t *testing.T) {
	p, err := start{name: "sleeper", args: []string{"sleep", "600"}}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.stop()
	p.stop() // which is harmless
	if p.cmd.ProcessState == nil {
		t.Error("it runs still")
	}
}

func TestAProcessThatFailsIsQuoted(t *testing.T) {
	p, err := start{name: "failing", args: []string{"sh", "-c", "echo because >&2; exit 3"}}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.finish(); err == nil || !strings.Contains(err.Error(), "because") || !strings.Contains(err.Error(), "failing") {
		t.Error(err)
	}
}

func TestLastWordsAreFew(t *testing.T) {
	w := &lastWords{}
	for range 100 {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 100))
	}
	_, _ = w.Write([]byte("the end\n"))
	if got := w.String(); len(got) > mostWords || !strings.HasSuffix(got, "the end") {
		t.Errorf("%d bytes, %q", len(got), got)
	}
}

func TestWhereTheProgramListensIsReadInPieces(t *testing.T) {
	l := newListening()
	for _, b := range []byte(`{"level":"INFO","msg":"opened"}` + "\n" + `not json` + "\n" + `{"msg":"listening","url":"http://127.0.0.1:1"}` + "\n" + `{"msg":"listening","url":"http://127.0.0.1:2"}` + "\n") {
		_, _ = l.Write([]byte{b})
	}
	if got := <-l.url; got != "http://127.0.0.1:1" || len(l.url) > 0 {
		t.Errorf("%q", got)
	}
}

func TestTheLoaderSendsItsCount(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/missing" || r.Header.Get("Authorization") != "Bearer key" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	here := request{Method: http.MethodGet, Path: "/here", Header: bearer("key")}
	missing := request{Method: http.MethodPost, Path: "/missing", Header: bearer("key"), Body: "{}"}
	got := loadSpec{Base: server.URL, Requests: []request{here, missing, here, here}, Count: 40, Connections: 4}.run(t.Context())
	if got.Requests != 40 || got.Failed != 10 || asked.Load() != 40 || got.P50 == 0 || got.P99 < got.P50 {
		t.Errorf("%+v, %d arrived", got, asked.Load())
	}
}

func TestTheLoaderEndsWithItsInput(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	spec, err := json.Marshal(loadSpec{Base: server.URL, Requests: []request{{Method: http.MethodGet, Path: "/"}}, Connections: 1, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := runLoad(t.Context(), bytes.NewReader(spec), &out); err != nil {
		t.Fatal(err)
	}
	var result loadResult
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		t.Errorf("%v: %s", err, &out)
	}
}

// What the floor answers is what it was told, byte for byte, but for the date.
func TestTheFloorAnswersAsRollcallDid(t *testing.T) {
	header := http.Header{"Etag": {`W/"x"`}, "Age": {"3"}, "Content-Type": {"application/json"}, "Vary": {"Authorization, Accept-Encoding"}}
	told := []constant{
		{"GET /v1/members/{m}", 200, header, []byte(`{"data":{}}`)},
		{"GET /v1/members/{m}", 304, http.Header{"Etag": {`W/"x"`}}, nil},
		{"GET /v1/members", 200, http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"application/json"}}, bytes.Repeat([]byte{1, 0, 255}, 9000)},
	}
	text, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	in, input := io.Pipe()
	output, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- runFloor(t.Context(), in, out) }()
	go func() { _, _ = input.Write(text) }()
	var addresses []string
	if err := json.NewDecoder(bufio.NewReader(output)).Decode(&addresses); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	for i, path := range []string{"/v1/members/1", "/v1/members/1", "/v1/members?limit=100"} {
		got, err := capture(t.Context(), client, addresses[i], told[i].Pattern, request{Method: http.MethodGet, Path: path})
		got.Header.Del("Content-Length")
		if d := cmp.Diff(told[i], got, cmp.Comparer(bytes.Equal)); err != nil || d != "" {
			t.Errorf("%v (-told +got)\n%s", err, d)
		}
	}
	input.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
