"""Tables whose changes are not on record, each with the reason. Every other table must have its trigger."""

FRAMEWORK = "Django's own; holds nothing of any clinic."
ITSELF = "The audit trail itself, which nobody changes."

EXEMPT = {
    "clinic_auditentry": ITSELF,
    "clinic_auditseal": ITSELF,
    "clinic_apicreation": "Which row a request created, for two days; that it was added is on record.",
    "clinic_rowattempt": "How often a periodic job has begun a row; the row's own changes are on record.",
    "clinic_tally": "How often something was tried, under keyed hashes.",
    "clinic_sweeprun": "When a periodic job ran; counts only.",
    "clinic_user_groups": "Empty: roles are memberships.",
    "clinic_user_user_permissions": "Empty: roles are memberships.",
    "knox_authtoken": "Empty: tokens are patients_devicetoken.",
    "auth_group": FRAMEWORK,
    "auth_group_permissions": FRAMEWORK,
    "auth_permission": FRAMEWORK,
    "django_admin_log": "Empty: the trail knows more, and holds no names.",
    "django_content_type": FRAMEWORK,
    "django_migrations": FRAMEWORK,
    "django_session": "Found by a secret key; that someone signed in stands in clinic_user.",
}
