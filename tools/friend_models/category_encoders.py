"""Encoders of category_encoders, alone and in pipelines, with what they do about missing and unknown values."""
import category_encoders as ce
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

UNSUPERVISED = ["OrdinalEncoder", "OneHotEncoder", "BinaryEncoder", "CountEncoder", "SumEncoder", "HelmertEncoder", "BackwardDifferenceEncoder",
                "PolynomialEncoder"]
SUPERVISED = ["TargetEncoder", "LeaveOneOutEncoder", "CatBoostEncoder", "MEstimateEncoder", "JamesSteinEncoder", "WOEEncoder", "QuantileEncoder"]
OF_SUMS = ["LeaveOneOutEncoder", "CatBoostEncoder"]
COLUMNS = ["sex", "port", "deck", "rank", "member"]


def cases():
    new = str(pd.__version__) >= "3"
    for name in UNSUPERVISED + SUPERVISED:
        made, target = getattr(ce, name), "zeros and ones" if name in SUPERVISED else None
        columns = COLUMNS[:-1] if name in OF_SUMS else COLUMNS
        yield f"{name}", made(), "new", target
        yield f"{name}.columns", made(cols=columns), "new", target
        yield f"{name}.new_gaps", made(cols=columns), "new_gaps", target
        yield f"{name}.return_nan", made(cols=columns, handle_unknown="return_nan", handle_missing="return_nan"), "new", target
        yield f"{name}.errors", made(cols=["sex", "port"], handle_unknown="error", handle_missing="error" if name != "CountEncoder" else "value"), "clean", target
    for name in ["OneHotEncoder", "BinaryEncoder", "HelmertEncoder"]:
        yield f"{name}.indicator", getattr(ce, name)(cols=COLUMNS, handle_unknown="indicator", handle_missing="indicator"), "new", None
    yield "OneHotEncoder.names", ce.OneHotEncoder(cols=["sex", "port", "deck", "rank"], use_cat_names=True), "new", None
    yield "OneHotEncoder.matrix", ce.OneHotEncoder(), "words_new", None
    yield "OneHotEncoder.drop_invariant", ce.OneHotEncoder(handle_unknown="indicator", drop_invariant=True), "new", None
    yield "BaseNEncoder", ce.BaseNEncoder(base=3, cols=COLUMNS), "new", None
    yield "BaseNEncoder.base_1", ce.BaseNEncoder(base=1, cols=COLUMNS), "new", None
    yield "GrayEncoder", ce.GrayEncoder(cols=COLUMNS), "new", None
    yield "OrdinalEncoder.categories", ce.OrdinalEncoder(), "categories", None
    yield "OrdinalEncoder.mapping", ce.OrdinalEncoder(mapping=[{"col": "sex", "mapping": pd.Series({"male": 5, "female": 7, np.nan: -2})},
                                                             {"col": "port", "mapping": pd.Series({"S": 1, "C": 2})}]), "new", None
    yield "OrdinalEncoder.array", ce.OrdinalEncoder(return_df=False, cols=COLUMNS), "objects_new", None
    yield "CountEncoder.normalized", ce.CountEncoder(normalize=True, handle_unknown=0, cols=COLUMNS), "new", None
    yield "CountEncoder.objects", ce.CountEncoder(cols=COLUMNS), "objects_new", None
    yield "CountEncoder.grouped", ce.CountEncoder(min_group_size=20, cols=["port"]), "new", None, "min_group_size counts rare categories together"
    yield "CatBoostEncoder.weighted", ce.CatBoostEncoder(a=2.5, sigma=.1), "new", "positive"
    yield "TargetEncoder.smooth", ce.TargetEncoder(min_samples_leaf=2, smoothing=3., cols=["sex", "port"], drop_invariant=True), "objects_new", "positive"
    yield "TargetEncoder.matrix", ce.TargetEncoder(cols=[0, 1]), "words_new", "positive"
    yield "LeaveOneOutEncoder.objects", ce.LeaveOneOutEncoder(cols=COLUMNS[:-1]), "objects_new", "positive"
    for name in OF_SUMS:
        yield f"{name}.bools", getattr(ce, name)(cols=COLUMNS), "new", "positive", "meets every bool as an unknown category"
    yield "JamesSteinEncoder.pooled", ce.JamesSteinEncoder(model="pooled", cols=COLUMNS), "new", "positive"
    yield "pipeline", make_pipeline(ce.TargetEncoder(), SimpleImputer(), LogisticRegression()), "new", "zeros and ones"
    columns = make_column_transformer((ce.OneHotEncoder(use_cat_names=True), ["sex", "port"]), (SimpleImputer(), ["age", "fare"]))
    yield "pipeline_of_columns", make_pipeline(columns, Ridge()), "new", "positive"
    yield "HashingEncoder", ce.HashingEncoder(max_process=1), "clean", None, "hash_method is md5: no operator hashes words so"
    if new:
        yield "OrdinalEncoder.number", ce.OrdinalEncoder(handle_unknown=-7, handle_missing=-9.5, cols=COLUMNS), "new", None
        yield "MEstimateEncoder.number", ce.MEstimateEncoder(handle_unknown=.25, handle_missing=.5, cols=COLUMNS), "new", "zeros and ones"
        yield "TargetEncoder.grouped", ce.TargetEncoder(min_group_size=12), "new", "positive", "min_group_lumping_ groups rare categories (min_group_size)"
        yield "TargetEncoder.joined", ce.TargetEncoder(composite_cols=[("sex", "port")]), "new", "positive", "composite_members_ joins columns (composite_cols)"
        with pd.option_context("mode.string_storage", "python"):  # without Arrow
            yield "TargetEncoder.python_strings", ce.TargetEncoder(), "new", "positive"
            yield "OneHotEncoder.python_strings", ce.OneHotEncoder(use_cat_names=True), "new", None
