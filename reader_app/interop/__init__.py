"""Files for other programs, and files from elsewhere made fit to be kept: nothing here names a person."""
