package main

import (
	"slices"
	"strings"
	"unicode"
)

// domainSettings say where guests may be from.
type domainSettings struct {
	GuestDomains string `name:"guest-domains" env:"ROLLCALL_GUEST_DOMAINS" placeholder:"DOMAIN,..." help:"Domains of e-mail that guests of groups may be from, such as example.com,partner.example, in any case; each is itself alone, without those below it. Hygiene tells of others; when left out, all may be."`
}

func (s *domainSettings) check() error {
	_, err := s.guestDomains()
	return err
}

// guestDomains are nil where every domain is allowed.
func (s *domainSettings) guestDomains() ([]string, error) {
	if s.GuestDomains == "" {
		return nil, nil
	}
	var domains []string
	for text := range strings.SplitSeq(s.GuestDomains, ",") {
		domain := strings.ToLower(strings.TrimSpace(text))
		if domain == "" || strings.ContainsAny(domain, "@*/:") || strings.ContainsFunc(domain, unicode.IsSpace) ||
			strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") {
			return nil, usagef("--guest-domains: %q is not a domain, name each in full, without @ and wildcards, such as example.com,partner.example", text)
		}
		domains = append(domains, domain)
	}
	slices.Sort(domains)
	return slices.Compact(domains), nil
}
