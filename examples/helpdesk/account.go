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

func accountFile() (string, error) {
	folder, err := configFolder()
	return filepath.Join(folder, "account.json"), err
}

// readAccount is the account of login, nil if there is none.
func readAccount() (*account, error) {
	name, err := accountFile()
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

func (s *account) write() error {
	name, err := accountFile()
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	file, err := openPrivate(name, os.O_WRONLY|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = file.Write(append(content, '\n'))
	return errors.Join(err, file.Close())
}

// forgetAccount reports whether there was one.
func forgetAccount() (bool, error) {
	name, err := accountFile()
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
