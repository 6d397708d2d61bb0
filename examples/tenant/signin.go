package main

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune/intunetest"
)

// The endpoints of Microsoft's identity platform, below a tenant: any, or /_tenant. The credentials of azidentity and
// MSAL find them when the server is their authority.
const (
	tokenEndpoint         = "/oauth2/v2.0/token"
	deviceCodeEndpoint    = "/oauth2/v2.0/devicecode"
	configurationEndpoint = "/v2.0/.well-known/openid-configuration"
)

// signInEndpoint is the endpoint of a path, "" if it is none. /_tenant/token is a short form.
func signInEndpoint(path string) string {
	if path == controlPrefix+"/token" {
		return tokenEndpoint
	}
	for _, endpoint := range []string{tokenEndpoint, deviceCodeEndpoint, configurationEndpoint} {
		if tenant, ok := strings.CutSuffix(path, endpoint); ok && strings.Count(tenant, "/") == 1 && len(tenant) > 1 {
			return endpoint
		}
	}
	return ""
}

// scopes are the permissions of a user's token.
const scopes = "DeviceManagementManagedDevices.ReadWrite.All DeviceManagementServiceConfig.Read.All DeviceManagementApps.Read.All"

// signIn serves an endpoint.
func (s *simulator) signIn(w http.ResponseWriter, r *http.Request, endpoint string) {
	w.Header().Set("Cache-Control", "no-store")
	root := "http://" + r.Host
	if r.TLS != nil {
		root = "https://" + r.Host
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if endpoint == configurationEndpoint {
		base := root + "/" + url.PathEscape(tenant)
		reply(w, http.StatusOK, map[string]string{
			"issuer":                        base + "/v2.0",
			"authorization_endpoint":        base + "/oauth2/v2.0/authorize",
			"token_endpoint":                base + tokenEndpoint,
			"device_authorization_endpoint": base + deviceCodeEndpoint,
		})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		problem(w, http.StatusBadRequest, "invalid_request", "AADSTS900561: The endpoint only accepts POST requests with a form.")
		return
	}
	form := r.PostForm
	if form.Get("client_id") == "" {
		problem(w, http.StatusBadRequest, "invalid_request", "AADSTS900144: The request body must contain the following parameter: 'client_id'.")
		return
	}
	if endpoint == deviceCodeEndpoint {
		deviceCode, begun := s.signIns.begin(form.Get("client_id"), s.current().Now())
		page := root + controlPrefix + "/"
		reply(w, http.StatusOK, map[string]any{
			"device_code": deviceCode, "user_code": begun.userCode, "verification_uri": page, "interval": 1,
			"expires_in": int(codeLifetime.Seconds()),
			"message":    "To sign in, open the page " + page + " and approve the code " + begun.userCode + ".",
		})
		return
	}
	s.token(w, r, tenant)
}

// token answers the token endpoint.
func (s *simulator) token(w http.ResponseWriter, r *http.Request, tenant string) {
	form := r.PostForm
	switch grant := form.Get("grant_type"); grant {
	case "client_credentials":
		s.appToken(w, r, tenant)
	case "urn:ietf:params:oauth:grant-type:device_code", "device_code":
		user, failed := s.signIns.redeem(form.Get("device_code"), s.current().Now())
		if failed != "" {
			problem(w, http.StatusBadRequest, failed, deviceCodeProblems[failed])
			return
		}
		s.userToken(w, r, tenant, user)
	case "refresh_token":
		user, ok := s.signIns.refresh(form.Get("refresh_token"))
		if !ok {
			problem(w, http.StatusBadRequest, "invalid_grant", "AADSTS9002313: The refresh token is not one that this server gave out.")
			return
		}
		s.userToken(w, r, tenant, user)
	default:
		problem(w, http.StatusBadRequest, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type '"+grant+"'.")
	}
}

var deviceCodeProblems = map[string]string{
	"bad_verification_code":  "AADSTS70018: The device code is not one that this server gave out, or was used before.",
	"authorization_declined": "AADSTS70044: The user declined the sign-in.",
	"expired_token":          "AADSTS70020: The device code has expired.",
	"authorization_pending":  "AADSTS70016: The user has not yet finished signing in.",
}

func (s *simulator) appToken(w http.ResponseWriter, r *http.Request, tenant string) {
	form := r.PostForm
	if form.Get("client_secret") == "" && form.Get("client_assertion") == "" {
		problem(w, http.StatusUnauthorized, "invalid_client",
			"AADSTS7000216: 'client_assertion' or 'client_secret' is required for the 'client_credentials' grant type.")
		return
	}
	if scope := form.Get("scope"); audience(scope) == "" {
		problem(w, http.StatusBadRequest, "invalid_scope",
			"AADSTS1002012: The scope '"+scope+"' is not valid. Client credential flows must have a scope value with /.default.")
		return
	}
	s.issue(w, r, map[string]any{"appid": form.Get("client_id"), "tid": tenant}, nil)
}

func (s *simulator) userToken(w http.ResponseWriter, r *http.Request, tenant, user string) {
	app := r.PostForm.Get("client_id")
	claims := map[string]any{"appid": app, "tid": tenant, "scp": scopes, "upn": user}
	object := user
	if id := userID(s.current(), user); id != "" {
		claims["oid"], object = id, id
	}
	granted := scopes
	if resource := audience(r.PostForm.Get("scope")); resource != "" {
		granted += " " + resource + "/.default" // MSAL takes a scope that is not in the answer for one that was declined
	}
	s.issue(w, r, claims, map[string]any{
		"scope":         granted,
		"refresh_token": s.signIns.refreshable(user),
		"client_info":   encoded(map[string]string{"uid": object, "utid": tenant}),
		"id_token": encoded(map[string]string{"typ": "JWT", "alg": "none"}) + "." + encoded(map[string]string{
			"aud": app, "iss": "intunetest", "sub": object, "oid": object, "tid": tenant, "preferred_username": user,
		}) + ".",
	})
}

// encoded is a part of a token.
func encoded(claims map[string]string) string {
	text, err := json.Marshal(claims)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// issue answers with a token of the kit, which is not signed and good for this server only.
func (s *simulator) issue(w http.ResponseWriter, r *http.Request, claims, more map[string]any) {
	options := policy.TokenRequestOptions{}
	if resource := audience(r.PostForm.Get("scope")); resource != "" {
		options.Scopes = []string{resource + "/.default"}
	}
	token, err := s.current().CredentialWith(claims).GetToken(r.Context(), options)
	if err != nil {
		return // the client went away
	}
	answer := map[string]any{"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": token.Token}
	maps.Copy(answer, more)
	reply(w, http.StatusOK, answer)
}

// audience is the resource of a scope that ends in /.default, "" if there is none.
func audience(scope string) string {
	for one := range strings.FieldsSeq(scope) {
		if resource, ok := strings.CutSuffix(one, "/.default"); ok && resource != "" {
			return resource
		}
	}
	return ""
}

// userID is the object id of a user who has a device.
func userID(tenant *intunetest.Tenant, upn string) string {
	for _, d := range tenant.Devices() {
		if strings.EqualFold(d.Device.UserPrincipalName, upn) {
			return d.Device.UserID
		}
	}
	return ""
}

// problem is an error as Microsoft's identity platform writes it.
func problem(w http.ResponseWriter, status int, code, description string) {
	reply(w, status, map[string]any{"error": code, "error_description": description})
}

// postSignIn is the user's answer to a device code.
func (s *simulator) postSignIn(w http.ResponseWriter, r *http.Request) {
	var body struct {
		UserCode          string `json:"userCode"`
		UserPrincipalName string `json:"userPrincipalName"`
		Decline           bool   `json:"decline"`
	}
	if !read(w, r, &body) {
		return
	}
	if body.UserPrincipalName == "" && !body.Decline {
		refuse(w, http.StatusBadRequest, "userPrincipalName should say who signs in, such as technician@contoso.com")
		return
	}
	if !s.signIns.decide(body.UserCode, body.UserPrincipalName, !body.Decline, s.current().Now()) {
		refuse(w, http.StatusNotFound, "nobody waits for this userCode: it is wrong, expired, or answered before")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
