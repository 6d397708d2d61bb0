package journalpg_test

func runChild() bool { return false }
