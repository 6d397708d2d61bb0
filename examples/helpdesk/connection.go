package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"github.com/spf13/pflag"
)

// connection says how to reach a tenant. Its flags are the same for every command.
type connection struct {
	cloudName, auth    string
	tenantID, clientID string

	account *account // of login, if it is to be used
	test    testPlace
}

func (c *connection) register(flags *pflag.FlagSet) {
	flags.StringVar(&c.auth, "auth", "",
		"how to sign in: `METHOD` is browser, devicecode, default, azurecli, managedidentity or environment "+
			"(default: as with login, else default)")
	flags.StringVar(&c.tenantID, "tenant", "", "Entra tenant, an `ID` or a domain")
	flags.StringVar(&c.clientID, "client-id", "", "`ID` of the app registration to sign in with")
	flags.StringVar(&c.cloudName, "cloud", "", "`CLOUD`: public, usgov, dod, china, france or germany (default public)")
}

// isConnectionFlag reports whether a flag only makes sense on a real tenant.
func isConnectionFlag(name string) bool {
	return slices.Contains([]string{"cloud", "auth", "tenant", "client-id"}, name)
}

// check settles what the flags, the account of login, and the defaults say together.
func (c *connection) check(flags *pflag.FlagSet, saved *account) (err error) {
	if c.test, err = testPlaceFromEnvironment(); err != nil {
		return err
	}
	if saved != nil && !flags.Changed("auth") {
		c.auth = saved.Method
	}
	if saved != nil && c.interactive() {
		same := takeOr(&c.tenantID, saved.TenantID) && takeOr(&c.clientID, saved.ClientID) && takeOr(&c.cloudName, saved.Cloud)
		if same {
			c.account = saved
		}
	}
	takeOr(&c.auth, string(intune.CredentialMethodDefault))
	takeOr(&c.cloudName, "public")
	if _, ok := cloudNamed(c.cloudName); !ok {
		return failed(exitUsage, "unknown --cloud %q: it is one of public, usgov, dod, china, france, germany", c.cloudName)
	}
	if !slices.Contains(intune.PossibleCredentialMethodValues(), c.method()) {
		return failed(exitUsage, "unknown --auth %q: it is one of browser, devicecode, default, azurecli, managedidentity, environment", c.auth)
	}
	if c.interactive() && c.clientID == "" {
		return failed(exitUsage, "--auth %s needs --client-id, the application (client) id of an app registration of your own", c.auth)
	}
	return nil
}

// takeOr fills in a setting that was not given, and reports whether it now is the one that was saved.
func takeOr(setting *string, saved string) bool {
	if *setting == "" {
		*setting = saved
	}
	return strings.EqualFold(*setting, saved)
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
	return c.test.apply(azcore.ClientOptions{Cloud: where})
}

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
	if c.interactive() {
		if _, err := client.TokenInfo(ctx); err != nil {
			return nil, err
		}
	}
	return client, nil
}

func (c *connection) credential(screen *console) (azcore.TokenCredential, error) {
	switch {
	case c.test.token != "":
		return intune.StaticToken(c.test.token), nil
	case c.interactive():
		return c.personal(screen)
	}
	credential, err := intune.NewCredential(&intune.CredentialOptions{
		ClientOptions: c.options(), Method: c.method(), TenantID: c.tenantID, ClientID: c.clientID,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot sign in: %w", err)
	}
	return credential, nil
}
