package access

// Rights are what Tallyfy showed to a token when it was probed.
type Rights uint8

// The rights, each proven by itself.
const (
	IsMember   Rights = 1 << iota // a list of the organisation was answered
	SeesGroups                    // as many groups as the sweep token sees
	SeesUsers                     // as many users
	SeesFull                      // single users: its own was answered
	IsAdmin                       // its own user has the role admin
)

// missingRights says what a token without each right cannot do, in the order
// of the bits.
var missingRights = []string{
	"Tallyfy shows this token nothing of the organisation",
	"Tallyfy does not show this token every group",
	"Tallyfy does not show this token every member",
	"Tallyfy does not let this token read single members",
	"the owner of this token is no administrator of the organisation",
}

func (r Rights) includes(all Rights) bool { return r&all == all }

// missing says which right of all is lacking first, or nothing.
func (r Rights) missing(all Rights) string {
	for i, why := range missingRights {
		if one := Rights(1 << i); all.includes(one) && !r.includes(one) {
			return why
		}
	}
	return ""
}

// A Grant is whose a token is and what Tallyfy shows to it.
type Grant struct {
	UserID int64
	Rights Rights
}
