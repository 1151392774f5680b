package api

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestAServerBoundsWhatAClientMaySendAndHowSlowly(t *testing.T) {
	w := newPeople(t)
	server := NewServer(w.api, w.api.server.Logger)
	if server.ReadHeaderTimeout == 0 || server.ReadTimeout == 0 || server.WriteTimeout == 0 || server.IdleTimeout == 0 {
		t.Error("a slow client may hold a connection for ever")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var request strings.Builder
	fmt.Fprintf(&request, "GET /v1/groups HTTP/1.1\r\nHost: localhost\r\n")
	for i := range 10_000 {
		fmt.Fprintf(&request, "X-Header-%d: value\r\n", i)
	}
	go func() { _, _ = conn.Write([]byte(request.String() + "\r\n")) }() // the server stops reading before the end
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(resp.Status)
	}
}
