package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"time"
)

// A constant is an answer of Rollcall's, which the floor gives again. Its body
// goes by the JSON between the two as base64.
type constant struct {
	Pattern string // of the mux
	Status  int
	Header  http.Header
	Body    []byte
}

// capture asks once and keeps the answer as a constant.
func capture(ctx context.Context, client *http.Client, base, pattern string, q request) (constant, error) {
	r, err := q.to(ctx, base)
	if err != nil {
		return constant{}, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return constant{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return constant{}, fmt.Errorf("%s: %w", q.Path, err)
	}
	header := maps.Clone(answer.Header)
	header.Del("Date") // is the server's own
	return constant{pattern, answer.StatusCode, header, body}, nil
}

// handler answers with the constant and does nothing else.
func (c constant) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(c.Pattern, func(w http.ResponseWriter, _ *http.Request) {
		header := w.Header()
		for name, values := range c.Header {
			header[name] = values
		}
		w.WriteHeader(c.Status)
		_, _ = w.Write(c.Body) // the client may have gone
	})
	return mux
}

// runFloor is the floor: constants in, their addresses out, each with a
// server of its own that answers until the input ends.
func runFloor(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	in := json.NewDecoder(stdin)
	var constants []constant
	if err := in.Decode(&constants); err != nil {
		return fmt.Errorf("read the constants: %w", err)
	}
	var addresses []string
	for _, c := range constants {
		server, address, err := serveOn(ctx, c.handler())
		if err != nil {
			return err
		}
		defer server.Close()
		addresses = append(addresses, address)
	}
	if err := json.NewEncoder(stdout).Encode(addresses); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, stdin)
	return err
}

// serveOn serves on a free port of loopback and returns its address.
func serveOn(ctx context.Context, h http.Handler) (*http.Server, string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with Close
	return server, "http://" + listener.Addr().String(), nil
}

// startFloor starts the floor as a process of its own and returns the address
// of each constant.
func (l *lab) startFloor(ctx context.Context, constants []constant) (p *process, addresses []string, err error) {
	p, err = start{name: "floor", cpu: l.pins.server, env: onOneCPU, args: []string{l.self, "floor"}}.run(ctx)
	if err != nil {
		return nil, nil, err
	}
	text, err := json.Marshal(constants)
	if err == nil {
		_, err = io.Copy(p.stdin, bytes.NewReader(text))
	}
	if err == nil {
		err = json.NewDecoder(p.stdout).Decode(&addresses)
	}
	if err != nil {
		p.stop()
		return nil, nil, fmt.Errorf("start the floor: %w: %s", err, p.said)
	}
	return p, addresses, nil
}
