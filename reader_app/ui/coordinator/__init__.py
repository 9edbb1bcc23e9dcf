"""What a coordinator sees of a study: import, pre-grades, accounts, progress, report."""
