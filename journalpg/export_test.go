package journalpg

import "github.com/go-intune/intune"

// WaitOn is what Resume does with a wait.
func WaitOn(j *Journal, client *intune.Client, claimed Claimed) { wait(j, client, claimed) }
