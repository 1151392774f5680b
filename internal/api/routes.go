package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/access"
)

// routes registers every route there is, with what it asks to do: who may is
// decided by package access alone.
func (s *server) routes() {
	s.handle(access.Open, "GET /livez", s.livez)
	s.handle(access.Open, "GET /readyz", s.readyz)
	s.handle(access.Metrics, "GET /metrics", s.metricsPage())

	// Tallyfy's surface, with and without the path of its web host. Its users
	// come with all their fields, in the list, too.
	for _, base := range []string{"", "/api"} {
		org := base + "/organizations/{org}"
		s.handle(access.ReadGroups, "GET "+org+"/groups", s.orForwarded(s.kept(scopeList, s.groupList)))
		s.handle(access.ReadGroups, "GET "+org+"/groups/{id}", s.orForwarded(s.kept(scopeRow, s.groupPayload)))
		s.handle(access.ReadFull, "GET "+org+"/users", s.orForwarded(s.kept(scopeList, s.memberList)))
		s.handle(access.ReadFull, "GET "+org+"/users/{id}", s.orForwarded(s.kept(scopeRow, s.memberPayload)))
		s.handle(access.WriteGroup, "POST "+org+"/groups", s.writeGroup)
		s.handle(access.WriteGroup, "PUT "+org+"/groups/{id}", s.writeGroup)
		s.handle(access.WriteGroup, "DELETE "+org+"/groups/{id}", s.writeGroup)
		s.handleEach(access.WriteUser, org, userWrites, s.writePerson)
		s.handleEach(access.ForwardWrite, org, otherWrites, s.writePerson)
		for _, all := range []string{org, base + "/me", base + "/applications/{org}"} {
			for _, rest := range []string{"", "/{rest...}"} {
				s.handle(access.ForwardRead, "GET "+all+rest, s.forward)
				s.handle(access.ForwardWrite, all+rest, s.forward)
			}
		}
	}

	// Rollcall's.
	v1 := s.newV1()
	get(s, v1, access.ReadGroups, "/v1/groups", listGroupsDoc, s.listGroups)
	get(s, v1, access.ReadGroups, "/v1/groups/{g}", getGroupDoc, s.getGroup)
	get(s, v1, access.ReadMemberships, "/v1/groups/{g}/members", listGroupMembersDoc, s.listGroupMembers)
	get(s, v1, access.ReadFull, "/v1/members", listMembersDoc, s.listMembers)
	get(s, v1, access.ReadFull, "/v1/members/{m}", getMemberDoc, s.getMember)
	get(s, v1, access.ReadMemberships, "/v1/members/{m}/groups", listGroupsOfMemberDoc, s.listGroupsOfMember)
	get(s, v1, access.ReadFull, "/v1/members/{m}/co-members", listCoMembersDoc, s.listCoMembers)
	get(s, v1, access.ReadMemberships, "/v1/members/{m}/shared-groups", listSharedGroupsDoc, s.listSharedGroups)
	get(s, v1, access.ReadFull, "/v1/hygiene", listHygieneDoc, s.listHygiene)
	get(s, v1, access.ReadMemberships, "/v1/overlap", listOverlapDoc, s.listOverlap)
	get(s, v1, access.ReadMemberships, "/v1/guests/{email}/groups", listGroupsOfGuestDoc, s.listGroupsOfGuest)
	get(s, v1, access.ReadMemberships, "/v1/memberships", listMembershipsDoc, s.listMemberships)
	get(s, v1, access.ReadMemberships, "/v1/check", checkDoc, s.check)
	register(s, v1, huma.Operation{Method: http.MethodPost, Path: "/v1/check"}, access.ReadMemberships, checkManyDoc, s.checkMany)
	s.exportRoutes(v1)
	get(s, v1, access.ReadFull, "/v1/changes", listChangesDoc, s.listChanges)
	get(s, v1, access.ReadFull, "/v1/groups/{g}/timeline", groupTimelineDoc, s.groupTimeline)
	get(s, v1, access.ReadFull, "/v1/members/{m}/timeline", memberTimelineDoc, s.memberTimeline)
	get(s, v1, access.ReadFull, "/v1/diff", diffDoc, s.diff)
	s.handle(access.ReadFull, "GET /v1/changes/stream", s.streamChanges)
	v1.OpenAPI().AddOperation(streamOperation(v1))
	register(s, v1, huma.Operation{Method: http.MethodGet, Path: "/v1/status"}, access.ReadStatus, statusDoc, s.status)
	register(s, v1, huma.Operation{Method: http.MethodPost, Path: "/v1/sync", Responses: stillRunning(v1)}, access.Sync, syncDoc, s.sync)
	register(s, v1, queryOperation(v1), access.ReadFull, queryDoc, s.query)
	register(s, v1, huma.Operation{Method: http.MethodPost, Path: "/v1/members/{m}/forget", DefaultStatus: http.StatusOK}, access.Forget, forgetDoc, s.forget)
	edit(s, v1, http.MethodPut, "/v1/groups/{g}/members/{m}", addMemberDoc, s.addMember)
	edit(s, v1, http.MethodDelete, "/v1/groups/{g}/members/{m}", removeMemberDoc, s.removeMember)
	edit(s, v1, http.MethodPut, "/v1/groups/{g}/guests/{email}", addGuestDoc, s.addGuest)
	edit(s, v1, http.MethodDelete, "/v1/groups/{g}/guests/{email}", removeGuestDoc, s.removeGuest)
	edit(s, v1, http.MethodPatch, "/v1/groups/{g}", patchGroupDoc, s.patchGroup)
	s.handle(access.Open, "/v1", s.toTheKnown(s.notOnV1))
	s.handle(access.Open, "/v1/{rest...}", s.toTheKnown(s.notOnV1))

	document := newDocument(v1.OpenAPI())
	s.handle(access.Open, "GET /openapi.json", s.compressed(document.json))
	s.handle(access.Open, "GET /openapi.yaml", s.compressed(document.yaml))
	docs := s.docs()
	s.handle(access.Open, "GET /docs", docs)
	s.handle(access.Open, "GET /docs/", docs)
	s.handle(access.Open, "/", s.toTheKnown(noEndpoint))
}

// opsRoutes are those of the second address, for probes and scrapers.
func (s *server) opsRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /livez", s.guarded(access.Open, s.livez))
	mux.Handle("GET /readyz", s.guarded(access.Open, s.readyz))
	mux.Handle("GET /metrics", s.guarded(access.Open, s.metricsPage()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.observe(w, r, mux.ServeHTTP) })
}

// A handler answers a request, or says why not; what it returns is turned
// into an answer by fail.
type handler func(http.ResponseWriter, *http.Request) error

// handleEach registers routes below a path under one action.
func (s *server) handleEach(action access.Action, below string, routes []string, h handler) {
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		s.handle(action, method+" "+below+path, h)
	}
}

func (s *server) handle(a access.Action, pattern string, h handler) {
	s.actions[pattern] = a
	s.mux.Handle(pattern, s.guarded(a, h))
}
