"""The staff's API: what the admin does, for a clinic's own tools. The same services, the same permissions."""
