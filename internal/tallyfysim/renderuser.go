package tallyfysim

// user writes a user in the given form. Roles are capitalised in reads and
// lower case in answers to writes.
func (s *Sim) user(o *writer, u *User, f form, include func(*writer)) {
	o.begin(u.Extra)
	if s.opts.Generation == Gen2025 {
		s.user2025(o, u, f)
	} else {
		s.user2026(o, u, f)
	}
	if include != nil {
		include(o)
	}
	o.end()
}

// user2026 writes what the documentation of 2026 shows. Single reads lack
// what older transformers left out and show who invited.
func (s *Sim) user2026(o *writer, u *User, f form) {
	zone := [...]string{listed: zulu, single: zuluMicros, written: zulu}[f]
	o.id("id", u.ID, s.opts.StringIDs)
	o.text("email", u.Email)
	o.textOrNull("username", u.Username)
	o.text("first_name", u.FirstName)
	o.text("last_name", u.LastName)
	fullName(o, u)
	o.textOrNull("profile_pic", u.ProfilePic)
	if f == single {
		s.standing(o, u, "role", capitalised(u.Role))
	} else {
		o.numberOrNull("country_id", u.CountryID)
	}
	o.truth("is_active", u.Status == StatusActive)
	o.instant("last_login_at", u.LastLoginAt, zone)
	o.instant("activated_at", u.ActivatedAt, zone)
	o.textOrNull("type", userType(u))
	o.instant("created_at", u.CreatedAt, zone)
	o.instant("updated_at", u.UpdatedAt, zone)
	profile(o, u)
	switch f {
	case listed:
		s.standing(o, u, "role", capitalised(u.Role))
		o.raw("date_format", `"mm\/dd\/yyyy"`)
		o.truth("is_default_admin", u.DefaultAdmin)
	case single:
		o.numberOrNull("invited_by", u.InvitedBy)
		o.truth("is_default_admin", u.DefaultAdmin)
	case written:
		s.standing(o, u, "role", u.Role)
		o.numberOrNull("invited_by", u.InvitedBy)
		o.instant("approved_at", u.CreatedAt, zone)
	}
}

func fullName(o *writer, u *User) {
	if u.FirstName == "" || u.LastName == "" {
		o.text("full_name", u.fullName())
		return
	}
	if o.field("full_name") {
		o.buf = append(appendBare(append(o.buf, '"'), u.FirstName), ' ')
		o.buf = append(appendBare(o.buf, u.LastName), '"')
	}
}

func profile(o *writer, u *User) {
	o.textOrNull("phone", u.Phone)
	o.textOrNull("job_title", u.JobTitle)
	o.textOrNull("job_description", u.JobDescription)
	o.textOrNull("team", u.Team)
	o.text("timezone", u.Timezone)
	o.text("UTC_offset", u.UTCOffset)
}

// user2025 writes what the documentation of 2025 shows, whose single read
// carries a zone and lacks the login and the last update.
func (s *Sim) user2025(o *writer, u *User, f form) {
	zone := [...]string{listed: zulu, single: zuluMicros, written: plusZero}[f]
	o.id("id", u.ID, s.opts.StringIDs)
	o.text("email", u.Email)
	o.textOrNull("username", u.Username)
	o.text("first_name", u.FirstName)
	o.text("last_name", u.LastName)
	fullName(o, u)
	o.textOrNull("profile_pic", u.ProfilePic)
	o.truth("active", u.Status != StatusDisabled)
	if f == single {
		s.standing(o, u, "user_role", capitalised(u.Role))
		o.text("timezone", u.Timezone)
		o.instant("created_at", u.CreatedAt, zone)
		return
	}
	o.truth("is_suspended", u.Status == StatusDisabled)
	o.instant("created_at", u.CreatedAt, zone)
	o.instant("last_updated", u.UpdatedAt, zone)
	o.instant("last_login_at", u.LastLoginAt, zone)
	o.textOrNull("job_title", u.JobTitle)
	o.textOrNull("team", u.Team)
	s.standing(o, u, "user_role", capitalised(u.Role))
}

// standing writes status and role; without a status, as in older definitions,
// the instant of disabling tells.
func (s *Sim) standing(o *writer, u *User, key, role string) {
	if s.opts.NoStatus {
		o.instant("disabled_at", u.DisabledAt, zulu)
	} else {
		o.text("status", u.Status)
	}
	o.text(key, role)
}

func capitalised(role string) string {
	switch role {
	case RoleAdmin:
		return "Admin"
	case RoleStandard:
		return "Standard"
	case RoleLight:
		return "Light"
	}
	return role
}

func userType(u *User) string {
	if u.Status == StatusInvited {
		return ""
	}
	return "standard"
}
