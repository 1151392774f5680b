package directory

// A PayloadOrder is what a list as upstream shapes it is sorted by. Ties go by
// id. Texts are compared folded, and what is unknown comes first.
type PayloadOrder string

// The orders of lists: of groups those by creation, update and name, of
// members all but by name.
const (
	ByCreation  PayloadOrder = ""
	ByUpdate    PayloadOrder = "update"
	ByName      PayloadOrder = "name"
	ByID        PayloadOrder = "id"
	ByEmail     PayloadOrder = "email"
	ByFirstName PayloadOrder = "first name"
	ByLastName  PayloadOrder = "last name"
)

// A PayloadQuery asks for part of a list as upstream shapes it.
type PayloadQuery struct {
	Contains   string // a part of one of the searched texts, whatever its case; empty is every row
	Order      PayloadOrder
	Descending bool // the reverse, ties included
	Offset     int
	Limit      int
}

// A PayloadPage is part of a list as upstream shapes it: the stored rows, and
// how many there are in all.
type PayloadPage struct {
	Rows  [][]byte
	Total int
	Freshness
}

// MemberGroups are a page of members and the groups that they are in.
type MemberGroups struct {
	PayloadPage
	Groups [][]byte // those that anybody of the page is in, by creation
	In     [][]int  // for each row, places in Groups, ascending
	Bytes  int      // estimate of all this with the groups written out at each row
}
