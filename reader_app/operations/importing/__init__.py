"""What an import is made of: finding files, looking at headers, planning, reading pixels, the door."""
