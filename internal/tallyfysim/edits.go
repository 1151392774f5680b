package tallyfysim

// CreateGroup adds a group as it is, checking nothing, and returns its id. A
// missing id or instant is given. An existing group with that id is replaced.
func (s *Sim) CreateGroup(g Group) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := g.clone()
	if row.ID == "" {
		row.ID = s.newGroupID()
	}
	row.CreatedAt, row.UpdatedAt = s.bornAt(row.CreatedAt, row.UpdatedAt)
	s.groups.put(row)
	s.meetGuests(row.Guests)
	return row.ID
}

// UpdateGroup applies change to a copy of the group and stores the result. The
// time of its last update moves to now unless change sets it, changes nothing
// or, with Options.MembershipKeepsTime, changes members and guests alone. It returns false, without calling
// change, when there is no such group. Change must not call the simulator.
func (s *Sim) UpdateGroup(id string, change func(*Group)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.groups.byID[id]
	if old == nil {
		return false
	}
	row := old.clone()
	change(row)
	s.replaceGroup(old, row)
	return true
}

// DeleteGroup removes a group and says whether there was one.
func (s *Sim) DeleteGroup(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groups.remove(id) != nil
}

// CreateUser adds a user as it is, checking nothing, and returns its id. A
// missing id, role, status, zone or instant is given. An existing user with
// that id is replaced.
func (s *Sim) CreateUser(u User) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(u.clone())
}

// UpdateUser applies change to a copy of the user and stores the result. The
// time of its last update moves to now unless change sets it or changes
// nothing but the last login, the offset, the picture or Extra. It returns false,
// without calling change, when there is no such user. Change must not call
// the simulator.
func (s *Sim) UpdateUser(id int64, change func(*User)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.users.byID[id]
	if old == nil {
		return false
	}
	row := old.clone()
	change(row)
	s.replaceUser(old, row)
	return true
}

// RemoveUser drops a user's row and its place in every group, and says
// whether there was one.
func (s *Sim) RemoveUser(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.users.byID[id] != nil
	s.drop(id)
	return known
}

// Disable disables a user and, unless Options.DisabledKeepGroups, drops it
// from every group without moving their times. It says whether there is such
// a user.
func (s *Sim) Disable(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	user := s.users.byID[id]
	if user == nil {
		return false
	}
	s.disable(user)
	return true
}

// Enable makes a disabled user active again; with Options.EnableRestores the
// memberships it lost come back. It says whether there is such a user.
func (s *Sim) Enable(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	user := s.users.byID[id]
	if user == nil {
		return false
	}
	s.enable(user)
	return true
}

// Groups returns deep copies of all groups by creation, ties by id.
func (s *Sim) Groups() []Group {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Group, 0, len(s.groups.order))
	for _, g := range s.groups.order {
		out = append(out, *g.clone())
	}
	return out
}

// Users returns deep copies of all users by creation, ties by id.
func (s *Sim) Users() []User {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]User, 0, len(s.users.order))
	for _, u := range s.users.order {
		out = append(out, *u.clone())
	}
	return out
}

// Guests returns all guests by e-mail.
func (s *Sim) Guests() []Guest {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sortedGuests()
}

// Group returns a deep copy of one group and whether it exists.
func (s *Sim) Group(id string) (Group, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if g := s.groups.byID[id]; g != nil {
		return *g.clone(), true
	}
	return Group{}, false
}

// User returns a deep copy of one user and whether it exists.
func (s *Sim) User(id int64) (User, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if u := s.users.byID[id]; u != nil {
		return *u.clone(), true
	}
	return User{}, false
}
