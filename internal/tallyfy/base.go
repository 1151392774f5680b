package tallyfy

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// paths are where Tallyfy's own hosts keep the API, which is not where a
// person who has seen the other host writes it.
var paths = map[string]string{
	"go.tallyfy.com":          "/api",
	"staging.go.tallyfy.com":  "/api",
	"api.tallyfy.com":         "",
	"staging-api.tallyfy.com": "",
}

// parseBase reads the setting --base-url. The result has no trailing slash.
func parseBase(s string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimSpace(s))
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("--base-url: must be a URL like https://go.tallyfy.com/api")
	}
	switch {
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("--base-url: must have no user, query or fragment")
	case base.Scheme == "http" && !isLoopback(base.Hostname()):
		return nil, fmt.Errorf("--base-url: http:// would show the token to the network; use https:// for %s", base.Host)
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("--base-url: scheme %q is neither https nor http", base.Scheme)
	}
	path := strings.TrimRight(base.EscapedPath(), "/")
	if known, ok := paths[strings.ToLower(base.Hostname())]; ok && (path == "" || path == "/api") {
		path = known
	}
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: unescaped(path), RawPath: path}, nil
}

func unescaped(path string) string {
	plain, err := url.PathUnescape(path)
	if err != nil {
		return path
	}
	return plain
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// isDots reports a path segment that a server may take for a step upwards.
func isDots(segment string) bool { return segment == "." || segment == ".." }
