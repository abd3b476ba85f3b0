"""The audit trail: who wrote or read what, of which patient, when, from where and why.

``triggers`` are the migration operations that put a table's changes on record, ``origin`` says who works
and from where, ``seen`` notes whose records a request shows, ``chain`` proves that nothing was removed or
changed.
See docs/audit.md.
"""
