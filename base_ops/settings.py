"""Django settings, all from base_ops/env.py."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from base_ops import env as environment

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = environment.read()

SECRET_KEY = ENV.secret_key.get_secret_value()
DEBUG = ENV.debug
DEMO = ENV.demo
STATE_DIR = ENV.state_dir
MQTT_URL = ENV.mqtt_url.get_secret_value()
PUBLIC_URL = ENV.public_url
SMTP_URL = ENV.smtp_url.get_secret_value()
MAIL_FROM = ENV.mail_from
WEBHOOK_PRIVATE = ENV.webhook_private
GATEWAY_FILE = ENV.gateway_file  # which gear without MQTT there is; none: no gateway
ALLOWED_HOSTS = ENV.allowed_hosts
ALLOWED_ORIGINS = ENV.allowed_origins
CSRF_TRUSTED_ORIGINS = ENV.allowed_origins

INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "django.contrib.postgres",
    "channels",
    "base_ops",
    "base_ops.core",
    "devices",
    "billing",
    "booking",
]

MIDDLEWARE = [
    "base_ops.core.middleware.RequestContext",
    "base_ops.web.headers.SecurityHeaders",
    "base_ops.core.metrics.RequestMetrics",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "base_ops.urls"
ASGI_APPLICATION = "base_ops.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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


def database(url: str) -> dict[str, Any]:
    """Django's settings for a postgresql:// address; `?host=/dir` names a Unix socket."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    port = options.pop("port", None) or parts.port or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **options},
    }


DATABASES = {"default": database(ENV.database_url.get_secret_value())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "core.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.secure_cookies
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "base_ops.core.problems.csrf_failure"
if ENV.behind_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"

DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "base_ops.core.logs.JsonFormatter"},
        "plain": {"()": "base_ops.core.logs.PlainFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json" if ENV.log_json else "plain",
        }
    },
    "root": {"handlers": ["stderr"], "level": ENV.log_level},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "apscheduler": {"level": "ERROR"},  # a beat skipped while a job runs is by design
    },
}
