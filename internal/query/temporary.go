package query

import (
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// maxTemporary bounds the temporary files of all statements together, in
// bytes: those of sorts, of DISTINCT, of sets and of recursion that do not fit
// into the small caches. SQLite itself has no such bound.
const maxTemporary = 256 << 20

// fileSystem registers with SQLite, once, the system's own files with two
// differences: a file with a name is opened to read or not at all, and what is
// written to those without is bounded. It returns the name for the DSN.
//
// The driver has no interface for it, so this is SQLite's own, of C
// (https://www.sqlite.org/vfs.html), as modernc's translation has it.
var fileSystem = sync.OnceValue(func() string {
	const name = "rollcall-query"
	tls := libc.NewTLS()
	sqlite3.Xsqlite3_initialize(tls)
	system := sqlite3.Xsqlite3_vfs_find(tls, 0)
	own := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	temporary.open = at[sqlite3.Tsqlite3_vfs](system).FxOpen
	*at[sqlite3.Tsqlite3_vfs](own) = *at[sqlite3.Tsqlite3_vfs](system)
	at[sqlite3.Tsqlite3_vfs](own).FzName, _ = libc.CString(name)
	at[sqlite3.Tsqlite3_vfs](own).FxOpen = toC(openFile)
	sqlite3.Xsqlite3_vfs_register(tls, own, 0)
	return name
})

// temporary is what is known of the temporary files that are open.
var temporary = struct {
	open uintptr // the system's, of a file

	mu      sync.Mutex
	max     int64
	total   int64
	sizes   map[uintptr]int64                       // by file
	methods map[uintptr]uintptr                     // ours, by the system's
	system  map[uintptr]sqlite3.Tsqlite3_io_methods // of a file
}{
	max:   maxTemporary,
	sizes: map[uintptr]int64{}, methods: map[uintptr]uintptr{}, system: map[uintptr]sqlite3.Tsqlite3_io_methods{},
}

func openFile(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32 {
	if name != 0 && flags&sqlite3.SQLITE_OPEN_READONLY == 0 {
		at[sqlite3.Tsqlite3_file](file).FpMethods = 0
		return sqlite3.SQLITE_CANTOPEN
	}
	open := *fromC[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](&temporary.open)
	code := open(tls, vfs, name, file, flags, outFlags)
	if code == sqlite3.SQLITE_OK && name == 0 {
		bound(tls, file)
	}
	return code
}

// bound puts our methods in place of the system's for a file just opened.
func bound(tls *libc.TLS, file uintptr) {
	temporary.mu.Lock()
	defer temporary.mu.Unlock()
	system := at[sqlite3.Tsqlite3_file](file).FpMethods
	own, known := temporary.methods[system]
	if !known {
		own = libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
		*at[sqlite3.Tsqlite3_io_methods](own) = *at[sqlite3.Tsqlite3_io_methods](system)
		at[sqlite3.Tsqlite3_io_methods](own).FxWrite = toC(writeFile)
		at[sqlite3.Tsqlite3_io_methods](own).FxClose = toC(closeFile)
		temporary.methods[system] = own
	}
	temporary.sizes[file], temporary.system[file] = 0, *at[sqlite3.Tsqlite3_io_methods](system)
	at[sqlite3.Tsqlite3_file](file).FpMethods = own
}

func writeFile(tls *libc.TLS, file, from uintptr, length int32, offset sqlite3.Tsqlite3_int64) int32 {
	temporary.mu.Lock()
	grows := max(0, offset+int64(length)-temporary.sizes[file])
	if temporary.total+grows > temporary.max {
		temporary.mu.Unlock()
		return sqlite3.SQLITE_FULL
	}
	temporary.sizes[file] += grows
	temporary.total += grows
	write := temporary.system[file].FxWrite
	temporary.mu.Unlock()
	return (*fromC[func(*libc.TLS, uintptr, uintptr, int32, sqlite3.Tsqlite3_int64) int32](&write))(tls, file, from, length, offset)
}

func closeFile(tls *libc.TLS, file uintptr) int32 {
	temporary.mu.Lock()
	temporary.total -= temporary.sizes[file]
	shut := temporary.system[file].FxClose
	delete(temporary.sizes, file)
	delete(temporary.system, file)
	temporary.mu.Unlock()
	return (*fromC[func(*libc.TLS, uintptr) int32](&shut))(tls, file)
}

// at is what lies at an address of SQLite's memory, which Go's collector does
// not know.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) } //nolint:gosec // the way into C

// toC is a function, which lives as long as the program, as the translation
// calls it, and fromC the way back.
func toC(f any) uintptr { return (*[2]uintptr)(unsafe.Pointer(&f))[1] } //nolint:gosec // the way into C

func fromC[F any](f *uintptr) *F { return (*F)(unsafe.Pointer(&struct{ uintptr }{*f})) } //nolint:gosec // the way into C
