package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"rollcall/internal/access"
)

// borders keep out requests that a page in a browser was tricked into
// sending: to a foreign name that resolves to this machine (DNS rebinding),
// and writes from another origin.
type borders struct {
	anyHost     bool   // it is not by reaching the server that callers get in
	publicHost  string // lower case, without port; empty when there is none
	crossOrigin *http.CrossOriginProtection
}

func newBorders(mode access.Mode, public *url.URL, origins []string) (*borders, error) {
	b := &borders{anyHost: mode != access.ModeNone, crossOrigin: http.NewCrossOriginProtection()}
	for _, origin := range origins {
		if err := b.crossOrigin.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("--cors-origins: %w", err)
		}
	}
	if public == nil {
		return b, nil
	}
	b.publicHost = strings.ToLower(public.Hostname())
	if err := b.crossOrigin.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fmt.Errorf("--public-url: %w", err)
	}
	return b, nil
}

func (b *borders) check(r *http.Request) error {
	if !b.anyHost && !b.isOwnHost(r) {
		return forbidden("The host %.100q is not one of this server's own: call it as localhost, 127.0.0.1 or [::1], or name the host in --public-url.", r.Host)
	}
	if err := b.crossOrigin.Check(r); err != nil {
		return forbidden("A page of another origin may not write here, unless --cors-origins names it.")
	}
	return nil
}

func (b *borders) isOwnHost(r *http.Request) bool {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return true
	}
	host := hostname(r.Host)
	if host == "localhost" || host != "" && host == b.publicHost {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// hostname returns what stands before the port, in lower case and without
// the brackets of an IPv6 address.
func hostname(hostport string) string {
	return strings.ToLower((&url.URL{Host: hostport}).Hostname())
}
