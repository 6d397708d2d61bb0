package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// meant is the question whether another word was meant, "" if none is near.
func meant(word string, words []string) string {
	best, distance := "", 3
	for _, candidate := range words {
		if d := edits(strings.ToLower(word), strings.ToLower(candidate)); d < distance && d < len(candidate) {
			best, distance = candidate, d
		}
	}
	if best == "" && len(word) > 2 {
		for _, candidate := range words {
			if strings.HasPrefix(candidate, strings.ToLower(word)) {
				best = candidate
				break
			}
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// edits is how many letters differ: the Levenshtein distance, in which two that changed places are one edit.
func edits(from, to string) int {
	rows := make([][]int, len(from)+1)
	for i := range rows {
		rows[i] = make([]int, len(to)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(from); i++ {
		for j := 1; j <= len(to); j++ {
			change := 1
			if from[i-1] == to[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(from)][len(to)]
}

// unknownCommand is the error of a word that is no command of cmd.
func unknownCommand(cmd *cobra.Command, word string) error {
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return failed(exitUsage, "unknown command %q%s; see: %s -h", word, meant(word, names), cmd.CommandPath())
}

// badFlag says what is wrong with a flag: its value, its name, or that it does nothing for the command.
func badFlag(cmd *cobra.Command, err error) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return failed(exitUsage, "%s; see: %s -h", badValue(invalid), cmd.CommandPath())
	}
	missing, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok || missing.GetSpecifiedShortnames() != "" {
		return failed(exitUsage, "%v; see: %s -h", err, cmd.CommandPath())
	}
	name := missing.GetSpecifiedName()
	for _, other := range cmd.Root().Commands() {
		if other.Flags().Lookup(name) != nil {
			return failed(exitUsage, "--%s does nothing for %s; leave it out; see: %s -h", name, cmd.Name(), cmd.CommandPath())
		}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return failed(exitUsage, "%v%s; see: %s -h", err, meant("--"+name, names), cmd.CommandPath())
}

// badValue says what a flag's value should be, which the parsers of Go say only to programmers.
func badValue(err *pflag.InvalidValueError) string {
	right := map[string]string{
		"bool": "true or false", "int": "a whole number, such as 30", "float64": "a number, such as 5",
		"duration": "a time with its unit, such as 90s or 10m",
	}[err.GetFlag().Value.Type()]
	if right == "" {
		return err.Error()
	}
	return fmt.Sprintf("--%s is %s, not %q", err.GetFlag().Name, right, err.GetValue())
}
