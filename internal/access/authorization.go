package access

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// maxCredential is the length of the longest key or token that is looked at.
const maxCredential = 8 << 10

// credentials returns the key or token of a request: what follows Bearer, or
// the password of Basic, whose user name does not matter. It is neither empty
// nor holds anything but visible ASCII.
func credentials(header http.Header) (string, error) {
	values := header.Values("Authorization")
	if len(values) == 0 {
		return "", unauthenticated("send a key or token as Authorization: Bearer, or as the password of Basic")
	}
	if len(values) > 1 {
		return "", unauthenticated("the Authorization header came more than once")
	}
	return parseAuthorization(values[0])
}

func parseAuthorization(value string) (string, error) {
	scheme, secret, _ := strings.Cut(strings.Trim(value, " \t"), " ")
	secret = strings.Trim(secret, " \t")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return checkCredential(secret)
	case strings.EqualFold(scheme, "Basic"):
		decoded, err := base64.StdEncoding.DecodeString(secret)
		if err != nil {
			return "", unauthenticated("the Authorization header is not Basic as RFC 7617 has it")
		}
		_, password, _ := strings.Cut(string(decoded), ":")
		return checkCredential(password)
	}
	return "", unauthenticated("the Authorization header is neither Bearer nor Basic")
}

func checkCredential(secret string) (string, error) {
	switch {
	case secret == "":
		return "", unauthenticated("the Authorization header holds no key or token")
	case len(secret) > maxCredential:
		return "", unauthenticated("the Authorization header is too long")
	case strings.ContainsFunc(secret, notVisible):
		return "", unauthenticated("the Authorization header holds signs that no key or token has")
	}
	return secret, nil
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' }

func unauthenticated(why string) error { return fmt.Errorf("%w: %s", ErrUnauthenticated, why) }
