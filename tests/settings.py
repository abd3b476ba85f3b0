"""The service's settings on this test run's throw-away servers."""

from tests import servers

servers.set_environment()

from config.settings import *  # noqa: E402, F403

DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c tests.everything=on"  # noqa: F405
MIDDLEWARE.insert(MIDDLEWARE.index("config.middleware.TenantTransaction") + 1, "tests.enforced.Enforced")  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Found when asked for: to list every file anew for each test client costs more than most tests.
WHITENOISE_AUTOREFRESH = True
# A database of its own: clearing the cache is per database, whatever the key prefix.
CACHES["default"]["LOCATION"] = servers.own_cache(CACHES["default"]["LOCATION"])  # noqa: F405
CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"] = servers.worker()  # noqa: F405
STATIC_ROOT.mkdir(exist_ok=True)  # noqa: F405 - WhiteNoise warns where it is missing
LOGGING["loggers"]["config.requests"]["level"] = "WARNING"  # noqa: F405 - else a failure shows little else
