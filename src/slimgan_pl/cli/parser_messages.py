"""Messages of jsonargparse as `problem; fix`, in one line."""

import re
from inspect import signature
from pydoc import locate
from typing import Any, cast

from slimgan_pl.cli.tool_parser import example_config, name_kind, suggest

__all__ = ["plain_message"]

MAX_LENGTH = 300  # characters of a message

PLAINER = (  # parts of jsonargparse's messages about unions of types, and their replacements
    (r" Given value type: <class '\S*(NestedArg|Namespace)'>.*", ""),
    (r" Given value type: .*? Given value:", ". Got value:"),
    (r"Does not validate against any of the Union subtypes Subtypes: .*? Errors: ", ""),
    (r"Type typing\.Callable\[.*?\] expects a function or a callable class: ", ""),
    (
        r"(Option '\w+' is not accepted)\. Got value: Namespace\(class_path=('\S+?').*",
        r"Problem with given class_path \2: \1",
    ),
    (r"\.? Got value: Namespace\(.*", ""),
    (r"- Expected a path but .*? either not accessible or invalid ", ""),
    (r" ?- Expected a <class 'NoneType'>", ""),
    (r": (- )+", ": "),
    (r" - Expected ", " or "),
    (r" - Import path does not correspond to a subclass of (?=\w)", " or a "),
    (r"Expected a <class 'list'> - (?=Problem)", ""),
    (r" Subclass types expect one of: .*", ""),
    (r"^Unexpected config: ?$", 'Parser key "config": expected one argument'),
)

PLACE = re.compile(  # which jsonargparse puts before a problem, one after the other
    r"Parser key \"(?P<key>[\w.]+)\": ?|argument (?:\S+ --> |--)?(?P<argument>[\w.]+): ?"
    r"|Problem with given class_path '(?P<class>\S+)': ?"
)

WANTED = (  # what jsonargparse expects, and how a user names it
    (r"a dot import path string: \S+", lambda found: "a class"),
    (r"a <class '(?:list|tuple|collections\.abc\.\w+)'>", lambda found: "a list such as [a, b]"),
    (r"a <class '(?:\w+\.)*(\w+)'>|^(\w+)$", lambda found: name_kind(found[1] or found[2])),
    (r"a typing\.Literal\[(.*?)\]", lambda found: f"one of {found[1].replace(chr(39), '')}"),
    (r"a number or a class", lambda found: "a number"),  # or a tensor
)

NO_CLASS = "{option} is {value}, and there is no such class; see slimgan fit --help"
OTHER_CLASS = "{option} is {value}, which is no {base}; give a class that is one"

PROBLEMS = (  # what is left behind the places, and our sentences
    (
        r"(?:File does not exist|Path is not a file): '(?P<value>.*)'",
        "there is no file {value} for {option}; give one such as {example}",
    ),
    (r"Expected a dot import path string: (?P<value>\S+?)(?:\. Got value: .*)?", NO_CLASS),
    (r"Expected a <class 'list'> or a dot import path string: (?P<value>[A-Za-z]\S*)\. Got value: .*", NO_CLASS),
    (r"module '\S+' has no attribute '\w+'\. Got value: (?P<value>.*)", NO_CLASS),
    (r"Expected '(?P<value>\S+)' to be a subclass of <class '(?P<base>\w+)'>\.*", OTHER_CLASS),
    (r"Import path (?P<value>\S+) does not correspond to a subclass of (?P<base>\w+)", OTHER_CLASS),
    (r"Not a valid subclass of (?P<base>\w+)\. Got value: (?P<value>.*)", OTHER_CLASS),
    (r"Expected (?P<wanted>.*)\. Got value: (?P<value>.*?)\.?", "{option} is {value}; give {wanted}"),
    (r"invalid (?P<wanted>\w+) value: (?P<value>.*)", "{option} is {value}; give {wanted}"),
    (
        r"(?:Unable to load config '|Unexpected import path format: )(?P<value>.*?)(?:' .*|\. Got value: .*)",
        "{option} is {value}; give the options that begin with it, which slimgan fit --help lists",
    ),
    (r"expected one argument", "{option} has no value; give one"),
    (r"Option '(?P<name>\w+)' is not accepted.*", "{option}: {kind} has no {name}{hint}"),
    (
        r"the following arguments are required: (?P<names>[\w, ]+)\.*",
        "{option}: {kind} needs {names}; give {options}",
    ),
)


def plain_message(message: str) -> str:
    """Return a message of jsonargparse as `problem; fix`.

    Messages that are not known keep their words, shortened.
    """
    text = " ".join(message.split())
    for pattern, replacement in PLAINER:
        text = re.sub(pattern, replacement, text)
    keys, kind = list[str](), ""
    while place := PLACE.match(text):
        keys += filter(None, (place["key"], place["argument"]))
        kind, text = place["class"] or kind, text[place.end() :]
    if not keys:
        return shorten(text)
    option = f"--{'.'.join(keys)}"
    for pattern, sentence in PROBLEMS:
        if found := re.fullmatch(pattern, text):
            return shorten(sentence.format(**describe(option, kind, **found.groupdict())))
    return shorten(f"{option}: {text}")


def describe(option: str, kind: str, name: str = "", names: str = "", **words: str) -> dict[str, str]:
    """Return the words of a sentence about an option.

    Args:
        option: The option.
        kind: Path of the class behind it, or nothing.
        name: Argument that the class lacks.
        names: Arguments that it needs.
        words: Others, in jsonargparse's form.
    """
    return {
        **words,
        "option": option,
        "kind": kind.rpartition(".")[2],
        "name": name,
        "names": names,
        "hint": suggest_argument(name, kind) if name else "",
        "options": " and ".join(f"{option}.{each}" for each in names.split(", ")),
        "value": "null" if words.get("value") == "None" else words.get("value", ""),
        "wanted": name_wanted(words.get("wanted", "")),
        "example": example_config(),
    }


def name_wanted(text: str) -> str:
    """Return what jsonargparse expects in a user's words.

    >>> name_wanted("a <class 'int'> or a typing.Literal['all']")
    'a whole number or one of all'
    """
    for pattern, replacement in WANTED:
        text = re.sub(pattern, replacement, text)
    return text


def suggest_argument(name: str, kind: str) -> str:
    """Return what to ask or tell about an argument that a class lacks."""
    # NOTE: before Python 3.11.4 the signature of a class is that of __new__, if there is one.
    known = list(signature(cast(Any, locate(kind)).__init__).parameters)[1:]
    return suggest(name, known) or f"; there are {', '.join(known)}"


def shorten(message: str) -> str:
    """Return a message whose middle is left out where it is long."""
    return message if len(message) <= MAX_LENGTH else f"{message[: MAX_LENGTH - 105]} ... {message[-100:]}"
