package tallyfy

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/url"
	"strings"
)

// An Application is what Tallyfy's support gives out for unattended use: it
// asks for tokens itself, which no log-out ends.
//
// https://tallyfy.com/products/pro/integrations/open-api/code-samples/authentication/client-credentials-flow/
type Application struct {
	ClientID string
	Secret   TokenSource // StaticSecret or FileSecret
	TokenURL string      // default [DefaultTokenURL]
	ActAs    string      // e-mail of the user to act as; empty to act as the application
}

// tokenURLs are where Tallyfy's own hosts give out tokens.
var tokenURLs = map[string]string{
	"go.tallyfy.com":          "https://account.tallyfy.com/oauth/token",
	"api.tallyfy.com":         "https://account.tallyfy.com/oauth/token",
	"staging.go.tallyfy.com":  "https://staging.account.tallyfy.com/oauth/token",
	"staging-api.tallyfy.com": "https://staging.account.tallyfy.com/oauth/token",
}

// DefaultTokenURL is where tokens for the API at baseURL are asked for. It is
// empty unless that is one of Tallyfy's own hosts: to a stranger a secret is
// sent only when told so.
func DefaultTokenURL(baseURL string) string {
	base, err := parseBase(baseURL)
	if err != nil {
		return ""
	}
	return tokenURLs[strings.ToLower(base.Hostname())]
}

// check refuses what cannot work and fills in the default.
func (a Application) check(base *url.URL) (Application, error) {
	if strings.TrimSpace(a.ClientID) == "" || a.Secret == nil {
		return a, errors.New("TALLYFY_CLIENT_ID: set it and TALLYFY_CLIENT_SECRET, or TALLYFY_CLIENT_SECRET_FILE")
	}
	a.TokenURL = cmp.Or(a.TokenURL, tokenURLs[strings.ToLower(base.Hostname())])
	if err := checkTokenURL(a.TokenURL, base); err != nil {
		return a, err
	}
	if address, err := mail.ParseAddress(a.ActAs); a.ActAs != "" && (err != nil || address.Address != a.ActAs) {
		return a, fmt.Errorf("TALLYFY_ACT_AS: %q is no e-mail address, give that of an administrator", a.ActAs)
	}
	return a, nil
}

func checkTokenURL(s string, base *url.URL) error {
	const example = "https://account.tallyfy.com/oauth/token"
	if s == "" {
		return fmt.Errorf("TALLYFY_TOKEN_URL: %s is no host of Tallyfy's own, so set it to where tokens are given out, such as %s", base.Host, example)
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("TALLYFY_TOKEN_URL: must be a URL like %s", example)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("TALLYFY_TOKEN_URL: must have no user, query or fragment")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return fmt.Errorf("TALLYFY_TOKEN_URL: http:// would show the secret to the network; use https:// for %s", u.Host)
	}
	return nil
}

// String shows no secret.
func (a Application) String() string { return fmt.Sprintf("application %s", a.ClientID) }

// GoString shows no secret.
func (a Application) GoString() string { return a.String() }

// LogValue shows no secret.
func (a Application) LogValue() slog.Value { return slog.StringValue(a.String()) }
