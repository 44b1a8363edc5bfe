"""Transformers of feature_engine, alone and in pipelines."""
import feature_engine
import numpy as np
from feature_engine.creation import CyclicalFeatures, MathFeatures, RelativeFeatures
from feature_engine.discretisation import (ArbitraryDiscretiser, DecisionTreeDiscretiser, EqualFrequencyDiscretiser, EqualWidthDiscretiser,
                                           GeometricWidthDiscretiser)
from feature_engine.encoding import CountFrequencyEncoder, DecisionTreeEncoder, MeanEncoder, OneHotEncoder, OrdinalEncoder, RareLabelEncoder, WoEEncoder
from feature_engine.imputation import AddMissingIndicator, ArbitraryNumberImputer, CategoricalImputer, DropMissingData, EndTailImputer, MeanMedianImputer
from feature_engine.outliers import ArbitraryOutlierCapper, OutlierTrimmer, Winsorizer
from feature_engine.selection import (DropConstantFeatures, DropCorrelatedFeatures, DropDuplicateFeatures, DropFeatures, RecursiveFeatureElimination,
                                      SelectBySingleFeaturePerformance, SmartCorrelatedSelection)
from feature_engine.transformation import (ArcsinTransformer, BoxCoxTransformer, LogCpTransformer, LogTransformer, PowerTransformer,
                                           ReciprocalTransformer, YeoJohnsonTransformer)
from feature_engine.wrappers import SklearnTransformerWrapper
from sklearn.compose import make_column_transformer
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.preprocessing import OneHotEncoder as PlainOneHotEncoder

MIXED = ["sex", "port", "deck", "rank"]

NEW = feature_engine.__version__ >= "1.7"
if NEW:
    from feature_engine.pipeline import make_pipeline as own_pipeline
    from feature_engine.scaling import MeanNormalizationScaler
    from feature_engine.transformation import ArcSinhTransformer
ROWS = "transform drops rows, and a model answers each row that it is given"


def cases():
    yield from imputers()
    yield from encoders()
    yield from selectors()
    yield from numbers()
    yield from bins()
    yield from makers()
    yield from wrappers()
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


    tree = {"param_grid": {"max_depth": [2, 3]}, "cv": 2, "random_state": 0}
    yield "DecisionTreeEncoder", DecisionTreeEncoder(**tree), "clean", "positive"
    yield "DecisionTreeEncoder.ordered", DecisionTreeEncoder("ordered", variables=["sex", "port"], regression=False, scoring="roc_auc", **tree), "clean", "zeros and ones"
    if NEW: yield "DecisionTreeEncoder.encodes", DecisionTreeEncoder(unseen="encode", fill_value=-.5, precision=2, **tree), "unseen", "positive"


def selectors():
    yield "DropFeatures", DropFeatures(["sex", "port", "fare"]), "gaps", None
    yield "DropConstantFeatures", DropConstantFeatures(tol=.3, variables=["deck", "rank", "fare"]), "measures", None
    yield "DropDuplicateFeatures", DropDuplicateFeatures(), "frame_numbers", None
    yield "DropCorrelatedFeatures", DropCorrelatedFeatures(threshold=.1), "frame_numbers", None
    yield "SmartCorrelatedSelection", SmartCorrelatedSelection(threshold=.1, selection_method="variance"), "frame_numbers", None
    yield "RecursiveFeatureElimination", RecursiveFeatureElimination(Ridge(), scoring="r2", cv=2), "frame_numbers", "positive"
    yield "SelectBySingleFeaturePerformance", SelectBySingleFeaturePerformance(Ridge(), scoring="r2", cv=2, threshold=.01), "numbers", "positive"


def numbers():
    for table in ["measures", "numbers", "frame_numbers"]:
        for make in [PowerTransformer, YeoJohnsonTransformer, LogCpTransformer]:
            if (make, table) != (PowerTransformer, "numbers"): yield f"{make.__name__}.{table}", make(), table, None
    for base in ["e", "10"]:
        yield f"LogTransformer.{base}", LogTransformer(base=base, variables=["age", "fare"]), "measures", None
        yield f"LogCpTransformer.{base}", LogCpTransformer(base=base, C=2.5), "measures", None
    yield "LogTransformer.below_zero", LogTransformer(variables=["b"]), "frame_numbers", None
    yield "LogCpTransformer.each", LogCpTransformer(C={"age": 1, "rank": 2.5}), "measures", None
    yield "PowerTransformer.cube", PowerTransformer(exp=3, variables=["a", "d"]), "frame_numbers", None
    yield "ReciprocalTransformer", ReciprocalTransformer(), "measures", None
    yield "BoxCoxTransformer", BoxCoxTransformer(), "measures", None
    yield "ArcsinTransformer", make_pipeline(MinMaxScaler(clip=True), ArcsinTransformer()), "measures", None
    for method in ["gaussian", "iqr", "mad", "quantiles"]:
        for tail in ["left", "right", "both"]:
            fold = .1 if method == "quantiles" else .7
            yield f"Winsorizer.{method}_{tail}", Winsorizer(method, tail=tail, fold=fold, add_indicators=method != "iqr"), "frame_numbers" if tail == "both" else "measures", None
    yield "Winsorizer.gaps", Winsorizer(fold=1, missing_values="ignore", add_indicators=True, tail="both", variables=["age", "rank"]), "measures_gaps", None
    yield "ArbitraryOutlierCapper", ArbitraryOutlierCapper({"age": 30, "fare": 8.5}, {"age": 20, "rank": 2}), "measures", None
    yield "ArbitraryOutlierCapper.gaps", ArbitraryOutlierCapper({"age": 30}, missing_values="ignore"), "measures_gaps", None
    if NEW:
        yield "MeanNormalizationScaler", MeanNormalizationScaler(), "measures", None
        yield "ArcSinhTransformer", ArcSinhTransformer(loc=1, scale=2.5), "frame_numbers", None


def bins():
    for make in [EqualFrequencyDiscretiser, EqualWidthDiscretiser, GeometricWidthDiscretiser]:
        yield f"{make.__name__}", make(), "measures", None
        yield f"{make.__name__}.object", make(variables=["x0", "x3"], return_object=True), "numbers", None
    yield "EqualWidthDiscretiser.text", EqualWidthDiscretiser(return_boundaries=True), "measures", None, "return_boundaries is True, which writes each interval as text"
    yield "ArbitraryDiscretiser", ArbitraryDiscretiser({"deck": [1, 2, 3.5], "age": [0, 20, 30, np.inf]}), "measures", None
    tree = {"param_grid": {"max_depth": [2, 3]}, "cv": 2, "random_state": 0}
    yield "DecisionTreeDiscretiser", DecisionTreeDiscretiser(**tree), "measures", "positive"
    yield "DecisionTreeDiscretiser.classes", DecisionTreeDiscretiser(regression=False, scoring="roc_auc", variables=["age"], **tree), "measures", "zeros and ones"
    if NEW:
        yield "DecisionTreeDiscretiser.rounded", DecisionTreeDiscretiser(precision=2, **tree), "measures", "positive"
        yield "DecisionTreeDiscretiser.bins", DecisionTreeDiscretiser(bin_output="bin_number", **tree), "measures", "positive"
        yield ("DecisionTreeDiscretiser.text", DecisionTreeDiscretiser(bin_output="boundaries", precision=2, **tree), "measures", "positive",
               "bin_output is boundaries")


def makers():
    yield "CyclicalFeatures", CyclicalFeatures(), "measures", None
    yield "CyclicalFeatures.dropped", CyclicalFeatures(max_values={"deck": 4, "age": 50.5}, drop_original=True), "measures", None
    all_functions = ["sum", "mean", "min", "max", "prod", "std", "var"]
    yield "MathFeatures", MathFeatures(["age", "fare", "rank"], all_functions), "measures", None
    yield "MathFeatures.gaps", MathFeatures(["age", "rank"], all_functions, missing_values="ignore", drop_original=True), "measures_gaps", None
    yield "MathFeatures.one", MathFeatures(["age", "deck"], "mean"), "measures", None
    yield "MathFeatures.named", MathFeatures(["age", "deck"], ["sum", "prod"], new_variables_names=["total", "product"]), "measures", None
    yield "MathFeatures.other", MathFeatures(["age", "deck"], ["sum", "median"]), "measures", None, "func is median"
    yield "RelativeFeatures", RelativeFeatures(["age", "fare"], ["deck", "rank"], ["add", "sub", "mul", "div", "truediv", "pow"], drop_original=True), "measures", None
    yield "RelativeFeatures.zeros", RelativeFeatures(["a", "b"], ["c"], ["div"], fill_value=-1, missing_values="raise"), "frame_numbers", None
    yield "RelativeFeatures.gaps", RelativeFeatures(["age"], ["rank"], ["sub", "div"]), "measures_gaps", None
    yield "RelativeFeatures.other", RelativeFeatures(["age"], ["deck"], ["mod"]), "measures", None, "func is mod"


def wrappers():
    yield "SklearnTransformerWrapper.scaler", SklearnTransformerWrapper(StandardScaler(), variables=["fare", "age"]), "measures_gaps", None
    yield "SklearnTransformerWrapper.imputer", SklearnTransformerWrapper(SimpleImputer(), variables=["rank", "age"]), "measures_gaps", None
    encoder = PlainOneHotEncoder(handle_unknown="ignore", sparse_output=False)
    if NEW: yield "SklearnTransformerWrapper.encoder", SklearnTransformerWrapper(encoder, variables=["sex", "port"]), "unseen", None
    yield "SklearnTransformerWrapper.products", SklearnTransformerWrapper(PolynomialFeatures(include_bias=False), variables=["age", "rank"]), "measures", None
    yield "SklearnTransformerWrapper.selector", SklearnTransformerWrapper(SelectKBest(f_regression, k=1), variables=["age", "rank"]), "measures", "positive"


def pipelines():
    numeric = [MeanMedianImputer(), Winsorizer(fold=1.5, tail="both"), YeoJohnsonTransformer(), EqualFrequencyDiscretiser(variables=["age"], q=4)]
    yield "pipeline_of_measures", make_pipeline(*numeric, Ridge()), "measures_gaps", "positive"
    if NEW:
        yield "own_pipeline", own_pipeline(*numeric, Ridge()), "measures_gaps", "positive"
        yield "own_pipeline_of_fewer_rows", own_pipeline(DropMissingData(), Ridge()), "measures_gaps", "positive", ROWS
    words = [CategoricalImputer(fill_value="none"), RareLabelEncoder(tol=.1, n_categories=2), MeanEncoder(unseen="encode")]
    yield "pipeline", make_pipeline(AddMissingIndicator(variables=["age", "rank"]), MeanMedianImputer(), *words, LogisticRegression()), "new", "zeros and ones"
    indicators = [AddMissingIndicator(), EndTailImputer(), CategoricalImputer(), OneHotEncoder()]
    yield "pipeline_of_indicators", make_pipeline(*indicators, LogisticRegression()), "objects_new", "zeros and ones"
    yield "RareLabelEncoder.behind_indicators", make_pipeline(AddMissingIndicator(missing_only=False), RareLabelEncoder(missing_values="ignore")), "objects_new", None
    yield "pipeline_of_numbers", make_pipeline(MeanMedianImputer(), StandardScaler(), DropFeatures(["x1"]), Ridge()), "measures_gaps", "positive"
    columns = make_column_transformer((make_pipeline(CategoricalImputer(), OneHotEncoder()), ["sex", "port"]), (EndTailImputer(), ["age", "rank"]))
    yield "pipeline_of_columns", make_pipeline(columns, Ridge()), "new", "positive"
    framed = make_column_transformer((CategoricalImputer(), ["sex", "port"]), (MeanMedianImputer(), ["age", "rank"]), verbose_feature_names_out=False).set_output(transform="pandas")
    yield "pipeline_behind_columns", make_pipeline(framed, OrdinalEncoder(unseen="encode"), Ridge()), "new", "positive"
