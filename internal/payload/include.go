package payload

// IncludedGroup returns of a group's row what Tallyfy shows where groups are
// included in a user
// (https://tallyfy.com/products/pro/integrations/open-api/code-samples/members/list-members/),
// values as they came. The row must be valid, as a stored one is.
func IncludedGroup(group []byte) []byte {
	out := append(make([]byte, 0, len(group)), '{')
	for key, value := range members(group) {
		switch string(key) {
		case `"id"`, `"name"`, `"logo"`, `"members"`, `"guests"`:
			out = appendField(out, key, value)
		}
	}
	return append(out, '}')
}

// AppendWithGroups appends a user's row with groups included: those of
// included, which IncludedGroup made, at the places in. The row must be
// valid, as a stored one is; groups that it brings itself are left out.
func AppendWithGroups(dst, member []byte, included [][]byte, in []int) []byte {
	dst = append(dst, '{')
	for key, value := range members(member) {
		if string(key) != `"groups"` {
			dst = appendField(dst, key, value)
		}
	}
	dst = appendField(dst, []byte(`"groups"`), []byte(`{"data":[`))
	for i, place := range in {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, included[place]...)
	}
	return append(dst, "]}}"...)
}

func appendField(object, key, value []byte) []byte {
	if object[len(object)-1] != '{' {
		object = append(object, ',')
	}
	return append(append(append(object, key...), ':'), value...)
}
