package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A client asks one server, or one file as a server would answer from it.
type client struct {
	base string // ends without a slash
	name string // of what is asked, for messages
	key  string // shown to the server; empty for none
	http *http.Client
}

// clientTimeout bounds one answer.
const clientTimeout = 30 * time.Second

// newClient makes a client of a server: http://host:port[/base], host:port
// or unix:/path.
func newClient(server string) (*client, error) {
	if path, ok := strings.CutPrefix(server, "unix:"); ok {
		path, _, _ = strings.Cut(path, "?")
		return &client{base: "http://localhost", name: server, http: &http.Client{Transport: socketTransport(path)}}, nil
	}
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--server: %q is not a server, give http://host:port, or unix:/path", server)
	}
	base := strings.TrimRight(server, "/")
	return &client{base: base, name: base, http: &http.Client{}}, nil
}

func socketTransport(path string) *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", path)
	}}
}

// An answer is a body with what its headers say of it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// A refusal is an answer of the server that is no success.
type refusal struct {
	status int
	kind   string // the last part of the problem's type, or empty
	text   string
}

func (r *refusal) Error() string { return r.text }

// get asks for a path below the base.
func (c *client) get(ctx context.Context, path string, query url.Values) (*answer, error) {
	return c.do(ctx, http.MethodGet, path, query, clientTimeout)
}

func (c *client) do(ctx context.Context, method, path string, query url.Values, timeout time.Duration) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	response, err := c.send(ctx, method, path, query)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("the answer of %s broke off: %w", c.name, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, refused(response, body)
	}
	return &answer{status: response.StatusCode, header: response.Header, body: body}, nil
}

// send asks and returns the answer as it begins; its body must be closed.
func (c *client) send(ctx context.Context, method, path string, query url.Values) (*http.Response, error) {
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s, is rollcall serve running there? --server (ROLLCALL_SERVER) names another: %w", c.name, withoutURL(err))
	}
	return response, nil
}

// withoutURL takes off the part of an error that repeats method and URL.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

func refused(response *http.Response, body []byte) error {
	var problem struct{ Type, Title, Detail string }
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if kind != "application/problem+json" || json.Unmarshal(body, &problem) != nil {
		return &refusal{status: response.StatusCode, text: "the server answered " + response.Status}
	}
	text := problem.Detail
	if text == "" {
		text = problem.Title
	}
	if response.StatusCode == http.StatusUnauthorized {
		text += " Here it comes from $" + keyVar + ", or from the file that $" + keyFileVar + " names."
	}
	return &refusal{status: response.StatusCode, kind: problem.Type[strings.LastIndexAny(problem.Type, "/:#")+1:], text: text}
}
