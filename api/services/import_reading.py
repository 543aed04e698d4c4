"""Read a draft's files into a region, file by file, with a report of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from api.progress import Ticker
from api.services.archives import check_archive, unpack
from api.services.import_outcome import (
    MOST_PROBLEMS,
    FileOutcome,
    FoundColumn,
    Outcome,
    assumed_of,
    changes_between,
    holdings,
    missing_of,
    told_of,
    told_problem,
)
from api.services.region_drafts import BASE, Draft, DraftFile, Drafts
from api.services.region_files import (
    GivenFiles,
    filled,
    nothing_yet,
    region_of_tables,
    with_extract,
)
from api.services.table_guess import guess_kind
from api.services.upload_files import TABLES, UploadKind, check_kind, kind_of_name
from data.feeds.init_region import region_from_osm, region_id_of
from data.feeds.osm import OsmRegion, read_osm
from data.feeds.region_folder import read_region, write_region
from data.feeds.report import ImportReport
from data.feeds.tables import Table, read_table
from data.feeds.transliteration import latin_name
from data.model.errors import BookmobileError, InputError
from data.model.region import Region

NUM_SAMPLES = 3
SAMPLE_CHARS = 60


@dataclass(slots=True, kw_only=True)
class _Source:
    """A file on its way: where it lies by now, what it is for, what was found."""

    file: DraftFile
    path: Path
    kind: UploadKind | None
    is_guessed: bool = False
    table: Table | None = None
    is_folder: bool = False
    passed_over: tuple[str, ...] = ()
    report: ImportReport | None = None
    error: BookmobileError | None = None


@dataclass(slots=True, kw_only=True)
class DraftReader:
    """One reading of a draft.

    Parameters
    ----------
    most_bytes
        Of all that comes out of one zip.
    begin_file
        Told the name of each file that is begun.
    """

    drafts: Drafts
    draft: Draft
    tick: Ticker
    most_bytes: int
    begin_file: Callable[[str], None] = lambda _name: None

    def read(self, target: Path) -> Outcome:
        """Read everything and write the region into ``target``, which then holds a region folder.

        Whatever a file is refused for stands in the outcome; nothing is raised for it.
        """
        mark = self.drafts.print_of(self.draft.draft_id)
        sources = [self._opened(file) for file in self.drafts.files(self.draft.draft_id)]
        _refuse_twins(sources)
        region: Region | None = None
        errors: tuple[BookmobileError, ...] = ()
        base = self._base(sources)
        try:
            region, osm_path = self._region(sources, base)
        except BookmobileError as wrong:
            errors, osm_path = (wrong,), None
        if region is not None and not any(s.error for s in sources):
            try:
                write_region(region, target)
                region = read_region(target)
            except BookmobileError as wrong:
                errors = (*errors, wrong)
        outcome = Outcome(
            print_of_draft=mark,
            files=tuple(_outcome_of(s) for s in sources),
            errors=tuple(told for wrong in errors for told in told_of(wrong)),
        )
        if region is None or not target.exists() or errors:
            return outcome
        kinds = {s.kind for s in sources if s.kind is not None}
        return replace(
            outcome,
            folder=target.name,
            roads_path=str(osm_path or ""),
            holds=holdings(region),
            about=_about(region),
            assumed=assumed_of(region, kinds) if self.draft.is_new else (),
            missing=missing_of(region),
            changes={} if base is None else changes_between(base, region),
        )

    def _opened(self, file: DraftFile) -> _Source:
        """A file made ready: unpacked, its kind known, its table read for the preview."""
        path = self.drafts.path(self.draft.draft_id, file)
        source = _Source(file=file, path=path, kind=file.kind or kind_of_name(file.name))
        self.begin_file(file.name)
        try:
            if path.suffix == ".zip":
                self._unpack(source)
            elif path.suffix in {".xlsx", ".xlsm"}:
                self._check_workbook(path)
            has_table = not source.is_folder and source.path.suffix not in {".pbf", ".toml"}
            if has_table and source.kind not in {UploadKind.LAND, UploadKind.OSM}:
                source.table = read_table(source.path, encoding=file.encoding)
            if source.kind is None and source.table is not None:
                source.kind, source.is_guessed = guess_kind(source.path, source.table), True
            if source.kind is None:
                raise InputError("setup.kind_unknown", file=file.name)
            check_kind(file.name, source.kind)
        except BookmobileError as wrong:
            source.error = wrong
        return source

    def _check_workbook(self, path: Path) -> None:
        """Refuse a workbook, which is a zip too, for what is wrong with the zip."""
        try:
            check_archive(path, most_bytes=self.most_bytes)
        except InputError as wrong:
            if wrong.code == "setup.zip.broken":
                raise InputError("feeds.file.not_a_workbook", file=path.name) from wrong
            raise

    def _unpack(self, source: _Source) -> None:
        home = source.path.parent.parent / "unpacked"
        found = unpack(source.path, home, most_bytes=self.most_bytes)
        source.passed_over = found.passed_over
        if found.region is not None:
            source.path, source.kind, source.is_folder = found.region, UploadKind.REGION, True
        elif found.shape is not None:
            source.path = found.shape

    def _base(self, sources: Sequence[_Source]) -> Region | None:
        if self.draft.is_new:
            return None
        return read_region(self.drafts.folder(self.draft.draft_id) / BASE)

    def _region(
        self, sources: Sequence[_Source], base: Region | None
    ) -> tuple[Region | None, Path | None]:
        """The region of all files that can be read, and its extract."""
        sound = [s for s in sources if s.error is None]
        given = {s.kind: s for s in sound}
        zipped = given.get(UploadKind.REGION)
        if base is not None and not sources:
            raise InputError("region.nothing_to_import")
        osm = self._extract(given.get(UploadKind.OSM))
        osm_path = None if osm is None else given[UploadKind.OSM].path
        if zipped is None and base is None:
            return self._made(sound, osm, is_whole=len(sound) == len(sources)), osm_path
        begun = base if zipped is None else self._zipped(zipped)
        if begun is None:
            return None, None
        region = self._fill(begun, sound)
        if osm is not None:
            return with_extract(region, osm, osm.file), osm_path
        has_own = zipped is not None and bool(region.roads_file)
        return region, zipped.path / region.roads_file if zipped and has_own else None

    def _made(
        self, sound: Sequence[_Source], osm: OsmRegion | None, *, is_whole: bool
    ) -> Region | None:
        """A new region of tables, of an extract, or of tables over an extract.

        Where a file could not be read (``is_whole`` false) the others are read for their reports.
        """
        draft = self.draft
        kinds = {s.kind for s in sound}
        region_id = draft.region_id or region_id_of(Path(latin_name(draft.name) or draft.name))
        roads_file = "" if osm is None else osm.file
        if osm is not None and UploadKind.SETTLEMENTS not in kinds:
            begun = region_from_osm(
                osm,
                region_id=region_id,
                name=draft.name,
                language=draft.language,
                time_zone=draft.time_zone,
                roads_file=roads_file,
            )
            return self._fill(begun, sound)
        read = self._fill(nothing_yet(region_id), sound)
        if not is_whole or any(s.error for s in sound):
            return None
        if not kinds & {UploadKind.SETTLEMENTS, UploadKind.STOPS}:
            raise InputError("setup.nothing_given")
        return region_of_tables(
            read,
            osm,
            name=draft.name,
            language=draft.language,
            time_zone=draft.time_zone,
            roads_file=roads_file,
        )

    def _zipped(self, source: _Source) -> Region | None:
        """The region of an unpacked folder; its extract must lie in it."""
        try:
            region = read_region(source.path)
            name = region.roads_file
            if name and (Path(name).name != name or not (source.path / name).is_file()):
                raise InputError("setup.zip.roads", file=source.file.name, roads=name)
        except BookmobileError as wrong:
            source.error = wrong
            return None
        return replace(region, region_id=self.draft.region_id or region.region_id)

    def _extract(self, source: _Source | None) -> OsmRegion | None:
        if source is None:
            return None
        self.begin_file(source.file.name)
        self.tick.phase("phase.extract")
        try:
            return read_osm(source.path, progress=self.tick.fraction)
        except BookmobileError as wrong:
            source.error = wrong
            return None

    def _fill(self, region: Region, sources: Sequence[_Source]) -> Region:
        """The region with every table merged in, kind by kind."""
        self.tick.phase("setup.phase.tables")
        wanted = [s for kind in (UploadKind.LAND, *TABLES) for s in sources if s.kind is kind]
        for number, source in enumerate(wanted):
            self.begin_file(source.file.name)
            self.tick.fraction(number / len(wanted))
            given = GivenFiles(
                **{str(source.kind): source.path},
                mapping=dict(source.file.mapping),
                encoding=source.file.encoding,
            )

            def keep(report: ImportReport, source: _Source = source) -> None:
                source.report = report

            try:
                region = filled(region, given, keep)
            except BookmobileError as wrong:
                source.error = wrong
        self.tick.fraction(1.0)
        return region


def _refuse_twins(sources: Sequence[_Source]) -> None:
    """Note files beyond the first of a kind of which a region takes one."""
    first: dict[UploadKind, str] = {}
    for source in sources:
        if source.error is not None or source.kind is None or source.kind in TABLES:
            continue
        if source.kind in first:
            source.error = InputError(
                "setup.kind_twice",
                file=source.file.name,
                other=first[source.kind],
                kind=source.kind.value,
            )
        first.setdefault(source.kind, source.file.name)


def _outcome_of(source: _Source) -> FileOutcome:
    report = source.report
    outcome = FileOutcome(
        file_id=source.file.file_id,
        name=source.file.name,
        kind=source.kind,
        is_guessed=source.is_guessed,
        passed_over=source.passed_over[:20],
        columns=_columns(source.table, report),
        encoding=source.table.encoding if source.table else "",
        errors=() if source.error is None else told_of(source.error),
    )
    if report is None:
        return outcome
    return replace(
        outcome,
        num_rows=report.num_rows,
        num_loaded=report.num_loaded,
        num_rejecting=len(report.rejected),
        num_flagged=len(report.flagged),
        problems=tuple(told_problem(p) for p in report.problems[:MOST_PROBLEMS]),
    )


def _columns(table: Table | None, report: ImportReport | None) -> tuple[FoundColumn, ...]:
    if table is None:
        return ()
    return tuple(
        FoundColumn(
            theirs=head,
            ours=report.columns.get(head, "") if report else "",
            samples=tuple(
                row.cells.get(head, "")[:SAMPLE_CHARS] for row in table.rows[:NUM_SAMPLES]
            ),
        )
        for head in table.columns
    )


def _about(region: Region) -> dict[str, str]:
    return {
        "region_id": region.region_id,
        "name": region.name_in(region.language),
        "language": region.language,
        "time_zone": region.time_zone,
        "crs": region.crs,
        "norm": region.norm_set_id,
        "rules": ", ".join(region.default_rule_set_ids),
        "roads": region.roads_file,
        "sources": "; ".join(f"{s.title} ({s.licence})" for s in region.sources),
    }
