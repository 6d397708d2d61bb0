package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"github.com/spf13/pflag"
)

// connection says how to reach a tenant. Its flags are the same for every command that needs one.
type connection struct {
	cloudName, auth    string
	tenantID, clientID string

	account     *account // of login, if it is to be used
	notSignedIn bool     // there is none, and nothing else was asked for
	rehearsal   rehearsal
	test        testPlace
}

func (c *connection) register(flags *pflag.FlagSet) {
	flags.StringVar(&c.auth, "auth", "", "how to sign in: `METHOD` is "+orList(authNames())+" (default: as with login)")
	flags.StringVar(&c.tenantID, "tenant", "", "Entra tenant, an `ID` or a domain (default: AZURE_TENANT_ID, config)")
	flags.StringVar(&c.clientID, "client-id", "", "`ID` of the app registration to sign in with (default: AZURE_CLIENT_ID, config)")
	flags.StringVar(&c.cloudName, "cloud", "", "`CLOUD`: "+orList(cloudNames())+" (default: config, else public)")
}

// isConnectionFlag reports whether a flag says where a tenant is or who signs in there.
func isConnectionFlag(name string) bool {
	return slices.Contains([]string{"cloud", "auth", "tenant", "client-id", "graph", "authority", "ca"}, name)
}

func authNames() []string {
	return []string{"browser", "devicecode", "default", "azurecli", "managedidentity", "environment"}
}

func cloudNames() []string { return []string{"public", "usgov", "dod", "china", "france", "germany"} }

func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// check settles what the flags, the environment, the configuration, and the account of login say together, in this order.
func (c *connection) check(saved *account, file settings) (err error) {
	if c.test, err = testPlaceFromEnvironment(); err != nil {
		return err
	}
	if _, err := known("--cloud", cloudNames())(c.cloudName); c.cloudName != "" && err != nil {
		return failed(exitUsage, "%v", err)
	}
	c.cloudName = firstOf(c.cloudName, file.Cloud)
	chosen := c.auth
	if !c.rehearsal.on() {
		chosen = firstOf(c.auth, file.Auth)
	}
	if _, err := known("--auth", authNames())(chosen); chosen != "" && err != nil {
		return failed(exitUsage, "%v", err)
	}
	c.auth = chosen
	if c.rehearsal.on() && chosen != "" && !c.interactive() {
		// The others would take a token or a secret of the real thing there.
		return failed(exitUsage, "a rehearsal signs in a person or nobody: leave out --auth %s", c.auth)
	}
	if c.auth == "" && saved != nil {
		c.auth = saved.Method
	}
	if c.interactive() {
		c.fillIDs(file, saved)
		c.notSignedIn = c.account == nil && chosen == ""
	} else if c.auth == "" {
		c.auth = string(intune.CredentialMethodDefault)
		if c.notSignedIn = c.rehearsal.on() || !serviceInEnvironment(); c.notSignedIn {
			c.fillIDs(file, nil) // to say what login would do
		}
	}
	c.cloudName = firstOf(c.cloudName, "public")
	if c.interactive() && c.clientID == "" {
		return failed(exitUsage, "--auth %s needs --client-id, the application (client) id of an app registration of your own; "+
			"see: helpdesk login -h", c.auth)
	}
	return nil
}

// fillIDs finds the tenant and the app of a person's sign-in. Other ways to sign in have their own.
func (c *connection) fillIDs(file settings, saved *account) {
	var last account
	if saved != nil {
		last = *saved
	}
	c.tenantID = firstOf(c.tenantID, os.Getenv("AZURE_TENANT_ID"), file.Tenant, last.TenantID)
	c.clientID = firstOf(c.clientID, os.Getenv("AZURE_CLIENT_ID"), file.ClientID, last.ClientID)
	if c.rehearsal.on() {
		c.tenantID, c.clientID = firstOf(c.tenantID, "contoso.com"), firstOf(c.clientID, "00000000-0000-0000-0000-000000000000")
	}
	c.cloudName = firstOf(c.cloudName, last.Cloud)
	sameTenant := strings.EqualFold(c.tenantID, last.TenantID) || strings.EqualFold(c.tenantID, last.Record.TenantID)
	if saved != nil && sameTenant && strings.EqualFold(c.clientID, last.ClientID) && strings.EqualFold(c.cloudName, last.Cloud) {
		c.account = saved
	}
}

// serviceInEnvironment reports whether the environment holds the sign-in of a service, which azidentity's default takes.
func serviceInEnvironment() bool {
	for _, name := range []string{"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// signedIn is nil, or says in one line that nobody is signed in.
func (c *connection) signedIn() error {
	if !c.notSignedIn || c.needsNoSignIn() {
		return nil
	}
	if c.clientID == "" {
		return failed(exitRefused, "not signed in; first: helpdesk login --tenant contoso.com --client-id …")
	}
	text := "not signed in"
	if c.tenantID != "" {
		text += " at " + c.tenantID
	}
	text += "; first: helpdesk login"
	if r := c.rehearsal; r.on() {
		text += " --graph " + r.graph + " --authority " + r.authority
		if r.ca != "" {
			text += " --ca " + strconv.Quote(r.ca)
		}
	}
	return failed(exitRefused, "%s", text)
}

func (c *connection) method() intune.CredentialMethod { return intune.CredentialMethod(c.auth) }

// interactive reports whether a person signs in while the tool waits.
func (c *connection) interactive() bool {
	return c.method() == intune.CredentialMethodBrowser || c.method() == intune.CredentialMethodDeviceCode
}

func cloudNamed(name string) (cloud.Configuration, bool) {
	switch name {
	case "public":
		return intune.CloudPublic, true
	case "usgov":
		return intune.CloudUSGovernment, true
	case "dod":
		return intune.CloudUSGovernmentDoD, true
	case "china":
		return intune.CloudChina, true
	case "france":
		return intune.CloudFrance, true
	case "germany":
		return intune.CloudGermany, true
	default:
		return cloud.Configuration{}, false
	}
}

// options are azcore's, for the sign-in and the client alike: a token of another cloud is refused.
func (c *connection) options() azcore.ClientOptions {
	where, _ := cloudNamed(c.cloudName)
	return c.rehearsal.apply(c.test.apply(azcore.ClientOptions{Cloud: where}))
}

// standIn reports whether the authority is none that Microsoft's public cloud knows of.
func (c *connection) standIn() bool { return c.test.authority != "" || c.rehearsal.authority != "" }

// client makes the client. A person signs in here, before any clock runs: they may take their time.
func (c *connection) client(
	ctx context.Context, screen *console, journal intune.Journal, policies []policy.Policy,
) (*intune.Client, error) {
	credential, err := c.credential(screen)
	if err != nil {
		return nil, err
	}
	options := c.options()
	options.PerCallPolicies = policies
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: options, Journal: journal})
	if err != nil {
		return nil, err
	}
	if c.interactive() && !c.needsNoSignIn() {
		if _, err := client.TokenInfo(ctx); err != nil {
			return nil, err
		}
	}
	return client, nil
}

// needsNoSignIn reports whether the stand-in takes a token that nobody gave out.
func (c *connection) needsNoSignIn() bool {
	return c.test.token != "" || c.rehearsal.on() && c.rehearsal.authority == ""
}

func (c *connection) credential(screen *console) (azcore.TokenCredential, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	switch {
	case c.needsNoSignIn():
		return intune.StaticToken(firstOf(c.test.token, "rehearsal")), nil
	case c.interactive():
		return c.personal(screen)
	}
	credential, err := intune.NewCredential(&intune.CredentialOptions{
		ClientOptions: c.options(), Method: c.method(), TenantID: c.tenantID, ClientID: c.clientID,
		DisableInstanceDiscovery: c.standIn(),
	})
	if err != nil {
		return nil, fmt.Errorf("cannot sign in: %w", err)
	}
	return credential, nil
}
