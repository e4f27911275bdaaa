"""Who may do what: the owner of the computer that the app runs on, and everybody else who opens its link."""
