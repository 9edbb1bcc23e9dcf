"""Who sits at the screen in between log in and log out: idle watch, lock, cover, PIN."""
