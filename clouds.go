package intune

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/go-intune/intune/internal/odata"
)

// ServiceGraph names the entry of [cloud.Configuration.Services] that holds Microsoft Graph. Its Endpoint is the Graph
// root without a version ("https://graph.microsoft.com"); its Audience is the resource that tokens are requested for.
// An empty Audience means the scheme and host of the Endpoint.
const ServiceGraph cloud.ServiceName = "microsoftGraph"

// The clouds in which Microsoft Graph serves Intune devices. Pass one as ClientOptions.Cloud; the same value works as
// the Cloud of an azidentity credential. A token of one cloud is refused in every other.
//
// Sources: https://learn.microsoft.com/graph/deployments for the first four. That page does not list the last two;
// their values are those that the Microsoft Graph PowerShell module and MSAL use.
var (
	// CloudPublic is the worldwide cloud, which also serves GCC tenants. It is the default.
	CloudPublic = graphCloud("https://login.microsoftonline.com/", "https://graph.microsoft.com")

	// CloudUSGovernment is US Government L4 (GCC High). The TeamViewer connector, and with it remote assistance, is not
	// available there, and Microsoft does not plan it, although the action is in the cloud's schema.
	//
	// Source: https://learn.microsoft.com/intune/fundamentals/government-service
	CloudUSGovernment = graphCloud("https://login.microsoftonline.us/", "https://graph.microsoft.us")

	// CloudUSGovernmentDoD is US Government L5 (DoD). As in CloudUSGovernment, the TeamViewer connector is not available
	// there.
	CloudUSGovernmentDoD = graphCloud("https://login.microsoftonline.us/", "https://dod-graph.microsoft.us")

	// CloudChina is the cloud operated by 21Vianet.
	CloudChina = graphCloud("https://login.chinacloudapi.cn/", "https://microsoftgraph.chinacloudapi.cn")

	// CloudFrance is the Bleu sovereign cloud.
	CloudFrance = graphCloud("https://login.sovcloud-identity.fr/", "https://graph.svc.sovcloud.fr")

	// CloudGermany is the Delos sovereign cloud, not the retired Microsoft Cloud Germany.
	CloudGermany = graphCloud("https://login.sovcloud-identity.de/", "https://graph.svc.sovcloud.de")
)

// graphAPIVersion is the only version whose models this package knows.
const graphAPIVersion = "v1.0"

func graphCloud(authority, root string) cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: authority,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			ServiceGraph: {Endpoint: root, Audience: root},
		},
	}
}

// graphService is a resolved cloud: where requests go and what tokens are for.
type graphService struct {
	root     *url.URL // scheme and host, a path prefix if the caller configured one; never a trailing slash
	scope    string
	noRemote bool // Microsoft rules the TeamViewer connector out in this cloud
}

// resolveCloud finds the Graph endpoint of a configuration. A configuration with its own ServiceGraph entry wins;
// azcore's three configurations, which have none, are recognized by their authority.
func resolveCloud(configuration cloud.Configuration, allowLoopbackHTTP bool) (graphService, error) {
	service, ok := configuration.Services[ServiceGraph]
	authority := configuration.ActiveDirectoryAuthorityHost
	switch {
	case ok:
	case authority == "":
		if len(configuration.Services) == 0 {
			service, ok = CloudPublic.Services[ServiceGraph], true
		}
	default:
		switch authorityHost(authority) {
		case "login.microsoftonline.com":
			service, ok = CloudPublic.Services[ServiceGraph], true
		case "login.microsoftonline.us":
			service, ok = CloudUSGovernment.Services[ServiceGraph], true
		case "login.chinacloudapi.cn", "login.partner.microsoftonline.cn":
			service, ok = CloudChina.Services[ServiceGraph], true
		}
	}
	if !ok {
		return graphService{}, invalidArgument("options.Cloud", "has no Microsoft Graph endpoint; set Services[intune.ServiceGraph] "+
			"to the endpoint and audience of Graph in that cloud, or use one of the intune.Cloud… values")
	}
	return parseGraphService(service, allowLoopbackHTTP)
}

func parseGraphService(service cloud.ServiceConfiguration, allowLoopbackHTTP bool) (graphService, error) {
	const argument = "options.Cloud.Services[intune.ServiceGraph].Endpoint"
	root, err := url.Parse(strings.TrimRight(service.Endpoint, "/"))
	if err != nil || root.Hostname() == "" {
		return graphService{}, invalidArgument(argument, "must be an absolute URL such as https://graph.microsoft.com")
	}
	if root.User != nil || root.RawQuery != "" || root.ForceQuery || strings.Contains(service.Endpoint, "#") {
		return graphService{}, invalidArgument(argument, "must hold no user, query or fragment")
	}
	if odata.HasDotSegment(root.Path) {
		return graphService{}, invalidArgument(argument, "must not hold . or .. as a path segment")
	}
	if root.Scheme != "https" && (root.Scheme != "http" || !allowLoopbackHTTP || !isLoopback(root.Hostname())) {
		return graphService{}, invalidArgument(argument, fmt.Sprintf("must begin with https:// and not %s://, "+
			"or tokens would travel in the clear (http is accepted for loopback addresses only, with InsecureAllowCredentialWithHTTP)",
			root.Scheme))
	}
	last := root.Path[strings.LastIndexByte(root.Path, '/')+1:]
	if last == graphAPIVersion || last == "beta" {
		return graphService{}, invalidArgument(argument, "must be the Graph root without a version; leave /"+last+" out")
	}
	audience := strings.TrimRight(service.Audience, "/")
	if audience == "" {
		audience = root.Scheme + "://" + root.Host
	}
	host := strings.ToLower(root.Hostname())
	return graphService{
		root:     root,
		scope:    audience + "/.default",
		noRemote: host == "graph.microsoft.us" || host == "dod-graph.microsoft.us",
	}, nil
}

// audience is the resource that tokens are requested for.
func (s graphService) audience() string { return strings.TrimSuffix(s.scope, "/.default") }

// graphAppID is Graph's app id in Entra, which a token may have as its audience in any cloud.
const graphAppID = "00000003-0000-0000-c000-000000000000"

// refuses reports whether a token with a given audience cannot be one for this Graph. An audience of the caller's own, such
// as a gateway's, may stand in the token as an id, so for it only the Graph of another cloud is known to be wrong.
func (s graphService) refuses(audience string) bool {
	own := s.audience()
	switch {
	case audience == "", sameRoot(audience, own), strings.HasPrefix(strings.ToLower(audience), graphAppID):
		return false
	default:
		return isGraphRoot(audience) || isGraphRoot(own)
	}
}

// isGraphRoot reports whether an audience is Graph in one of the clouds.
func isGraphRoot(audience string) bool {
	for _, known := range [...]cloud.Configuration{
		CloudPublic, CloudUSGovernment, CloudUSGovernmentDoD, CloudChina, CloudFrance, CloudGermany,
	} {
		if sameRoot(audience, known.Services[ServiceGraph].Audience) {
			return true
		}
	}
	return false
}

func sameRoot(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

func authorityHost(authority string) string {
	if !strings.Contains(authority, "://") {
		authority = "https://" + authority
	}
	u, err := url.Parse(authority)
	if err != nil {
		return authority
	}
	return strings.ToLower(u.Hostname())
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
