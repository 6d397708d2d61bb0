package intunetest

import (
	"net/http"
	"slices"
	"strings"
)

// user is an account of the tenant. One of its names may be blank, but not both.
type user struct{ id, upn string }

// users are the accounts by their names, compared without case. If several accounts have had the same user principal
// name, the oldest counts.
type users struct {
	byID  map[string]*user
	byUPN map[string][]*user
}

// AddUser adds an account with its object id and its user principal name. Both names then lead to the same devices, and
// an account without devices is found too. [Tenant.AddDevice] does the same with the UserID and UserPrincipalName of
// the device. Both names are compared without case. Adding a known id changes its name.
func (t *Tenant) AddUser(id, upn string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users.add(id, upn)
}

func (u *users) add(id, upn string) {
	named := u.byUPN[foldID(upn)]
	switch {
	case id != "":
		if len(named) > 0 && named[0].id == "" {
			// Two accounts with one known name each turn out to be the same.
			delete(u.byUPN, foldID(upn))
		}
		known := u.byID[foldID(id)]
		if known == nil {
			known = &user{id: id}
			u.byID[foldID(id)] = known
		}
		u.rename(known, upn)
	case upn != "" && len(named) == 0:
		u.rename(&user{}, upn)
	}
}

func (u *users) rename(known *user, upn string) {
	if upn == "" {
		return
	}
	if old := foldID(known.upn); old != foldID(upn) {
		u.byUPN[old] = slices.DeleteFunc(u.byUPN[old], func(other *user) bool { return other == known })
		u.byUPN[foldID(upn)] = append(u.byUPN[foldID(upn)], known)
	}
	known.upn = upn
}

// find returns the account with an object id or a user principal name, or nil if there is none.
func (u *users) find(name string) *user {
	if known := u.byID[foldID(name)]; known != nil {
		return known
	}
	if named := u.byUPN[foldID(name)]; len(named) > 0 {
		return named[0]
	}
	return nil
}

// findUser returns the account of an address, or nil if the address names none. The caller holds the lock.
func (t *Tenant) findUser(x *exchange, where *target) (*user, *answer) {
	key := where.keys[keyUser]
	switch {
	case where.me:
		key = x.caller.user()
	case !where.has[keyUser]:
		return nil, nil
	}
	if u := t.users.find(key); u != nil {
		return u, nil
	}
	// Users belong to Entra, so the error is Graph's own and not nested.
	return nil, x.graphError(http.StatusNotFound, "Request_ResourceNotFound",
		"Resource '"+key+"' does not exist or one of its queried reference-property objects are not present.")
}

// owns compares object ids where both sides have one, and names otherwise.
func (u *user) owns(d *device) bool {
	if u.id != "" && d.record.UserID != "" {
		return strings.EqualFold(u.id, d.record.UserID)
	}
	return u.upn != "" && strings.EqualFold(u.upn, d.record.UserPrincipalName)
}
