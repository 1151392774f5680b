package api

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"rollcall/internal/access"
	"rollcall/internal/db"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func TestASecondAskerCausesNoRead(t *testing.T) {
	inCountingLab(t, func(t *testing.T, l *lab, m *countingMirror) {
		for _, read := range l.reads() {
			for _, coding := range []string{"", "gzip", "zstd"} {
				kept := l.get(read.path, "Accept-Encoding", coding).wants(200)
				m.reads.Store(0)
				time.Sleep(time.Second)
				again := l.get(read.path, "Accept-Encoding", coding).wants(200)
				if n := m.reads.Load(); n != 0 {
					t.Errorf("%s, %q: %d reads for an answer that was given", read.path, coding, n)
				}
				if older, newer := kept.header.Get("Age"), again.header.Get("Age"); older == newer {
					t.Errorf("%s: the age stays %s", read.path, newer)
				}
				wantsSame(t, read.path, kept, again)
			}
			time.Sleep(57 * time.Second) // so that no sweep comes between
		}
	})
}

// wantsSame fails unless two answers differ in their age at most.
func wantsSame(t *testing.T, path string, a, b answer) {
	t.Helper()
	for _, header := range []http.Header{a.header, b.header} {
		header.Del("X-Request-Id")
		header.Del("Age")
		header.Del("Content-Length") // the server adds what a handler leaves out
	}
	if d := cmp.Diff(a.header, b.header); d != "" || a.body != b.body {
		t.Errorf("%s: %s\n%s\n%s", path, d, a.body, b.body)
	}
}

// Whatever happened to the mirror, what is kept is what a read would give.
func TestAKeptAnswerIsWhatAReadWouldGive(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		group := l.sim.Groups()[1]
		steps := []func(){
			func() {},
			func() { l.sim.UpdateGroup(group.ID, func(g *tallyfysim.Group) { g.Name += "!" }) },
			func() { l.get("/v1/groups/"+l.sim.Groups()[0].ID, "Cache-Control", "no-cache").wants(200) },
			func() { time.Sleep(time.Minute) },
			func() { l.poller.DoubtGroup(t.Context(), group.ID) },
			func() { l.sim.UpdateGroup(group.ID, func(g *tallyfysim.Group) { g.Members = g.Members[1:] }) },
			func() { time.Sleep(time.Minute) },
			func() { l.sim.Fault(tallyfysim.Fault{Status: 503, Times: 5}) },
			func() { time.Sleep(2 * time.Minute) },
		}
		for i, step := range steps {
			step()
			synctest.Wait()
			for _, read := range l.reads() {
				l.get(read.path)
				kept := l.get(read.path).wants(200)
				l.api.server.Mirror = unaware{l.db}
				anew := l.get(read.path).wants(200)
				l.api.server.Mirror = l.db
				if kept.header.Get("Age") != anew.header.Get("Age") {
					t.Errorf("step %d, %s: age %s, anew %s", i, read.path, kept.header.Get("Age"), anew.header.Get("Age"))
				}
				wantsSame(t, read.path, kept, anew)
			}
		}
	})
}

// An unaware mirror has to be read to know its state.
type unaware struct{ *db.DB }

func (unaware) Present() (present directory.Present, isKnown bool) { return present, false }

func TestKeptAnswersGoWithTheirRevision(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		group := l.sim.Groups()[0]
		paths := []string{"/v1/groups", "/v1/members/" + itoa(group.Members[0]), groupsPath + "/" + group.ID}
		for _, path := range paths {
			l.get(path).wants(200)
		}
		l.sim.UpdateGroup(group.ID, func(g *tallyfysim.Group) { g.Name += "!" })
		time.Sleep(time.Minute)
		if body := l.get("/v1/groups").wants(200).body; !strings.Contains(body, group.Name+"!") {
			t.Errorf("an answer of the revision before: %s", body)
		}
		l.api.server.shelf.answers.CleanUp()
		if n := l.api.server.shelf.answers.EstimatedSize(); n != 1 {
			t.Errorf("%d answers are kept, want the one of this revision", n)
		}
	})
}

// A gatedMirror holds up who reads a member until it is let go.
type gatedMirror struct {
	*countingMirror
	letGo chan struct{}
	panic bool
}

func (m *gatedMirror) Member(ctx context.Context, ref directory.PersonRef, at *directory.AsOf) (directory.Found[directory.Member], error) {
	m.reads.Add(1)
	select {
	case <-m.letGo:
	case <-ctx.Done():
		return directory.Found[directory.Member]{}, ctx.Err()
	}
	if m.panic {
		panic("reading a member")
	}
	return m.countingMirror.DB.Member(ctx, ref, at)
}

// inGatedLab is inCountingLab with a mirror that waits.
func inGatedLab(t *testing.T, test func(t *testing.T, l *lab, m *gatedMirror, path string)) {
	t.Helper()
	inCountingLab(t, func(t *testing.T, l *lab, m *countingMirror) {
		slow := &gatedMirror{m, make(chan struct{}), false}
		l.api.server.Mirror = slow
		test(t, l, slow, "/v1/members/"+itoa(l.sim.Users()[0].ID))
	})
}

func TestOneReadAnswersAllWhoAskAtOnce(t *testing.T) {
	inGatedLab(t, func(t *testing.T, l *lab, m *gatedMirror, path string) {
		m.reads.Store(0)
		var asking sync.WaitGroup
		for range 20 {
			asking.Go(func() { l.get(path).wants(200).wantsCache("rollcall; hit", "15") })
		}
		synctest.Wait()
		time.Sleep(5 * time.Second)
		close(m.letGo)
		asking.Wait()
		if n := m.reads.Load(); n != 1 {
			t.Errorf("%d reads for twenty who asked the same", n)
		}
	})
}

// Who waits for another's read still gets what is as young as it asked for.
func TestADemandHoldsAfterAWaitForAnother(t *testing.T) {
	inGatedLab(t, func(t *testing.T, l *lab, m *gatedMirror, path string) {
		var asking sync.WaitGroup
		asking.Go(func() { l.get(path).wants(200).wantsCache("rollcall; hit", "15") })
		synctest.Wait()
		asking.Go(func() { l.get(path, "Cache-Control", "max-age=12").wants(200).wantsCache(renewedBy, "0") })
		synctest.Wait()
		time.Sleep(5 * time.Second)
		close(m.letGo)
		asking.Wait()
	})
}

func TestWhoLeavesDoesNotSpoilTheAnswerForOthers(t *testing.T) {
	inGatedLab(t, func(t *testing.T, l *lab, m *gatedMirror, path string) {
		ctx, leave := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		asking.Go(func() { l.getFor(ctx, path).wants(statusClientGone) })
		synctest.Wait()
		asking.Go(func() { l.get(path).wants(200) })
		synctest.Wait()
		leave()
		synctest.Wait()
		close(m.letGo)
		asking.Wait()
	})
}

func TestAReadThatPanicsIs500ForWhoeverAsked(t *testing.T) {
	inGatedLab(t, func(t *testing.T, l *lab, m *gatedMirror, path string) {
		m.panic = true
		var asking sync.WaitGroup
		for range 3 {
			asking.Go(func() { l.get(path).wantsProblem(500, blank) })
		}
		synctest.Wait()
		close(m.letGo)
		asking.Wait()
		m.panic = false
		l.get(path).wants(200)
	})
}

func TestWhatIsMissedIsReadByEachWhoAsks(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for range 2 {
			l.get("/v1/members/999999").wantsProblem(404, unknownPerson)
			l.get(usersPath + "/999999").wants(404)
			l.get("/v1/members?limit=0").wantsProblem(422, invalidParameter)
		}
		if n := l.api.server.shelf.answers.EstimatedSize(); n != 0 {
			t.Errorf("%d problems are kept", n)
		}
	})
}

func TestAQueryThatCannotBeReadHasNoKeptAnswer(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, query := range []string{"?limit=%zz", "?page=2;q=b", "?%"} {
			for _, header := range [][]string{nil, {"If-None-Match", l.get("/v1/groups").wants(200).header.Get("ETag")}} {
				l.get("/v1/groups"+query, header...).wantsProblem(422, invalidParameter)
				l.get(groupsPath)
				l.get(groupsPath+query, header...).wants(401) // as it goes to Tallyfy
			}
		}
	})
}

func TestAKeptAnswerIsOnlyForWhoMayReadIt(t *testing.T) {
	w, ring := newKeyed(t)
	for _, path := range []string{"/v1/members", "/v1/members/11", "/v1/check?group=Sales&member=11", groupsPath, usersPath + "/11"} {
		for range 2 {
			w.get(path, ring.of("read")...).wants(200)
		}
		etag := w.get(path, ring.of("read")...).header.Get("ETag")
		w.get(path).wants(401)
		w.get(path, "Authorization", "Bearer no-key", "If-None-Match", etag).wants(401)
		w.get(path, append(ring.of("write"), "If-None-Match", etag)...).wants(403)
	}
}

func TestKeptListsLinkToTheHostThatAsked(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, host := range []string{"localhost", "localhost:81", "127.0.0.1", "localhost"} {
			for path, links := range map[string]func(answer) string{
				"/v1/groups?limit=2":       func(a answer) string { return a.header.Get("Link") },
				groupsPath + "?per_page=2": func(a answer) string { return a.body },
			} {
				req := httptest.NewRequest(http.MethodGet, path, nil)
				req.Host = host
				rec := httptest.NewRecorder()
				l.api.ServeHTTP(rec, req)
				got := answer{t, rec.Code, rec.Header(), rec.Body.String()}
				if text := strings.ReplaceAll(links(got.wants(200)), `\/`, "/"); !strings.Contains(text, "http://"+host+"/") {
					t.Errorf("%s asked of %s: %s", path, host, text)
				}
			}
		}
	})
}

func TestAPastStateIsNotKept(t *testing.T) {
	inCountingLab(t, func(t *testing.T, l *lab, m *countingMirror) {
		path := "/v1/groups?as_of=" + time.Now().UTC().Format(time.RFC3339)
		if after := l.get(path).wants(200).at("as_of", "confirmed_after"); after != nil {
			t.Fatal(after)
		}
		time.Sleep(time.Minute)
		if after := l.get(path).wants(200).at("as_of", "confirmed_after"); after == nil {
			t.Error("what was confirmed since is not told")
		}
	})
}

func TestHEADHasTheHeaderOfGET(t *testing.T) {
	w := newPeople(t)
	for _, path := range []string{"/v1/members/11", "/v1/groups?limit=2", groupsPath} {
		for range 2 {
			head := w.do(http.MethodHead, path, "", "Accept-Encoding", "gzip").wants(200)
			get := w.get(path, "Accept-Encoding", "gzip").wants(200)
			if head.body != "" || head.header.Get("Content-Length") != itoa(int64(len(get.body))) {
				t.Errorf("%s: Content-Length %q of %d, body %q", path, head.header.Get("Content-Length"), len(get.body), head.body)
			}
			wantsSame(t, path, answer{t, 200, head.header, ""}, answer{t, 200, get.header, ""})
			w.do(http.MethodHead, path, "", "Accept-Encoding", "gzip", "If-None-Match", head.header.Get("ETag")).wants(304)
		}
	}
}

func TestEachGetsTheCodingThatItAccepts(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for range 2 {
			plain := l.get("/v1/members").wants(200)
			head := httptest.NewRequest(http.MethodHead, "/v1/members", nil)
			head.Host = "localhost"
			head.Header.Set("Accept-Encoding", "gzip")
			l.api.ServeHTTP(httptest.NewRecorder(), head)
			for coding, read := range map[string]func(io.Reader) (io.Reader, error){
				"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
				"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
			} {
				got := l.get("/v1/members", "Accept-Encoding", coding).wants(200)
				if got.header.Get("Content-Encoding") != coding || len(got.body) >= len(plain.body) {
					t.Errorf("%s: coding %q, %d bytes of %d", coding, got.header.Get("Content-Encoding"), len(got.body), len(plain.body))
				}
				open, err := read(strings.NewReader(got.body))
				if err != nil {
					t.Fatal(err)
				}
				if body, err := io.ReadAll(open); err != nil || string(body) != plain.body {
					t.Errorf("%s: %v, %s", coding, err, body)
				}
			}
			if coding := l.get("/v1/members/"+itoa(l.sim.Users()[0].ID), "Accept-Encoding", "gzip").header.Get("Content-Encoding"); coding != "" {
				t.Errorf("less than a kilobyte is compressed by %s", coding)
			}
		}
	})
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	s, err := newShelf()
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(200) {
		s.answers.Set(shelfKey{asked: itoa(i)}, &reply{body: make([]byte, keptBytes/50)})
	}
	s.answers.CleanUp()
	if size := s.answers.WeightedSize(); size > keptBytes || size < keptBytes/2 {
		t.Errorf("%d bytes are kept, of at most %d", size, keptBytes)
	}
}

func TestOnlyGoodAnswersOfThePresentAreKept(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		s := l.api.server
		of := func(f directory.Freshness, status int, body string, err error) handler {
			return s.kept(scopeList, func(w http.ResponseWriter, r *http.Request) error {
				s.isNotModified(w, r, f, scopeList)
				if err == nil {
					writeBody(w, status, "text/plain", []byte(body))
				}
				return err
			})
		}
		present, _ := s.Mirror.Present()
		before := present.Freshness
		before.Nonce++
		for _, c := range []struct {
			name   string
			h      handler
			status int
			kept   int
		}{
			{"of another state", of(before, 200, "x", nil), 200, 0},
			{"an error", of(present.Freshness, 200, "x", directory.ErrUnknownPerson), 404, 0},
			{"another status", of(present.Freshness, 500, "x", nil), 500, 0},
			{"a huge one", of(present.Freshness, 200, strings.Repeat("x", keptMost+1), nil), 200, 0},
			{"a good one", of(present.Freshness, 200, "x", nil), 200, 1},
		} {
			rec := httptest.NewRecorder()
			s.observe(rec, httptest.NewRequest(http.MethodGet, "/v1/x", nil), s.guarded(access.Open, c.h).ServeHTTP)
			if n := s.shelf.answers.EstimatedSize(); rec.Code != c.status || n != c.kept {
				t.Errorf("%s: status %d, %d kept", c.name, rec.Code, n)
			}
		}
	})
}

func TestAPlainQueryNeedNotBeDecoded(t *testing.T) {
	check := func(t interface{ Errorf(string, ...any) }, query string) {
		values, _ := url.ParseQuery(query)
		want := values.Encode()
		if isPlain(query) && inOrder(query) != want {
			t.Errorf("%q becomes %q, want %q", query, inOrder(query), want)
		}
		if !strings.ContainsAny(want, "%+") && !isPlain(want) {
			t.Errorf("%q is decoded without need", want)
		}
	}
	for sign := range rune(256) {
		check(t, "a="+string(sign))
		check(t, string(sign)+"=a")
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.OneOf(
			rapid.StringMatching(`([ab_](=[aZ09%2+;~.-]{0,3})?&?){0,4}`), rapid.StringMatching(`[ab_]=[aZ09~.-]?(&[ab_]=[aZ09~.-]?){0,3}`),
		).Draw(t, "query"))
	})
}
