"""The exceptions: onward.Error and, for each family of codes, the class that onnxruntime's and Python's own users expect."""
import json


class Error(RuntimeError):
    """`code` is the number that `onward explain CODE` explains, `name` its name ("bad-input"), `hint` what to do (may be "").

    `problems` lists all that stands in the way of a conversion, where it is known one by one: dicts of "code" ("E0402"), "where" ("model
    (Pipeline) > scale (MyScaler)"), "places" (every place of the same problem), "message" and "hint".
    """

    code = 701
    name = "internal"
    hint = ""

    def __init__(self, message="", code=None, name=None, hint="", problems=()):
        super().__init__(message)
        self.message, self.hint, self.problems = message, hint, list(problems)
        if code is not None:
            self.code = code
        if name is not None:
            self.name = name

    def __str__(self):
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self):
        return type(self), (self.message, self.code, self.name, self.hint, self.problems)


class InvalidArgument(Error, ValueError):
    """A tensor, table, option or schema that does not fit."""


class InvalidProtobuf(Error, ValueError):
    """The bytes of a file are not what they claim to be."""


class InvalidGraph(Error, ValueError):
    """A model that breaks the standard's rules."""


class NotImplemented(Error, NotImplementedError):  # noqa: A001  onnxruntime's name
    """An operator, estimator or file of a kind that is not supported."""


class NoSuchFile(Error, FileNotFoundError):
    """A file that cannot be opened, read or written."""


class OutOfMemory(Error, MemoryError):
    """More memory was asked for than there is, or than the limit allows."""


class TimeLimit(Error, TimeoutError):
    """The time limit was reached."""


class Fail(Error):
    """A size beyond what any real model has."""


class Cancelled(Fail):
    """RunOptions.terminate was set."""


class RuntimeException(Error):
    """A bug in onward."""


_CLASSES = {201: InvalidArgument, 301: NoSuchFile, 302: InvalidProtobuf, 303: InvalidGraph, 304: InvalidArgument, 305: InvalidArgument, 306: InvalidArgument,
            307: InvalidArgument, 401: NotImplemented, 402: NotImplemented, 403: NotImplemented, 501: OutOfMemory, 502: TimeLimit, 503: Fail,
            701: RuntimeException, 801: Cancelled}
_NAMES = {201: "usage", 301: "io", 304: "bad-input", 306: "bad-data", 701: "internal"}


def error_of(code, name, message, hint, problems="[]"):
    """The exception for a code of the C interface; `problems` is JSON."""
    return _CLASSES.get(code, Error)(message, code, name or _NAMES.get(code, ""), hint, json.loads(problems))


def usage(message, hint=""):
    return error_of(201, "usage", message, hint)


def suggestion(word, known):
    """"; did you mean 'x'?" where something known is near."""
    import difflib

    by_lower = {str(k).lower(): str(k) for k in known}
    near = [by_lower[k] for k in difflib.get_close_matches(str(word).lower(), list(by_lower), 1, 0.6)]
    return f"; did you mean '{near[0]}'?" if near else ""
