package main

import (
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/spf13/cobra"
)

// need is a permission and what it is for. The first of its names is the one to ask for; each of them does.
type need struct {
	purpose string
	anyOf   []string
}

func needs() []need {
	const devices, apps, service = "DeviceManagementManagedDevices.", "DeviceManagementApps.", "DeviceManagementServiceConfig."
	const read, write = "Read.All", "ReadWrite.All"
	return []need{
		{"connect", []string{devices + write}},
		{"find", []string{devices + read, devices + write}},
		{"history", []string{apps + read, apps + write}},
		{"connector", []string{service + read, service + write}},
	}
}

func (n need) met(info intune.TokenInfo) bool {
	held := slices.Concat(info.Scopes, info.Roles)
	return slices.ContainsFunc(n.anyOf, func(name string) bool {
		return slices.ContainsFunc(held, func(has string) bool { return strings.EqualFold(has, name) })
	})
}

// sayLacks names the permissions that a token does not have, if that can be told.
func (a *app) sayLacks(info intune.TokenInfo) {
	if info.Kind == intune.TokenKindUnknown {
		return
	}
	for _, n := range needs() {
		if !n.met(info) {
			a.warn("%s will not work fully: the token lacks %s", n.purpose, n.anyOf[0])
		}
	}
}

type whoamiJSON struct {
	Account     string          `json:"account"`
	Kind        string          `json:"kind"`
	TenantID    string          `json:"tenantId"`
	AppID       string          `json:"appId"`
	ExpiresOn   *time.Time      `json:"expiresOn"`
	Permissions []string        `json:"permissions"`
	Can         map[string]bool `json:"can"` // empty if nobody can tell
}

func (a *app) whoamiCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "show whose token the commands use, and what it lacks",
		Long: wrapped("Shows whose token the other commands would use, and which of their permissions it has and lacks. The rights of "+
			"Intune's roles are not in a token; connect and find tell of those.", lineWidth, ""),
		Example: "  helpdesk whoami --demo",
		Args:    noMore(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := a.client(cmd.Context(), nil)
			if err != nil {
				return err
			}
			info, err := client.TokenInfo(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return a.whoamiJSON(info)
			}
			return a.print(a.whoami(info))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object, for programs")
	return cmd
}

func (a *app) whoami(info intune.TokenInfo) string {
	rows := [][2]string{
		{"Account", a.accountName()},
		{"Kind", string(info.Kind)},
		{"Tenant", info.TenantID},
		{"App", info.AppID},
		{"Expires", "-"},
	}
	if !info.ExpiresOn.IsZero() {
		rows[4][1] = moment(info.ExpiresOn)
	}
	for _, n := range needs() {
		state := "yes"
		switch {
		case info.Kind == intune.TokenKindUnknown:
			state = "unknown: this token does not tell"
		case !n.met(info):
			state = "no, lacks " + n.anyOf[0]
		}
		rows = append(rows, [2]string{n.purpose, state})
	}
	return facts(rows, a.columns)
}

func (a *app) whoamiJSON(info intune.TokenInfo) error {
	out := whoamiJSON{
		Account: a.accountName(), Kind: string(info.Kind), TenantID: info.TenantID, AppID: info.AppID,
		Permissions: slices.Concat([]string{}, info.Scopes, info.Roles), Can: map[string]bool{},
	}
	if !info.ExpiresOn.IsZero() {
		at := info.ExpiresOn.UTC()
		out.ExpiresOn = &at
	}
	if info.Kind == intune.TokenKindUnknown {
		return a.printJSON(out)
	}
	for _, n := range needs() {
		out.Can[n.purpose] = n.met(info)
	}
	return a.printJSON(out)
}
