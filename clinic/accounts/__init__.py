"""Staff accounts: password and second factor, limits on guessing, sessions, resets, break-glass."""
