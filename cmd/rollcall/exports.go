package main

import (
	"log/slog"
	"os"
	"strings"

	"rollcall/internal/api"
	"rollcall/internal/export"
)

// exportSettings say how files are made.
type exportSettings struct {
	PseudonymKey     string `name:"pseudonym-key" env:"ROLLCALL_PSEUDONYM_KEY" placeholder:"SECRET" help:"Secret of at least 16 bytes that pseudonymize=true makes stand-ins with; as what stands on a command line can be read by others, better given by the environment or a file."`
	PseudonymKeyFile string `name:"pseudonym-key-file" env:"ROLLCALL_PSEUDONYM_KEY_FILE" placeholder:"FILE" help:"File that holds the secret of --pseudonym-key."`
}

const (
	pseudonymKeyFlag = "pseudonym-key"
	leastPseudonym   = 16 // bytes
)

func (s *exportSettings) check() error {
	_, err := s.pseudonym()
	return err
}

// pseudonym is the secret that stand-ins are made with, nil without one.
func (s *exportSettings) pseudonym() ([]byte, error) {
	name, secret := "--"+pseudonymKeyFlag, s.PseudonymKey
	switch {
	case s.PseudonymKey != "" && s.PseudonymKeyFile != "":
		return nil, usagef("--pseudonym-key and --pseudonym-key-file are both set, unset one of them")
	case s.PseudonymKeyFile != "":
		name = "--pseudonym-key-file"
		content, err := os.ReadFile(s.PseudonymKeyFile)
		if err != nil {
			return nil, usagef("%s cannot be read: %w", name, err)
		}
		secret = string(content)
	case secret == "":
		return nil, nil
	}
	if secret = strings.TrimSpace(secret); len(secret) < leastPseudonym {
		return nil, usagef("%s: the secret has %d bytes, give at least %d, such as what openssl rand -hex 32 prints", name, len(secret), leastPseudonym)
	}
	return []byte(secret), nil
}

// exportsSuffix makes the name of the folder of kept files from the mirror's.
const exportsSuffix = "-exports"

// openExports keeps files beside the mirror. It must be closed.
func openExports(s *settings, m *mirror, log *slog.Logger) (*export.Keeper, error) {
	secret, err := s.pseudonym()
	if err != nil {
		return nil, err
	}
	files, err := export.New(export.Options{Dir: s.DB + exportsSuffix, Source: m.db, Cursor: api.FeedCursor, Pseudonym: secret, Logger: log})
	if err != nil {
		log.Error("files of an earlier run stay, remove them by hand", "error", err)
	}
	return files, nil
}
