package main

// checkReference refuses a request without a reason, where one is demanded.
func (a *app) checkReference(reference string) error {
	if reference == "" && a.settings().RequireReference {
		return failed(exitUsage, "say why, with --reference, such as --reference INC-4711: it is demanded here")
	}
	return nil
}

const referenceHelp = "`TEXT` that says why, such as a ticket; it goes into the record"
