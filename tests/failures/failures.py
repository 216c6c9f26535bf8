"""Every message that the sources can end with, its exit code and the test that provokes it: docs/failures.md.

usage: failures.py [--write]

Without --write it ends with 1 where a message has neither a test nor a reason below why there is none, and where the page
is not the one that --write makes.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "failures.md")
FOLDERS = ("core", "models", "training", "experiments")
CODES = {"internal": 1, "usage": 2, "io": 4, "diverged": 5, "incomplete": 6}

# Begins a statement that makes a message, and the code that the program ends with.
MAKERS = [(r"\bio_error\(", 4), (r"\bError\(", 2), (r"\bproblem\(", 2), (r"\bproblems_?\.add\(", 2), (r"\brefuse\(", 2),
          (r"\bbad\(", 4)]

# What no test provokes, and why.
DISK = "the disk would have to fill up, or its permissions to change, at that moment"
SYSTEM = "the system would have to run out of processes, descriptors or temporary space"
BROWSER = "the browser would have to break while it draws"
UNREACHED = "an earlier message comes first"
UNTESTED = {
    "cannot cut back": DISK,
    "cannot rename into place": DISK,
    "aliases are not supported": UNREACHED,
    "phases of neurons need all pairs": UNREACHED,
    "is no square table": UNREACHED,
    "temperatures can be exchanged only": UNREACHED,
    "the stored chains are of another network": UNREACHED,
    "this model does not say by which paths": "every model says so",
    "the model has no parameter": "the names are the program's own",
    "was written by another version of logodds": "it takes a checkpoint of another version",
    "cannot start a shell for": SYSTEM,
    "cannot start a process": SYSTEM,
    "cannot make a pipe": SYSTEM,
    "…: cannot create": SYSTEM,
    "the browser's picture is damaged": BROWSER,
    "the report does not draw in": BROWSER,
    "has not drawn the report within two minutes": BROWSER,
    "'…' failed: no message": "sbatch says what is wrong",
    "on a GPU this is noticed": "it takes a GPU",
    "this logodds was built without plotly.js": "it takes a build without plotly.js",
}


def statement(text, at):
    """The arguments that begin at an opening parenthesis."""
    depth, quoted, i = 0, False, at
    while i < len(text):
        c = text[i]
        if quoted:
            i += c == "\\"
            quoted = c != '"'
        elif c == '"':
            quoted = True
        elif c == "'" and re.match(r"'(\\.|[^'\\])'", text[i:i + 4]):
            i += len(re.match(r"'(\\.|[^'\\])'", text[i:i + 4]).group()) - 1
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                return text[at + 1:i]
        i += 1
    return text[at + 1:]


def unquoted(literal):
    return literal.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", "\n")


def messages_of(arguments):
    """The texts of an expression, with … for what is computed; `c ? "a" : "b"` makes two."""
    arguments = re.sub(r"\.(at|value|find)\([^()]*\)|\(\w+ / \"[^\"]*\"\)\.string\(\)", "computed", arguments)
    arguments = re.sub(r'^[^"+]*?\b(?:where|mark|\[i\]|location)\)?,\s*', '"…: " + ', arguments)  # a place comes first
    if '"' not in arguments:
        return []
    parts = re.split(r'"((?:[^"\\]|\\.)*)"', arguments)
    texts, others, before = [""], None, []
    for i in range(0, len(parts), 2):
        code = parts[i].strip(" \n+")
        condition = code.startswith("(") and code.endswith("?")
        code = code.strip("()")
        literal = unquoted(parts[i + 1]) if i + 1 < len(parts) else ""
        if others is not None and code.startswith(":"):  # a choice within a text: its first half is in `texts`
            texts += [other + (literal if code == ":" else "…") for other in others]
            texts = [text + ("" if code == ":" else literal) for text in texts]
            others = None
            continue
        if code == ":":  # a choice between whole texts
            before, texts = before + texts, [""]
        elif re.search(r"\?[^?]*:$", code):
            literal = "…"  # what is computed stands for the choice
        computed = "" if condition or code in ("", ":", "std::string") else "…"
        others = [text + computed for text in texts] if code.endswith("?") else None
        texts = [text + computed + literal for text in texts]
    texts = before + texts
    return [re.sub(r"\s+", " ", re.sub("…+", "…", text)).strip() for text in texts]


def messages():
    """(file, line, message, code) of all sources."""
    found = []
    for folder in FOLDERS:
        for place, _, names in sorted(os.walk(os.path.join(ROOT, folder))):
            for name in sorted(names):
                if not name.endswith((".h", ".cpp")):
                    continue
                path = os.path.join(place, name)
                with open(path) as file:
                    text = file.read()
                for maker, code in MAKERS:
                    for match in re.finditer(maker, text):
                        arguments = statement(text, match.end() - 1)
                        named = re.search(r"ExitCode::(\w+)\s*$", arguments)
                        line = text.count("\n", 0, match.start()) + 1
                        for message in messages_of(re.sub(r",\s*ExitCode::\w+\s*$", "", arguments)):
                            if len(longest(message)) >= 4:
                                found.append((os.path.relpath(path, ROOT), line, message,
                                              CODES[named.group(1)] if named else code))
    return sorted(found)


def longest(message):
    return max((part.strip(" :,;()'") for part in message.split("…")), key=len, default="")


def joined(text):
    return re.sub(r'"\s*\n\s*"', "", text)


def cases():
    """(command, line, code) of tests/experiments/failures_test.cpp."""
    with open(os.path.join(ROOT, "tests", "experiments", "failures_test.cpp")) as file:
        text = joined(file.read())
    string = r'"((?:[^"\\]|\\.)*)"'
    return [(unquoted(command).lstrip("!"), unquoted(line), int(code))
            for command, line, code in re.findall(r"\{\s*" + string + r",\s*" + string + r",\s*(\d)\}", text)]


def tests():
    """(name of the test, its text) of all other tests."""
    found = []
    for place, _, names in sorted(os.walk(os.path.join(ROOT, "tests"))):
        for name in sorted(names):
            if not name.endswith(("_test.cpp", "_test.py")) or name == "failures_test.cpp":
                continue
            with open(os.path.join(place, name)) as file:
                text = joined(file.read())
            for part in re.split(r"^(?=TEST|    def test_)", text, flags=re.M)[1:]:
                title = re.match(r"TEST(?:_F|_P)?\((\w+),\s*(\w+)\)|    def (test_\w+)", part)
                if title:
                    label = title.group(3) or title.group(1) + "." + title.group(2)
                    found.append((label, re.sub(r"\s+", " ", unquoted(part))))
    return found


def fits(message, line):
    """Whether the parts of a message stand in a line, in their order."""
    at = 0
    for part in message.split("…"):
        at = line.find(part.strip(), at)
        if at < 0:
            return False
    return True


def provoked(message, code, all_cases, all_tests):
    """By what command or test; else why by none; else None."""
    for command, line, ends_with in all_cases:
        if ends_with == code and fits(message, line):
            return f"`logodds {command}`"
    for label, text in all_tests:
        if longest(message) in text:
            return label
    return next(("no test: " + reason for part, reason in UNTESTED.items() if part in message), None)


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def page():
    """The page, and the messages that nothing provokes."""
    all_cases, all_tests = cases(), tests()
    rows, lacking, seen = [], [], set()
    for file, line, message, code in messages():
        if code == CODES["internal"] or (message, code) in seen:
            continue  # a defect of the program, which no input is to reach
        seen.add((message, code))
        by = provoked(message, code, all_cases, all_tests)
        if by is None:
            lacking.append(f"{file}:{line}: no test provokes: {message}")
        rows.append(f"| {cell(message)} | {code} | {cell(by or '')} |")
    all_messages = [message for _, _, message, _ in messages()]
    parser = [f"| {cell(line)} | {code} | `logodds {cell(command)}` |" for command, line, code in all_cases
              if not any(fits(message, line) for message in all_messages)]
    head = "| message | exit code | provoked by |\n|---|---|---|\n"
    text = ("# Every failure that a user can cause\n\n"
            "Made by `python3 tests/failures/failures.py --write` from the sources and tests, and held against both by\n"
            "`./dev test`. … stands for what differs: files, lines, keys, numbers. Configurations give all their problems\n"
            "at once, a line each. Exit codes are explained in the [README](../README.md#exit-codes); 1, a defect of logodds,\n"
            "stands for nothing here. The commands run in the directory that `tests/experiments/failures_test.cpp` makes.\n\n"
            + head + "\n".join(rows) + "\n\nThe parser of command lines and lack of memory:\n\n" + head + "\n".join(parser) + "\n")
    return text, lacking


def main():
    text, lacking = page()
    print("\n".join(lacking))
    if sys.argv[1:] == ["--write"]:
        os.makedirs(os.path.dirname(PAGE), exist_ok=True)
        with open(PAGE, "w") as file:
            file.write(text)
    elif not os.path.exists(PAGE) or open(PAGE).read() != text:
        print("docs/failures.md is not that of the sources and tests: python3 tests/failures/failures.py --write")
        sys.exit(1)
    sys.exit(1 if lacking else 0)


main()
