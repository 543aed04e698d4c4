"""Russian names in Latin letters, so that an English reader can say them.

References
----------
BGN/PCGN 1947 system for Russian, without its apostrophes for the soft and the hard sign.
"""

_LETTERS = dict(zip("абвгдеёзийклмнопрстуфыэ", "abvgdeëziyklmnoprstufye", strict=True)) | {
    "ё": "yo",
    "ж": "zh",
    "х": "kh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "shch",
    "ъ": "",
    "ь": "",
    "ю": "yu",
    "я": "ya",
}
_IOTATED_AFTER = frozenset("аеёиоуыэюяйъь")


def latin_name(name: str) -> str:
    """A name in Latin letters; empty where it has no Cyrillic ones to turn.

    >>> latin_name("Елизаветино-Заречье")
    'Yelizavetino-Zarechye'
    """
    if not any(letter in _LETTERS for letter in name.lower()):
        return ""
    written = []
    before = ""
    for letter in name:
        small = letter.lower()
        latin = _LETTERS.get(small)
        if latin is None:
            written.append(letter)
        else:
            if small == "е" and (before in _IOTATED_AFTER or not before.isalpha()):
                latin = "ye"
            shout = name.isupper() and len(name) > 1
            cased = latin.upper() if shout else latin.capitalize()
            written.append(cased if letter.isupper() else latin)
        before = small
    return "".join(written)
