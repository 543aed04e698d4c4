"""Decides: periodic routes, selection, schedules, and the checker that judges them."""
