package tallyfysim

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// How long tokens last unless Options say otherwise
// (https://tallyfy.com/products/pro/integrations/open-api/code-samples/authentication/client-credentials-flow/).
const (
	applicationLife = 7 * 24 * time.Hour
	mintedLife      = 90 * 24 * time.Hour
)

// SetClient replaces the application's credentials. What was issued under the
// old ones stays valid; an empty id ends the application.
func (s *Sim) SetClient(id, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clientID, s.clientSecret = id, secret
}

// grantToken is the token endpoint. It reads a form and knows the grant of
// client credentials alone.
func (s *Sim) grantToken(c *call) answer {
	form, ok := readForm(c)
	id, secret := form.Get("client_id"), form.Get("client_secret")
	switch {
	case !ok || form.Get("grant_type") == "":
		return oauthRefusal(http.StatusBadRequest, "invalid_request", "The request is missing a required parameter, includes an invalid parameter value, or is otherwise malformed.")
	case form.Get("grant_type") != "client_credentials":
		return oauthRefusal(http.StatusBadRequest, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server.")
	case id == "" || id != s.clientID || secret != s.clientSecret:
		return oauthRefusal(http.StatusUnauthorized, "invalid_client", "Client authentication failed")
	case form.Get("scope") != "" && form.Get("scope") != "*":
		return oauthRefusal(http.StatusBadRequest, "invalid_scope", "The requested scope is invalid, unknown, or malformed")
	}
	return s.granted(pass{application, 0, time.Now().Add(s.opts.ApplicationLife)}, s.opts.ApplicationLife, false)
}

// readForm decodes a body that says it is a form. JSON is refused.
func readForm(c *call) (url.Values, bool) {
	kind, _, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		return nil, false
	}
	form, err := url.ParseQuery(string(c.body))
	return form, err == nil
}

func oauthRefusal(status int, code, description string) answer {
	return jsonAnswer(status, map[string]any{"error": code, "error_description": description, "message": description})
}

// mintToken gives an application a token of one of the organisation's users.
func (s *Sim) mintToken(c *call) answer {
	if !c.caller.application {
		return forbidden()
	}
	user := s.userByEmail(c.params[1])
	switch {
	case user == nil:
		return notFound()
	case user.Status == StatusDisabled:
		return forbidden()
	}
	return s.granted(pass{minted, user.ID, time.Now().Add(s.opts.MintedLife)}, s.opts.MintedLife, s.opts.MintedWrapped)
}

// granted issues a token and tells it.
func (s *Sim) granted(p pass, life time.Duration, wrapped bool) answer {
	fields := map[string]any{"token_type": "Bearer", "access_token": s.issue(p)}
	seconds := int64(life / time.Second)
	switch {
	case s.opts.NoExpiresIn:
	case s.opts.TextExpiresIn:
		fields["expires_in"] = strconv.FormatInt(seconds, 10)
	default:
		fields["expires_in"] = seconds
	}
	if wrapped {
		return jsonAnswer(http.StatusOK, map[string]any{"data": fields})
	}
	return jsonAnswer(http.StatusOK, fields)
}

// issue makes a token valid. It needs the lock for writing.
func (s *Sim) issue(p pass) string {
	now := time.Now()
	for old, known := range s.tokens {
		if known.over(now) {
			delete(s.tokens, old)
		}
	}
	token := s.newToken(p, now)
	s.tokens[token] = p
	return token
}

// newToken looks like a JWT, as those of Laravel Passport do, whose instants
// are seconds with a fraction. Its signature proves nothing.
func (s *Sim) newToken(p pass, now time.Time) string {
	if s.opts.OpaqueTokens {
		return hex.EncodeToString(s.randomBytes(32))
	}
	subject := ""
	if p.user != 0 {
		subject = strconv.FormatInt(p.user, 10)
	}
	claims := mustJSON(map[string]any{
		"aud": s.clientID, "jti": hex.EncodeToString(s.randomBytes(8)), "sub": subject, "scopes": []string{"*"},
		"iat": numericDate(now), "nbf": numericDate(now), "exp": numericDate(p.until),
	})
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"typ":"JWT","alg":"RS256"}`)) + "." + encode(claims) + "." + encode(s.randomBytes(32))
}

func numericDate(t time.Time) json.Number {
	return json.Number(strconv.FormatFloat(float64(t.UnixMicro())/1e6, 'f', 6, 64))
}

func (s *Sim) randomBytes(n int) []byte {
	raw := make([]byte, n)
	for i := range raw {
		raw[i] = byte(s.rng.Uint32())
	}
	return raw
}
