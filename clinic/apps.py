"""App configuration."""

from typing import Any

from django.apps import AppConfig
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core.checks import CheckMessage, Tags, register

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


class PagesOnDemand(SimpleAdminConfig):
    """The admin. Its pages are loaded with the addresses (``config.urls``), not with every process: that
    is half of a start, and beat or a shell show none."""

    def ready(self) -> None:
        register(check_dependencies, Tags.admin)
        register(sound_pages, Tags.admin)


def sound_pages(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Django's own check sees the pages that are loaded already."""
    autodiscover()
    found: list[CheckMessage] = check_admin_app(app_configs, **options)
    return found
