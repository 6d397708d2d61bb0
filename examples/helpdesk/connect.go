package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
)

// connection says how to reach a tenant. Its flags are the same for every command.
type connection struct {
	cloudName, auth    string
	tenantID, clientID string
}

func (c *connection) register(flags *flag.FlagSet) {
	flags.StringVar(&c.cloudName, "cloud", "public", "")
	flags.StringVar(&c.auth, "auth", string(intune.CredentialMethodDefault), "")
	flags.StringVar(&c.tenantID, "tenant", "", "")
	flags.StringVar(&c.clientID, "client-id", "", "")
}

// isConnectionFlag reports whether a flag only makes sense on a real tenant.
func isConnectionFlag(name string) bool {
	return slices.Contains([]string{"cloud", "auth", "tenant", "client-id"}, name)
}

func (c *connection) check() error {
	if _, ok := cloudNamed(c.cloudName); !ok {
		return fmt.Errorf("unknown -cloud %q: it is one of public, usgov, dod, china, france, germany", c.cloudName)
	}
	if !slices.Contains(intune.PossibleCredentialMethodValues(), c.method()) {
		return fmt.Errorf("unknown -auth %q: it is one of default, browser, devicecode, azurecli, managedidentity, environment", c.auth)
	}
	if c.interactive() && c.clientID == "" {
		return errors.New("-auth " + c.auth + " needs -client-id, the application (client) id of an app registration of your own")
	}
	return nil
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

// connect makes the client of a real tenant.
func connect(ctx context.Context, c connection, stderr io.Writer) (*intune.Client, error) {
	where, _ := cloudNamed(c.cloudName)
	credential, err := intune.NewCredential(&intune.CredentialOptions{
		// The same cloud as the client's: a token of another cloud is refused.
		ClientOptions: azcore.ClientOptions{Cloud: where},
		Method:        c.method(),
		TenantID:      c.tenantID,
		ClientID:      c.clientID,
		Prompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
			_, err := fmt.Fprintln(stderr, message.Message) // standard output is for devices
			return err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot sign in: %w", err)
	}
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Cloud: where}})
	if err != nil {
		return nil, err
	}
	if c.interactive() {
		// Before the clock of -timeout starts: a person may take their time.
		if _, err := client.TokenInfo(ctx); err != nil {
			return nil, err
		}
	}
	return client, nil
}
