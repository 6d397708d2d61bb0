package main

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/go-intune/intune"
	"github.com/spf13/cobra"
)

// registrationHelp is how the app registration is made with the Azure CLI. The ids are those of Microsoft Graph and of its
// delegated permissions, the same in every tenant.
const registrationHelp = `An administrator makes the app registration, once. With the Azure CLI
(APP is the appId that the first command prints):

  az ad app create --display-name helpdesk \
    --sign-in-audience AzureADMyOrg \
    --public-client-redirect-uris http://localhost \
    --is-fallback-public-client true
  az ad sp create --id APP
  az ad app permission add --id APP \
    --api 00000003-0000-0000-c000-000000000000 \
    --api-permissions 44642bfe-8385-4adc-8fc6-fe3cb2c375c3=Scope
  az ad app permission admin-consent --id APP

That is the permission DeviceManagementManagedDevices.ReadWrite.All.
For "connector" and "history", the third command takes two more after
the first: DeviceManagementServiceConfig.Read.All
  8696daa5-bce5-4b2e-83f9-51b6defc4e1e=Scope
and DeviceManagementApps.Read.All
  4edf5f54-4666-44af-9de9-0144fb4b6e8c=Scope

In the portal it is: a redirect URI http://localhost for "Mobile and
desktop applications", "Allow public client flows", and the
permission with an administrator's consent.

To rehearse the sign-in, run examples/tenant, and add to login and
every other command: --graph URL --authority URL --ca FILE
`

func (a *app) loginCommand() *cobra.Command {
	var withCode bool
	cmd := &cobra.Command{
		Use:   "login",
		Short: "sign in, and keep the account for the other commands",
		Long: wrapped("Signs you in with a browser, or with a code on a machine without one, and keeps the account: the other commands "+
			"then need no flags to sign in. Tokens are kept where the system keeps secrets of yours.", lineWidth, "") + "\n" +
			registrationHelp,
		Example: "  helpdesk login --tenant contoso.com --client-id APP\n  helpdesk login --tenant contoso.com --client-id APP --device-code",
		Args:    noMore(0),
		PreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepareLogin(cmd, withCode) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.login(cmd) },
	}
	cmd.Flags().BoolVar(&withCode, "device-code", false, "type a code on another device instead of using a browser here")
	return cmd
}

func (a *app) prepareLogin(cmd *cobra.Command, withCode bool) error {
	c := &a.connection
	switch {
	case c.rehearsal.on() && c.rehearsal.authority == "":
		return failed(exitUsage, "to rehearse the sign-in, add --authority %s; without it a rehearsal needs no login", c.rehearsal.graph)
	case withCode:
		c.auth = string(intune.CredentialMethodDeviceCode)
	case !c.interactive():
		if cmd.Flags().Changed("auth") {
			return failed(exitUsage,
				"login signs a person in: --auth browser or --auth devicecode; the other commands take --auth %s without login", c.auth)
		}
		c.auth = string(intune.CredentialMethodBrowser)
	}
	if c.method() == intune.CredentialMethodBrowser && !hasBrowser() {
		a.say("There is no browser here, so this is as with --device-code.")
		c.auth = string(intune.CredentialMethodDeviceCode)
	}
	c.fillIDs(a.configured, nil)
	if c.clientID == "" {
		return failed(exitUsage, "login needs --client-id, the application (client) id of an app registration of your own; "+
			"see: helpdesk login -h")
	}
	return nil
}

func (a *app) login(cmd *cobra.Command) error {
	c := &a.connection
	// A sign-in that is asked for begins anew: another account may be meant.
	c.account = &account{Method: c.auth, Cloud: c.cloudName, TenantID: c.tenantID, ClientID: c.clientID}
	credential, err := c.personal(a.console)
	if err != nil {
		return err
	}
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: c.options()})
	if err != nil {
		return err
	}
	if err := credential.signIn(cmd.Context(), client.TokenRequestOptions()); err != nil {
		if cmd.Context().Err() != nil {
			return cmd.Context().Err()
		}
		return failed(exitRefused, "the sign-in failed: %v", whySignIn(err))
	}
	info, err := client.TokenInfo(cmd.Context())
	if err != nil {
		return err
	}
	a.say("Signed in as %s.", orDash(c.account.Record.Username))
	a.keepIDs()
	a.sayLacks(info)
	return nil
}

// keepIDs writes the tenant and the app into the configuration, where they survive a logout.
func (a *app) keepIDs() {
	c := &a.connection
	if c.rehearsal.on() {
		return
	}
	before := a.configured
	a.configured.Tenant, a.configured.ClientID = c.tenantID, c.clientID
	if c.cloudName != "public" || before.Cloud != "" {
		a.configured.Cloud = c.cloudName
	}
	if a.configured == before {
		return
	}
	if err := a.configured.write(); err != nil {
		a.warn("the tenant and the app could not be kept: %v", err)
	}
}

// whySignIn is the part of azidentity's error that is for people: what Entra says, or else all but Entra's whole answer.
func whySignIn(err error) string {
	if refused, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && refused.RawResponse != nil {
		var answer struct {
			Description string `json:"error_description"`
		}
		body, _ := runtime.Payload(refused.RawResponse)
		if json.Unmarshal(body, &answer) == nil && answer.Description != "" {
			return firstLine(answer.Description)
		}
		return "Entra answered " + refused.RawResponse.Status + "; it was declined, or took too long" // of a code it does not tell more
	}
	text, _, _ := strings.Cut(err.Error(), "\n----")
	return text
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}

func (a *app) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "forget the account of login",
		Long: wrapped("Forgets which account login kept, so that no command uses it any more. The tenant and the app stay in the configuration, "+
			"so that \"helpdesk login\" is enough to come back. The system's store of secrets may keep its tokens until they expire; to end them "+
			"at once, revoke your sessions in Entra (My Account, Sign out everywhere).", lineWidth, ""),
		Example: "  helpdesk logout",
		Args:    noMore(0),
		RunE: func(*cobra.Command, []string) error {
			had, err := a.connection.forgetAccount()
			if err == nil && !had {
				a.say("No account was kept.")
			}
			return err
		},
	}
}
