"""The wizard in which a coordinator makes or amends a study's reading design."""
