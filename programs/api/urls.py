"""Addresses of the patient's API, below ``/api/v1/``. None names a patient: the token does."""

from django.urls import path

from programs.api import access, access_log, diary, privacy, record

urlpatterns = [
    path("auth/invitation", access.InvitationView.as_view(), name="auth-invitation"),
    path("auth/code", access.CodeView.as_view(), name="auth-code"),
    path("auth/token", access.TokenView.as_view(), name="auth-token"),
    path("auth/logout", access.LogoutView.as_view(), name="auth-logout"),
    path("auth/logout-all", access.LogoutAllView.as_view(), name="auth-logout-all"),
    path("auth/consent", privacy.ConsentTextView.as_view(), name="auth-consent"),
    path("me/consent", privacy.ConsentView.as_view(), name="me-consent"),
    path("me/export", privacy.ExportView.as_view(), name="me-export"),
    path("me", record.MeView.as_view(), name="me"),
    path("me/program", record.ProgramView.as_view(), name="me-program"),
    path("me/check-ins", record.CheckInsView.as_view(), name="me-check-ins"),
    path("me/progress", record.ProgressView.as_view(), name="me-progress"),
    path("me/relapse-watch", record.RelapseWatchView.as_view(), name="me-relapse-watch"),
    path("me/access-log", access_log.AccessLogView.as_view(), name="me-access-log"),
    path("me/answers/<str:client_id>", diary.AnswerView.as_view(), name="me-answer"),
    path("me/sessions/<str:client_id>", diary.SessionView.as_view(), name="me-session"),
    path(
        "me/sessions/<str:client_id>/next-morning",
        diary.SessionNextMorningView.as_view(),
        name="me-session-next-morning",
    ),
    path("me/runs/<str:client_id>", diary.RunView.as_view(), name="me-run"),
    path(
        "me/runs/<str:client_id>/next-morning",
        diary.RunNextMorningView.as_view(),
        name="me-run-next-morning",
    ),
]
