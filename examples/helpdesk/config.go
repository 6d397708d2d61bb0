package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

// settings are the defaults of a technician: the file config.json in the configuration folder. Flags and the environment
// win over them.
type settings struct {
	Tenant           string `json:"tenant,omitempty"`
	ClientID         string `json:"clientId,omitempty"`
	Cloud            string `json:"cloud,omitempty"`
	Auth             string `json:"auth,omitempty"`
	Journal          string `json:"journal,omitempty"`
	RequireReference bool   `json:"requireReference,omitempty"`
}

// setting is one of them by the name that people use.
type setting struct {
	name, help string
	variable   string // of the environment, which wins over the file
	get        func(*settings) string
	set        func(*settings, string) error // "" removes it
}

func allSettings() []setting {
	text := func(name, help, variable string, field func(*settings) *string, check func(string) (string, error)) setting {
		return setting{
			name: name, help: help, variable: variable,
			get: func(s *settings) string { return *field(s) },
			set: func(s *settings, value string) (err error) {
				if value != "" {
					value, err = check(value)
				}
				if err == nil {
					*field(s) = value
				}
				return err
			},
		}
	}
	return []setting{
		text("tenant", "Entra tenant, an id or a domain", "AZURE_TENANT_ID", func(s *settings) *string { return &s.Tenant }, checkTenant),
		text("client-id", "app registration to sign in with", "AZURE_CLIENT_ID", func(s *settings) *string { return &s.ClientID }, checkClientID),
		text("cloud", "one of "+strings.Join(cloudNames(), ", "), "", func(s *settings) *string { return &s.Cloud },
			known("cloud", cloudNames())),
		text("auth", "how to sign in, if not as with login", "", func(s *settings) *string { return &s.Auth }, known("auth", authNames())),
		text("journal", "file that records who was asked", "", func(s *settings) *string { return &s.Journal }, filepath.Abs),
		{
			name: "require-reference", help: "refuse to ask without --reference: true or false",
			variable: "HELPDESK_REQUIRE_REFERENCE", // anything in it demands one
			get: func(s *settings) string {
				if s.RequireReference {
					return "true"
				}
				return ""
			},
			set: func(s *settings, value string) error {
				yes, err := strconv.ParseBool(value)
				if err != nil && value != "" {
					return fmt.Errorf("require-reference is true or false, not %q", value)
				}
				s.RequireReference = yes
				return nil
			},
		},
	}
}

func checkTenant(value string) (string, error) {
	if strings.ContainsAny(value, " /:@") {
		return "", fmt.Errorf("%q is no tenant; it is an id or a domain, such as contoso.com", value)
	}
	return value, nil
}

func checkClientID(value string) (string, error) {
	if len(value) != 36 || uuid.Validate(value) != nil {
		return "", fmt.Errorf("%q is no application (client) id; it is like 00000000-0000-0000-0000-000000000000", value)
	}
	return value, nil
}

// known accepts one of some words.
func known(what string, words []string) func(string) (string, error) {
	return func(value string) (string, error) {
		if !slices.Contains(words, value) {
			return "", fmt.Errorf("unknown %s %q%s: it is one of %s", what, value, meant(value, words), strings.Join(words, ", "))
		}
		return value, nil
	}
}

// settings are those of the configuration file, and of the environment where that wins.
func (a *app) settings() settings {
	s := a.configured
	s.RequireReference = s.RequireReference || os.Getenv("HELPDESK_REQUIRE_REFERENCE") != ""
	return s
}

func settingsFile() (string, error) {
	folder, err := configFolder()
	return filepath.Join(folder, "config.json"), err
}

// readSettings reads the file. A machine without a home has none either.
func readSettings() (s settings, err error) {
	name, err := settingsFile()
	if err != nil {
		return s, nil //nolint:nilerr // there is no place that could hold any
	}
	content, err := readIfThere(name)
	if err != nil || len(content) == 0 {
		return s, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(content, &members); err != nil {
		return s, fmt.Errorf("%s cannot be read; correct or delete it: %w", name, err)
	}
	var names []string
	for _, one := range allSettings() {
		names = append(names, jsonName(one.name))
	}
	for member := range members {
		if !slices.Contains(names, member) {
			return s, fmt.Errorf("%s has the unknown name %q%s; correct it there", name, member, meant(member, names))
		}
	}
	if err := json.Unmarshal(content, &s); err != nil {
		return s, fmt.Errorf("%s cannot be read; correct or delete it: %w", name, err)
	}
	for _, one := range allSettings() {
		if err := one.set(&s, one.get(&s)); err != nil {
			return s, fmt.Errorf("%s: %w; correct it there", name, err)
		}
	}
	return s, nil
}

// jsonName is the name in the file: client-id is clientId there.
func jsonName(name string) string {
	first, rest, found := strings.Cut(name, "-")
	if found {
		rest = strings.ToUpper(rest[:1]) + rest[1:]
	}
	return first + rest
}

func (s settings) write() error {
	name, err := settingsFile()
	if err != nil {
		return err
	}
	return writePrivateJSON(name, s)
}

func (a *app) configCommand() *cobra.Command {
	var (
		unset string
		names []string
	)
	help := &strings.Builder{}
	for _, one := range allSettings() {
		names = append(names, one.name)
		help.WriteString("  " + wrapped(fmt.Sprintf("%-19s%s", one.name, one.help), lineWidth-2, ""))
	}
	cmd := &cobra.Command{
		Use:   "config [NAME [VALUE]]",
		Short: "show and set defaults, such as the tenant",
		Long: wrapped("Without NAME it shows the configuration file and what is in it; with NAME alone, that value; with VALUE, it sets it. "+
			"A flag wins over AZURE_TENANT_ID and AZURE_CLIENT_ID, and they win over the file. login fills in the tenant and the app, "+
			"and logout leaves them.", lineWidth, "") + "\nSettings:\n" + help.String(),
		Example: "  helpdesk config\n  helpdesk config tenant contoso.com\n  helpdesk config --unset tenant",
		Args:    noMore(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case cmd.Flags().Changed("unset") && len(args) > 0:
				return failed(exitUsage, "--unset takes one name and nothing else")
			case cmd.Flags().Changed("unset"):
				return a.configure(unset, "")
			case len(args) == 2 && strings.TrimSpace(args[1]) == "":
				return failed(exitUsage, "VALUE is blank; to remove it: helpdesk config --unset %s", args[0])
			case len(args) == 2:
				return a.configure(args[0], strings.TrimSpace(args[1]))
			case len(args) == 1:
				one, err := settingNamed(args[0])
				if err != nil {
					return err
				}
				value := one.get(&a.configured)
				if value == "" {
					return failed(exitNothing, "%s is not set", one.name)
				}
				return a.print(value + "\n")
			}
			return a.showSettings()
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			values := names
			switch {
			case len(args) == 1 && args[0] == "journal":
				return nil, cobra.ShellCompDirectiveDefault
			case len(args) > 0:
				values = map[string][]string{"cloud": cloudNames(), "auth": authNames(), "require-reference": {"true", "false"}}[args[0]]
			}
			return begunWith(typed, values), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringVar(&unset, "unset", "", "remove the setting `NAME`")
	offer(cmd, "unset", names...)
	return cmd
}

// settingNamed takes underscores for hyphens.
func settingNamed(name string) (setting, error) {
	var names []string
	for _, one := range allSettings() {
		if one.name == strings.ReplaceAll(name, "_", "-") {
			return one, nil
		}
		names = append(names, one.name)
	}
	return setting{}, failed(exitUsage, "unknown setting %q%s; there are %s", name, meant(name, names), strings.Join(names, ", "))
}

func (a *app) configure(name, value string) error {
	one, err := settingNamed(name)
	if err != nil {
		return err
	}
	if err := one.set(&a.configured, value); err != nil {
		return failed(exitUsage, "%v", err)
	}
	if err := a.configured.write(); err != nil {
		return fmt.Errorf("the configuration could not be kept: %w", err)
	}
	return nil
}

// showSettings prints values whole: a path that is cut is none.
func (a *app) showSettings() error {
	name, err := settingsFile()
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintln(&b, clean(name))
	for _, one := range allSettings() {
		value := orDash(clean(one.get(&a.configured)))
		if set := os.Getenv(one.variable); one.variable != "" && set != "" {
			value = clean(set) + " (from " + one.variable + ")"
		}
		fmt.Fprintf(&b, "  %-19s%s\n", one.name, value)
	}
	return a.print(b.String())
}
