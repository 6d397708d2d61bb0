package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// readSecret is the value of a variable, or the content of the file that the variable with _FILE at its end names. An
// error never holds the secret.
func readSecret(env func(string) string, name string) (string, error) {
	file := env(name + "_FILE")
	switch {
	case file == "":
		return env(name), nil
	case env(name) != "":
		return "", fmt.Errorf("%s and %s_FILE are both set; keep one", name, name)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	secret := strings.TrimSpace(string(content))
	if secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", errors.New(name + "_FILE should name a file with the secret on one line")
	}
	return secret, nil
}
