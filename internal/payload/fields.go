package payload

import "strings"

// A kind says how values of a field are compared and converted.
type kind uint8

const (
	plain   kind = iota
	id           // a number, or a string of digits
	idSet        // an array of ids in any order
	mailSet      // an array of e-mails in any order and case
	instant      // a timestamp in any spelling
	folded       // a word in any case
	flag         // true, 1, "1" or "true", and their opposites
	picture      // a URL whose query part moves by itself, or an object of such
	include      // present when asked for by `with=`, no part of the row
)

// A spec is what is known of a field.
type spec struct {
	name  string // of the newest generation
	kind  kind
	churn bool // moves by itself
	event bool // says nothing while null or false; one generation lacks it
}

// specs maps the keys of both generations to what is known of them
// (https://tallyfy.com/products/pro/integrations/open-api/code-samples/groups/list-groups/
// and .../members/list-members/; older names from the Power Platform connector).
var specs = map[string]spec{
	"id":               {name: "id", kind: id},
	"country_id":       {name: "country_id", kind: id},
	"invited_by":       {name: "invited_by", kind: id},
	"members":          {name: "members", kind: idSet},
	"guests":           {name: "guests", kind: mailSet},
	"created_at":       {name: "created_at", kind: instant},
	"updated_at":       {name: "updated_at", kind: instant},
	"last_updated":     {name: "updated_at", kind: instant},
	"deleted_at":       {name: "deleted_at", kind: instant, event: true},
	"disabled_at":      {name: "disabled_at", kind: instant, event: true},
	"activated_at":     {name: "activated_at", kind: instant},
	"approved_at":      {name: "approved_at", kind: instant, event: true},
	"last_login_at":    {name: "last_login_at", kind: instant, churn: true},
	"last_accessed_at": {name: "last_accessed_at", kind: instant, churn: true},
	"UTC_offset":       {name: "UTC_offset", kind: plain, churn: true},
	"role":             {name: "role", kind: folded},
	"user_role":        {name: "role", kind: folded},
	"status":           {name: "status", kind: folded},
	"date_format":      {name: "date_format", kind: folded},
	"is_active":        {name: "is_active", kind: flag},
	"active":           {name: "is_active", kind: flag},
	"is_suspended":     {name: "is_suspended", kind: flag, event: true},
	"is_default_admin": {name: "is_default_admin", kind: flag},
	"complete":         {name: "complete", kind: flag},
	"support_user":     {name: "support_user", kind: flag},
	"profile_pic":      {name: "profile_pic", kind: picture},
	"logo":             {name: "logo", kind: picture},
	"assets":           {name: "assets", kind: include},
	"users":            {name: "users", kind: include},
	"groups":           {name: "groups", kind: include},
	"stats":            {name: "stats", kind: include},
	"organizations":    {name: "organizations", kind: include},
	"preferences":      {name: "preferences", kind: include},
	"member_watchers":  {name: "member_watchers", kind: include},
	"guest_watchers":   {name: "guest_watchers", kind: include},
	"auth_methods":     {name: "auth_methods", kind: include},
	"country":          {name: "country", kind: include},
	"name":             {name: "name"},
	"description":      {name: "description"},
	"email":            {name: "email"},
	"username":         {name: "username"},
	"first_name":       {name: "first_name"},
	"last_name":        {name: "last_name"},
	"full_name":        {name: "full_name"},
	"type":             {name: "type"},
	"phone":            {name: "phone"},
	"job_title":        {name: "job_title"},
	"job_description":  {name: "job_description"},
	"team":             {name: "team"},
	"timezone":         {name: "timezone"},
	"locale":           {name: "locale"},
}

// specOf returns what is known of a quoted key. Fields never seen before are
// classed by the ending of their names, as Tallyfy forms them.
func specOf(key []byte) spec {
	if known, ok := specs[string(key[1:len(key)-1])]; ok {
		return known
	}
	name, _ := text(key)
	switch {
	case strings.HasSuffix(name, "_at"):
		return spec{name: name, kind: instant}
	case strings.HasSuffix(name, "_id"), strings.HasSuffix(name, "_by"):
		return spec{name: name, kind: id}
	}
	return spec{name: name}
}
