"""Transformers of feature_engine, alone and in pipelines."""
import feature_engine
from feature_engine.encoding import CountFrequencyEncoder, DecisionTreeEncoder, MeanEncoder, OneHotEncoder, OrdinalEncoder, RareLabelEncoder, WoEEncoder
from feature_engine.imputation import AddMissingIndicator, ArbitraryNumberImputer, CategoricalImputer, DropMissingData, EndTailImputer, MeanMedianImputer
from feature_engine.outliers import OutlierTrimmer
from feature_engine.selection import (DropConstantFeatures, DropCorrelatedFeatures, DropDuplicateFeatures, DropFeatures, RecursiveFeatureElimination,
                                      SelectBySingleFeaturePerformance, SmartCorrelatedSelection)
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MIXED = ["sex", "port", "deck", "rank"]
NEW = feature_engine.__version__ >= "1.7"
ROWS = "transform drops rows, and a model answers each row that it is given"


def cases():
    yield from imputers()
    yield from encoders()
    yield from selectors()
    yield from pipelines()


def imputers():
    for method in ["mean", "median"]:
        yield f"MeanMedianImputer.{method}", MeanMedianImputer(method), "measures_gaps", None
    yield "ArbitraryNumberImputer", ArbitraryNumberImputer(-1), "measures_gaps", None
    if NEW: yield "ArbitraryNumberImputer.each", ArbitraryNumberImputer(imputer_dict={"age": -1, "rank": 2.5}), "measures_gaps", None
    yield "EndTailImputer", EndTailImputer(), "measures_gaps", None
    yield "EndTailImputer.iqr", EndTailImputer("iqr", tail="left", variables=["age"]), "measures_gaps", None
    yield "EndTailImputer.max", EndTailImputer("max", fold=2), "measures_gaps", None
    for table in ["new", "objects_new"]:
        yield f"CategoricalImputer.{table}", CategoricalImputer(), table, None
        yield f"CategoricalImputer.frequent.{table}", CategoricalImputer("frequent", variables=["sex", "port"]), table, None
    yield "CategoricalImputer.numbers", CategoricalImputer("frequent", variables=["sex", "port", "rank"], ignore_format=True), "gaps", None
    yield "CategoricalImputer.filled_by_number", CategoricalImputer(fill_value=-5, variables=["age", "rank"], ignore_format=True), "measures_gaps", None
    yield "AddMissingIndicator", AddMissingIndicator(), "measures_gaps", None
    yield "AddMissingIndicator.all", AddMissingIndicator(missing_only=False), "measures_gaps", None
    yield "DropMissingData", DropMissingData(), "measures_gaps", None, ROWS
    yield "OutlierTrimmer", OutlierTrimmer(), "measures", None, ROWS


def encoders():
    for name, make, target in [("OneHotEncoder", OneHotEncoder, None), ("OrdinalEncoder", OrdinalEncoder, "positive"), ("MeanEncoder", MeanEncoder, "positive"),
                               ("CountFrequencyEncoder", CountFrequencyEncoder, None), ("WoEEncoder", WoEEncoder, "zeros and ones"),
                               ("RareLabelEncoder", RareLabelEncoder, None)]:
        yield f"{name}", make(), "clean", target
        yield f"{name}.unseen", make(), "unseen", target
        if name not in ("OneHotEncoder", "WoEEncoder"):
            yield f"{name}.gaps", make(missing_values="ignore"), "new", target
            yield f"{name}.objects", make(missing_values="ignore"), "objects_new", target
        if name != "RareLabelEncoder":
            yield f"{name}.numbers", make(variables=MIXED[:3], ignore_format=True), "unseen", target
        if name not in ("OneHotEncoder", "RareLabelEncoder"):
            yield f"{name}.raises", make(unseen="raise"), "clean", target
        if name not in ("OneHotEncoder", "RareLabelEncoder", "WoEEncoder"):
            yield f"{name}.encodes", make(unseen="encode", missing_values="ignore", variables=MIXED, ignore_format=True), "new", target
    yield "OneHotEncoder.all", OneHotEncoder(variables=MIXED + ["member"], ignore_format=True), "unseen", None
    yield "OneHotEncoder.top", OneHotEncoder(top_categories=2), "unseen", None
    yield "OneHotEncoder.drop_last", OneHotEncoder(drop_last=True, drop_last_binary=True), "clean", None
    yield "OneHotEncoder.matrix", OneHotEncoder(), "words", None
    yield "OneHotEncoder.categories", OneHotEncoder(), "categories", None
    yield "OrdinalEncoder.arbitrary", OrdinalEncoder("arbitrary"), "unseen", None
    yield "OrdinalEncoder.categories", OrdinalEncoder("arbitrary"), "categories", None
    yield "CountFrequencyEncoder.frequency", CountFrequencyEncoder("frequency", missing_values="ignore"), "new", None
    yield "MeanEncoder.smooth", MeanEncoder(smoothing="auto"), "unseen", "positive"
    yield "MeanEncoder.smoothed", MeanEncoder(smoothing=2.5, unseen="encode"), "unseen", "zeros and ones"
    yield "RareLabelEncoder.few", RareLabelEncoder(tol=.2, n_categories=2, replace_with="é other", missing_values="ignore"), "new", None
    yield "RareLabelEncoder.most", RareLabelEncoder(tol=.01, n_categories=1, max_n_categories=1), "unseen", None
    yield "RareLabelEncoder.none_is_common", RareLabelEncoder(tol=1., n_categories=1), "unseen", None
    yield "RareLabelEncoder.numbers", RareLabelEncoder(tol=.25, n_categories=1, replace_with=-1, variables=["deck", "rank"], ignore_format=True, missing_values="ignore"), "measures_gaps", None
    yield ("RareLabelEncoder.mixed", RareLabelEncoder(tol=.25, n_categories=1, replace_with="few", variables=["sex", "rank"], ignore_format=True), "clean", None,
           "replace_with is few in 'rank', which would mix words and numbers")


def selectors():
    yield "DropFeatures", DropFeatures(["sex", "port", "fare"]), "gaps", None
    yield "DropConstantFeatures", DropConstantFeatures(tol=.3, variables=["deck", "rank", "fare"]), "measures", None
    yield "DropDuplicateFeatures", DropDuplicateFeatures(), "frame_numbers", None
    yield "DropCorrelatedFeatures", DropCorrelatedFeatures(threshold=.1), "frame_numbers", None
    yield "SmartCorrelatedSelection", SmartCorrelatedSelection(threshold=.1, selection_method="variance"), "frame_numbers", None
    yield "RecursiveFeatureElimination", RecursiveFeatureElimination(Ridge(), scoring="r2", cv=2), "frame_numbers", "positive"
    yield "SelectBySingleFeaturePerformance", SelectBySingleFeaturePerformance(Ridge(), scoring="r2", cv=2, threshold=.01), "numbers", "positive"


def pipelines():
    words = [CategoricalImputer(fill_value="none"), RareLabelEncoder(tol=.1, n_categories=2), MeanEncoder(unseen="encode")]
    yield "pipeline", make_pipeline(AddMissingIndicator(variables=["age", "rank"]), MeanMedianImputer(), *words, LogisticRegression()), "new", "zeros and ones"
    yield "pipeline_of_numbers", make_pipeline(MeanMedianImputer(), StandardScaler(), DropFeatures(["x1"]), Ridge()), "measures_gaps", "positive"
    columns = make_column_transformer((make_pipeline(CategoricalImputer(), OneHotEncoder()), ["sex", "port"]), (EndTailImputer(), ["age", "rank"]))
    yield "pipeline_of_columns", make_pipeline(columns, Ridge()), "new", "positive"
    framed = make_column_transformer((CategoricalImputer(), ["sex", "port"]), (MeanMedianImputer(), ["age", "rank"]), verbose_feature_names_out=False).set_output(transform="pandas")
    yield "pipeline_behind_columns", make_pipeline(framed, OrdinalEncoder(unseen="encode"), Ridge()), "new", "positive"
