"""A round of the game: ten faces chosen to teach, the answers to them, and who agreed with whom."""
