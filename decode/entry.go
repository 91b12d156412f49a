package decode

// base returns the environment that the next one is expected to resemble: known, or its neighbour.
func (d *decoder) base(known *EnvironmentRep) *EnvironmentRep {
	if known != nil {
		return known
	}
	return &d.last
}

// entry makes the entry for the environment just read, listed or patched under id, of which known is what the
// receiver holds. If its Err is errNegativeVersion, and the entry counts, the message is malformed.
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

// filterEntry makes the entry for rep, or the one that tells why there is none.
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
