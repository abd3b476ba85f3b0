#!/usr/bin/env python
"""The commands of the service: ``manage.py help``.

Where no DATABASE_URL or REDIS_URL is given, a command finds the bundled servers or starts them for its own
duration; on an empty bundled database it first creates the roles, migrates and loads the starter library.
"""

import os
import sys


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from config import commands
    except ModuleNotFoundError as error:
        if error.name not in {"django", "psycopg", "psutil"}:
            raise
        print(f"{error.name} is not installed here: run `make setup`, then .venv/bin/python manage.py.")
        return 1
    return commands.run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
