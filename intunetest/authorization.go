package intunetest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Graph permissions, as named in the manifest of microsoftgraph/microsoft-graph-devx-content.
const (
	manageDevices = "DeviceManagementManagedDevices.ReadWrite.All"
	readDevices   = "DeviceManagementManagedDevices.Read.All"
	manageConfig  = "DeviceManagementConfiguration.ReadWrite.All"
	readConfig    = "DeviceManagementConfiguration.Read.All"
	manageService = "DeviceManagementServiceConfig.ReadWrite.All"
	readService   = "DeviceManagementServiceConfig.Read.All"
	readApps      = "DeviceManagementApps.Read.All"
	manageApps    = "DeviceManagementApps.ReadWrite.All"
)

// The permissions that the manifest lists as sufficient, least privilege first. The manifest has no rows for addresses
// below a user; those need the permissions of the type itself.
var (
	mayRequest      = []string{manageDevices, manageConfig}
	mayRequestBelow = []string{manageDevices}
	mayRead         = []string{readDevices, manageDevices, readConfig, manageConfig}
	mayReadBelow    = []string{readDevices, manageDevices}
	mayReadPartner  = []string{readService, manageService, readConfig, manageConfig}
	mayReadAudit    = []string{readApps, manageApps}
)

// caller is what a token says about its bearer. Signature, audience and lifetime are not looked at.
type caller struct {
	app         string   // throttling counts by it
	permissions []string // scopes and roles together
	judged      bool     // the token says what it may do
	delegated   bool
	userID, upn string // of the signed-in user; either may be blank
}

// callerOf reads the Authorization header. ok is false without a bearer token.
func callerOf(header http.Header) (c caller, ok bool) {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return caller{}, false
	}
	c.app = token
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, true
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return c, true
	}
	var claims map[string]any
	_ = json.Unmarshal(payload, &claims) // a payload that is not an object has no claims
	text := func(names ...string) string {
		for _, name := range names {
			if value, _ := claims[name].(string); value != "" {
				return value
			}
		}
		return ""
	}
	if app := text("appid", "azp"); app != "" {
		c.app = app
	}
	scopes, hasScopes := claims["scp"].(string)
	roles, hasRoles := claims["roles"].([]any)
	c.permissions = strings.Fields(scopes)
	for _, role := range roles {
		name, _ := role.(string)
		c.permissions = append(c.permissions, name)
	}
	c.judged = hasScopes || hasRoles || claims["idtyp"] != nil
	c.delegated = hasScopes || text("idtyp") == "user"
	c.userID, c.upn = text("oid"), text("upn", "preferred_username")
	return c, true
}

// user is a name of the signed-in user, blank if there is none.
func (c caller) user() string { return cmp.Or(c.userID, c.upn) }

// lacks reports whether the caller's token says that it has none of the sufficient permissions.
func (c caller) lacks(sufficient []string) bool {
	return c.judged && !slices.ContainsFunc(sufficient, func(name string) bool {
		return containsFold(c.permissions, name)
	})
}
