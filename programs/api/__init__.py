"""The patient's API: how they log in, what they are to do, what they report, how it goes."""
