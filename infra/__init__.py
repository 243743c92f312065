"""Adapters: everything the domain's ports need from the world outside, Postgres first."""
