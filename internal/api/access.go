package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// An access decides who may do what. It knows one mode, none: the server is
// reached over loopback or a socket, and whoever reaches it may do all that
// does not go upstream; what goes upstream takes the caller's own token.
type access struct {
	publicHost  string // lower case, without port; empty when there is none
	crossOrigin *http.CrossOriginProtection
}

func newAccess(public *url.URL) (*access, error) {
	a := &access{crossOrigin: http.NewCrossOriginProtection()}
	if public == nil {
		return a, nil
	}
	a.publicHost = strings.ToLower(public.Hostname())
	if err := a.crossOrigin.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fmt.Errorf("--public-url: %w", err)
	}
	return a, nil
}

// guarded lets h answer those requests that may have an answer. It is the one
// place where that is decided, for every route, before anything else is done.
func (s *server) guarded(n need, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := s.access.admit(r, n)
		if err == nil {
			err = s.checkOrganization(r)
		}
		if err == nil {
			err = s.access.checkToken(r, n)
		}
		if err == nil {
			err = s.dated(r, func() error { return h(w, r) })
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// admit refuses requests that a page in a browser was tricked into sending: a
// foreign name that resolves to this machine (DNS rebinding), and writes from
// another origin.
func (a *access) admit(r *http.Request, n need) error {
	if n == needOpen {
		return nil
	}
	if !a.isOwnHost(r) {
		return forbidden("The host %q is not one of this server's own: call it as localhost, 127.0.0.1 or [::1], or name the host in --public-url.", r.Host)
	}
	if err := a.crossOrigin.Check(r); err != nil {
		return forbidden("A page of another origin may not write here.")
	}
	return nil
}

func (a *access) isOwnHost(r *http.Request) bool {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return true
	}
	host := hostname(r.Host)
	if host == "localhost" || host != "" && host == a.publicHost {
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

// checkOrganization refuses paths of another organisation than the served.
func (s *server) checkOrganization(r *http.Request) error {
	if org := r.PathValue("org"); org != "" && org != s.Organization {
		return notFoundUpstream()
	}
	return nil
}

// checkToken refuses what goes upstream without the caller's own token, so
// that nobody acts there under the name of the sweep.
func (a *access) checkToken(r *http.Request, n need) error {
	if n != needWrite && n != needPass || hasToken(r) {
		return nil
	}
	return unauthenticated()
}

func hasToken(r *http.Request) bool {
	_, credentials, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	return strings.TrimSpace(credentials) != ""
}
