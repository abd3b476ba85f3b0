"""``manage.py rotate_keys``: wrap the patients' data keys with a new master key."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from clinic.data_keys import rewrap
from clinic.management.teaching import TeachingCommand
from clinic.models import Clinic
from clinic.row_security import Tenant, acting_for
from clinic.secrets import SecretLostError


class Command(TeachingCommand):
    help = (
        "Wrap every patient's data key anew with the first key of ENCRYPTION_KEYS. Nothing else is "
        "re-written, so it takes seconds, and the service goes on meanwhile."
    )
    example = """
To change the master key:
  1. put the new key in front of the old one: ENCRYPTION_KEYS=new,old    and restart
  2. manage.py rotate_keys
  3. after 30 days take the old one away: ENCRYPTION_KEYS=new
     Until then it opens e-mails that are about no single patient, such as digests.
"""

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        with acting_for(Tenant(platform=True)):
            clinics = list(Clinic.objects.order_by("pk"))
        for clinic in clinics:
            with acting_for(Tenant((clinic.pk,))), transaction.atomic():
                try:
                    count += rewrap()
                except SecretLostError as error:
                    raise self.refuse(f"Clinic {clinic.slug} keeps its keys as they are: {error}") from None
        self.stdout.write(f"{count} keys are wrapped with the first master key.")
