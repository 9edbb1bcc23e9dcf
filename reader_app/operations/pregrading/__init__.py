"""How `reader_app.operations.pregrade` does its work: films, engines, and keeping what they say."""
