"""The page on which an assessment is written: its form, its drafts, its conflicts, its signature."""
