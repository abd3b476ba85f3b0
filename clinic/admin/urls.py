"""The pages of accounts below the admin's address. The log-in takes the place of Django's own."""

from django.urls import path

from clinic.admin import account, entry
from clinic.admin.break_glass import break_glass, close
from clinic.admin.tokens import api_tokens, revoke_api_token

urlpatterns = [
    path("login/", entry.log_in, name="log-in"),
    path("login/confirm/", entry.second_factor, name="second-factor"),
    path("login/protect/", entry.enrol, name="enrol"),
    path("password-reset/", entry.ask_for_reset, name="password-reset"),
    path("password-reset/new/", entry.reset_password, name="password-reset-new"),
    path("account/", account.account, name="account"),
    path("account/add/", account.add_factor, name="account-add"),
    path("account/remove/<int:pk>/", account.remove_factor, name="account-remove"),
    path("account/recovery-codes/", account.new_recovery_codes, name="account-recovery"),
    path("account/sign-out/", account.sign_out_everywhere, name="account-sign-out"),
    path("account/tokens/", api_tokens, name="account-tokens"),
    path("account/tokens/revoke/<int:pk>/", revoke_api_token, name="account-token-revoke"),
    path("break-glass/close/", close, name="break-glass-close"),
    path("break-glass/<str:pk>/", break_glass, name="break-glass"),
]
