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

func (a *app) loginCommand() *cobra.Command {
	var withCode bool
	cmd := &cobra.Command{
		Use:   "login",
		Short: "sign in, and keep the account for the other commands",
		Long: wrapped("Signs you in with a browser, or with a code on a machine without one, and keeps the account: the other commands "+
			"then need no flags to sign in. Tokens are kept where the system keeps secrets of yours.", lineWidth, "") + "\n" +
			wrapped("The app registration needs the delegated permission DeviceManagementManagedDevices.ReadWrite.All with an administrator's "+
				"consent; for a browser the redirect URI http://localhost, for a code \"Allow public client flows\".", lineWidth, ""),
		Example: "  helpdesk login --tenant contoso.com --client-id APP\n  helpdesk login --tenant contoso.com --client-id APP --device-code",
		Args:    noMore(0),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case a.demo:
				return failed(exitUsage, "--demo has nobody to sign in; leave it out")
			case withCode:
				a.connection.auth = string(intune.CredentialMethodDeviceCode)
			case !a.connection.interactive():
				if cmd.Flags().Changed("auth") {
					return failed(exitUsage,
						"login signs a person in: --auth browser or --auth devicecode; the other commands take --auth %s without login",
						a.connection.auth)
				}
				a.connection.auth = string(intune.CredentialMethodBrowser)
			}
			if a.connection.clientID == "" {
				return failed(exitUsage, "login needs --client-id, the application (client) id of an app registration of your own; "+
					"see: helpdesk login -h")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return a.login(cmd) },
	}
	cmd.Flags().BoolVar(&withCode, "device-code", false, "type a code on another device instead of using a browser here")
	return cmd
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
	a.sayLacks(info)
	return nil
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
		Long: wrapped("Forgets which account login kept, so that no command uses it any more. The system's store of secrets "+
			"may keep its tokens until they expire; to end them at once, "+
			"revoke your sessions in Entra (My Account, Sign out everywhere).", lineWidth, ""),
		Example: "  helpdesk logout",
		Args:    noMore(0),
		RunE: func(*cobra.Command, []string) error {
			had, err := forgetAccount()
			if err == nil && !had {
				a.say("No account was kept.")
			}
			return err
		},
	}
}
