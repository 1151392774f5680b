package promises_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
	"rollcall/internal/write"
)

// A pairing is one organisation twice, in virtual time: as Tallyfy answers
// for itself, and behind Rollcall. What is written goes to both.
type pairing struct {
	*parts    // Rollcall's, before an organisation of its own
	t         *testing.T
	front     http.Handler
	alone     *tallyfysim.Sim
	telling   *tallyfysim.Sim // alone, with meta
	seen      map[string]bool // differences that occurred
	created   map[string]any  // groups made since the last sweep, as the answer to that showed them
	reading   tallyfysim.Options
	organized string // path of the organisation
}

// pair makes an organisation of few and odd rows, which Rollcall has not
// looked at yet. It must be closed.
func pair(t *testing.T, o tallyfysim.Options, seen map[string]bool) *pairing {
	t.Helper()
	o.Seed, o.Groups, o.Members, o.Edges, o.Guests = 11, 12, 16, 40, 2
	p := &pairing{t: t, alone: tallyfysim.New(o), seen: seen, created: map[string]any{}, reading: o}
	p.telling = p.alone
	behind := tallyfysim.New(o)
	sims := []*tallyfysim.Sim{p.alone, behind}
	if o.NoMeta {
		o.NoMeta = false
		p.telling = tallyfysim.New(o)
		sims = append(sims, p.telling)
	}
	for _, sim := range sims {
		oddities(sim)
	}
	p.parts = join(t, behind, filepath.Join(t.TempDir(), "rollcall.db"), time.Minute, tallyfy.Options{})
	logger := slog.New(slog.NewTextHandler(p.log, nil))
	anybody, err := access.New(access.Options{Mode: access.ModeNone})
	if err != nil {
		t.Fatal(err)
	}
	rollcall, err := api.New(api.Options{
		Access: anybody, Organization: behind.Organization(), Mirror: p.db, Poller: p.Poller, Upstream: p.client,
		Writer: write.New(write.Options{Upstream: p.client, Mirror: p.Poller, Logger: logger}),
		Logger: logger, Registry: prometheus.NewRegistry(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	p.front, p.organized = rollcall, "/organizations/"+behind.Organization()
	return p
}

// oddities are rows whose texts a search could take for patterns, and whose
// names and instants tie.
func oddities(sim *tallyfysim.Sim) {
	born := time.Date(1999, time.June, 1, 8, 0, 0, 0, time.UTC)
	for i, name := range []string{
		"100% Night", "under_score", `back\slash`, `"quoted" 'twice'`, "Über🦉", "ÜBER uns", "İstanbul", "istanbul", "ΟΔΟΣ", " padded ", "Straße", "a", "A",
	} {
		sim.CreateGroup(tallyfysim.Group{
			Name: name, Description: "Über " + name, Members: []int64{1001, 1003}, Guests: []string{"Ann@Guests.test"},
			CreatedAt: born.Add(time.Duration(i/3) * time.Hour), UpdatedAt: born.Add(time.Duration(30-i) * time.Hour),
		})
	}
	for i, name := range []string{"Zoë", "ZOË", "100%", "a_b", "İzel", "🦉"} {
		sim.CreateUser(tallyfysim.User{
			Email: fmt.Sprintf("Odd_%d%%@works.test", i/2), FirstName: name, LastName: "Öz" + name, CreatedAt: born.Add(time.Duration(i/2) * time.Hour),
		})
	}
}

// An ask is a request as a client of Tallyfy sends it. Header holds names and
// values in turn that replace the usual ones; an empty value takes one away.
type ask struct {
	method, path, body string
	header             []string
}

func get(path string) ask { return ask{method: http.MethodGet, path: path} }

func (a ask) String() string {
	return fmt.Sprintf("%s %s %s %s", a.method, a.path, a.body, a.header)
}

func (a ask) request(token string) *http.Request {
	r := httptest.NewRequest(a.method, a.path, strings.NewReader(a.body))
	r.Host = "localhost:7655"
	r.Header = http.Header{"Authorization": {"Bearer " + token}, "Accept": {"application/json"}, "X-Tallyfy-Client": {"APIClient"}}
	if a.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(a.header); i += 2 {
		if r.Header.Del(a.header[i]); a.header[i+1] != "" {
			r.Header.Set(a.header[i], a.header[i+1])
		}
	}
	return r
}

// A said is an answer: its body as a JSON value, or as text if it is none.
type said struct {
	status int
	body   any
	header http.Header
}

func (s said) at(keys ...string) any {
	v := s.body
	for _, key := range keys {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

func send(h http.Handler, a ask, token string) said {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, a.request(token))
	s := said{status: w.Code, header: w.Header(), body: w.Body.String()}
	if a.method == http.MethodHead {
		s.body = "" // a server does not send it
		return s
	}
	decoder := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) == nil && !decoder.More() {
		s.body = v
	}
	return s
}

// tallyfy is what Tallyfy says for itself.
func (p *pairing) tallyfy(a ask) said { return send(p.alone, a, p.alone.Token()) }

// rollcall is what Rollcall says.
func (p *pairing) rollcall(a ask) said { return send(p.front, a, p.alone.Token()) }

// same holds that both say the same, but for what the differences do to every
// answer, and returns what Rollcall said.
func (p *pairing) same(a ask) said {
	p.t.Helper()
	got, want := p.rollcall(a), p.tallyfy(a)
	if p.alone != p.telling && a.method != http.MethodGet {
		send(p.telling, a, p.telling.Token())
	}
	if isSame(got, want) {
		return got
	}
	var occurred []string
	for _, d := range everywhere {
		if changed := d.instead(p, a, want); !isSame(changed, want) {
			want, occurred = changed, append(occurred, d.name)
		}
	}
	if !isSame(got, want) {
		p.t.Errorf("%s (-Tallyfy but for %v, +Rollcall):\n%s", a, occurred, difference(want, got))
		return got
	}
	for _, name := range occurred {
		p.seen[name] = true
	}
	return got
}

// differs holds that Rollcall says something else than Tallyfy, and what.
func (p *pairing) differs(name string, a ask, want said) {
	p.t.Helper()
	got := p.rollcall(a)
	if !isSame(got, want) {
		p.t.Errorf("%s: %s (-want +got):\n%s", name, a, difference(want, got))
		return
	}
	if isSame(got, p.tallyfy(a)) {
		p.t.Errorf("%s: %s is answered as Tallyfy does", name, a)
		return
	}
	p.seen[name] = true
}

func isSame(a, b said) bool { return a.status == b.status && reflect.DeepEqual(a.body, b.body) }

func difference(a, b said) string {
	if a.status != b.status {
		return fmt.Sprintf("-%d %v\n+%d %v", a.status, a.body, b.status, b.body)
	}
	return cmp.Diff(a.body, b.body)
}

// settle sweeps until the mirror holds what its organisation does, in the
// same words.
func (p *pairing) settle() {
	p.t.Helper()
	p.sweep()
	p.sweep()
	time.Sleep(time.Hour)
	p.sweep()
	clear(p.created)
}

// edit changes the organisations behind everybody's back.
func (p *pairing) edit(change func(*tallyfysim.Sim)) {
	sims := []*tallyfysim.Sim{p.alone, p.sim}
	if p.telling != p.alone {
		sims = append(sims, p.telling)
	}
	for _, sim := range sims {
		change(sim)
	}
}

// rows returns all rows of a list by their ids, as Tallyfy lists them.
func (p *pairing) rows(list string) map[string]any {
	p.t.Helper()
	all := map[string]any{}
	for page := 1; ; page++ {
		joint := "?"
		if strings.Contains(list, "?") {
			joint = "&"
		}
		got, _ := p.tallyfy(get(fmt.Sprintf("%s%s%sper_page=100&page=%d", p.organized, list, joint, page))).at("data").([]any)
		if len(got) == 0 {
			return all
		}
		for _, row := range got {
			all[idOf(row)] = row
		}
	}
}

func idOf(row any) string { return fmt.Sprint(said{body: row}.at("id")) }

// listOf tells the list that a path without query asks for, whole or in part:
// groups or users, and the id of the row.
func (p *pairing) listOf(path string) (list, id string) {
	path, _, _ = strings.Cut(path, "?")
	rest, ok := strings.CutPrefix(strings.TrimPrefix(path, "/api"), p.organized+"/")
	list, id, _ = strings.Cut(rest, "/")
	if !ok || !slices.Contains([]string{"groups", "users"}, list) || strings.Contains(id, "/") {
		return "", ""
	}
	return list, id
}
