package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"rollcall/internal/directory"
)

// What only SQLite has stands here: full-text tables, which sqlc cannot ask.
//
// Such a table knows of each present row which trigrams, three runes in a
// row, its folded texts hold, and not where. A row may have a part if it has
// all trigrams of the part; whether it does, its own texts tell.

// A trigramTable is the name of one.
type trigramTable string

const (
	groupTrigrams  trigramTable = "group_texts"
	memberTrigrams trigramTable = "member_texts"
)

// maxTrigrams bounds what is asked for of a long part: the rest is left to the
// rows.
const maxTrigrams = 16

// matchOf is a condition that every text with a folded part meets. It asks for
// every second trigram, as those between cost as much and tell little more. It
// is not ok where the table cannot help: the part is too short, or holds what
// SQLite passes over.
func matchOf(part string) (match string, ok bool) {
	runes := []rune(part)
	if len(runes) < 3 || strings.ContainsRune(part, 0) {
		return "", false
	}
	last := len(runes) - 3
	step := max(2, last/(maxTrigrams-1)+1)
	var all []string
	for i := 0; i < last+step; i += step {
		i := min(i, last)
		all = append(all, `"`+strings.ReplaceAll(string(runes[i:i+3]), `"`, `""`)+`"`)
	}
	return strings.Join(all, " "), true
}

func candidatesIn(table trigramTable) string {
	return fmt.Sprintf("SELECT rowid FROM %[1]s WHERE %[1]s MATCH ? AND rowid > ? ORDER BY rowid LIMIT +?", table)
}

func countCandidatesIn(table trigramTable) string {
	return fmt.Sprintf("SELECT COUNT(*) FROM (SELECT rowid FROM %[1]s WHERE %[1]s MATCH ? LIMIT +?)", table)
}

// candidates returns the first keys after one of the rows that may meet a
// match, ascending.
func (s *state) candidates(ctx context.Context, table trigramTable, match string, after, size int64) ([]int64, error) {
	rows, err := s.db.QueryContext(ctx, candidatesIn(table), match, after, size)
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", table, err)
	}
	defer rows.Close()
	var keys []int64
	for rows.Next() {
		var key int64
		if err := rows.Scan(&key); err != nil {
			return nil, fmt.Errorf("search %s: %w", table, err)
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// countCandidates counts them up to a number.
func (s *state) countCandidates(ctx context.Context, table trigramTable, match string, most int64) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, countCandidatesIn(table), match, most).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("search %s: %w", table, err)
	}
	return n, nil
}

// searchText is what a row is found by. A text within another adds nothing.
func searchText(texts ...string) string {
	var all string
	for _, text := range texts {
		if folded := directory.FoldCase(text); !strings.Contains(all, folded) {
			all += folded + "\n"
		}
	}
	return all
}

func textOfGroup(name string, description sql.NullString) string {
	return searchText(name, description.String)
}

func textOfMember(m UpdateMemberParams) string {
	return searchText(m.FullName.String, m.Email, m.FirstName.String, m.LastName.String)
}

// A foundText is what a present row is found by, and by nothing else.
type foundText struct {
	table trigramTable
	key   int64
	text  string
}

// textsAtOnce bounds how many texts wait for enterTexts.
const textsAtOnce = 1000

// enter has a present row found by a text, at the latest once enterTexts is
// called.
func (w *writing) enter(ctx context.Context, table trigramTable, key int64, text string) error {
	w.texts = append(w.texts, foundText{table, key, text})
	if len(w.texts) < textsAtOnce {
		return nil
	}
	return w.enterTexts(ctx)
}

// enterTexts writes the texts one after the other, with no other statement
// between them: most would have SQLite write out the trigrams it has gathered
// so far. What a text replaces is not looked for where nothing is stored.
func (w *writing) enterTexts(ctx context.Context) error {
	verb := "INSERT OR REPLACE"
	if w.isFirst {
		verb = "INSERT"
	}
	err := each(ctx, w, w.texts, func(ctx context.Context, t foundText) error {
		_, err := w.db.ExecContext(ctx, fmt.Sprintf("%s INTO %s (rowid, text) VALUES (?, ?)", verb, t.table), t.key, t.text)
		if err != nil {
			return fmt.Errorf("enter a row into %s: %w", t.table, err)
		}
		return nil
	})
	w.texts = w.texts[:0]
	return err
}

// leave makes a row found by nothing. Its trigrams stay in the file until
// SQLite merges them away, or eraseLeft does.
func (w *writing) leave(ctx context.Context, table trigramTable, key int64) error {
	if _, err := w.db.ExecContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE rowid = ?", table), key); err != nil {
		return fmt.Errorf("take a row out of %s: %w", table, err)
	}
	return nil
}

// eraseLeft takes the trigrams of those who left a table out of the file, for
// which it is written anew.
func (w *writing) eraseLeft(ctx context.Context, table trigramTable) error {
	if _, err := w.db.ExecContext(ctx, fmt.Sprintf("INSERT INTO %[1]s (%[1]s) VALUES ('optimize')", table)); err != nil {
		return fmt.Errorf("merge %s: %w", table, err)
	}
	return nil
}

// fillSearch enters the rows of a file from before the tables were made.
func (db *DB) fillSearch(ctx context.Context) error {
	return db.write(ctx, func(ctx context.Context, w *writing) error {
		var isFilled bool
		err := w.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM group_texts) OR EXISTS (SELECT 1 FROM member_texts)`).Scan(&isFilled)
		if err != nil || isFilled {
			return err
		}
		err = eachRow(ctx, w.q.GroupTexts, func(row GroupTextsRow) (int64, error) {
			return row.Gid, w.enter(ctx, groupTrigrams, row.Gid, textOfGroup(row.Name, row.Description))
		})
		if err != nil {
			return err
		}
		err = eachRow(ctx, w.q.MemberTexts, func(row MemberTextsRow) (int64, error) {
			return row.ID, w.enter(ctx, memberTrigrams, row.ID, textOfMember(UpdateMemberParams{
				FullName: row.FullName, Email: row.Email, FirstName: row.FirstName, LastName: row.LastName,
			}))
		})
		if err != nil {
			return err
		}
		return w.enterTexts(ctx)
	})
}
