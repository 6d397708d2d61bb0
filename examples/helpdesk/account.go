package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// account is what login keeps: which account it is and how it signs in. Tokens are in azidentity's cache.
type account struct {
	Method   string                          `json:"method"`
	Cloud    string                          `json:"cloud"`
	TenantID string                          `json:"tenantId"`
	ClientID string                          `json:"clientId"`
	Record   azidentity.AuthenticationRecord `json:"record"`
}

// accountFile is where the account is kept; a rehearsal has one of its own.
func (c *connection) accountFile() (string, error) {
	folder, err := configFolder()
	name := "account.json"
	if c.rehearsal.on() {
		name = c.rehearsal.fileName() + "-account.json"
	}
	return filepath.Join(folder, name), err
}

// readAccount is the account of login, nil if there is none.
func (c *connection) readAccount() (*account, error) {
	name, err := c.accountFile()
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // a machine without a home has no account either
	}
	content, err := readIfThere(name)
	if err != nil || content == nil {
		return nil, err
	}
	saved := &account{}
	if err := json.Unmarshal(content, saved); err != nil {
		return nil, fmt.Errorf("%s cannot be read; delete it and sign in anew with helpdesk login: %w", name, err)
	}
	return saved, nil
}

func (c *connection) writeAccount() error {
	name, err := c.accountFile()
	if err != nil {
		return err
	}
	return writePrivateJSON(name, c.account)
}

// forgetAccount reports whether there was one.
func (c *connection) forgetAccount() (bool, error) {
	name, err := c.accountFile()
	if err != nil {
		return false, err
	}
	err = os.Remove(name)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// accountName is the sign-in name of the account, "" if login did not keep one.
func (a *app) accountName() string {
	if a.connection.account != nil {
		return a.connection.account.Record.Username
	}
	return ""
}
