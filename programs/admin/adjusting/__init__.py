"""A program fitted to one person: its page, its forms, and each change that can be made on it."""
