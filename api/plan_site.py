"""The files of one plan folder over HTTP."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles


def create_plan_site(folder: Path) -> FastAPI:
    """Serve a plan folder; the root leads to its map.

    Parameters
    ----------
    folder
        A folder written by ``bookmobile plan`` or ``bookmobile demo``.
    """
    app = FastAPI(title="Bookmobile", openapi_url=None)

    @app.get("/", include_in_schema=False)
    def root() -> RedirectResponse:
        return RedirectResponse("/map.html")

    @app.get("/health")
    def health() -> dict[str, bool]:
        return {"plan": (folder / "plan.json").is_file()}

    app.mount("/", StaticFiles(directory=folder, html=True))
    return app
