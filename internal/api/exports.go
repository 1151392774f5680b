package api

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/access"
	"rollcall/internal/directory"
)

// A Snapshotter keeps the present revision as an SQLite file of plain tables:
// groups, members, memberships, membership_history and changes.
type Snapshotter interface {
	// Snapshot returns the path of the file that shows the present revision,
	// made if need be; callers at once share one making. Nothing writes to the
	// file any more. It stays until release, which must be called once.
	Snapshot(ctx context.Context) (path string, f directory.Freshness, release func(), err error)
}

// Exports are tables as files. A file that cannot be made for want of a place
// is directory.ErrNotKept.
type Exports interface {
	Snapshotter
	// Keep returns the whole file of the present revision, made if need be.
	// The caller closes it, as with the next two.
	Keep(context.Context, directory.Export) (*directory.KeptFile, error)
	// Kept returns the file of a revision if it is there already.
	Kept(ctx context.Context, x directory.Export, revision int64) (*directory.KeptFile, bool)
	// Once makes a file for one caller.
	Once(context.Context, directory.ExportQuery) (*directory.KeptFile, error)
	// Stream writes rows as they are read. With an error, what was written
	// has no end.
	Stream(context.Context, io.Writer, directory.ExportQuery) error
	// CanPseudonymize reports whether there is a key to do so with.
	CanPseudonymize() bool
}

// States tell of a state without its rows.
type States interface {
	// State returns the one that a pin or an instant names, or the present.
	State(context.Context, *directory.Pin, *directory.AsOf) (directory.Freshness, error)
}

// A FileInput is what every file takes. The headers are read by the functions
// of exportfile.go.
type FileInput struct {
	Dated
	Pseudonymize    bool   `query:"pseudonymize" doc:"true: names of people and groups, e-mails, member ids, versions and actors are replaced by stand-ins, the same in every file, and free text is left out: descriptions, logos, job titles, teams and changed values are null. Needs --pseudonym-key."`
	IfNoneMatch     string `header:"If-None-Match" doc:"ETags of files that the caller has: if the present one is among them, 304 comes without body."`
	IfMatch         string `header:"If-Match" doc:"The ETag of the file that is wanted, such as one that was begun: 412 if it is neither the present one nor still kept."`
	IfModifiedSince string `header:"If-Modified-Since" doc:"Last-Modified of the file that the caller has: 304 if it is the present one."`
	Range           string `header:"Range" doc:"Part of a file that is neither filtered nor of the past: 206 with it (RFC 9110)."`
	IfRange         string `header:"If-Range" doc:"The ETag of the file that the part belongs to. One of the revision before is served for a while, else the present file comes whole."`
	CacheControl    string `header:"Cache-Control" doc:"How old the rows may be, as with any read."`
}

// A TableInput asks for a table as a file.
type TableInput struct {
	FileInput
	Excel bool `query:"excel" doc:"true, of .csv alone: with a byte order mark, and an apostrophe before texts that a spreadsheet would take for a formula."`
}

// A GroupTableInput asks for groups as a file.
type GroupTableInput struct {
	TableInput
	GroupFilters
}

// A MemberTableInput asks for members as a file.
type MemberTableInput struct {
	TableInput
	MemberFilters
}

// A MembershipTableInput asks for memberships as a file.
type MembershipTableInput struct {
	TableInput
	MembershipFilters
}

// exportRoutes registers a path for each table in each format.
func (s *server) exportRoutes(v1 huma.API) {
	for _, format := range []string{"csv", "ndjson", "parquet"} {
		fileRoute(s, v1, directory.Export{Table: "groups", Format: format}, "All groups, or those that meet every filter.",
			func(in *GroupTableInput) (*TableInput, directory.ExportQuery) {
				return &in.TableInput, directory.ExportQuery{Groups: in.filter()}
			})
		fileRoute(s, v1, directory.Export{Table: "members", Format: format}, "All members, or those who meet every filter.",
			func(in *MemberTableInput) (*TableInput, directory.ExportQuery) {
				return &in.TableInput, directory.ExportQuery{Members: in.filter()}
			})
		fileRoute(s, v1, directory.Export{Table: "memberships", Format: format}, "One row an edge that Tallyfy shows, whatever the person's status.",
			func(in *MembershipTableInput) (*TableInput, directory.ExportQuery) {
				return &in.TableInput, directory.ExportQuery{Memberships: in.filter()}
			})
		fileRoute(s, v1, directory.Export{Table: "membership_history", Format: format},
			"One row a stay in a group, those that ended included, with the bounds of when it began and ended. Who is gone bears the last name known.", unfiltered)
		fileRoute(s, v1, directory.Export{Table: "changes", Format: format},
			"The feed from its beginning, one row a change, with what changed as JSON text. revision and published_at are those of the change.", unfiltered)
	}
	fileRoute(s, v1, directory.Export{Table: snapshotTable, Format: "sqlite"},
		"Every table that can be exported, in one SQLite file with declared types and keys, under the same names and with the same columns. Instants are texts with milliseconds.",
		func(in *FileInput) (*TableInput, directory.ExportQuery) {
			return &TableInput{FileInput: *in}, directory.ExportQuery{}
		})
}

// snapshotTable is named where all tables are meant.
const snapshotTable = "snapshot"

func unfiltered(in *TableInput) (*TableInput, directory.ExportQuery) {
	return in, directory.ExportQuery{}
}

var contentTypes = map[string]string{
	"csv":     "text/csv; charset=utf-8; header=present",
	"ndjson":  "application/x-ndjson",
	"parquet": "application/vnd.apache.parquet",
	"sqlite":  "application/vnd.sqlite3",
}

// FeedCursor names a place in the feed as its readers do.
func FeedCursor(p directory.FeedPlace) string { return feedCursor(p) }

// fileRoute registers one file. asked tells what an input asks for beside the
// table and its format.
func fileRoute[I any](s *server, v1 huma.API, x directory.Export, text string, asked func(*I) (*TableInput, directory.ExportQuery)) {
	path, about := "/v1/export/"+x.Table+"."+x.Format, doc{"export-" + x.Table + "-" + x.Format, "Export " + x.Table + " as " + x.Format, text + " " + everyRow, "tables"}
	if x.Table == snapshotTable {
		path, about = "/v1/snapshot.sqlite", doc{"get-snapshot", "All tables as one SQLite file", text + " " + everyRow, "tables"}
	}
	register(s, v1, huma.Operation{Method: http.MethodGet, Path: path, Responses: fileResponses(x.Format)}, access.ReadFull, about,
		func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
			common, q := asked(in)
			q.Export = x
			q.Excel, q.Pseudonymize = common.Excel, common.Pseudonymize
			at, err := common.asOf()
			if q.AsOf = at; err == nil {
				err = s.canExport(q.Export)
			}
			return s.sending(requestOf(ctx), q), err //nolint:contextcheck // the request has it
		})
}

const everyRow = "Every row carries organization_id, revision and published_at. Columns are only ever appended. Unfiltered and of the present, it is a file that is kept, " +
	"with Range; else it is written as it is read. Rollcall-Cursor leads on in the feed without a gap."

// canExport refuses what cannot be made.
func (s *server) canExport(x directory.Export) error {
	switch {
	case s.Exports == nil:
		return newProblem(http.StatusNotFound, noSuchPath, "Files are made by a running server alone: ask one.")
	case x.Excel && x.Format != "csv":
		return invalid("excel", "is for .csv alone: leave it out, or ask for the .csv")
	case x.Pseudonymize && !s.Exports.CanPseudonymize():
		return invalid("pseudonymize", "needs a key that this server was not given: start it with --pseudonym-key, or leave it out")
	}
	return nil
}

// fileResponses are what a file may be answered with, beside problems.
func fileResponses(format string) map[string]*huma.Response {
	content := map[string]*huma.MediaType{contentTypes[format]: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	return map[string]*huma.Response{
		"200": {Description: "The file.", Content: content, Headers: fileHeaders()},
		"206": {Description: "The part of the file that Range asks for.", Content: content},
		"304": {Description: "Not Modified: the caller has the present file. The headers are those of a 200."},
	}
}

// fileHeaders tell of the headers of a file.
func fileHeaders() map[string]*huma.Header {
	headers := map[string]*huma.Header{}
	for name, text := range map[string]string{
		"ETag":                  "Names the file; strong.",
		"Last-Modified":         "When the revision was published.",
		"Content-Disposition":   "A name to save it under.",
		"Age":                   "Seconds since the oldest row was confirmed.",
		"Rollcall-Confirmed-At": "When the request left that found the oldest row as it is (RFC 3339).",
		"Cache-Status":          "rollcall; hit where the mirror answered as it was (RFC 9211).",
		"Rollcall-Revision":     "The revision that the file shows.",
		"Rollcall-Epoch":        "The life of the database that the revision belongs to.",
		"Rollcall-Cursor":       "The file's place in the feed of changes; opaque.",
		"Cache-Control":         "private, no-cache: ask each time.",
		"Vary":                  "What the answer depends on.",
	} {
		headers[name] = &huma.Header{Description: text, Schema: &huma.Schema{Type: huma.TypeString, Description: text}}
	}
	return headers
}
