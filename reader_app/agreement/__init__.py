"""Numbers in, numbers out: grades of two columns to coefficients with their intervals."""
