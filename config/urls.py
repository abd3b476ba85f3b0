"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from clinic.admin.password import change_password
from clinic.admin.search import search
from config import health, landing

admin.autodiscover()
admin.site.index_template = "admin/programs/dashboard.html"
admin.site.logout_template = "admin/clinic/entry/logged_out.html"
admin.site.password_change = change_password  # type: ignore[method-assign]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/search/", admin.site.admin_view(search)),  # before the admin's own, which it wraps
    path("admin/", include("clinic.admin.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("config.api_urls")),
    path("invitation", landing.open_in_app, name="invitation"),
    path("check-ins/<str:check_in>", landing.open_in_app, name="check-in"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
]

handler400 = "config.errors.bad_request"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
