package main

import "cmp"

// personClaims are the claims of an id token or access token that say who somebody is.
type personClaims struct {
	TenantID          string `json:"tid"`
	ObjectID          string `json:"oid"`
	DisplayName       string `json:"name"`
	PreferredUsername string `json:"preferred_username"`
	Scopes            string `json:"scp"`
}

// check refuses people of other tenants, whose tokens a verifier of a multi-tenant issuer would let pass.
func (c personClaims) check(tenantID string) error {
	if c.TenantID != tenantID || !isPlain(c.TenantID, 36) {
		return plainError("the token is for another tenant")
	}
	if !isPlain(c.ObjectID, 36) {
		return plainError("the token does not say whose it is")
	}
	return nil
}

// key is what never changes about a person, unlike the name.
func (c personClaims) key() string { return c.TenantID + ":" + c.ObjectID }

func (c personClaims) name() string {
	return cmp.Or(c.DisplayName, c.PreferredUsername, "signed in")
}
