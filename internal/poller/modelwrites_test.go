package poller

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/write"
)

func (m *model) put() {
	version := m.version()
	fields := map[string]any{"name": "Put " + version, "description": version}
	if rapid.Bool().Draw(m.r, "with members") {
		fields["members"], fields["guests"] = m.someMembers(), []string{}
	}
	m.writeGroup(http.MethodPut, "/"+m.someGroup(), fields, version)
}

func (m *model) post() {
	version := m.version()
	fields := map[string]any{"name": "Post " + version, "description": version, "members": m.someMembers()}
	m.writeGroup(http.MethodPost, "", fields, version)
}

func (m *model) delete() {
	id := m.someGroup()
	m.write(http.MethodDelete, "groups/"+id, nil, (*write.Writer).Group, func(shown picture) {
		wantWritten(m, &m.groups, shown.Groups, func(group string, v phase[shownGroup]) bool { return group == id && v.gone })
	})
}

func (m *model) writeGroup(method, path string, fields any, version string) {
	m.write(method, "groups"+path, fields, (*write.Writer).Group, func(shown picture) {
		wantWritten(m, &m.groups, shown.Groups, func(_ string, v phase[shownGroup]) bool { return v.state.Description == version })
	})
}

func (m *model) putUser() {
	version := m.version()
	fields := map[string]any{"first_name": "Put", "last_name": version, "timezone": "UTC"}
	m.write(http.MethodPut, fmt.Sprint("users/", m.someUser()), fields, (*write.Writer).Person, func(shown picture) {
		wantWritten(m, &m.members, shown.Members, func(_ int64, v phase[shownMember]) bool { return v.state.Name == "Put "+version })
	})
}

// disableByWrite is of unknown reach: no answer says that reads show it.
func (m *model) disableByWrite() {
	m.write(http.MethodDelete, fmt.Sprintf("users/%d/disable", m.someUser()), nil, (*write.Writer).Person, func(picture) {})
}

// A passage is the way of a kind of write.
type passage func(*write.Writer, context.Context, *http.Request, []byte) (*directory.Outcome, error)

// write sends a write at the side. When its answer says that reads show it,
// they are looked at.
func (m *model) write(method, path string, fields any, pass passage, look func(shown picture)) {
	body, err := json.Marshal(fields)
	if err != nil {
		m.r.Fatal(err)
	}
	m.aside(func(l *life) {
		address := "https://rollcall.test/organizations/" + dbtest.Organization + "/" + path
		r, err := http.NewRequestWithContext(l.ctx, method, address, bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		r.Header.Set("Authorization", "Bearer "+m.sim.Token())
		out, err := pass(l.writer, l.ctx, r, body)
		if err != nil || out.Status/100 != 2 || out.Refresh != directory.RefreshApplied {
			return
		}
		_ = l.store.use(func() { look(m.mirror()) })
	})
}

// wantWritten wants the mirror to show a state that is not older than the one
// that a write made.
func wantWritten[ID comparable, S any](m *model, l *lives[ID, S], shown map[ID]S, isWritten func(ID, phase[S]) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, states := range l.states {
		written := slices.IndexFunc(states, func(v phase[S]) bool { return isWritten(id, v) })
		if written < 0 {
			continue
		}
		state, present := shown[id]
		now := slices.IndexFunc(states, func(v phase[S]) bool {
			return v.gone != present && (v.gone || gocmp.Equal(v.state, state))
		})
		if now < written {
			m.r.Errorf("the answer to a write is out, but the mirror shows state %d of %+v, not %d", now, states, written)
		}
	}
}
