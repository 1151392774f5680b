package access

// An Upstream says whose token goes to Tallyfy with a permitted request.
type Upstream uint8

// The tokens.
const (
	NoToken    Upstream = iota // nothing of the caller's goes upstream
	OwnToken                   // the caller's own, as Caller.Authorization has it
	SweepToken                 // the one that the mirror itself reads with
)

// An anybodyRule is what ModeNone asks for.
type anybodyRule uint8

const (
	nothing  anybodyRule = iota + 1
	aToken               // the caller's own, which goes upstream
	aTokenOr             // the same, or the sweep token if that is lent
)

// What goes upstream goes under the caller's own name; all else is free to
// whoever reaches the server.
var anybodyTable = map[Action]anybodyRule{
	ReadGroups:      nothing,
	ReadMembers:     nothing,
	ReadMemberships: nothing,
	ReadFull:        nothing,
	ReadStatus:      nothing,
	Metrics:         nothing,
	Sync:            nothing,
	AcceptRemovals:  nothing,
	Forget:          nothing,
	WriteGroup:      aTokenOr,
	EditGroup:       aTokenOr,
	WriteUser:       aToken,
	ForwardRead:     aToken,
	ForwardWrite:    aToken,
}

// A keyRule is the scope that a key needs, 0 if no key will do, and the token
// that takes the key's place upstream.
type keyRule struct {
	scope Scopes
	with  Upstream
}

var keyTable = map[Action]keyRule{
	ReadGroups:      {ScopeRead, NoToken},
	ReadMembers:     {ScopeRead, NoToken},
	ReadMemberships: {ScopeRead, NoToken},
	ReadFull:        {ScopeRead, NoToken},
	ReadStatus:      {ScopeRead, NoToken},
	Metrics:         {ScopeRead, NoToken},
	Sync:            {ScopeWrite, NoToken},
	WriteGroup:      {ScopeWrite, SweepToken},
	EditGroup:       {ScopeWrite, SweepToken},
	WriteUser:       {ScopeAdmin, SweepToken},
	AcceptRemovals:  {ScopeAdmin, NoToken},
	Forget:          {ScopeAdmin, NoToken},
	ForwardRead:     {},
	ForwardWrite:    {},
}

// A tokenRule is what Tallyfy must have shown to a token, and whether the
// request goes upstream with it.
type tokenRule struct {
	rights Rights
	with   Upstream
}

// everything is what the mirror holds, in all its fields.
const everything = SeesGroups | SeesUsers | SeesFull

// The rights of a write are judged by Tallyfy; here the token must be one of
// the organisation's, and see what an answer of ours shows.
var tokenTable = map[Action]tokenRule{
	ReadGroups:      {SeesGroups, NoToken},
	ReadMembers:     {SeesUsers, NoToken},
	ReadMemberships: {SeesGroups | SeesUsers, NoToken},
	ReadFull:        {everything, NoToken},
	ReadStatus:      {SeesGroups | SeesUsers, NoToken},
	Metrics:         {SeesGroups | SeesUsers, NoToken},
	Sync:            {IsMember, NoToken},
	WriteGroup:      {IsMember, OwnToken},
	EditGroup:       {IsMember | SeesGroups | SeesUsers, OwnToken},
	WriteUser:       {IsMember, OwnToken},
	AcceptRemovals:  {everything | IsAdmin, NoToken},
	Forget:          {everything | IsAdmin, NoToken},
	ForwardRead:     {IsMember, OwnToken},
	ForwardWrite:    {IsMember, OwnToken},
}
