package api

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"rollcall/internal/access"
)

const about = `Who is in which group of a Tallyfy organisation, from a local mirror.

Every answer shows one revision and says how old it is: see the headers ` + "`Age`" + `, ` + "`Rollcall-Confirmed-At`" + ` and
` + "`Rollcall-Revision`" + `. A read may say how old they may be by ` + "`Cache-Control`" + `: what is older is asked of Tallyfy anew before the
answer. Lists come in pages; all pages of a walk show the revision it began with. Problems have a stable
` + "`type`" + `.

Beside these paths, Tallyfy's own API is served at ` + "`/organizations/{org}/…`" + `, and likewise under ` + "`/api`" + `: groups and users are
read from the mirror, searched and ordered as far as it can answer exactly; everything else is forwarded with the caller's own token. A
key of this server stands in for a token where its scopes allow: read for what the mirror answers, write for groups and sweeps, admin
for users.

**Writes.** Writes on groups, users and guests sent there are shown by the next read, or their answer says
` + "`Rollcall-Refresh: pending`" + ` and a later ` + "`POST /v1/sync`" + ` settles it; that is always so where somebody is disabled, enabled,
removed, deleted or converted, as groups change that the answer does not name. A write is sent once. If its answer is lost, the
status is 504: it may have happened, so read before trying again.

**What is forwarded** comes back as Tallyfy answers it, but for cookies, redirects, links and headers that name its servers, and
for the bodies of its 5xx. JSON bodies may be 1 MiB long, others 100 MiB, answers 256 MiB. A client that goes away ends a read; a
write is seen through.

**What a write can lose.** Tallyfy's API replaces a group's member list as a whole and knows no precondition: who sends it a list
computed from an old read erases what others changed since. The edits under ` + "`/v1/groups/{g}`" + ` (` + "`PUT`, `DELETE` and `PATCH`" + `) do
that reading, at the last moment and in turn: they erase no other write made through Rollcall, nor what Tallyfy showed when the group
was read. But a change that somebody else makes to the same group directly in Tallyfy, within the one round trip in which a write is
under way, cannot be seen and may be overwritten.`

func describe(mode access.Mode, version string, public *url.URL) *huma.OpenAPI {
	server := "/"
	if public != nil {
		server = public.String()
	}
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Rollcall", Version: version, Description: about,
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Components: &huma.Components{
			Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: securitySchemes,
		},
		Tags: []*huma.Tag{
			{Name: "groups", Description: "Groups and who is in them."},
			{Name: "members", Description: "Members and which groups they are in."},
			{Name: "guests", Description: "Guests, who are known as e-mails alone."},
			{Name: "check", Description: "Is somebody in a group."},
			{Name: "tables", Description: "Whole tables as files, and all of them by SQL, for reports and analysis."},
			{Name: "hygiene", Description: "What is out of order."},
			{Name: "overlap", Description: "Which groups have members in common."},
			{Name: "itself", Description: "Rollcall itself."},
		},
		Servers:  []*huma.Server{{URL: server}},
		Security: security(mode),
	}
}

var securitySchemes = map[string]*huma.SecurityScheme{
	"bearer": {Type: "http", Scheme: "bearer", Description: "A key of this server, or your own Tallyfy token, whichever it asks for."},
	"basic":  {Type: "http", Scheme: "basic", Description: "The same as the password, with any user name: for spreadsheets and browsers."},
}

// security is what every operation takes: where nobody is asked, nothing.
func security(mode access.Mode) []map[string][]string {
	if mode == access.ModeNone {
		return []map[string][]string{{}, {"bearer": {}}}
	}
	return []map[string][]string{{"bearer": {}}, {"basic": {}}}
}

// problemResponse is how every operation may fail.
func problemResponse(v1 huma.API) *huma.Response {
	return &huma.Response{
		Description: "A problem (RFC 9457), with a stable type.",
		Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: v1.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")},
		},
	}
}

// refusals are how access to an operation is refused.
func refusals(v1 huma.API) map[string]*huma.Response {
	nobody, forbidden := problemResponse(v1), problemResponse(v1)
	nobody.Description = "unauthenticated: no key or token came with the request, or one that is not known."
	nobody.Headers = map[string]*huma.Header{"WWW-Authenticate": {
		Description: "What to send: Bearer, or Basic with the key or token as password.", Schema: &huma.Schema{Type: huma.TypeString},
	}}
	forbidden.Description = "forbidden: the key lacks the scope, Tallyfy shows too little to the token, or the page or host may not ask. The detail says what is missing."
	return map[string]*huma.Response{"401": nobody, "403": forbidden}
}

// stillRunning is the answer of a sync that did not wait long enough.
func stillRunning(v1 huma.API) map[string]*huma.Response {
	schema := v1.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[One[Sweep]](), true, "")
	return map[string]*huma.Response{
		"202": {Description: "Accepted: the sweep still runs.", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}},
	}
}

// A document is the OpenAPI document in both notations, each made once, when
// it is first asked for.
type document struct{ asJSON, asYAML func() ([]byte, error) }

func newDocument(d *huma.OpenAPI) *document {
	return &document{sync.OnceValues(d.MarshalJSON), sync.OnceValues(d.YAML)}
}

func (d *document) json(w http.ResponseWriter, _ *http.Request) error {
	return writeDocument(w, "application/openapi+json", d.asJSON)
}

func (d *document) yaml(w http.ResponseWriter, _ *http.Request) error {
	return writeDocument(w, "application/openapi+yaml", d.asYAML)
}

func writeDocument(w http.ResponseWriter, contentType string, written func() ([]byte, error)) error {
	body, err := written()
	if err != nil {
		return fmt.Errorf("OpenAPI document: %w", err)
	}
	writeBody(w, http.StatusOK, contentType, body)
	return nil
}

// docs shows the document in a browser; all it loads comes from here.
func (s *server) docs() handler {
	page := v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "Rollcall", SwaggerJSON: s.basePath() + "/openapi.json",
		BasePath: s.basePath() + "/docs", InternalBasePath: "/docs",
	})
	return func(w http.ResponseWriter, r *http.Request) error {
		page.ServeHTTP(w, r)
		return nil
	}
}
