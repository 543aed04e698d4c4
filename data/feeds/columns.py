"""Which column of a foreign file is which of ours: by our names, by synonyms, or as told."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches

from data.feeds.report import Problem
from data.model.errors import InputError

_SYNONYMS: dict[str, dict[str, str]] = {
    "": {
        "lon": "longitude long lng x geox geo_lon geolon долгота longitude_dd долгота_гр coord_x",
        "lat": "latitude y geoy geo_lat geolat широта latitude_dd широта_гр coord_y",
        "name": "название наименование имя",
        "source": "источник",
    },
    "settlements": {
        "settlement_id": "id код code ид идентификатор fid osm_id os_id geonames_id geonameid "
        "settlement_code код_нп",
        "name": "name_ru settlement settlement_name населённый_пункт нп place place_name "
        "place_ru название_нп наименование_нп город city",
        "name_latin": "name_en latin name_int английское_название asciiname",
        "kind": "type type_ru тип place_type вид fclass feature_code",
        "municipality_id": "district_id municipality district муниципалитет "
        "муниципальное_образование район мо district_ru округ county",
        "population": "население численность численность_населения жителей pop inhabitants "
        "residents население_чел численность_чел чел кол_во_жителей",
        "population_year": "year год год_переписи population_date год_населения",
        "children": "дети детей children_0_14 дети_0_14",
        "youth": "молодёжь молодежь молодёжи youth_15_30 молодёжь_15_30",
        "seniors": "пожилые пожилых старше_65 seniors_65 elderly over_65",
        "disabled": "инвалиды инвалидов люди_с_инвалидностью people_with_disabilities",
        "oktmo": "октмо код_октмо oktmo_code",
        "flags": "qa_flags пометки",
    },
    "municipalities": {
        "municipality_id": "id district_id код oktmo октмо oktmo8",
        "name": "name_ru district_ru district municipality муниципалитет район "
        "муниципальное_образование",
        "population": "население численность census2021_total total всего",
        "population_urban": "urban городское census2021_urban",
        "population_rural": "rural сельское census2021_rural",
        "population_year": "year год",
    },
    "libraries": {
        "library_id": "id код ид идентификатор fid osm_id",
        "name": "name_ru library library_name библиотека название_библиотеки",
        "kind": "вид тип",
        "settlement_id": "код_нп",
        "address": "address_ru адрес address_1",
        "opening_hours": "hours режим_работы часы_работы время_работы график_работы",
        "opened_date": "дата_открытия date_opened",
        "closed_date": "дата_закрытия date_closed",
        "opened_year": "year_opened год_открытия",
        "closed_year": "year_closed год_закрытия",
        "status": "closed закрыта статус состояние",
    },
    "depots": {
        "depot_id": "id код ид",
        "name": "depot база гараж",
        "kind": "type тип вид",
        "room_m": "room место_м",
    },
    "vehicles": {
        "vehicle_id": "id код ид номер госномер plate",
        "name": "vehicle библиобус кибо машина",
        "depot_id": "depot база гараж",
        "end_depot_id": "end_depot конечная_база",
        "height_m": "height высота высота_м",
        "width_m": "width ширина ширина_м",
        "length_m": "length длина длина_м",
        "weight_kg": "weight mass масса масса_кг вес",
        "axle_load_kg": "axle_load нагрузка_на_ось",
        "weekdays": "days дни дни_недели",
        "duty_start": "начало_смены смена_с",
        "duty_end": "конец_смены смена_до",
        "seats": "места мест число_мест",
    },
    "specialists": {
        "specialist_id": "id код ид табельный_номер",
        "name": "specialist фио специалист сотрудник",
        "service": "services услуга вид_услуги должность",
        "weekdays": "days дни дни_недели",
        "off_dates": "отсутствие отпуск выходные",
        "duty_start": "начало_смены смена_с",
        "duty_end": "конец_смены смена_до",
        "vehicles": "vehicle_id vehicle библиобус кибо машина",
        "days_per_week_max": "дней_в_неделю days_per_week",
    },
    "observed": {
        "date": "service_date дата день",
        "vehicle_id": "vehicle машина библиобус кибо",
        "place_id": "stop_id stop depot_id место стоянка место_стоянки",
        "planned_arrival": "arrival_plan прибытие_план",
        "planned_open": "open_plan открытие_план",
        "planned_close": "close_plan закрытие_план",
        "planned_departure": "departure_plan отправление_план",
        "arrival": "arrival_act actual_arrival прибытие прибытие_факт",
        "doors_open": "open opened открытие открытие_факт двери_открыты",
        "doors_close": "close closed закрытие закрытие_факт двери_закрыты",
        "departure": "departure_act actual_departure отправление отправление_факт",
        "meal_min": "meal обед обед_мин",
        "visits": "visits_service посещения visitors посетители",
        "loans": "loans_home выдачи книговыдача выдано",
        "status": "статус",
        "reason": "причина",
    },
    "norms": {
        "norm_set_id": "id набор",
        "population_from": "от население_от",
        "population_to": "до население_до",
        "max_minutes": "minutes минут мин",
        "max_km": "km км",
    },
    "stock": {
        "item_id": "barcode штрихкод штрих_код rfid метка код_экземпляра экземпляр",
        "inventory_no": "inventory inv инвентарный_номер инв_номер инв инвентарный",
        "title": "title_name name заглавие название_книги книга",
        "author": "authors автор авторы",
        "year": "год год_издания publication_year",
        "isbn": "issn",
        "language": "lang язык",
        "carrier": "kind type вид вид_издания носитель тип",
        "age_mark": "age знак возраст возрастной_знак возрастная_маркировка знак_информации",
        "shelf": "полка стеллаж раздел расстановка фонд",
        "classification": "ббк удк bbk udc класс индекс",
        "publisher": "издательство",
        "for_children": "children детская детям детская_литература",
        "accessible": "крупный_шрифт доступный_формат large_print",
        "for_loan": "loan выдача на_дом выдаётся",
        "withdrawn": "списан списано выбыл",
        "acquired_date": "acquired дата_поступления поступление",
        "thickness_mm": "thickness толщина толщина_мм",
        "place": "location место местонахождение",
        "title_id": "record_id id_издания",
        "catalogue_code": "catalogue_id шифр_документа код_записи mfn",
    },
    "patrons": {
        "patron_id": "reader_id id_читателя код_читателя ид_читателя",
        "card": "barcode билет читательский_билет номер_билета штрихкод cardnumber",
        "name": "фио читатель reader surname",
        "kind": "category вид категория",
        "birth_date": "born dateofbirth дата_рождения родился",
        "phone": "telephone телефон",
        "stop_ids": "stop stops stop_id стоянка стоянки место_стоянки места_стоянок",
        "registered_date": "registered dateenrolled дата_записи записан",
        "expires_date": "expires dateexpiry действует_до срок_записи",
        "blocked": "debarred block ограничение блокировка",
        "disabled": "овз инвалид инвалидность",
    },
    "stops": {
        "stop_id": "id код ид",
        "name": "stop место_стоянки стоянка остановка",
        "community": "населённый_пункт нп village",
        "kind": "type тип вид",
        "settlement_ids": "settlement_id settlements",
        "service_min": "service minutes стоянка_мин время_работы_мин минут",
        "visits_per_cycle": "frequency периодичность visits",
        "windows": "окна время окно time_windows",
        "weekdays": "days дни дни_недели",
        "max_gap_days": "max_gap интервал_дней",
        "recurrence": "rrule правило повторение",
        "first_date": "start начало",
        "last_date": "end окончание",
        "exceptions": "exdate исключения",
        "extra_dates": "rdate дополнительные_даты",
        "seasons": "season сезон сезоны",
        "school": "школа учебное_время",
        "people": "население population жителей",
        "services": "услуги специалисты",
        "services_visits": "стоянок_со_специалистом",
        "mandatory": "обязательная обязательно",
        "contact": "контакт",
        "notes": "примечание примечания",
    },
}


def tidy_head(head: str) -> str:
    """A column name reduced to what matters: ``"Население, чел."`` becomes ``население_чел``."""
    text = unicodedata.normalize("NFC", head).casefold().replace("ё", "е")
    return re.sub(r"[\W_]+", "_", text).strip("_")


def _known_heads(entity: str, columns: Iterable[str]) -> dict[str, tuple[int, str]]:
    known: dict[str, tuple[int, str]] = {}
    for synonyms in (_SYNONYMS[""], _SYNONYMS.get(entity, {})):
        for ours, words in synonyms.items():
            for rank, word in enumerate(words.split(), start=1):
                known[tidy_head(word)] = (rank, ours)
    for column in columns:
        known[tidy_head(column)] = (0, column)
    return known


def match_columns(
    heads: Sequence[str],
    columns: Sequence[str],
    *,
    entity: str,
    file: str,
    mapping: Mapping[str, str] | None = None,
    empty: Collection[str] = (),
) -> dict[str, str]:
    """Say which head of a file is which of our columns.

    Parameters
    ----------
    heads
        Column names of the file.
    columns
        Our column names for this table.
    mapping
        Theirs to ours, as a person told; it goes before the synonyms.
    empty
        Heads with no value in any row; a synonym among them counts only if no other has one.

    Returns
    -------
    dict[str, str]
        Theirs to ours; heads that mean nothing to us are left out. Of two heads with one meaning
        the one nearer to our own name is taken.

    Raises
    ------
    InputError
        ``feeds.mapping.unknown_source`` or ``feeds.mapping.unknown_target``.
    """
    chosen: dict[str, str] = {}
    for theirs, ours in (mapping or {}).items():
        if theirs not in heads:
            raise InputError(
                "feeds.mapping.unknown_source",
                file=file,
                column=theirs,
                nearest=nearest(theirs, heads),
                columns=", ".join(heads),
            )
        if ours not in columns:
            raise InputError(
                "feeds.mapping.unknown_target",
                file=file,
                column=ours,
                nearest=nearest(ours, columns),
                columns=", ".join(columns),
            )
        chosen[theirs] = ours
    known = _known_heads(entity, columns)
    best: dict[str, tuple[bool, int, int, str]] = {}
    for place, theirs in enumerate(heads):
        rank_ours = known.get(tidy_head(theirs))
        if theirs in chosen or rank_ours is None:
            continue
        rank, ours = rank_ours
        if ours in columns and ours not in chosen.values():
            found = (theirs in empty, rank, place, theirs)
            best[ours] = min(best.get(ours, found), found)
    return chosen | {theirs: ours for ours, (*_, theirs) in best.items()}


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like a given one; empty if none is known."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.0)
    return close[0] if close else ""


def strict_columns(heads: Sequence[str], columns: Sequence[str], file: str) -> list[Problem]:
    """Problems of a region table's head: unknown columns and columns given twice."""
    problems = []
    for index, head in enumerate(heads):
        if head not in columns:
            problems.append(
                Problem(
                    code="feeds.columns.unknown",
                    facts={
                        "file": file,
                        "column": head,
                        "nearest": nearest(head, columns),
                        "columns": ", ".join(columns),
                    },
                )
            )
        elif head in heads[:index]:
            problems.append(
                Problem(code="feeds.columns.twice", facts={"file": file, "column": head})
            )
    return problems
