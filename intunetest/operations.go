package intunetest

import "net/http"

// operation is what a method does at a place. An operation without run is one that Graph has and the kit does not.
type operation struct {
	sufficient []string // permissions, any of which is enough
	below      []string // the same for addresses below a detected app or a user, where they differ
	run        func(*Tenant, *exchange, *target) *answer
}

var operations = map[place]map[string]operation{
	placeDevices: {
		http.MethodGet:  {sufficient: mayRead, below: mayReadBelow, run: (*Tenant).listDevices},
		http.MethodPost: {},
	},
	placeDevice: {
		http.MethodGet:    {sufficient: mayRead, below: mayReadBelow, run: (*Tenant).getDevice},
		http.MethodPatch:  {},
		http.MethodDelete: {},
	},
	placeApps: {
		http.MethodGet:  {sufficient: mayRead, run: (*Tenant).listApps},
		http.MethodPost: {},
	},
	placeApp: {
		http.MethodGet:    {sufficient: mayRead, run: (*Tenant).getApp},
		http.MethodPatch:  {},
		http.MethodDelete: {},
	},
	placeAppDevices: {
		http.MethodGet: {sufficient: mayReadBelow, run: (*Tenant).listAppDevices},
	},
	placeAppDevice: {
		// The operation is documented and in the manifest, but users reported this 400.
		http.MethodGet: {sufficient: mayReadBelow, run: func(_ *Tenant, x *exchange, where *target) *answer { return x.noRoute(where) }},
	},
	placeRequestRemoteAssistance: {
		http.MethodPost: {sufficient: mayRequest, below: mayRequestBelow, run: (*Tenant).requestRemoteAssistance},
	},
	placePartners: {
		http.MethodGet:  {sufficient: mayReadPartner, run: (*Tenant).listPartners},
		http.MethodPost: {},
	},
	placePartner: {
		http.MethodGet:    {sufficient: mayReadPartner, run: (*Tenant).getPartner},
		http.MethodPatch:  {},
		http.MethodDelete: {},
	},
	placeAuditEvents: {
		http.MethodGet: {sufficient: mayReadAudit, run: (*Tenant).listAuditEvents},
	},
}
