package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// A need is what a route asks of its caller.
type need int

// The needs. What each takes is decided in access.go alone.
const (
	needOpen  need = iota // nothing: no person, nothing of upstream is shown
	needRead              // what the mirror answers
	needSweep             // to ask for a sweep
	needWrite             // to write groups upstream
	needPass              // anything else that goes upstream
)

// routes registers every route there is.
func (s *server) routes() error {
	s.handle(needOpen, "GET /livez", s.livez)
	s.handle(needOpen, "GET /readyz", s.readyz)
	s.handle(needRead, "GET /metrics", s.metricsPage())

	// Tallyfy's surface, with and without the path of its web host.
	for _, base := range []string{"", "/api"} {
		org := base + "/organizations/{org}"
		s.handle(needRead, "GET "+org+"/groups", s.compressed(s.orForwarded(s.groupList, "page", "per_page")))
		s.handle(needRead, "GET "+org+"/groups/{id}", s.compressed(s.orForwarded(s.groupPayload)))
		s.handle(needRead, "GET "+org+"/users", s.compressed(s.orForwarded(s.memberList, "page", "per_page")))
		s.handle(needRead, "GET "+org+"/users/{id}", s.compressed(s.orForwarded(s.memberPayload)))
		s.handle(needWrite, "POST "+org+"/groups", s.writeGroup)
		s.handle(needWrite, "PUT "+org+"/groups/{id}", s.writeGroup)
		s.handle(needWrite, "DELETE "+org+"/groups/{id}", s.writeGroup)
		for _, all := range []string{org, base + "/me", base + "/applications/{org}"} {
			s.handle(needPass, all, s.forward)
			s.handle(needPass, all+"/{rest...}", s.forward)
		}
	}

	// Rollcall's.
	v1 := s.newV1()
	get(s, v1, "/v1/groups", listGroupsDoc, s.listGroups)
	get(s, v1, "/v1/groups/{g}", getGroupDoc, s.getGroup)
	get(s, v1, "/v1/groups/{g}/members", listGroupMembersDoc, s.listGroupMembers)
	get(s, v1, "/v1/members", listMembersDoc, s.listMembers)
	get(s, v1, "/v1/members/{m}", getMemberDoc, s.getMember)
	get(s, v1, "/v1/members/{m}/groups", listGroupsOfMemberDoc, s.listGroupsOfMember)
	get(s, v1, "/v1/guests/{email}/groups", listGroupsOfGuestDoc, s.listGroupsOfGuest)
	get(s, v1, "/v1/check", checkDoc, s.check)
	register(s, v1, huma.Operation{Method: http.MethodGet, Path: "/v1/status"}, needRead, statusDoc, s.status)
	register(s, v1, huma.Operation{Method: http.MethodPost, Path: "/v1/sync", Responses: stillRunning(v1)}, needSweep, syncDoc, s.sync)
	s.handle(needRead, "/v1", s.notOnV1)
	s.handle(needRead, "/v1/{rest...}", s.notOnV1)

	document, err := newDocument(v1.OpenAPI())
	if err != nil {
		return err
	}
	s.handle(needOpen, "GET /openapi.json", s.compressed(document.json))
	s.handle(needOpen, "GET /openapi.yaml", s.compressed(document.yaml))
	docs := s.docs()
	s.handle(needOpen, "GET /docs", docs)
	s.handle(needOpen, "GET /docs/", docs)
	s.handle(needRead, "/", noEndpoint)
	return nil
}

// opsRoutes are those of the second address, for probes and scrapers.
func (s *server) opsRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /livez", s.guarded(needOpen, s.livez))
	mux.Handle("GET /readyz", s.guarded(needOpen, s.readyz))
	mux.Handle("GET /metrics", s.guarded(needOpen, s.metricsPage()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.observe(w, r, mux.ServeHTTP) })
}

// A handler answers a request, or says why not; what it returns is turned
// into an answer by fail.
type handler func(http.ResponseWriter, *http.Request) error

func (s *server) handle(n need, pattern string, h handler) {
	s.mux.Handle(pattern, s.guarded(n, h))
}
