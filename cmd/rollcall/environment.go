package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// An environment gives flags the values of their environment twins. It reads
// the environment that run was given, where kong would read the process's;
// an empty variable counts as none.
type environment struct {
	lookup func(string) string
	twins  map[*kong.Value][]string
	byName map[string]string      // a flag's first twin, by the flag's name
	used   map[*kong.Value]string // the twin that gave a flag its value
}

func newEnvironment(lookup func(string) string) *environment {
	return &environment{
		lookup: lookup,
		twins:  map[*kong.Value][]string{},
		byName: map[string]string{},
		used:   map[*kong.Value]string{},
	}
}

// take moves the `env` tags from kong's hands to ours.
func (e *environment) take(k *kong.Kong) error {
	return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && len(flag.Tag.Envs) > 0 {
			e.twins[flag.Value], e.byName[flag.Name] = flag.Tag.Envs, flag.Tag.Envs[0]
			flag.Tag.Envs, flag.Envs = nil, nil
		}
		return next(nil)
	})
}

// Validate implements kong.Resolver.
func (e *environment) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver.
func (e *environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range e.twins[flag.Value] {
		if value := e.lookup(name); value != "" {
			e.used[flag.Value] = name
			return value, nil
		}
	}
	return nil, nil
}

// describe adds the environment twin to a flag's help.
func (e *environment) describe(value *kong.Value) string {
	names := e.twins[value]
	if len(names) == 0 {
		return value.Help
	}
	return fmt.Sprintf("%s ($%s).", strings.TrimSuffix(value.Help, "."), strings.Join(names, ", $"))
}

// name adds its environment twin to the flag that a complaint begins with.
func (e *environment) name(text string) string {
	flag, ok := strings.CutPrefix(text, "--")
	if !ok {
		return text
	}
	end := strings.IndexFunc(flag, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') })
	if end < 0 || e.byName[flag[:end]] == "" {
		return text
	}
	return fmt.Sprintf("--%s (%s)%s", flag[:end], e.byName[flag[:end]], flag[end:])
}
