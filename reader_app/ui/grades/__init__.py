"""The panel of grades beside a film."""
