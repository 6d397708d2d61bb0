package pages

// MaxStale is how many pages in a row may bring no row that was not there before. After that a listing would not end.
const MaxStale = 100

// Rows remembers the rows of a listing, and whether its pages still bring new ones. A row is new once if it is kept, and
// once more if it is dropped, because it can change from one to the other while the listing goes on.
type Rows struct {
	kept, dropped IDs
	texts         Trail // of rows without an id
	fresh         bool  // the page brought a new row so far
	stale         int   // pages in a row that brought none
}

// Keep reports whether a row is to be given to the caller: one with a new id, or without an id, because such a row cannot be
// recognized. To tell whether the page brings something new, a row without an id is known by its text.
func (r *Rows) Keep(id string, text func() string) bool {
	isNew := r.kept.Add(id)
	r.note(isNew, id, text)
	return isNew
}

// Drop is for a row that the listing does not give to the caller.
func (r *Rows) Drop(id string, text func() string) { r.note(r.dropped.Add(id), id, text) }

func (r *Rows) note(isNew bool, id string, text func() string) {
	if id == "" {
		isNew = r.texts.Add(text())
	}
	r.fresh = r.fresh || isNew
}

// EndPage is for the end of each page, which may have no rows.
func (r *Rows) EndPage() {
	r.stale++
	if r.fresh {
		r.fresh, r.stale = false, 0
	}
}

// Stale reports whether MaxStale pages in a row brought no new row.
func (r *Rows) Stale() bool { return r.stale >= MaxStale }
