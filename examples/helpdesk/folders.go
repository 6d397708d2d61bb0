package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// folderName is the name of the tool's folders in those of the user.
const folderName = "intune-helpdesk"

// stateFolder is where the journal is kept. It is no setting that anybody would carry to another machine, and no cache
// that may be emptied.
func stateFolder() (string, error) {
	if set := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(set) {
		return filepath.Join(set, folderName), nil
	}
	switch runtime.GOOS {
	case "windows": // %LocalAppData%, which does not follow the user to other machines
		folder, err := os.UserCacheDir()
		return filepath.Join(folder, folderName), err
	case "darwin", "ios":
		folder, err := os.UserConfigDir()
		return filepath.Join(folder, folderName), err
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state", folderName), err
}

// configFolder is where login keeps which account it is.
func configFolder() (string, error) {
	folder, err := os.UserConfigDir()
	return filepath.Join(folder, folderName), err
}

// openPrivate opens a file that only its owner may read, and makes its folder.
func openPrivate(name string, flag int) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(name, flag|os.O_CREATE, 0o600)
}

// readIfThere reads a file. One that is not there is empty, and so is a device or a pipe, which may have no end.
func readIfThere(name string) ([]byte, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	content, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return content, err
}

// writePrivateJSON replaces a file in one step: a crash leaves the one before, and nobody else may read either.
func writePrivateJSON(name string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	folder := filepath.Dir(name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, filepath.Base(name)+".*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(append(content, '\n'))
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// sameFile reports whether two names are those of one file, which may not exist yet.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	if err == nil && otherErr == nil {
		return one.Mode().IsRegular() && os.SameFile(one, other)
	}
	return wholeName(linkless(a)) == wholeName(linkless(b))
}

// wholeName is the one name of a file in a folder that has several.
func wholeName(name string) string {
	folder, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return name
	}
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	return filepath.Join(folder, filepath.Base(name))
}

// linkless is a file's name without symbolic links, so that what is kept beside it is the same under all of its names. A
// link may lead to a file that is not there yet.
func linkless(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real
	}
	const most = 40 // links, which may lead in a circle
	for range most {
		to, err := os.Readlink(name)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(name))
			if err != nil {
				break
			}
			to = filepath.Join(folder, to)
		}
		name = to
	}
	return name
}
