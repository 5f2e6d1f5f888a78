"""The report: every claim of the paper beside the runs that test it."""
