package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// takesEscapes turns on the escape sequences of a console, which older ones of Windows print as they are unless asked.
func takesEscapes(console *os.File) bool {
	handle, mode := windows.Handle(console.Fd()), uint32(0)
	if err := windows.GetConsoleMode(handle, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
