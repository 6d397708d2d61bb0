//go:build !windows

package main

import "os"

// takesEscapes reports that a terminal understands escape sequences; one that does not is called dumb.
func takesEscapes(*os.File) bool { return os.Getenv("TERM") != "dumb" }
