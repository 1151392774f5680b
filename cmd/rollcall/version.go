package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCommand prints what runs.
type versionCommand struct{}

// Run prints version, commit if known, Go version and platform.
func (versionCommand) Run(con *console) error {
	_, err := fmt.Fprintf(con.stdout, "rollcall %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version is the module's version, with the commit where the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	if text == "" {
		text = "(devel)"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && text == "(devel)" {
			text += " " + setting.Value[:min(12, len(setting.Value))]
		}
	}
	return text
}
