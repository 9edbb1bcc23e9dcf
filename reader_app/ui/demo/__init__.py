"""The whole job played in the real window by real key presses: for the demo, and for end-to-end tests."""
