"""Prints the directory of the active Python's torch package if it is 2.11 or newer; prints nothing otherwise."""
import importlib.metadata
import importlib.util

try:
    version = tuple(int(part) for part in importlib.metadata.version("torch").split("+")[0].split(".")[:2])
    if version >= (2, 11):
        print(importlib.util.find_spec("torch").submodule_search_locations[0])
except (importlib.metadata.PackageNotFoundError, ValueError, AttributeError):
    pass
