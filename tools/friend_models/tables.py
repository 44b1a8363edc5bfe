"""The tables and targets that make_friend_fixtures.py fits on and asks about."""
import numpy as np
import pandas as pd

FIT, ASK = 90, 30


def table(kind):
    """-> rows to fit on, rows to ask about: with categories that the first do not have"""
    r, n = np.random.RandomState(7), FIT + ASK
    numbers = np.column_stack([r.normal(size=n), np.round(np.exp(r.normal(size=n)), 2), r.randint(0, 5, n), r.normal(size=n) * 100])
    frame = pd.DataFrame({
        "age": np.round(r.gamma(4, 8, n), 1), "fare": np.round(np.exp(r.normal(2, 1, n)), 2),
        "sex": r.choice(["male", "female"], n), "port": r.choice(["S", "C", "Q", "é 日本"], n, p=[.5, .25, .15, .1]),
        "deck": r.randint(1, 5, n), "rank": r.choice([1.5, 2.0, 3.25], n), "member": r.uniform(size=n) < .5})
    if kind == "numbers":
        rows = numbers
    elif kind == "frame_numbers":
        rows = pd.DataFrame(numbers, columns=["a", "b", "c", "d"])
    elif kind in ("clean", "categories"):
        rows = frame
    elif kind == "measures":                                           # numbers above zero
        rows = frame[["age", "fare", "deck", "rank"]]
    elif kind == "words":
        rows = frame[["sex", "port"]].to_numpy(object)
    else:                                                              # gaps, and what is new in the rows asked about
        rows = frame.astype({"sex": object, "port": object})
        for name in ("age", "port", "rank") if kind != "unseen" else ():
            rows.loc[r.uniform(size=n) < .12, name] = np.nan
    if kind in ("gaps", "new", "unseen", "words_new"):
        rows = rows.astype({"sex": str(frame["sex"].dtype), "port": str(frame["port"].dtype)})
    if kind in ("new", "objects_new", "new_gaps", "unseen", "words_new"):
        rows.loc[FIT + 1::5, "port"] = "elsewhere"
        rows.loc[FIT + 2::6, "sex"] = "other"
        rows.loc[FIT + 3::7, "deck"] = 9
        rows.loc[FIT + 4::8, "rank"] = 7.0
    if kind == "new_gaps":                                             # gaps where there were none in training
        for name in ("age", "port", "rank"):
            rows.loc[:FIT - 1, name] = rows.loc[:FIT - 1, name].ffill().bfill()
        rows.loc[FIT + 5::9, "sex"] = np.nan
    if kind == "measures_gaps":
        rows = rows[["age", "fare", "deck", "rank"]]
    if kind == "categories":
        rows = rows.astype({"sex": "category", "port": "category"})
    if kind == "words_new":
        rows = rows[["sex", "port"]].astype(object).to_numpy()
    return (rows.iloc[:FIT], rows.iloc[FIT:]) if isinstance(rows, pd.DataFrame) else (rows[:FIT], rows[FIT:])


def target(kind):
    r = np.random.RandomState(8)
    score = r.normal(size=FIT) + table("numbers")[0][:, 0]
    if kind == "rare":
        return np.where(score > np.quantile(score, .8), "yes", "no")
    if kind == "three":
        return np.digitize(score, np.quantile(score, [.5, .8])) * 10
    if kind == "zeros and ones":
        return (score > np.quantile(score, .6)).astype(int)
    return np.round(np.exp(score / 2), 3)                             # a positive number
