"""Editions of statistical forms from TOML: shipped ones, and those that a library adds.

A wrong file is refused with its name, the line and the key; nothing of it is used.
"""

from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from data.feeds.columns import nearest
from data.feeds.profiles import MARKS
from data.feeds.toml_file import Section, read_toml
from data.model.errors import InputError
from data.model.measures import Distinct, Measure, Over
from data.model.stat_form import AgeBand, FormFigure, Ratio, StatForm
from data.model.stop_counts import NAMES, Band

KEY_MAX = 40
_WAYS = ("sum", "count", "distinct", "ratio")
_STOP_VISITS = "stop_visits"


def shipped_forms() -> tuple[StatForm, ...]:
    """The editions that come with the program."""
    with as_file(files("data") / "samples" / "forms") as folder:
        return forms_of([folder])


def forms_of(folders: Iterable[Path]) -> tuple[StatForm, ...]:
    """Every edition (``*.toml``) of some folders; a folder that is not there has none.

    Raises
    ------
    InputError
        As ``read_form``; ``forms.twice`` for an id that two files give.
    """
    found: dict[str, tuple[StatForm, Path]] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            form = read_form(path)
            if form.form_id in found:
                other = found[form.form_id][1].name
                raise InputError("forms.twice", file=path.name, value=form.form_id, other=other)
            found[form.form_id] = form, path
    return tuple(form for form, _ in found.values())


def read_form(path: Path) -> StatForm:
    """One edition from its file.

    Raises
    ------
    InputError
        ``feeds.file.*``, ``region.syntax`` and other ``region.*`` of keys; ``forms.*``.
    """
    top = read_toml(path)
    form_id = _key(top, "id")
    form, names, source = top.required("form"), _names(top), _names(top, "source")
    mark = _mark(top, required=True)
    first, last = top.day("valid_from"), top.day("valid_to")
    if first is not None and last is not None and last <= first:
        top.note("forms.ends_before", "valid_to", first=first.isoformat())
    bands = _bands(top)
    sections = top.sections("figure")
    if not sections:
        top.note("region.missing_key", "figure")
    told = [_told(section) for section in sections]
    _check_keys(sections, [values["key"] for values in told])
    top.finish()
    if top.problems:
        problem = top.problems[0]
        raise InputError(problem.code, **problem.facts)
    return StatForm(
        form_id=form_id,
        form=form,
        names=names,
        source=source,
        mark=mark,
        valid_from=first,
        valid_to=last,
        bands=bands,
        figures=tuple(FormFigure(**values) for values in told),
    )


def _key(section: Section, name: str) -> str:
    key = section.required(name)
    plain = key.replace("-", "").replace("_", "")
    if key and (len(key) > KEY_MAX or not (plain.isascii() and plain.isalnum())):
        section.note("forms.bad_key", name, limit=KEY_MAX)
    return key


def _names(section: Section, key: str = "names") -> dict[str, str]:
    """A text by language."""
    inner = section.section(key)
    names = {language: " ".join(inner.text(language).split()) for language in ("ru", "en")}
    inner.finish()
    if not any(names.values()):
        section.note("region.missing_key", key)
    return {language: name for language, name in names.items() if name}


def _mark(section: Section, *, required: bool = False) -> str:
    mark = section.required("mark") if required else section.text("mark")
    if mark and mark not in MARKS:
        section.note("forms.bad_mark", "mark", known=", ".join(MARKS))
    return mark


def _bands(top: Section) -> dict[str, AgeBand]:
    section = top.section("bands")
    found = {}
    for band in Band:
        ages = section.numbers(band.value)
        if not ages:
            continue
        if len(ages) > 2 or ages[0] < 0 or (len(ages) == 2 and ages[1] < ages[0]):
            section.note("forms.bad_band", band.value)
            continue
        to_age = int(ages[1]) if len(ages) == 2 else None
        found[band.value] = AgeBand(from_age=int(ages[0]), to_age=to_age)
    section.finish()
    return found


def _told(section: Section) -> dict[str, Any]:
    """The parameters of a figure."""
    values: dict[str, Any] = {"key": _key(section, "key"), "names": _names(section)}
    values |= {name: section.text(name) for name in ("section", "row", "graph")}
    values["mark"] = _mark(section)
    values["is_users"] = section.flag("users", default=False)
    values["is_by_vehicle"] = section.flag("by_vehicle", default=False)
    note = section.section("note")
    values["note"] = {x: text for x in ("ru", "en") if (text := note.text(x))}
    note.finish()
    ways = [way for way in _WAYS if way in section]
    if len(ways) != 1:
        section.note("forms.one_way", ways[-1] if ways else "key", known=", ".join(_WAYS))
    values["measure"], values["ratio"] = _measure(section), _ratio(section)
    if values["is_users"] and values["measure"] is not None:
        _check_users(section, values["measure"])
    section.finish()
    if values["measure"] is None and values["ratio"] is None:
        values["measure"] = Measure()  # the file is refused anyway
    elif values["measure"] is not None:
        values["ratio"] = None
    return values


def _measure(section: Section) -> Measure | None:
    sums, less = _counted(section, "sum"), _counted(section, "less")
    count, distinct = section.text("count"), section.text("distinct")
    over = _one_of(section, "over", list(Over)) or Over.HELD
    if less and not sums:
        section.note("forms.less_of_nothing", "less")
    if count and count != _STOP_VISITS:
        section.note("forms.unknown_value", "count", known=_STOP_VISITS)
    which = _one_of(section, "distinct", list(Distinct)) if distinct else None
    if sums:
        return Measure(names=sums, less=less, over=Over(over))
    if which:
        return Measure(distinct=Distinct(which), over=Over(over))
    return Measure(over=Over(over)) if count else None


def _check_users(section: Section, measure: Measure) -> None:
    """Different persons are known of one band of age, or of all together."""
    bands = {name.partition(".")[2] for name in measure.names}
    if len(bands) != 1 or measure.less:
        section.note("forms.users_bands", "users", bands=", ".join(Band))


def _counted(section: Section, key: str) -> tuple[str, ...]:
    names = section.texts(key)
    if key == "sum" and key in section and not names:
        section.note("region.missing_key", key)
    for name in names:
        if name not in NAMES:
            near = nearest(name, sorted(NAMES))
            section.note("forms.unknown_count", key, name=name, nearest=near)
            return ()
    return names


def _one_of(section: Section, key: str, known: list[Any]) -> str:
    value = section.text(key)
    if value and value not in known:
        section.note("forms.unknown_value", key, known=", ".join(known))
        return ""
    return value


def _ratio(section: Section) -> Ratio | None:
    pair, per = section.texts("ratio"), section.number("per", 1.0, least=0)
    if "ratio" in section and len(pair) != 2:
        section.note("region.wrong_type", "ratio", wanted='["…", "…"]')
    return Ratio(over=pair[0], under=pair[1], per=per or 1.0) if len(pair) == 2 else None


def _check_keys(sections: list[Section], keys: list[str]) -> None:
    """Keys are unique, and ratios name figures that are sums."""
    for number, (section, key) in enumerate(zip(sections, keys, strict=True)):
        if key in keys[:number]:
            section.note("forms.figure_twice", "key")
    plain = {k for s, k in zip(sections, keys, strict=True) if "ratio" not in s}
    for section in sections:
        for name in section.texts("ratio") if "ratio" in section else ():
            if name not in plain:
                section.note(
                    "forms.unknown_figure", "ratio", name=name, known=", ".join(sorted(plain))
                )
