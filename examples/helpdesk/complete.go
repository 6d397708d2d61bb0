package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// offer completes the value of a flag from a list, and an empty list with nothing: a shell would offer files.
func offer(cmd *cobra.Command, flag string, values ...string) {
	if cmd.Flags().Lookup(flag) != nil {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			return begunWith(typed, values), cobra.ShellCompDirectiveNoFileComp
		})
	}
}

// begunWith leaves the words that begin with what was typed. Not every shell does that itself.
func begunWith(typed string, words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return !hasPrefixFold(word, typed) })
}

// completeDevices completes WHO with devices of the record, and the request of resume. Nothing is sent for it.
func (a *app) completeDevices(cmd *cobra.Command) {
	takesWho := cmd.Flags().Lookup(bySerial) != nil
	if !takesWho && cmd.Name() != "resume" {
		if cmd.ValidArgsFunction == nil {
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
		return
	}
	const noFiles = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	one := func(pick func(*request) string) cobra.CompletionFunc {
		return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, noFiles
			}
			return a.recorded(pick, typed, !takesWho), noFiles
		}
	}
	cmd.ValidArgsFunction = one((*request).name)
	if takesWho {
		for flag, pick := range map[string]func(*request) string{
			bySerial: func(r *request) string { return r.serialNumber },
			byName:   func(r *request) string { return r.deviceName },
			byID:     func(r *request) string { return r.Device().DeviceID() },
		} {
			_ = cmd.RegisterFlagCompletionFunc(flag, one(pick))
		}
		offer(cmd, byUser)
	}
}

// completeBulk completes the file of bulk by the shell itself, and the values of its flags.
func completeBulk(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
	offer(cmd, "by", kindNames()...)
	offer(cmd, "delimiter", "tab")
	for _, name := range []string{"column", "app", "max-wait", "per-second", "give-up"} {
		offer(cmd, name)
	}
}

// recorded are names of devices of the record, the latest first, each once.
func (a *app) recorded(pick func(*request) string, typed string, openOnly bool) []string {
	list, err := a.requests()
	if err != nil {
		return nil
	}
	if openOnly {
		list = openOf(list)
		slices.Reverse(list)
	}
	var offers, seen []string
	for _, r := range slices.Backward(list) {
		name := pick(r)
		if name == "" || clean(name) != name || slices.Contains(seen, name) || !hasPrefixFold(name, typed) {
			continue
		}
		seen = append(seen, name)
		offers = append(offers, cobra.CompletionWithDesc(name, "asked "+age(time.Since(r.when()))))
	}
	return offers
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}
