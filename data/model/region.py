"""A region: everything a planner needs to know of a place, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from data.model.calendar import ServiceCalendar
from data.model.costs import NO_COSTS, Costs
from data.model.crew import Specialist
from data.model.demand import PrizeBy
from data.model.dwell import DEFAULT_DWELL_WORTH, DwellWorth
from data.model.fleet import RuleSet, RuleSetId, Vehicle
from data.model.geo import Ring
from data.model.norms import NormSet
from data.model.place import Depot, Library, Municipality, MunicipalityId, Settlement, Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationBand:
    """Service owed to a stop by the people it serves, up to and including ``up_to``."""

    up_to: int | None
    service_s: int
    visits_per_cycle: int = 1
    service_most_s: int | None = None
    """Longest open time that a plan may choose; ``None``: ``service_s`` is fixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStandard:
    """What a stop gets and how stops are chosen. Distances in metres, times in seconds."""

    cycle_weeks: int = 4
    bands: tuple[PopulationBand, ...] = (PopulationBand(up_to=None, service_s=3600),)
    unknown_population_service_s: int = 3600
    dwell_worth: DwellWorth = DEFAULT_DWELL_WORTH
    setup_s: int = 600
    teardown_s: int = 300
    day_start_s: int = 9 * 3600
    day_end_s: int = 18 * 3600
    max_gap_days: int = 35
    same_weekday: bool = True
    clock_tolerance_s: int = 900
    meal_window_start_s: int = 11 * 3600
    meal_window_end_s: int = 15 * 3600
    stops_per_day_max: int = 6
    walk_to_stop_m: int = 1000
    min_population: int = 0
    """Settlements with fewer people get no stop of their own; 0 takes all that are inhabited."""
    weight_adult: float = 1.0
    weight_child: float = 1.5
    weight_senior: float = 1.5
    prize_by: PrizeBy = PrizeBy.PEOPLE
    """What stops are worth when not all can be served."""
    unknown_population_people: float = 20.0
    """Worth, in people, of a settlement whose population is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateParams:
    """The travel estimate used where there is no road network.

    Road metres are crow metres times ``detour`` of the distance; speeds rise with distance.
    ``knots_m`` are the road (for speed) and crow (for detour) distances of the table's steps,
    linearly interpolated.
    """

    knots_m: tuple[float, ...]
    detour_ratio: tuple[float, ...]
    speed_mps: tuple[float, ...]
    leg_fixed_s: float = 0.0
    bookmobile_factor: float = 1.0
    """Driven seconds of a bookmobile to those of the table, which is a car's."""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryAssumption:
    """How unknown libraries are filled in: ``largest_settlements`` up to an official count.

    With ``people_per_library`` a settlement takes one library for every so many people begun,
    so that a city's branches are not handed to villages; without it each takes one.
    """

    rule: str
    official_count: int
    source: str = ""
    people_per_library: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNote:
    """A data source with its licence."""

    title: str
    licence: str
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A place to plan for. Positions are lon, lat; ``crs`` is the one projected CRS."""

    region_id: str
    names: Mapping[str, str]
    """Name by language code."""
    time_zone: str
    language: str
    crs: str
    settlements: tuple[Settlement, ...] = ()
    libraries: tuple[Library, ...] = ()
    municipalities: tuple[Municipality, ...] = ()
    depots: tuple[Depot, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    specialists: tuple[Specialist, ...] = ()
    stops: tuple[Stop, ...] = ()
    """Stops given by hand or imported; where there are none they follow from need."""
    calendar: ServiceCalendar = field(default_factory=ServiceCalendar)
    standard: ServiceStandard = field(default_factory=ServiceStandard)
    norm_sets: tuple[NormSet, ...] = ()
    norm_set_id: str = ""
    rule_sets: Mapping[RuleSetId, RuleSet] = field(default_factory=dict)
    default_rule_set_ids: tuple[RuleSetId, ...] = ()
    refuses_ended_rules: bool = False
    """Whether a plan past the end of a rule set that none follows is refused, not warned of."""
    library_register_is_complete: bool = False
    library_assumption: LibraryAssumption | None = None
    land: tuple[Ring, ...] = ()
    """Outer rings of the land; empty means no outline is known."""
    districts: Mapping[MunicipalityId, tuple[Ring, ...]] = field(default_factory=dict)
    estimate: EstimateParams | None = None
    roads_file: str = ""
    """Path of an OSM extract, as given; empty where travel is estimated."""
    travel_factor: float = 1.0
    """Calibration of engine seconds to driven seconds."""
    sources: tuple[SourceNote, ...] = ()
    start_date: date | None = None
    """First Monday of the cycle, if the region states one."""
    costs: Costs = NO_COSTS
    phone: str = ""
    """Number that readers call, written as they read it."""

    def name_in(self, language: str) -> str:
        return self.names.get(language) or next(iter(self.names.values()))
