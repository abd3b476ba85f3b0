"""All settings, from the environment (see .env.example). Nothing else decides by environment.

Secrets are required and unsafe values refused, except with ``DEMO=1`` or on the bundled database: there
they are generated once into the data folder.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.csp import CSP

from clinic import embedded, logs, weak_secrets
from clinic import environment as env
from config import unfold

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / ".data")))

# --- Where we run. `manage.py` starts the bundled servers and says so with BUNDLED_SERVERS.
DEMO = env.flag("DEMO")
BUNDLED_DATABASE = env.flag("BUNDLED_SERVERS") or not env.is_given("DATABASE_URL")
RELAXED = DEMO or BUNDLED_DATABASE
DEBUG = env.flag("DEBUG")

if missing := env.missing_addresses():
    bundled = embedded.locate(DATA_DIR).environment()
    os.environ.update({name: bundled[name] for name in missing})
if RELAXED and not (env.is_given("SECRET_KEY") and env.is_given("ENCRYPTION_KEYS")):
    for name, value in embedded.locate(DATA_DIR).generated_secrets().items():
        os.environ.setdefault(name, value)

PORT = env.number("PORT", 8000, low=1, high=65535)
SITE_URL = env.text("SITE_URL", f"http://127.0.0.1:{PORT}" if RELAXED else None).rstrip("/")
# Where the patients' app lives; the links of their e-mails lead there.
APP_URL = env.text("APP_URL", SITE_URL).rstrip("/")
SITE_NAME = "Knee Clinic"
# Proxies of ours in front of the service, whose forwarded address and scheme are believed.
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0, high=5)

# --- Secrets
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS", "")
# Fernet keys for what is encrypted in rows; the first encrypts, all decrypt.
ENCRYPTION_KEYS = env.words("ENCRYPTION_KEYS", "")

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]" if RELAXED else "")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", "")

weak_secrets.refuse_broken_keys("ENCRYPTION_KEYS", ENCRYPTION_KEYS)
if not RELAXED:
    if DEBUG:
        raise ImproperlyConfigured("DEBUG is refused outside a demo: it shows patients' data to anybody.")
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS: name the hosts of this service, without *.")
    weak_secrets.refuse_weak_key("SECRET_KEY", SECRET_KEY)
    for old_key in SECRET_KEY_FALLBACKS:
        weak_secrets.refuse_weak_key("SECRET_KEY_FALLBACKS", old_key)
    weak_secrets.refuse_guessable_keys("ENCRYPTION_KEYS", ENCRYPTION_KEYS)
    if not SITE_URL.startswith("https://"):
        raise ImproperlyConfigured("SITE_URL: expected an https:// address.")

# --- Applications
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "clinic.apps.PagesOnDemand",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "knox",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "clinic.apps.ClinicConfig",
    "patients.apps.PatientsConfig",
    "programs.apps.ProgramsConfig",
]

MIDDLEWARE = [
    "config.middleware.RequestLog",
    "config.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.ApiOverTlsOnly",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.PagesAndForms",
    "config.middleware.TenantTransaction",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.sessions.StaffSession",
    "config.middleware.StaffOfClinic",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config/templates"],  # before those of the theme
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database: one alias; the process's role says which of the three addresses it uses.
DATABASE_URLS = {"owner": "DATABASE_OWNER_URL", "app": "DATABASE_URL", "sweep": "DATABASE_SWEEP_URL"}
DATABASE_ROLE = env.text("DATABASE_ROLE", "sweep" if Path(sys.argv[0]).name == "celery" else "app")
if DATABASE_ROLE not in DATABASE_URLS:
    raise ImproperlyConfigured(f"DATABASE_ROLE: expected owner, app or sweep, got {DATABASE_ROLE!r}.")
DATABASES = {
    "default": {
        **env.database(DATABASE_URLS[DATABASE_ROLE]),
        "CONN_MAX_AGE": env.number("DATABASE_CONN_MAX_AGE", 60),
        "CONN_HEALTH_CHECKS": True,
        # Behind a pooler that gives out connections by the transaction, no cursor outlives one. Statements
        # are not prepared on the server: Django's default.
        "DISABLE_SERVER_SIDE_CURSORS": env.flag("DATABASE_POOLED"),
    }
}
if not RELAXED:
    weak_secrets.refuse_open_database(DATABASE_URLS[DATABASE_ROLE], DATABASES["default"])

# --- Cache and queue
REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.cache_url(REDIS_URL),
        "OPTIONS": {"socket_timeout": 1},
    }
}

# How often the sweeps look for what is due. Due dates are in rows: this is only the delay.
SWEEP_SECONDS = env.number("SWEEP_SECONDS", 60, low=1)
SEND_SECONDS = env.number("SEND_SECONDS", 10, low=1)
# A message that was under way when its worker died goes out again after so long.
SEND_LEASE_SECONDS = env.number("SEND_LEASE_SECONDS", 120, low=1, high=200)
FORGET_SECONDS = 3600  # terms are days and years
BEAT_INTERVALS = {
    "programs.tasks.send_outbox": SEND_SECONDS,
    "programs.tasks.ask_check_ins": SWEEP_SECONDS,
    "programs.tasks.ask_watches": SWEEP_SECONDS,
    "programs.tasks.remind_check_ins": SWEEP_SECONDS,
    "programs.tasks.mark_missed": SWEEP_SECONDS,
    "programs.tasks.review_cases": SWEEP_SECONDS,
    "programs.tasks.send_digests": SWEEP_SECONDS,
    "programs.tasks.escalate_red_flags": SWEEP_SECONDS,
    "programs.tasks.keep_ledger": SWEEP_SECONDS,
    "programs.tasks.apply_retention": FORGET_SECONDS,
    "clinic.tasks.forget_sign_ins": FORGET_SECONDS,
    "clinic.tasks.seal_audit": SWEEP_SECONDS,
}
# In a backlog this goes first: what waits longer than its interval is dropped, and must not be a red flag's.
# It is quick and rare. Mails stand in line: with a slow mail server they would keep everything else out.
SWEPT_FIRST = "programs.tasks.escalate_red_flags"
# Who was erased, by opaque keys: keep it outside of the database's backups, to erase again after a restore.
ERASURE_LEDGER = Path(env.text("ERASURE_LEDGER", str(DATA_DIR / "erasures.jsonl")))
CELERY_BROKER_URL = env.broker_url(REDIS_URL)
CELERY_BEAT_SCHEDULE = {
    task: {
        "task": task,
        "schedule": seconds,
        "options": {"expires": seconds, "priority": 0 if task == SWEPT_FIRST else 9},
    }
    for task, seconds in BEAT_INTERVALS.items()
}
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
BEAT_HEARTBEAT = DATA_DIR / "beat"
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env.number("WORKER_CONCURRENCY", 2, low=1)
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Unacknowledged work comes back after the visibility timeout; a task that still ran would run twice.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_connect_timeout": 1,
    "socket_timeout": 1,
    "max_retries": 0,
    "interval_start": 0,
}
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 270
# A publisher gives up within a second: the sweep finds the row anyway.
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY = False

# --- E-mail: through the outbox only (clinic.outbox)
SMTP_HOST = env.text("SMTP_HOST", "127.0.0.1" if RELAXED else None)
SMTP_PORT = env.number("SMTP_PORT", 8025 if RELAXED else 587, low=1, high=65535)
SMTP_SECURITY = env.text("SMTP_SECURITY", "none" if RELAXED else "starttls")
if SMTP_SECURITY not in {"none", "starttls", "tls"}:
    raise ImproperlyConfigured(f"SMTP_SECURITY: expected none, starttls or tls, got {SMTP_SECURITY!r}.")
SMTP_USER, SMTP_PASSWORD = env.text("SMTP_USER", ""), env.text("SMTP_PASSWORD", "")
if not RELAXED:
    weak_secrets.refuse_readable_password(security=SMTP_SECURITY, user=SMTP_USER, password=SMTP_PASSWORD)
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": SMTP_HOST,
            "port": SMTP_PORT,
            "username": SMTP_USER,
            "password": SMTP_PASSWORD,
            "use_tls": SMTP_SECURITY == "starttls",
            "use_ssl": SMTP_SECURITY == "tls",
            "timeout": 10,
        },
    }
}
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Knee Clinic <clinic@localhost>" if RELAXED else None)
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Who signs in, and how
AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = ["clinic.backends.LoginBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
] + [{"NAME": "clinic.accounts.passwords.ContextWordsValidator"}]
# A session ends so long after it began, and after so long without use.
STAFF_SESSION_HOURS = env.number("STAFF_SESSION_HOURS", 12, low=1, high=24)
STAFF_IDLE_MINUTES = env.number("STAFF_IDLE_MINUTES", 30, low=2, high=240)
SESSION_COOKIE_AGE = STAFF_SESSION_HOURS * 3600
# So many wrong passwords or codes lock an account for so long; so many an hour an address.
SIGN_IN_TRIES = env.number("SIGN_IN_TRIES", 5, low=2, high=100)
SIGN_IN_LOCK_MINUTES = env.number("SIGN_IN_LOCK_MINUTES", 15, low=1, high=1440)
SIGN_IN_TRIES_BY_ADDRESS = env.number("SIGN_IN_TRIES_BY_ADDRESS", 50, low=5)
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

# --- API
KNOX_TOKEN_MODEL = "patients.DeviceToken"
REST_KNOX = {"TOKEN_TTL": timedelta(days=180), "AUTH_HEADER_PREFIX": "Token"}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["patients.api.authentication.DeviceTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["clinic.api.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "clinic.api.problems.exception_handler",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS describes nothing: the schema does
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME} API",
    "DESCRIPTION": (
        "What the patient's app talks to, and a clinic's own tools. A patient logs in with an invitation or "
        "with a code by e-mail; a member of staff makes a token in the admin. Either is sent as "
        "`Authorization: Token <token>`. It says whose rows these are: a patient's own record, or what the "
        "member sees of one clinic. Rows the patient's client makes are PUT under a UUID of its own, what a "
        "tool creates takes an `Idempotency-Key`, so that any request may be repeated. A tool's edits name "
        "the version they are of (`If-Match`). Errors are `application/problem+json` and name the field at "
        "fault. Pain is 0-10 with one decimal."
    ),
    "VERSION": "1",
    "TAGS": [
        {"name": "auth", "description": "Patients: log in and out, one token per device."},
        {"name": "me", "description": "Patients: what to do, what is asked, how it goes."},
        {"name": "diary", "description": "Patients: what they report."},
        {"name": "token", "description": "Staff: the token that asks."},
        {"name": "patients", "description": "Staff: who is treated, how to reach them, their rights."},
        {"name": "caseload", "description": "Staff: who needs the clinician today, and why."},
        {"name": "cases", "description": "Staff: episodes of care, from opening to discharge."},
        {"name": "assessments", "description": "Staff: what was found, and what it suggests."},
        {"name": "programs", "description": "Staff: a patient's own program."},
        {"name": "alerts", "description": "Staff: what to act on."},
        {"name": "letters", "description": "Staff: letters about a case to a colleague, as they were made."},
        {"name": "exports", "description": "Staff: CSV of a case and of the caseload."},
        {"name": "exercises", "description": "Staff: the library's exercises."},
        {"name": "templates", "description": "Staff: programs to copy from."},
        {"name": "clinic", "description": "Staff: what patients are told of the clinic."},
        {"name": "policy", "description": "Staff: the clinic's thresholds."},
        {"name": "staff", "description": "Staff: who works here."},
        {"name": "absences", "description": "Staff: who stands in while a colleague is away."},
    ],
    "SERVE_AUTHENTICATION": [],
    "ENUM_NAME_OVERRIDES": {
        "PainLocationEnum": "patients.vocabulary.PainLocation.choices",
        "SymptomEnum": "programs.api.inputs.SYMPTOMS",
        "DiagnosisEnum": "patients.vocabulary.Diagnosis.choices",
        "SideEnum": "patients.vocabulary.Side.choices",
        "MuscleGroupEnum": "patients.vocabulary.MuscleGroup.choices",
        "AssessmentKindEnum": "patients.vocabulary.AssessmentKind.choices",
        "RunningTrackEnum": "patients.vocabulary.RunningTrack.choices",
        "ExerciseKindEnum": "programs.models.Exercise.Kind",
        "AlertKindEnum": "programs.models.Alert.Kind",
        "ContactKindEnum": "programs.models.ContactLog.Kind",
        "PauseKindEnum": "programs.models.Pause.Kind",
        "LetterKindEnum": "programs.models.Letter.Kind",
    },
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Limits of what forms may send (those of the API: clinic.api.parsing). Nothing takes files.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 0

# --- Logs: JSON on stderr, without what patients and staff wrote
LOGGING = logs.configuration()

# --- Time and language. Instants are stored in UTC; each clinic and patient has its own zone.
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

# --- Static files
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static" if RELAXED else BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedStaticFilesStorage"
            if RELAXED
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = RELAXED

# --- Transport and browser security
SECURE_SSL_REDIRECT = not RELAXED
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not RELAXED
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Lax: who follows a digest's link into the admin stays logged in.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if not RELAXED:  # browsers take these names from this very host only, over TLS
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
# Messages name patients: they stay in the session's row instead of a cookie, encrypted.
MESSAGE_STORAGE = "config.messages.SealedMessages"
SECURE_HSTS_SECONDS = 0 if RELAXED else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not RELAXED
SECURE_HSTS_PRELOAD = not RELAXED
# Probes come from inside, without TLS; the API refuses it itself.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^api/"]
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURITY_HEADERS = {
    "X-Frame-Options": X_FRAME_OPTIONS,  # also for the admin's lists, which Django lets its own pages frame
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "connect-src": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
# Unfold's components evaluate expressions in the page (Alpine) and set styles. No script stands in a page.
ADMIN_CSP = {
    **SECURE_CSP,
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "font-src": [CSP.SELF],
}

UNFOLD = unfold.UNFOLD | {"SITE_TITLE": SITE_NAME, "SITE_HEADER": SITE_NAME}
