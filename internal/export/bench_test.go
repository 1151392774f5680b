package export

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rollcall/internal/directory"
)

// crowd is an organisation with one group of everybody and others of Zipf's
// sizes.
func crowd(groups, members, edges int) ([]directory.Group, []directory.Member) {
	rng := rand.New(rand.NewPCG(1, 2))
	everybody := make([]directory.Member, members)
	for i := range everybody {
		id := int64(i + 1)
		everybody[i] = directory.Member{
			ID: id, Email: fmt.Sprintf("person%d@example.test", id), FullName: new(fmt.Sprintf("Person %d", id)), Role: new("standard"), Status: directory.Active, CreatedAt: noon,
		}
	}
	all := make([]directory.Group, groups)
	left := edges
	for i := range all {
		size := min(members, left, max(1, edges/2/(i+6)))
		if i == 0 {
			size = min(members, edges)
		}
		if i == groups-1 {
			size = min(members, left)
		}
		left -= size
		ids := make([]int64, size)
		for j := range ids {
			if ids[j] = 1 + rng.Int64N(int64(members)); size == members {
				ids[j] = int64(j + 1)
			}
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
		all[i] = directory.Group{ID: fmt.Sprintf("%032x", i), Name: fmt.Sprintf("Group %d", i), Members: ids, CreatedAt: noon}
	}
	return all, everybody
}

// longCursor is as long as those of the service, and as little in order.
func longCursor(p directory.FeedPlace) string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func benchWorld(b *testing.B) *world {
	w := newWorld(b, func(o *Options) { o.Cursor = longCursor })
	if testing.Short() {
		w.publish(crowd(1000, 10_000, 100_000))
	} else {
		w.publish(crowd(10_000, 100_000, 1_000_000))
	}
	return w
}

// loopback is a connection to somebody who reads as fast as it can.
func loopback(b *testing.B) net.Conn {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, _ = io.Copy(struct{ io.Writer }{io.Discard}, conn)
			conn.Close()
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close(); listener.Close() })
	return conn
}

// BenchmarkExport writes each table in each format to a connection, beside
// the same bytes as they are.
func BenchmarkExport(b *testing.B) {
	w := benchWorld(b)
	for _, table := range []string{"memberships", "membership_history", "members", "groups", "changes"} {
		for _, format := range []string{"csv", "ndjson", "parquet"} {
			q := directory.ExportQuery{Export: directory.Export{Table: table, Format: format}, Pin: w.pin()}
			var whole bytes.Buffer
			if err := w.Stream(b.Context(), &whole, q); err != nil {
				b.Fatal(err)
			}
			conn := loopback(b)
			b.Run(table+"."+format, func(b *testing.B) {
				b.SetBytes(int64(whole.Len()))
				b.ReportAllocs()
				for b.Loop() {
					if err := w.Stream(b.Context(), conn, q); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(table+"."+format+"/raw", func(b *testing.B) {
				b.SetBytes(int64(whole.Len()))
				for b.Loop() {
					for piece := range slices.Chunk(whole.Bytes(), lineSize) {
						if _, err := conn.Write(piece); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

func BenchmarkSnapshot(b *testing.B) {
	w := benchWorld(b)
	q := directory.ExportQuery{Export: directory.Export{Table: snapshot, Format: "sqlite"}, Pin: w.pin()}
	path := filepath.Join(b.TempDir(), "snapshot.sqlite")
	b.ReportAllocs()
	for b.Loop() {
		if err := w.fill(b.Context(), path, q); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size()), "file-bytes")
		if err := os.Remove(path); err != nil {
			b.Fatal(err)
		}
	}
}
