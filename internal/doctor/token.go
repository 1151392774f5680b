package doctor

import (
	"fmt"
	"net/http"
	"time"

	"rollcall/internal/directory"
)

// soon is when an expiry is worth a word.
const soon = 7 * 24 * time.Hour

var ofToken = []assumption{
	{
		name: "token-works", essential: true, assumed: "GET /me answers 200 to the token",
		otherwise: "polling stops but for a look at /me every few minutes; reads go on from disk",
		judge:     func(e *evidence) (Verdict, string) { return answered(e.me, e.me.ok()) },
	},
	{
		name: "token-expiry", assumed: "the token tells when it expires, and that is more than a week away",
		otherwise: "a 401 is noticed at once, the token file is read again and application credentials are renewed",
		judge: func(e *evidence) (Verdict, string) {
			if e.token.ExpiresAt.IsZero() {
				return NotVisible, "the token does not tell"
			}
			return holds(time.Until(e.token.ExpiresAt) > soon, e.token.ExpiresAt.UTC().Format(time.RFC3339))
		},
	},
	{
		name: "token-lifetime", assumed: "an access token lasts for months, not for an hour",
		otherwise: "only what the token itself says is believed, and a 401",
		judge: func(e *evidence) (Verdict, string) {
			if e.token.ExpiresAt.IsZero() {
				return NotVisible, "the token does not tell"
			}
			return holds(time.Until(e.token.ExpiresAt) > 24*time.Hour, e.token.ExpiresAt.UTC().Format(time.RFC3339))
		},
	},
	{
		name: "token-of-application", assumed: "tokens of application credentials may read the organisation's lists",
		otherwise: "TALLYFY_ACT_AS has a user's token minted from them, which may",
		judge: func(e *evidence) (Verdict, string) {
			if e.token.Kind != directory.TokenApplication {
				return NotVisible, "the token is none of an application"
			}
			return holds(e.groups.ok() && e.users.ok(), "groups "+e.groups.said()+", users "+e.users.said())
		},
	},
	{
		name: "token-of-administrator", assumed: "the token reads single users, which takes an administrator",
		otherwise: "single users cannot be read again, and nobody with a Tallyfy token is shown full records",
		judge: func(e *evidence) (Verdict, string) {
			if e.self == nil {
				return NotVisible, e.me.said()
			}
			return holds(e.self.ok(), e.self.said())
		},
	},
	{
		name: "organization", assumed: "the organisation is among those of the token's owner",
		otherwise: "its lists decide alone: a 403 or 404 of a list fails the sweep and removes nothing",
		judge: func(e *evidence) (Verdict, string) {
			if !e.organizations.list() {
				return NotVisible, e.organizations.said()
			}
			for _, row := range e.organizations.rows {
				if row.text("id") == e.Organization {
					return Confirmed, fmt.Sprintf("one of %d", len(e.organizations.rows))
				}
			}
			return Contradicted, fmt.Sprintf("none of the %d listed", len(e.organizations.rows))
		},
	},
	{
		name: "client-header", assumed: "another X-Tallyfy-Client than APIClient passes, too",
		otherwise: "nothing: Rollcall sends APIClient unless a caller's own says otherwise",
		judge: func(e *evidence) (Verdict, string) {
			if !e.me.ok() {
				return NotVisible, e.me.said()
			}
			return holds(e.otherClient.ok(), "n8n: "+e.otherClient.said())
		},
	},
	{
		name: "token-url", assumed: "application credentials are exchanged at the URL that is set",
		otherwise: "TALLYFY_TOKEN_URL names another",
		judge: func(e *evidence) (Verdict, string) {
			if e.token.Kind != directory.TokenApplication && e.token.Kind != directory.TokenActAs {
				return NotVisible, "no application credentials are set"
			}
			return holds(e.me.ok() || e.me != nil && e.me.status == http.StatusUnauthorized, "a token came")
		},
	},
}
