"""People who log in: teachers, researchers, administrators. Classes need no account."""
