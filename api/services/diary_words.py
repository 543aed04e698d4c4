"""Names of counts, faults and reasons of the diary in a reader's language."""

from api.words import Words
from data.model.stop_counts import CountFault


def count_name(name: str, words: Words) -> str:
    """A count by its name, with the band of age where it has one."""
    base, _, band = name.partition(".")
    told = words(f"diary.count.{base}")
    if not band:
        return told
    return words("diary.named", name=told, band=words(f"diary.band.{band}"))


def fault_text(fault: CountFault, words: Words) -> str:
    """What is wrong with a record's counts."""
    facts = dict(fault.facts)
    if isinstance(facts.get("name"), str):
        facts["name"] = count_name(str(facts["name"]), words)
    if isinstance(facts.get("state"), str):
        facts["state"] = words(f"diary.state.{facts['state']}")
    return words(fault.code, **facts)


def reason_text(reason: str, words: Words) -> str:
    """Why a stop visit was left out or cancelled."""
    return words(f"diary.skip.{reason}") if reason else ""
