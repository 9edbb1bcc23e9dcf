"""Pure rules of a reading study: cases, grades, sessions, adjudication. No Qt, no database, no files."""
