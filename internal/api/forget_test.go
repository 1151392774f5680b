package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/tallyfysim"
)

func TestForgettingSaysWhatWasErasedAndLogsNobody(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		user := l.sim.Users()[3]
		id := itoa(user.ID)
		l.post("/v1/members/"+id+"/forget").wantsProblem(409, stillExists)
		l.post("/v1/members/"+user.Email+"/forget").wantsProblem(409, stillExists)
		l.post("/v1/members/77777/forget").wantsProblem(404, unknownPerson)
		l.post("/v1/members/nobody@x.test/forget").wantsProblem(404, unknownPerson)
		for _, g := range l.sim.Groups() {
			l.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) {
				for i, member := range g.Members {
					if member == user.ID {
						g.Members = append(g.Members[:i:i], g.Members[i+1:]...)
						break
					}
				}
			})
		}
		l.sim.RemoveUser(user.ID)
		time.Sleep(3 * time.Minute)
		synctest.Wait()

		known := l.get("/v1/members/" + id + "?as_of=rev:1").wants(200)
		got := l.post("/v1/members/" + strings.ToUpper(user.Email) + "/forget").wants(200)
		if got.at("data", "clean") != true || got.at("data", "versions").(float64) < 1 || got.header.Get("Rollcall-Revision") == known.header.Get("Rollcall-Revision") {
			t.Errorf("%s", got.body)
		}
		then := l.get("/v1/members/"+id+"?as_of=rev:1", "If-None-Match", known.header.Get("ETag")).wants(200)
		for _, field := range []string{"email", "first_name", "last_name", "full_name", "job_title", "team", "timezone"} {
			if v, has := then.at("data").(map[string]any)[field]; v != nil || !has {
				t.Errorf("%s is %v: %s", field, v, then.body)
			}
		}
		l.get("/v1/members/"+user.Email+"?as_of=rev:1").wantsProblem(404, unknownPerson)
		if lines := l.log.lines(t, "person forgotten"); len(lines) != 1 {
			t.Errorf("%d lines tell of it", len(lines))
		}
		if log := l.log.String(); strings.Contains(strings.ToLower(log), strings.ToLower(user.Email)) || strings.Contains(log, user.LastName) {
			t.Errorf("the log holds the person:\n%s", log)
		}
		l.post("/v1/members/"+user.Email+"/forget").wantsProblem(404, unknownPerson)

		// Sweeps go on, and who comes back is known anew.
		l.sim.CreateUser(user)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if back := l.get("/v1/members/" + id).wants(200); back.at("data", "email") != user.Email || l.get("/v1/status").at("data", "state") != "fresh" {
			t.Errorf("back again: %s", back.body)
		}
		l.post("/v1/members/"+id+"/forget").wantsProblem(409, stillExists)
	})
}

func TestAPrunedStateIsGone(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		_, _, between := l.thinned()
		time.Sleep(2 * time.Hour)
		if err := l.db.Keep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		for _, asOf := range []string{"rev:1", rfc3339(between)} {
			for _, path := range l.pastReads(asOf) {
				l.get(path).wantsProblem(410, pruned)
			}
		}
		l.get("/v1/groups?as_of=1999-01-01").wantsProblem(404, unknownInstant)
		if since := l.get("/v1/status").at("data", "history_since"); since != l.get("/v1/groups?as_of=rev:2").at("published_at") {
			t.Errorf("kept since %v", since)
		}
	})
}

func (l *lab) post(target string) answer {
	req := httptest.NewRequestWithContext(l.t.Context(), http.MethodPost, target, nil)
	req.Host = "localhost"
	rec := httptest.NewRecorder()
	l.api.ServeHTTP(rec, req)
	return answer{l.t, rec.Code, rec.Header(), rec.Body.String()}
}
