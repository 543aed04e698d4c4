"""Who rides with the runs of a plan, in words and as services at its visits."""

from collections.abc import Iterable
from datetime import date

from data.model.crew import Specialist, service_name, services_of
from data.model.labels import Labels
from data.model.place import Stop
from data.model.plan import PlanRequest, Run


def riders_of(request: PlanRequest, run: Run) -> tuple[Specialist, ...]:
    """The specialists aboard a run, in the order of the request."""
    return tuple(p for p in request.specialists if p.specialist_id in run.specialist_ids)


def services_at(request: PlanRequest, run: Run, stop: Stop) -> frozenset[str]:
    """The services that a stop asks for and that are aboard."""
    return stop.services & services_of(riders_of(request, run))


def services_on(request: PlanRequest, run: Run, stop: Stop, on: date) -> frozenset[str]:
    """The services that come to a stop on a date of the run's repetitions.

    A repetition goes without the specialists who are off on its date.
    """
    coming = [p for p in riders_of(request, run) if p.works_on(on)]
    return stop.services & services_of(coming)


def riders_told(riders: Iterable[Specialist], label: Labels) -> str:
    """Specialists by name with what they give: ``Анна (детский библиотекарь)``."""
    return ", ".join(f"{p.name} ({service_name(p.service, label)})" for p in riders)
