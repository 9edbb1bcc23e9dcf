"""What is graded, as data: features, scales, rules, and the loader of protocol files."""
