"""Whether the screen is fit to read on: what is known of it, and the check by eye."""
