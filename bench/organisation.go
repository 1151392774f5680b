package main

import (
	"fmt"
	"net/http"

	"rollcall/internal/tallyfysim"
)

// An organisation is what a simulated Tallyfy holds, as far as requests name
// it. Who and which are usual: in ten groups, of some thirty members.
type organisation struct {
	id      string
	key     string // to read with
	who     int64
	which   string
	members []int64 // of every status
	groups  []string
}

const (
	usualGroups  = 10
	usualMembers = 33
)

func organisationOf(sim *tallyfysim.Sim, key string) organisation {
	o := organisation{id: sim.Organization(), key: key}
	in := map[int64]int{}
	sized := map[string]int{}
	for _, g := range sim.Groups() {
		o.groups = append(o.groups, g.ID)
		sized[g.ID] = len(g.Members)
		for _, id := range g.Members {
			in[id]++
		}
	}
	for _, u := range sim.Users() {
		o.members = append(o.members, u.ID)
	}
	o.who = nearest(o.members, in, usualGroups)
	o.which = nearest(o.groups, sized, usualMembers)
	return o
}

// nearest is the first whose count comes nearest to want.
func nearest[ID comparable](ids []ID, count map[ID]int, want int) (found ID) {
	least := -1
	for _, id := range ids {
		if off := max(count[id]-want, want-count[id]); least < 0 || off < least {
			found, least = id, off
		}
	}
	return found
}

// get is a GET as an ordinary client sends it. encoding is what it accepts.
func (o organisation) get(encoding, format string, args ...any) request {
	header := bearer(o.key)
	header["X-Tallyfy-Client"] = "APIClient"
	if encoding != "" {
		header["Accept-Encoding"] = encoding
	}
	return request{Method: http.MethodGet, Path: fmt.Sprintf(format, args...), Header: header}
}

func (o organisation) member(id int64) request { return o.get("gzip", "/v1/members/%d", id) }

func (o organisation) groupsOf(id int64) request { return o.get("gzip", "/v1/members/%d/groups", id) }

func (o organisation) check(id int64, group string) request {
	return o.get("gzip", "/v1/check?member=%d&group=%s", id, group)
}

func (o organisation) tallyfyGroup(id string) request {
	return o.get("gzip", "/organizations/%s/groups/%s", o.id, id)
}

func (o organisation) page(encoding string) request { return o.get(encoding, "/v1/members?limit=100") }

// pairs is a check of a hundred people and groups.
func (o organisation) pairs() request {
	q := o.get("gzip", "/v1/check")
	body := []byte(`{"pairs":[`)
	for i := range 100 {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `{"member":%d,"group":%q}`, o.members[i*7%len(o.members)], o.groups[i*3%len(o.groups)])
	}
	q.Method, q.Body = http.MethodPost, string(append(body, "]}"...))
	q.Header["Content-Type"] = "application/json"
	return q
}

func (o organisation) export() request { return o.get("", "/v1/export/memberships.ndjson") }
