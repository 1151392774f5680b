package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// A countingMirror counts what is read of it, Present apart.
type countingMirror struct {
	*db.DB
	reads atomic.Int32
}

func (m *countingMirror) GroupPayload(ctx context.Context, id string) (directory.Found[[]byte], error) {
	m.reads.Add(1)
	return m.DB.GroupPayload(ctx, id)
}

func (m *countingMirror) MemberPayload(ctx context.Context, id int64) (directory.Found[[]byte], error) {
	m.reads.Add(1)
	return m.DB.MemberPayload(ctx, id)
}

func (m *countingMirror) GroupPayloads(ctx context.Context, q directory.PayloadQuery) (directory.PayloadPage, error) {
	m.reads.Add(1)
	return m.DB.GroupPayloads(ctx, q)
}

func (m *countingMirror) MemberPayloads(ctx context.Context, q directory.PayloadQuery) (directory.PayloadPage, error) {
	m.reads.Add(1)
	return m.DB.MemberPayloads(ctx, q)
}

func (m *countingMirror) MembersWithGroups(ctx context.Context, q directory.PayloadQuery, most int) (directory.MemberGroups, error) {
	m.reads.Add(1)
	return m.DB.MembersWithGroups(ctx, q, most)
}

func (m *countingMirror) MemberWithGroups(ctx context.Context, id int64, most int) (directory.MemberGroups, error) {
	m.reads.Add(1)
	return m.DB.MemberWithGroups(ctx, id, most)
}

func (m *countingMirror) Groups(ctx context.Context, f directory.GroupFilter, q directory.ListQuery) (directory.Page[directory.Group], error) {
	m.reads.Add(1)
	return m.DB.Groups(ctx, f, q)
}

func (m *countingMirror) GroupsWithEdges(ctx context.Context, f directory.GroupFilter, q directory.ListQuery) (directory.Page[directory.Group], error) {
	m.reads.Add(1)
	return m.DB.GroupsWithEdges(ctx, f, q)
}

func (m *countingMirror) Group(ctx context.Context, ref directory.GroupRef, at *directory.AsOf) (directory.Found[directory.Group], error) {
	m.reads.Add(1)
	return m.DB.Group(ctx, ref, at)
}

func (m *countingMirror) GroupSummary(ctx context.Context, ref directory.GroupRef, at *directory.AsOf) (directory.Found[directory.Group], error) {
	m.reads.Add(1)
	return m.DB.GroupSummary(ctx, ref, at)
}

func (m *countingMirror) Members(ctx context.Context, f directory.MemberFilter, q directory.ListQuery) (directory.Page[directory.Member], error) {
	m.reads.Add(1)
	return m.DB.Members(ctx, f, q)
}

func (m *countingMirror) Memberships(ctx context.Context, f directory.MembershipFilter, q directory.ListQuery) (directory.Page[directory.Membership], error) {
	m.reads.Add(1)
	return m.DB.Memberships(ctx, f, q)
}

func (m *countingMirror) Member(ctx context.Context, ref directory.PersonRef, at *directory.AsOf) (directory.Found[directory.Member], error) {
	m.reads.Add(1)
	return m.DB.Member(ctx, ref, at)
}

func (m *countingMirror) GroupsOfPerson(ctx context.Context, ref directory.PersonRef, q directory.ListQuery) (directory.Page[directory.GroupOfPerson], error) {
	m.reads.Add(1)
	return m.DB.GroupsOfPerson(ctx, ref, q)
}

func (m *countingMirror) GroupsOfGuest(ctx context.Context, email string, q directory.ListQuery) (directory.Page[directory.GroupOfPerson], error) {
	m.reads.Add(1)
	return m.DB.GroupsOfGuest(ctx, email, q)
}

func (m *countingMirror) Check(ctx context.Context, who directory.PersonRef, in directory.GroupRef, includeDisabled bool, at *directory.AsOf) (directory.Found[directory.Check], error) {
	m.reads.Add(1)
	return m.DB.Check(ctx, who, in, includeDisabled, at)
}

func (m *countingMirror) Checks(ctx context.Context, pairs []directory.Pair, includeDisabled bool, at *directory.AsOf) (directory.Found[[]directory.Check], error) {
	m.reads.Add(1)
	return m.DB.Checks(ctx, pairs, includeDisabled, at)
}

func (m *countingMirror) Freshness(ctx context.Context) (directory.Freshness, error) {
	m.reads.Add(1)
	return m.DB.Freshness(ctx)
}

// inCountingLab is inLab with a mirror that counts what is read of it.
func inCountingLab(t *testing.T, test func(t *testing.T, l *lab, m *countingMirror), change ...labOption) {
	t.Helper()
	m := &countingMirror{}
	counting := func(_ *tallyfy.Options, o *Options) { o.Mirror = m }
	inLab(t, func(t *testing.T, l *lab) { test(t, l, m) }, append(change, counting)...)
}

func TestAKnownAnswerIsNotReadAgain(t *testing.T) {
	inCountingLab(t, func(t *testing.T, l *lab, m *countingMirror) {
		for _, read := range append(l.reads(), labRead{path: groupsPath + "?page=2&per_page=3"}, labRead{path: "/v1/members?limit=3&sort=-name"}) {
			etag := l.get(read.path).wants(200).header.Get("ETag")
			l.api.server.shelf.answers.InvalidateAll()
			m.reads.Store(0)
			for _, known := range []string{etag, `"x", ` + strings.TrimPrefix(etag, "W/")} {
				l.get(read.path, "If-None-Match", known).wants(304).wantsCache("rollcall; hit", "10")
				l.get(read.path, "If-None-Match", known, "Cache-Control", "max-age=10").wants(304)
			}
			if n := m.reads.Load(); n != 0 {
				t.Errorf("%s: %d reads for an answer that is known", read.path, n)
			}
			l.get(read.path, "If-None-Match", `W/"other"`).wants(200)
			l.get(read.path, "If-None-Match", "*").wants(304)
			if n := m.reads.Load(); n != 1 {
				t.Errorf("%s: %d reads, want one where the ETag does not tell", read.path, n)
			}
		}
	})
}

func TestWhatIsNotThereIsNever304(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		group := l.sim.Groups()[0]
		paths := []string{groupsPath + "/" + group.ID, "/v1/groups/" + group.ID, "/v1/groups/" + strings.ReplaceAll(group.Name, " ", "%20"), "/v1/check?member=" + itoa(group.Members[0]) + "&group=" + group.ID}
		etags := map[string]string{}
		for _, path := range paths {
			etags[path] = l.get(path).wants(200).header.Get("ETag")
		}
		l.sim.DeleteGroup(group.ID)
		for _, path := range paths {
			l.get(path, "If-None-Match", etags[path]).wants(304) // nothing of it is known yet
		}
		for _, path := range paths {
			l.get(path, "If-None-Match", etags[path], "Cache-Control", "no-cache").wants(404)
			for _, known := range []string{etags[path], "*", etags["/v1/groups/"+group.ID]} {
				l.get(path, "If-None-Match", known).wants(404)
			}
		}
	})
}

func TestADemandComesBeforeWhatIsKnown(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, read := range l.reads() {
			etag := l.get(read.path).wants(200).header.Get("ETag")
			l.asked()
			l.get(read.path, "If-None-Match", etag, "Cache-Control", "no-cache").wants(304).wantsCache(renewedBy, "0")
			if asked := l.asked(); len(asked) != len(read.takes) {
				t.Errorf("%s: asked %q", read.path, asked)
			}
			time.Sleep(10 * time.Second)
			l.get(read.path, "If-None-Match", etag, "Cache-Control", "only-if-cached, max-age=5").wants(504)
		}
		path := l.reads()[0].path
		etag := l.get(path).header.Get("ETag")
		l.sim.UpdateGroup(l.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name += "!" })
		l.get(path, "If-None-Match", etag, "Cache-Control", "max-age=5").wants(200)
	})
}

// Whatever happened to the mirror, a 304 carries what the 200 would.
func TestA304HasTheHeadersOfThe200(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		group := l.sim.Groups()[0]
		steps := []struct {
			name string
			take func()
		}{
			{"nothing", func() {}},
			{"a group refreshed", func() { l.get("/v1/groups/"+group.ID, "Cache-Control", "no-cache") }},
			{"a user refreshed", func() { l.get(usersPath+"/"+itoa(group.Members[0]), "Cache-Control", "no-cache") }},
			{"a minute", func() { time.Sleep(time.Minute) }},
			{"a group in doubt", func() { l.poller.DoubtGroup(t.Context(), group.ID) }},
			{"a group changed", func() {
				l.sim.UpdateGroup(group.ID, func(g *tallyfysim.Group) { g.Description += "." })
				time.Sleep(time.Minute)
			}},
			{"an outage", func() { l.sim.Fault(tallyfysim.Fault{Status: 503, Times: 5}) }},
			{"a group refreshed after it", func() { l.get("/v1/groups/"+group.ID, "Cache-Control", "no-cache") }},
		}
		reads := l.reads()
		for round := range 3 {
			for _, step := range steps {
				step.take()
				for _, wait := range []time.Duration{0, time.Second, 30 * time.Second} {
					time.Sleep(wait)
					synctest.Wait()
					for _, read := range reads {
						full := l.get(read.path).wants(200)
						got := l.get(read.path, "If-None-Match", full.header.Get("ETag")).wants(304)
						for _, header := range []http.Header{full.header, got.header} {
							for _, body := range []string{"Content-Type", "Content-Length", "X-Content-Type-Options", "Link", "X-Request-Id", "Content-Encoding"} {
								header.Del(body)
							}
						}
						if d := cmp.Diff(full.header, got.header); d != "" || got.body != "" {
							t.Fatalf("round %d, %s, %s: (-200 +304)\n%s", round, step.name, read.path, d)
						}
					}
				}
			}
		}
	})
}

func TestWhatIsTooOldToCheckIsNot304(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		path := "/v1/check?member=" + itoa(l.sim.Groups()[0].Members[0]) + "&group=" + l.sim.Groups()[0].ID
		etag := l.get(path).wants(200).header.Get("ETag")
		l.get(path, "If-None-Match", etag).wants(304)
		l.sim.Fault(tallyfysim.Fault{Status: 503})
		time.Sleep(3 * time.Minute)
		for _, asks := range []string{"x=1", "max-age=3600", "max-age=5, stale-if-error=3600", "only-if-cached"} {
			l.get(path, "If-None-Match", etag, "Cache-Control", asks).wantsProblem(504, tooStale)
			l.get(path, "Cache-Control", asks).wantsProblem(504, tooStale)
		}
		l.get("/v1/groups").wants(200)
		l.sim.Clear()
		l.get(path, "Cache-Control", "max-age=60", "If-None-Match", etag).wants(304).wantsCache(renewedBy, "0")
	}, func(_ *tallyfy.Options, o *Options) { o.MaxStale = 2 * time.Minute })
}

// BenchmarkRead is what a list, a row and their 304 cost, beside an answer
// that costs nothing.
func BenchmarkRead(b *testing.B) {
	w := newBenchWorld(b)
	for _, c := range []struct{ name, path string }{
		{"floor", "/livez"},
		{"v1-groups", "/v1/groups?limit=100"},
		{"v1-group", "/v1/groups/" + w.group},
		{"tallyfy-groups", groupsPath + "?per_page=100"},
		{"tallyfy-group", groupsPath + "/" + w.group},
	} {
		etag := w.serve(b, c.path, "")
		b.Run(c.name+"/200", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.serve(b, c.path, "")
			}
		})
		if etag != "" {
			b.Run(c.name+"/304", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					w.serve(b, c.path, etag)
				}
			})
		}
	}
}

// serve asks once and returns the ETag.
func (w *benchWorld) serve(b *testing.B, path, known string) string {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.Host = "localhost"
	want := http.StatusOK
	if known != "" {
		req.Header.Set("If-None-Match", known)
		want = http.StatusNotModified
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, req)
	if rec.Code != want {
		b.Fatalf("%s: %d, want %d", path, rec.Code, want)
	}
	return rec.Header().Get("ETag")
}
