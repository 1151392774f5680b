package tallyfysim

import (
	"cmp"
	"net/http"
	"time"
)

// The organisation, token and application of a simulator that is told none.
const (
	DefaultOrganization = "0b1e5a7c9d3f42688a4c6e10f2d47b93"
	DefaultToken        = "simulated-token"
	DefaultClientID     = "4711"
	DefaultClientSecret = "simulated-secret"
)

// Generation selects the names of fields and the rules of one age of the
// documentation.
type Generation int

const (
	// Gen2026 is what the documentation says since March 2026: last_updated on
	// groups, updated_at, is_active and role on users, a wrapped groups include.
	Gen2026 Generation = iota
	// Gen2025 is what it said in 2025: updated_at and deleted_at on groups,
	// last_updated, active, is_suspended and user_role on users, a bare groups
	// include, updates answered with 200, descriptions optional.
	Gen2025
)

// Options describe an organisation and which reading of the contract it
// follows. The zero Options are an empty organisation of the newest
// documented reading.
type Options struct {
	Organization     string // default [DefaultOrganization]
	OrganizationName string // default "Simulated Works"
	Token            string // default [DefaultToken]; acts as an administrator
	Seed             uint64 // of ids and of seeded data

	// The application that may ask for tokens, and how long they last.
	ClientID        string        // default [DefaultClientID]
	ClientSecret    string        // default [DefaultClientSecret]
	ApplicationLife time.Duration // of an application's token: default 7 days
	MintedLife      time.Duration // of a user's token that it mints: default 90 days

	// Groups, Members, Edges and Guests fill the organisation as [Populate]
	// does, unless Groups and Members are both zero.
	Groups, Members, Edges, Guests int

	// Shapes.
	Generation Generation
	NoMeta     bool   // lists come without meta
	NoStatus   bool   // users come without status, as in older definitions
	StringIDs  bool   // user ids are numeric strings everywhere, not in single groups alone
	LinkBase   string // where pagination links point; default https://api.tallyfy.com, the other public host

	// Lists.
	Descending     bool // newest first where no order is asked for
	GroupCapRefuse bool // groups: per_page above 100 is 422, not clamped
	UserCap        int  // users: cap on per_page; default 9999
	TotalPagesSize int  // total_pages is computed with this page size, not with the one in use
	RepeatLastPage bool // a page past the end repeats the last one instead of being empty
	UsersNeedAdmin bool // only administrators may list users
	UsersPartial   bool // who is no administrator lists active users alone, with nothing to tell

	// Writes on groups.
	DescriptionOptional   bool // implied by Gen2025
	PutNameRequired       bool
	AbsentArraysClear     bool // an update without members or guests empties them
	MembershipKeepsTime   bool // a change of members or guests alone leaves last_updated
	NamesFoldCase         bool // names that differ in case alone are taken
	NamesTrim             bool // names and descriptions are trimmed before anything else
	UpdateStatus          int  // default 201, in Gen2025 200
	DeleteBody            bool // a deletion is answered with 200 and the group, not with 204
	DeleteMissing         int  // deleting an unknown group: default 404; 204 as for tags
	MalformedID           int  // reading a group id that is not 32 hex digits: default 404; or 422
	StandardManagesGroups bool // standard members may write groups, too
	KnownGuestsOnly       bool // a guest e-mail that is no guest of the organisation is 422, not created
	GuestStatus           int  // reading a guest: default 200; 201 as one page has it
	GuestEmailInBody      bool // updating a guest wants its e-mail in the body, too
	GuestsPerHour         int  // new guests in a sliding hour; more are 429. 0 lifts the cap

	// Writes on users.
	DisabledKeepGroups bool // a disabled user stays in its groups
	EnableRestores     bool // enabling brings the lost memberships back
	InvitationsJoin    bool // an invitation's `groups`, which are not documented, are ids of groups that the invited enter
	RemovalKeepsRow    bool // a removed user stays listed as disabled
	Seats              int  // full seats; more admins and standards are 409. 0 lifts the cap

	// Tokens.
	OpaqueTokens       bool // tokens are no JWTs and tell nothing
	NoExpiresIn        bool // grants do not tell how long a token lasts
	TextExpiresIn      bool // they tell it as a string
	MintedWrapped      bool // a minted token comes under data
	ApplicationRefused bool // an application's own token is 401 on the organisation's rows, too, not on /me alone

	// Refusals.
	MissingClient  int  // request without X-Tallyfy-Client: default 404; or 401
	BareValidation bool // 422 bodies carry errors without a message

	// The simulator's own throttle: requests admitted in sliding windows, 0
	// for no limit. A refused request does not count.
	PerFiveSeconds, PerMinute, PerHour int
	RateHeaders                        bool // answers carry X-RateLimit-Limit and X-RateLimit-Remaining of the minute
}

func (o Options) withDefaults() Options {
	o.Organization = cmp.Or(o.Organization, DefaultOrganization)
	o.OrganizationName = cmp.Or(o.OrganizationName, "Simulated Works")
	o.Token = cmp.Or(o.Token, DefaultToken)
	o.ClientID = cmp.Or(o.ClientID, DefaultClientID)
	o.ClientSecret = cmp.Or(o.ClientSecret, DefaultClientSecret)
	o.ApplicationLife = cmp.Or(o.ApplicationLife, applicationLife)
	o.MintedLife = cmp.Or(o.MintedLife, mintedLife)
	o.LinkBase = cmp.Or(o.LinkBase, "https://api.tallyfy.com")
	o.UserCap = cmp.Or(o.UserCap, 9999)
	if o.Generation == Gen2025 {
		o.DescriptionOptional = true
		o.UpdateStatus = cmp.Or(o.UpdateStatus, http.StatusOK)
	}
	o.UpdateStatus = cmp.Or(o.UpdateStatus, http.StatusCreated)
	o.DeleteMissing = cmp.Or(o.DeleteMissing, http.StatusNotFound)
	o.MalformedID = cmp.Or(o.MalformedID, http.StatusNotFound)
	o.GuestStatus = cmp.Or(o.GuestStatus, http.StatusOK)
	o.MissingClient = cmp.Or(o.MissingClient, http.StatusNotFound)
	return o
}
