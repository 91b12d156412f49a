package decode

// base returns the environment that the next one probably resembles: the known one, or else the last new one.
func (d *decoder) base(known *EnvironmentRep) *EnvironmentRep {
	if known != nil {
		return known
	}
	return &d.last
}

// entry fills in an empty entry for the environment that d.env has read. id is the ID in the path or map key, and known
// is the environment that the receiver holds, or nil. An entry with errNegativeVersion makes its message
// malformed, unless it is superseded.
func (d *decoder) entry(entry *EnvironmentEntry, event string, id []byte, known *EnvironmentRep) {
	if d.env.unusual {
		d.unusual++
	}
	version := d.env.version
	entry.Version = version
	switch {
	case version < 0:
		entry.ID, entry.Err = EnvironmentID(id), errNegativeVersion
	case len(id) == 0 || !d.env.is(id):
		entry.ID, entry.Err = EnvironmentID(id), ignored(event, environmentsPath+string(id), ErrWrongID)
	case known != nil && version < known.Version:
		entry.ID = known.EnvID
	case known != nil && version == known.Version:
		entry.ID, entry.Rep = known.EnvID, known
	default:
		d.news(entry, known)
	}
}

// news fills in the entry for an environment that is not known, or is newer than known.
func (d *decoder) news(entry *EnvironmentEntry, known *EnvironmentRep) {
	rep := d.env.rep()
	entry.ID = rep.EnvID
	if entry.Err = rep.check(); entry.Err != nil {
		return
	}
	entry.Rep = rep
	if known == nil {
		d.last = EnvironmentRep{EnvKey: rep.EnvKey, EnvName: rep.EnvName, ProjKey: rep.ProjKey, ProjName: rep.ProjName}
	}
}

// filterEntry returns the entry for rep, which has an Err if err is not nil or rep is not valid.
func filterEntry(event string, id FilterID, rep *FilterRep, err error) FilterEntry {
	switch {
	case err != nil:
	case rep == nil || id == "":
		err = errNoFilter
	case rep.Version < 0:
		err = errNegativeVersion
	default:
		return FilterEntry{ID: id, Version: rep.Version, Rep: rep}
	}
	return FilterEntry{ID: id, Err: ignored(event, filtersPath+string(id), malformed(event, err))}
}
