package decode

// base returns the environment that the next one probably resembles: the known one, or else the last new one.
func (d *decoder) base(known *EnvironmentRep) *EnvironmentRep {
	if known != nil {
		return known
	}
	return &d.last
}

// entry returns the entry for the environment that d.env has read. id is the ID in the path or map key, and known
// is the environment that the receiver holds, or nil. An entry with errNegativeVersion makes its message
// malformed, unless it is superseded.
func (d *decoder) entry(event string, id []byte, known *EnvironmentRep) EnvironmentEntry {
	version := d.env.version
	switch {
	case version < 0:
		return EnvironmentEntry{ID: EnvironmentID(id), Version: version, Err: errNegativeVersion}
	case len(id) == 0 || !d.env.is(id):
		return EnvironmentEntry{ID: EnvironmentID(id), Version: version, Err: ignored(event, environmentsPath+string(id), ErrWrongID)}
	case known != nil && version < known.Version:
		return EnvironmentEntry{ID: known.EnvID, Version: version}
	case known != nil && version == known.Version:
		return EnvironmentEntry{ID: known.EnvID, Version: version, Rep: known}
	}
	rep := d.env.rep()
	if err := rep.check(); err != nil {
		return EnvironmentEntry{ID: rep.EnvID, Version: version, Err: err}
	}
	if known == nil {
		d.last = EnvironmentRep{EnvKey: rep.EnvKey, EnvName: rep.EnvName, ProjKey: rep.ProjKey, ProjName: rep.ProjName}
	}
	return EnvironmentEntry{ID: rep.EnvID, Version: version, Rep: rep}
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
