"""App configuration."""

from django.apps import AppConfig
from django.core.checks import Tags, register

from clinic.audit.checks import audited_tables
from clinic.checks import database_role, opened_keys, protected_tables
from clinic.weak_secrets import open_files, published_keys


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = "Clinic"

    def ready(self) -> None:
        register(database_role, Tags.database)
        register(protected_tables, Tags.database)
        register(opened_keys, Tags.database)
        register(published_keys, Tags.database)
        register(open_files, Tags.security)
        register(audited_tables, Tags.database)
