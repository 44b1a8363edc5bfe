"""Fits an ordinary scikit-learn pipeline and saves it with joblib. Usage: fit.py FOLDER (gets model.joblib and heldout.csv)"""
import sys
from pathlib import Path

import flights
import joblib
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

folder = Path(sys.argv[1])
columns, labels = flights.load()
train, heldout, train_labels, heldout_labels = train_test_split(columns, labels, test_size=10_000, random_state=0, stratify=labels)

preparation = ColumnTransformer([
    ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), flights.NUMBERS),
    ("text", make_pipeline(SimpleImputer(strategy="constant", fill_value="unknown"),
                           OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=100)), flights.TEXT),
    ("booleans", "passthrough", flights.BOOLEANS),
])
model = make_pipeline(preparation, RandomForestClassifier(n_estimators=100, max_depth=14, min_samples_leaf=3, random_state=0))
model.fit(train, train_labels)

joblib.dump(model, folder / "model.joblib")
heldout.to_csv(folder / "heldout.csv", index=False)
print(f"{len(train):,} flights to learn from, {len(heldout):,} held out")
print(f"{columns.shape[1]} columns: {len(flights.NUMBERS)} of numbers, {len(flights.TEXT)} of text, {len(flights.BOOLEANS)} of booleans; "
      f"{columns.isna().mean().mean():.0%} of the cells are missing")
print(f"accuracy on the held-out flights: {model.score(heldout, heldout_labels):.3f}")
