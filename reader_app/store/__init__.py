"""The study on disk: radiographs, readings, pre-grades, journal. The one room that knows SQLAlchemy."""
