"""Ends a database of the tests, whoever still looks into it."""

from __future__ import annotations

import os

import psycopg
from psycopg import sql

URLS = ("DATABASE_OWNER_URL", "DATABASE_URL", "DATABASE_SWEEP_URL")


def drop(name: str) -> None:
    end_sessions(name)
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def end_sessions(name: str) -> None:
    """Not by ``WITH (FORCE)``: the owner may not end the other roles' sessions. Each role ends its own, such
    as that of a thread that a test left behind.
    """
    for url in URLS:
        with psycopg.connect(os.environ[url], autocommit=True) as database:
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = current_user",
                [name],
            )
