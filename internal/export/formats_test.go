package export

import (
	"bytes"
	"database/sql"
	stdcsv "encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"rollcall/internal/directory"
)

// golden are the columns that the tables have had since there are exports.
// Lines are added before organization_id, and none is changed or moved.
var golden = map[string]string{
	"groups": "id text, name text, description text?, logo text?, member_count integer, guest_count integer, version text, created_at instant?, updated_at instant?",
	"members": "id integer, email text, first_name text?, last_name text?, full_name text?, role text?, status text, job_title text?, team text?, timezone text?, " +
		"last_login_at instant?, created_at instant?, updated_at instant?, group_count integer",
	"memberships": "group_id text, group_name text, kind text, member_id integer?, email text?, full_name text?, role text?, status text?, since_not_before instant?, since_not_after instant?",
	"membership_history": "group_id text, group_name text, kind text, member_id integer?, email text?, full_name text?, role text?, status text?, since_not_before instant?, since_not_after instant?, " +
		"until_not_before instant?, until_not_after instant?",
	"changes": "cursor text, revision integer, type text, group_id text?, group_name text?, member_id integer?, email text?, not_before instant?, not_after instant?, " +
		"cause text, actor text?, changed text?",
}

func TestColumnsAreOnlyEverAppended(t *testing.T) {
	for _, table := range newWorld(t).tables() {
		var told []string
		for _, c := range table.columns() {
			name := map[Type]string{Text: "text", Integer: "integer", Instant: "instant"}[c.Type]
			if c.Nullable {
				name += "?"
			}
			told = append(told, c.Name+" "+name)
		}
		want := golden[table.name()] + ", organization_id text, revision integer, published_at instant"
		if table.name() == "changes" {
			want = golden["changes"] + ", organization_id text, published_at instant"
		}
		if diff := cmp.Diff(strings.Split(want, ", "), told); diff != "" {
			t.Error(table.name(), diff)
		}
	}
}

func TestNDJSONIsWhatTheListsSay(t *testing.T) {
	w := newWorld(t)
	f := w.publishPeople()
	tail := fmt.Sprintf(`,"organization_id":%q,"revision":1,"published_at":%q}`, w.mirror.Organization(), f.PublishedAt.Format(time.RFC3339Nano))
	version := func(id string) string {
		found, err := w.mirror.Group(t.Context(), directory.GroupRef{ID: id}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return found.Row.Version
	}
	for table, lines := range map[string][]string{
		"groups": {
			`{"id":"` + sales + `","name":"Sales \"north\", south","description":"two\r\nlines\nand <b>\u2028</b>","logo":null,"member_count":3,"guest_count":1,"version":"` + version(sales) +
				`","created_at":"1999-01-02T03:04:05.678Z","updated_at":null`,
			`{"id":"` + other + `","name":"=1+1","description":"","logo":"https://x.test/logo.png","member_count":1,"guest_count":0,"version":"` + version(other) +
				`","created_at":null,"updated_at":"1999-01-02T03:04:05Z"`,
		},
		"memberships": {
			`{"group_id":"` + sales + `","group_name":"Sales \"north\", south","kind":"member","member_id":1,"email":"Ann@x.test","full_name":"Ann Ünal","role":"admin","status":"active","since_not_before":null,"since_not_after":"1999-03-01T12:01:00Z"`,
			`{"group_id":"` + sales + `","group_name":"Sales \"north\", south","kind":"member","member_id":2,"email":"@bob","full_name":" Bob","role":null,"status":"disabled","since_not_before":null,"since_not_after":"1999-03-01T12:01:00Z"`,
			`{"group_id":"` + sales + `","group_name":"Sales \"north\", south","kind":"member","member_id":99,"email":null,"full_name":null,"role":null,"status":null,"since_not_before":null,"since_not_after":"1999-03-01T12:01:00Z"`,
			`{"group_id":"` + sales + `","group_name":"Sales \"north\", south","kind":"guest","member_id":null,"email":"Guest@x.test","full_name":null,"role":null,"status":null,"since_not_before":null,"since_not_after":"1999-03-01T12:01:00Z"`,
			`{"group_id":"` + other + `","group_name":"=1+1","kind":"member","member_id":2,"email":"@bob","full_name":" Bob","role":null,"status":"disabled","since_not_before":null,"since_not_after":"1999-03-01T12:01:00Z"`,
		},
	} {
		want := strings.Join(lines, tail+"\n") + tail + "\n"
		if diff := cmp.Diff(want, w.keep(ndjsonOf(table))); diff != "" {
			t.Error(table, diff)
		}
	}
}

// rowsOf reads NDJSON: of each row its values by column, as texts, null as
// "∅".
func rowsOf(t *testing.T, ndjson string) []map[string]string {
	t.Helper()
	rows := []map[string]string{}
	for line := range strings.Lines(ndjson) {
		var fields map[string]any
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		if err := decoder.Decode(&fields); err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for name, v := range fields {
			if row[name] = fmt.Sprint(v); v == nil {
				row[name] = "∅"
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func TestEveryFormatHoldsTheSameRows(t *testing.T) {
	w := newWorld(t)
	w.publishPeople()
	groups, members := somePeople()
	groups[0].Members = []int64{1}
	w.publish(groups[:1], members[:0])
	path := filepath.Join(t.TempDir(), "snapshot.sqlite")
	if err := os.WriteFile(path, []byte(w.keep(directory.Export{Table: snapshot, Format: "sqlite"})), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, table := range w.tables() {
		want := rowsOf(t, w.keep(ndjsonOf(table.name())))
		if len(want) == 0 {
			t.Fatal(table.name(), "is empty")
		}
		for format, got := range map[string][]map[string]string{
			"csv":     fromCSV(t, w.keep(csvOf(table.name()))),
			"parquet": fromParquet(t, table, w.keep(directory.Export{Table: table.name(), Format: "parquet"})),
			"sqlite":  fromSQLite(t, table, path),
		} {
			if format == "csv" { // which has no null
				for _, row := range want {
					for name, v := range row {
						row[name] = strings.TrimPrefix(v, "∅")
					}
				}
				// The reader of the standard library takes CRLF for LF.
				for _, row := range want {
					if row["description"] != "" {
						row["description"] = strings.ReplaceAll(row["description"], "\r\n", "\n")
					}
				}
			} else {
				want = rowsOf(t, w.keep(ndjsonOf(table.name())))
			}
			sorted := func(rows []map[string]string) {
				slices.SortFunc(rows, func(a, b map[string]string) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
			sorted(want)
			sorted(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(table.name(), format, diff)
			}
		}
	}
}

func fromCSV(t *testing.T, text string) []map[string]string {
	t.Helper()
	all, err := stdcsv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := []map[string]string{}
	for _, fields := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = fields[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func fromParquet(t *testing.T, of table, content string) []map[string]string {
	t.Helper()
	file, err := parquet.OpenFile(strings.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	reader := parquet.NewReader(file)
	defer reader.Close()
	rows, one := []map[string]string{}, make([]parquet.Row, 1)
	for {
		n, err := reader.ReadRows(one)
		if n == 1 {
			row := map[string]string{}
			for i, c := range of.columns() {
				row[c.Name] = shownAs(c.Type, one[0][i].IsNull(), func() any {
					if c.Type == Text {
						return one[0][i].String()
					}
					return one[0][i].Int64()
				})
			}
			rows = append(rows, row)
		}
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func shownAs(of Type, isNull bool, v func() any) string {
	switch {
	case isNull:
		return "∅"
	case of == Instant:
		return time.UnixMilli(v().(int64)).UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v())
}

func fromSQLite(t *testing.T, of table, path string) []map[string]string {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+path+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	found, err := pool.Query("SELECT * FROM " + of.name())
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	rows, columns := []map[string]string{}, of.columns()
	names, err := found.Columns()
	if err != nil || len(names) != len(columns) {
		t.Fatal(names, err)
	}
	for found.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := found.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, c := range columns {
			row[names[i]] = shownAs(c.Type, values[i] == nil, func() any {
				if c.Type != Instant {
					return values[i]
				}
				at, err := time.Parse(snapshotInstant, values[i].(string))
				if err != nil || len(values[i].(string)) != len("2006-01-02T15:04:05.000Z") {
					t.Fatal(values[i], err)
				}
				return at.UnixMilli()
			})
		}
		rows = append(rows, row)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestACSVHasItsHeaderCRLFAndNothingForNull(t *testing.T) {
	w := newWorld(t)
	w.publish(nil, []directory.Member{{ID: 1, Email: "=a@x.test", FirstName: new(""), LastName: new("one\ntwo"), FullName: new(`"q"`), Status: directory.Active, JobTitle: new("+x"), Team: new("a-b")}})
	header := "id,email,first_name,last_name,full_name,role,status,job_title,team,timezone,last_login_at,created_at,updated_at,group_count,organization_id,revision,published_at\r\n"
	got := w.keep(csvOf("members"))
	if want := header + `1,=a@x.test,"","one` + "\n" + `two","""q""",,active,+x,a-b,,,,,0,` + w.mirror.Organization() + ",1,"; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "Z\r\n") {
		t.Errorf("%q, want %q", got, want)
	}
	excel := w.keep(directory.Export{Table: "members", Format: "csv", Excel: true})
	if want := "\ufeff" + header + `1,"'=a@x.test","","one` + "\n" + `two","""q""",,active,"'+x",a-b,,,,,0,`; !strings.HasPrefix(excel, want) {
		t.Errorf("%q, want %q", excel, want)
	}
	if got := w.keep(csvOf("groups")); got != "id,name,description,logo,member_count,guest_count,version,created_at,updated_at,organization_id,revision,published_at\r\n" {
		t.Errorf("without rows: %q", got)
	}
}

func TestSpreadsheetsTakeNoCellForAFormula(t *testing.T) {
	for _, first := range []string{"=", "+", "-", "@", "\t", "\r"} {
		c := newCSV(io.Discard, nil, true)
		if got := string(c.appendText(nil, first+`1"`)); got != `"'`+first+`1"""` {
			t.Errorf("%q: %q", first, got)
		}
	}
}

func TestAParquetFileHasTypesAndZstd(t *testing.T) {
	w := newWorld(t)
	w.publishPeople()
	content := w.keep(directory.Export{Table: "memberships", Format: "parquet"})
	file, err := parquet.OpenFile(strings.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	const want = `message memberships {
	required binary group_id (STRING);
	required binary group_name (STRING);
	required binary kind (STRING);
	optional int64 member_id (INT(64,true));
	optional binary email (STRING);
	optional binary full_name (STRING);
	optional binary role (STRING);
	optional binary status (STRING);
	optional int64 since_not_before (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
	optional int64 since_not_after (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
	required binary organization_id (STRING);
	required int64 revision (INT(64,true));
	required int64 published_at (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
}`
	if diff := cmp.Diff(want, file.Schema().String()); diff != "" {
		t.Error(diff)
	}
	for _, group := range file.Metadata().RowGroups {
		for _, column := range group.Columns {
			if column.MetaData.Codec.String() != "ZSTD" {
				t.Error(column.MetaData.PathInSchema, column.MetaData.Codec)
			}
		}
	}
}

func TestASnapshotIsWhatAnybodyCanOpen(t *testing.T) {
	w := newWorld(t)
	w.publishPeople()
	path, fresh, release, err := w.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if fresh.Revision != 1 {
		t.Error(fresh)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte("payload")) || content[18] != 1 || content[19] != 1 {
		t.Error("it has payloads, or is not in the mode of a rollback journal")
	}
	pool, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for query, want := range map[string]string{
		"PRAGMA integrity_check": "ok",
		"PRAGMA journal_mode":    "delete",
		"SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND strict = 1": strconv.Itoa(len(w.tables())),
		"SELECT name FROM pragma_table_info('members') WHERE pk = 1":                  "id",
		"SELECT typeof(id) || typeof(created_at) FROM members WHERE id = 1":           "integertext",
		"SELECT count(*) FROM members WHERE id = 9007199254740993":                    "1",
	} {
		var got string
		if err := pool.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", query, got, err, want)
		}
	}
}
