package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-intune/intune"
)

const docsAction = "documented: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-requestremoteassistance"

// sameDevice judges an answer that should be the device.
func (p *probe) sameDevice(a *answer, id string) finding {
	r, f := p.object(a)
	if f != nil {
		return *f
	}
	same := strings.EqualFold(r.text("id"), id)
	return p.judge(same, "HTTP %d; the same id: %t", a.status, same)
}

func addressFacts() []fact {
	return []fact{
		{
			id: "address-parentheses", source: "documented: OData's URL conventions; reported: public clients",
			claim: "A key in parentheses, managedDevices('id'), is the same address as a key in a segment.",
			check: func(ctx context.Context, p *probe) finding {
				id, f := p.deviceID(ctx)
				if f != nil {
					return *f
				}
				key := url.PathEscape(strings.ReplaceAll(id, "'", "''"))
				return p.sameDevice(p.wire.get(ctx, devicesPath+"('"+key+"')?$select=id"), id)
			},
		},
		{
			id: "address-case", source: "inferred: public clients write it in either case",
			claim: "The case of the path and of a GUID is not significant.",
			check: func(ctx context.Context, p *probe) finding {
				id, f := p.deviceID(ctx)
				if f != nil {
					return *f
				}
				return p.sameDevice(p.wire.get(ctx, "/devicemanagement/manageddevices/"+url.PathEscape(strings.ToUpper(id))+"?$select=id"), id)
			},
		},
	}
}

func userFacts() []fact {
	const noRow = "inferred: the address is in Microsoft's CSDL, and no permission for it is published"
	return []fact{
		{
			id: "user-object-id", source: noRow,
			claim: "Below a user's object id, the device and its session can be read with the permission for devices.",
			check: func(ctx context.Context, p *probe) finding { return checkUser(ctx, p, "userId") },
		},
		{
			id: "user-principal-name", source: noRow,
			claim: "Below a user principal name, the device and its session can be read with the permission for devices.",
			check: func(ctx context.Context, p *probe) finding { return checkUser(ctx, p, "userPrincipalName") },
		},
		{
			id: "user-list", source: noRow,
			claim: "The list of a user's devices has the device.",
			check: func(ctx context.Context, p *probe) finding {
				d, key, f := p.userOf(ctx, "userId")
				if f != nil {
					return *f
				}
				a := p.wire.get(ctx, "/users/"+key+"/managedDevices?$select=id")
				if a.forbidden() {
					return p.contradicted("%s", p.describe(a))
				}
				page, f := p.object(a)
				if f != nil {
					return *f
				}
				has := count(page.rows(), "id", d.text("id"))
				return p.judge(has == 1, "devices: %d, of them this one: %d", len(page.rows()), has)
			},
		},
		{
			id: "user-not-found", source: "inferred: users belong to Entra, not to Intune",
			claim: "An unknown user answers 404 with Graph's own error, which is not nested.",
			check: func(ctx context.Context, p *probe) finding {
				a := p.wire.get(ctx, "/users/"+nobody+"/managedDevices?$select=id")
				if a.mute() {
					return p.notTried("%s", p.describe(a))
				}
				depth, _ := a.graphError().nested()
				return p.judge(a.status == http.StatusNotFound && depth == 0, "%s", p.describe(a))
			},
		},
		{
			id: "user-me", source: "inferred: /me is the signed-in user",
			claim: "/me/managedDevices answers 200 to a user and 400 to an app.",
			check: func(ctx context.Context, p *probe) finding {
				a := p.wire.get(ctx, "/me/managedDevices?$select=id&$top=1")
				switch {
				case p.token.Kind == intune.TokenKindApplication:
					return p.refused(a, http.StatusBadRequest)
				case a.mute() || p.token.Kind == intune.TokenKindUnknown:
					return p.notTried("%s", p.describe(a))
				default:
					return p.judge(a.status == http.StatusOK, "%s", p.describe(a))
				}
			},
		},
	}
}

// userOf is the device with a name of its user, escaped for a path.
func (p *probe) userOf(ctx context.Context, name string) (d record, key string, problem *finding) {
	d, f := p.device(ctx)
	if f != nil {
		return nil, "", f
	}
	user := d.text(name)
	if user == "" || strings.HasPrefix(user, "$") {
		none := p.notTried("the device has no %s that can be in a path", name)
		return nil, "", &none
	}
	return d, url.PathEscape(user), nil
}

func checkUser(ctx context.Context, p *probe, name string) finding {
	d, key, f := p.userOf(ctx, name)
	if f != nil {
		return *f
	}
	a := p.wire.get(ctx, "/users/"+key+"/managedDevices/"+url.PathEscape(d.text("id"))+sessionQuery)
	if a.forbidden() {
		// The fact is about the permission, so that this answer says something.
		return p.contradicted("%s", p.describe(a))
	}
	r, f := p.object(a)
	if f != nil {
		return *f
	}
	_, link := r[propertyLink]
	same := strings.EqualFold(r.text("id"), d.text("id"))
	return p.judge(same && link, "the same id: %t; the link's property: %t; the token holds: %s", same, link, permissions(p.token))
}

// permissions are all that a token holds.
func permissions(token intune.TokenInfo) []string {
	return append(append([]string(nil), token.Scopes...), token.Roles...)
}

// holds reports whether a token has one of some permissions.
func holds(token intune.TokenInfo, names ...string) bool {
	for _, own := range permissions(token) {
		for _, name := range names {
			if strings.EqualFold(own, name) {
				return true
			}
		}
	}
	return false
}
