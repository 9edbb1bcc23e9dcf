"""Physically made test radiographs with known truth; imports imaging only."""
