"""A reader's worklist and the page on which cases are read."""
