"""One report model, built from plain tables of grades, and its renderings."""
