"""The areas of the desk, in the order of the navigation."""

DESK_AREAS = (
    ("overview", ""),
    ("needs", "/needs"),
    ("coverage", "/coverage"),
    ("plans", "/plans"),
    ("board", "/board"),
    ("live", "/live"),
    ("days", "/days"),
    ("diary", "/diary"),
    ("timetable", "/timetable"),
    ("calendar", "/calendar"),
    ("circulation", "/circulation"),
    ("reports", "/reports"),
    ("settings", "/settings"),
)
"""Name of the area (``web.area.<name>``) and its path under ``/desk/<region>``."""
