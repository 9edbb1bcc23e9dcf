"""One verb a file: what the window and the command line both call. They wire rooms together."""
