package main

import "time"

// freshSettings say how readers come by fresher rows.
type freshSettings struct {
	RefreshWait time.Duration `name:"refresh-wait" env:"ROLLCALL_REFRESH_WAIT" default:"10s" help:"How long a read that asks for fresher rows by Cache-Control waits for them, at most 1m."`
}

func (s *freshSettings) check() error {
	if s.RefreshWait <= 0 || s.RefreshWait > time.Minute {
		return usagef("--refresh-wait: %s is not a duration above 0s and at most 1m, give one such as 10s", s.RefreshWait)
	}
	return nil
}
