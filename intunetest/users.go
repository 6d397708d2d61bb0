package intunetest

import (
	"net/http"
	"slices"
	"strings"
)

// user is an account of the tenant; either name may be blank, not both.
type user struct{ id, upn string }

// AddUser makes an account known by its object id and its user principal name, so that both lead to the same devices,
// and an account without devices is found at all. [Tenant.AddDevice] does the same with the UserID and
// UserPrincipalName of the device. Both names are compared without case. Adding a known id changes its name.
func (t *Tenant) AddUser(id, upn string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.addUser(id, upn)
}

func (t *Tenant) addUser(id, upn string) {
	if id == "" && upn == "" {
		return
	}
	if id != "" && upn != "" {
		// Two accounts known by one name each turn out to be the same.
		t.users = slices.DeleteFunc(t.users, func(u *user) bool { return u.id == "" && strings.EqualFold(u.upn, upn) })
	}
	for _, u := range t.users {
		switch {
		case id != "" && strings.EqualFold(u.id, id):
			if upn != "" {
				u.upn = upn
			}
			return
		case id == "" && strings.EqualFold(u.upn, upn):
			return
		}
	}
	t.users = append(t.users, &user{id: id, upn: upn})
}

// findUser is the account of an address, nil if the address names none. The caller holds the lock.
func (t *Tenant) findUser(x *exchange, where *target) (*user, *answer) {
	key := where.keys[keyUser]
	switch {
	case where.me:
		key = x.caller.user
	case !where.has[keyUser]:
		return nil, nil
	}
	for _, u := range t.users {
		if key != "" && (strings.EqualFold(u.id, key) || strings.EqualFold(u.upn, key)) {
			return u, nil
		}
	}
	// Users are Entra's: the error is Graph's own, not nested.
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
