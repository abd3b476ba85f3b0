"""Tables without row-level security, each with the reason. Every other table must have its policies."""

FRAMEWORK = "Django's own; holds nothing of any clinic."

EXEMPT = {
    "clinic_user_groups": "Empty: roles are memberships.",
    "clinic_user_user_permissions": "Empty: roles are memberships.",
    "clinic_tally": "Counts tries to sign in before anybody is known, under keyed hashes; names nobody.",
    "clinic_sweeprun": "When a periodic job ran; counts only.",
    "clinic_auditseal": "Hashes of the audit trail; no data.",
    "knox_authtoken": "Empty: tokens are patients_devicetoken.",
    "auth_group": FRAMEWORK,
    "auth_group_permissions": FRAMEWORK,
    "auth_permission": FRAMEWORK,
    "django_content_type": FRAMEWORK,
    "django_migrations": FRAMEWORK,
    "django_session": "Found by a secret key; holds the user's id and, encrypted, what a page tells.",
}
