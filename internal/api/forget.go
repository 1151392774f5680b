package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"rollcall/internal/directory"
)

// An Eraser forgets people who are gone.
type Eraser interface {
	// Erase takes names, e-mails and the like of somebody out of every past
	// state and the files of the mirror, while ids and edges stay. It fails
	// with directory.ErrStillExists for one who is not gone, and with
	// ErrUnknownPerson.
	Erase(context.Context, directory.PersonRef, directory.Origin) (directory.Erasure, error)
}

// A ForgetInput names whoever is to be forgotten.
type ForgetInput struct {
	Member string `path:"m" doc:"The person: digits are the id of somebody who was a member, anything else is an e-mail that was a member's or a guest's; id: or name: in front forces it."`
}

// A Forgotten is what was erased of a person.
type Forgotten struct {
	MemberIDs []int64 `json:"member_ids" doc:"Ids of the person, under each of which it is erased; ids and memberships stay, so that counts remain true."`
	Guests    int     `json:"guests" doc:"E-mails of guests that a stand-in replaces."`
	Versions  int     `json:"versions" doc:"Past rows from which names, e-mails and the like were taken; 0 if all was erased before."`
	Copies    int     `json:"copies" doc:"Copies of the database, made before an upgrade, that were removed."`
	Clean     bool    `json:"clean" doc:"That no trace is left in the files. False if somebody read an old state for too long, or a file could not be written or removed, as the log says: the cleaning is then tried again within the hour, or by another POST."`
}

func newForgotten(e directory.Erasure) Forgotten {
	return Forgotten{append([]int64{}, e.Members...), e.Guests, e.Versions, e.Copies, e.Clean}
}

var forgetDoc = doc{
	"forget", "Forget somebody who is gone",
	"Takes names, e-mails, title, team and time zone of a former member, or of a former guest, out of every past state, the feed, kept files and free pages. Ids and memberships stay, so that counts remain true; a guest's e-mail becomes a stand-in. " +
		"Whoever had an e-mail of theirs, under another id or as a guest, is the same person. One change, member.erased, tells of it. " +
		"409 still-exists says that the person is still a member, a guest of a group or named by one: delete them in Tallyfy first. Backups and exports that were taken elsewhere are yours to see to.", "members",
}

func (s *server) forget(ctx context.Context, in *ForgetInput) (*OwnOutput[Forgotten], error) {
	began := time.Now()
	origin := directory.Origin{Bounds: directory.Bounds{NotBefore: began, NotAfter: began}, Cause: directory.CauseWrite, Actor: Actor(ctx)}
	done, err := s.Mirror.Erase(ctx, directory.ParsePersonRef(in.Member), origin)
	switch {
	case errors.Is(err, directory.ErrStillExists):
		return nil, newProblem(http.StatusConflict, stillExists, "This person is still a member, a guest of a group or named by one, or somebody is who has the e-mail: delete them in Tallyfy first, then sync.")
	case errors.Is(err, directory.ErrUnknownPerson):
		return nil, newProblem(http.StatusNotFound, unknownPerson, "Nobody who is known ever had this id or e-mail, or they are forgotten already.")
	case err != nil:
		return nil, err
	}
	infoOf(ctx).told = true
	s.Logger.InfoContext(ctx, "person forgotten", "member_ids", done.Members, "guests", done.Guests, "versions", done.Versions, "clean", done.Clean,
		"revision", done.Revision, "actor", origin.Actor, "request_id", RequestID(ctx))
	return own(done.Freshness, http.StatusOK, newForgotten(done)), nil
}
