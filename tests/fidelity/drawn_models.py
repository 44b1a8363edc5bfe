"""Pipelines drawn at random for a table: columns chosen in every way, unions and column transformers in each other, steps that pass or
drop, searches, votes, stacks and chains of whole pipelines, several targets, transformed targets, tuned thresholds, models that take
categories as they are.

`model(r, t, boosters)` draws one.
"""
import functools
import numpy as np
import pandas as pd
import scipy.stats
import sklearn.experimental.enable_halving_search_cv, sklearn.experimental.enable_iterative_imputer  # noqa: F401
from sklearn import (calibration, cluster, compose, covariance, cross_decomposition, decomposition, discriminant_analysis, dummy, ensemble, feature_extraction, feature_selection, frozen,
                     gaussian_process, impute, kernel_approximation, kernel_ridge, linear_model, mixture, model_selection, multiclass, multioutput, naive_bayes, neighbors, neural_network,
                     pipeline, preprocessing, random_projection, semi_supervised, svm, tree)

P, L, E, F, K = preprocessing, linear_model, ensemble, feature_selection, gaussian_process.kernels


def of(r, *choices): return choices[r.randint(len(choices))]
def chance(r, p): return r.rand() < p


# ---- single steps

def scaling(r):
    return of(r, lambda: P.StandardScaler(with_mean=chance(r, .5), with_std=chance(r, .8)), lambda: P.MinMaxScaler((-1, 1), clip=chance(r, .5)), lambda: P.RobustScaler(unit_variance=chance(r, .3)), P.MaxAbsScaler,
              lambda: P.PowerTransformer(standardize=chance(r, .5)), lambda: P.QuantileTransformer(n_quantiles=int(r.randint(5, 60)), output_distribution=of(r, "uniform", "normal")),
              lambda: P.KBinsDiscretizer(int(r.randint(3, 6)), encode=of(r, "ordinal", "onehot-dense", "onehot"), strategy=of(r, "uniform", "quantile", "kmeans"), quantile_method="averaged_inverted_cdf"),
              lambda: P.SplineTransformer(int(r.randint(3, 6)), degree=int(r.randint(1, 4)), extrapolation=of(r, "constant", "linear", "continue")), lambda: P.Normalizer(norm=of(r, "l1", "l2", "max")),
              lambda: P.FunctionTransformer(of(r, np.abs, np.cbrt, np.sinh, None)), lambda: P.Binarizer(threshold=1.5), lambda: "passthrough",
              lambda: pipeline.make_pipeline(P.FunctionTransformer(np.abs), P.FunctionTransformer(of(r, np.log1p, np.sqrt), feature_names_out="one-to-one")))()


def said_in_full(made): return " ".join(made.__repr__(N_CHAR_MAX=10 ** 6).split())


def small_tree(): return tree.DecisionTreeClassifier(max_depth=3, random_state=0)


def reducing(r, of_classes=True):
    supervised = (lambda: F.SelectKBest(F.f_classif if of_classes else F.f_regression, k=2), lambda: F.SelectPercentile(F.f_classif if of_classes else F.f_regression, percentile=60),
                  lambda: F.SelectFromModel(small_tree() if of_classes else L.Lasso(.01), threshold=of(r, "mean", "0.5*median")), lambda: F.RFE(small_tree() if of_classes else L.Ridge(), n_features_to_select=2),
                  lambda: F.SequentialFeatureSelector(small_tree() if of_classes else L.Ridge(), n_features_to_select=1, cv=2))
    score = lambda: of(r, F.mutual_info_classif, F.f_classif) if of_classes else of(r, F.mutual_info_regression, F.r_regression)
    supervised += (lambda: F.GenericUnivariateSelect(score(), mode="k_best", param=2), lambda: F.SelectFdr(F.f_classif if of_classes else F.f_regression, alpha=.9), lambda: F.RFECV(small_tree() if of_classes else L.Ridge(), cv=2),
                   lambda: F.SelectFromModel(E.RandomForestClassifier(4, random_state=0) if of_classes else E.RandomForestRegressor(4, random_state=0), max_features=2))
    if not of_classes: supervised += (lambda: cross_decomposition.PLSRegression(2), lambda: cross_decomposition.PLSSVD(1))
    if of_classes: supervised += (lambda: discriminant_analysis.LinearDiscriminantAnalysis(), lambda: neighbors.NeighborhoodComponentsAnalysis(2, max_iter=5, random_state=0))
    return of(r, lambda: decomposition.PCA(of(r, 2, .9, None), whiten=chance(r, .5)), lambda: decomposition.TruncatedSVD(2, random_state=0), lambda: P.PolynomialFeatures(2, interaction_only=chance(r, .5), include_bias=chance(r, .5)),
              F.VarianceThreshold, lambda: random_projection.GaussianRandomProjection(3, random_state=0), lambda: random_projection.SparseRandomProjection(3, random_state=0),
              lambda: kernel_approximation.Nystroem(n_components=8, random_state=0), lambda: kernel_approximation.RBFSampler(n_components=8, random_state=0),
              lambda: decomposition.FastICA(2, random_state=0, whiten="unit-variance"), lambda: decomposition.FactorAnalysis(2, random_state=0), lambda: decomposition.KernelPCA(3, kernel=of(r, "rbf", "poly", "cosine")),
              lambda: decomposition.IncrementalPCA(2), lambda: decomposition.SparsePCA(2, max_iter=5, random_state=0), lambda: kernel_approximation.PolynomialCountSketch(n_components=16, random_state=0), lambda: cluster.Birch(n_clusters=3),
              lambda: cluster.KMeans(3, n_init=1, random_state=0), lambda: cluster.FeatureAgglomeration(2), lambda: E.RandomTreesEmbedding(4, max_depth=3, random_state=0), lambda: "passthrough", *supervised)()


def filling(r):
    if chance(r, .1): return impute.IterativeImputer(max_iter=3, random_state=0)
    if chance(r, .1): return impute.KNNImputer(n_neighbors=int(r.randint(2, 7)), weights=of(r, "uniform", "distance"), add_indicator=chance(r, .3))
    return impute.SimpleImputer(strategy=of(r, "mean", "median", "most_frequent", "constant"), add_indicator=chance(r, .4), keep_empty_features=chance(r, .3))


def numbers(r, of_classes=True, depth=2):
    """What happens to columns of numbers, gaps included."""
    steps = [filling(r)] + [scaling(r) for _ in range(r.randint(0, 3))]
    if chance(r, .1): steps.insert(0, scaling(r))                                                   # many scalers let gaps through
    if depth and chance(r, .3): steps.append(pipeline.make_union(*(of(r, scaling, functools.partial(reducing, of_classes=of_classes))(r) for _ in range(r.randint(1, 4)))))
    elif chance(r, .4): steps.append(reducing(r, of_classes))
    made = pipeline.make_pipeline(*steps)
    if chance(r, .1): made = pipeline.FeatureUnion([("gaps", impute.MissingIndicator(features=of(r, "all", "missing-only"))), ("n", made), ("no", "drop")], transformer_weights=of(r, None, {"n": 2.}))
    return made


def listed(r, X, names):
    """The categories of each column, written down by somebody who forgot one."""
    return [np.delete(known, r.randint(len(known))) if len(known) > 2 and chance(r, .5) else known for known in (np.array(sorted(X[n].dropna().unique()), object) for n in names)]


def words(r, X, names):
    known = lambda: of(r, "auto", "auto", listed(r, X, names))
    encoder = of(r, lambda: P.OneHotEncoder(handle_unknown=of(r, "ignore", "infrequent_if_exist", "warn"), min_frequency=of(r, None, 20, .05), max_categories=of(r, None, 3, 6), drop=of(r, None, "first", "if_binary"), sparse_output=chance(r, .5)),
                 lambda: P.OneHotEncoder(categories=known(), handle_unknown="ignore", sparse_output=chance(r, .5)),
                 lambda: P.OrdinalEncoder(categories=known(), handle_unknown="use_encoded_value", unknown_value=of(r, -1, np.nan), encoded_missing_value=of(r, np.nan, -2)),
                 lambda: P.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=of(r, -1, np.nan), encoded_missing_value=of(r, np.nan, -2), max_categories=of(r, None, 4)),
                 lambda: P.TargetEncoder(random_state=0, smooth=of(r, "auto", 2.)))()
    if chance(r, .4): encoder = pipeline.make_pipeline(of(r, lambda: impute.SimpleImputer(strategy="most_frequent", add_indicator=False), lambda: impute.SimpleImputer(strategy="constant", fill_value="?"))(), encoder)
    return pipeline.make_pipeline(encoder, impute.SimpleImputer(strategy="constant", fill_value=-3.)) if "OrdinalEncoder" in said_in_full(encoder) else encoder


def texts(r):
    T = feature_extraction.text
    common = dict(ngram_range=of(r, (1, 1), (1, 2)), lowercase=chance(r, .8), analyzer=of(r, "word", "word", "char_wb", "char"), strip_accents=of(r, None, None, "unicode", "ascii"))
    limits = dict(max_features=of(r, None, 60), min_df=2, max_df=of(r, 1., .9))
    counts = of(r, lambda: T.TfidfVectorizer(sublinear_tf=chance(r, .5), stop_words=of(r, None, "english"), norm=of(r, "l2", "l1", None), use_idf=chance(r, .8), smooth_idf=chance(r, .8), **limits, **common),
                lambda: T.CountVectorizer(binary=chance(r, .5), max_features=80, **common), lambda: T.CountVectorizer(token_pattern=r"(?u)\b\w+\b", **limits), lambda: T.HashingVectorizer(n_features=64, alternate_sign=chance(r, .5), **common))()
    return of(r, lambda: counts, lambda: pipeline.make_pipeline(counts, decomposition.TruncatedSVD(3, random_state=0)), lambda: pipeline.make_pipeline(counts, P.MaxAbsScaler()), lambda: pipeline.make_pipeline(counts, F.SelectKBest(k=10)),
              lambda: pipeline.make_pipeline(counts, T.TfidfTransformer(), F.VarianceThreshold()))()


# ---- columns

def chosen(r, X, names):
    """The columns as one of the ways to say which."""
    places = [X.columns.get_loc(n) for n in names]
    ways = [lambda: list(names), lambda: places, lambda: np.array(places), lambda: [bool(c in names) for c in X.columns], lambda: compose.make_column_selector(pattern="^(" + "|".join(map(_escaped, names)) + ")$")]
    if set(names) == {c for c in X.columns if X[c].dtype == X[names[0]].dtype}: ways += [lambda: compose.make_column_selector(dtype_include=X[names[0]].dtype.name)] * 2
    if set(names) == set(columns_of_numbers(X)): ways += [lambda: columns_of_numbers, lambda: compose.make_column_selector(dtype_include="number")]
    if set(names) == set(X.select_dtypes(exclude=["number", "bool"]).columns): ways += [lambda: compose.make_column_selector(dtype_exclude=["number", "bool"])]
    if places == list(range(places[0], places[-1] + 1)): ways += [lambda: slice(places[0], places[-1] + 1), lambda: slice(names[0], names[-1])]
    return of(r, *ways)()


def columns_of_numbers(X): return X.select_dtypes("number").columns


def _escaped(name): return "".join(c if c.isalnum() or c == "_" else "\\" + c for c in name)


def in_order(X, names): return [c for c in X.columns if c in names]


def columns(r, t, of_classes, depth=2, by_name=True):
    """A table becomes numbers: by a ColumnTransformer, by one that has another inside, or by several side by side."""
    X = t.X
    if depth and chance(r, .15):
        return pipeline.FeatureUnion([("l", columns(r, t, of_classes, depth - 1, by_name)), ("r", columns(r, t, of_classes, 0, by_name))], transformer_weights=of(r, None, {"r": .25}))
    pick = (lambda names: chosen(r, X, in_order(X, names))) if by_name else (lambda names: [X.columns.get_loc(n) for n in in_order(X, names)])
    how = dict(sparse_threshold=of(r, 0, .3, 1.), verbose_feature_names_out=chance(r, .6))
    if t.numbers and not (t.of_numbers or t.texts) and chance(r, .3):                                # the numbers are what remains
        return compose.ColumnTransformer([part for part in parts_of(r, t, of_classes, 0, by_name, pick) if part[0] != "n"], remainder=numbers(r, of_classes, 0), **how)
    if (t.counts or t.bools) and not t.texts and chance(r, .25):                                       # counts and truths pass by
        return compose.ColumnTransformer([part for part in parts_of(r, t, of_classes, depth, by_name, pick) if part[0] not in ("c", "b", "none")], remainder=of(r, "passthrough", P.StandardScaler()), **how)
    return compose.ColumnTransformer(parts_of(r, t, of_classes, depth, by_name, pick), remainder=of(r, "drop", "passthrough") if t.of_numbers else "drop", **how)


def parts_of(r, t, of_classes, depth, by_name, pick):
    """A part for each kind of column, in any order."""
    X, parts = t.X, []
    if t.numbers:
        made = numbers(r, of_classes, depth)
        if depth and by_name and len(t.numbers) > 1 and chance(r, .25):
            inner = in_order(X, t.numbers)
            made = compose.ColumnTransformer([("a", numbers(r, of_classes, 0), inner[:len(inner) // 2]), ("b", numbers(r, of_classes, 0), inner[len(inner) // 2:])], transformer_weights=of(r, None, {"a": .5}))
        parts.append(("n", made, pick(t.numbers)))
    if t.words: parts.append(("w", words(r, X, in_order(X, t.words)), pick(t.words)))
    if t.counts: parts.append(("c", of(r, lambda: "passthrough", lambda: words_of_counts(r), lambda: P.StandardScaler(), lambda: P.FunctionTransformer(np.log1p if by_name else None), lambda: P.KBinsDiscretizer(2, strategy="uniform"))(), pick(t.counts)))
    if t.bools: parts.append(("b", of(r, lambda: "passthrough", lambda: P.OneHotEncoder(drop="if_binary"), lambda: P.OrdinalEncoder(), lambda: "drop")(), pick(t.bools)))
    if t.texts and chance(r, .6): parts.append(("t", texts(r), t.texts[0] if by_name else X.columns.get_loc(t.texts[0])))
    if len(parts) > 1 and chance(r, .15): parts.insert(0, ("none", of(r, "drop", P.StandardScaler()), []))
    return [parts[i] for i in r.permutation(len(parts))]


def words_of_counts(r): return of(r, lambda: P.OneHotEncoder(handle_unknown="ignore", sparse_output=False), lambda: P.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), lambda: P.TargetEncoder(random_state=0))()


def prepared(r, t, of_classes, by_name=True):
    """Steps that make numbers of the table, and perhaps something of those."""
    made = columns(r, t, of_classes, by_name=by_name) if by_name or not t.of_numbers or chance(r, .5) else numbers(r, of_classes)
    if by_name and chance(r, .2): in_frames(made)
    steps = [("columns", made)]
    if chance(r, .25): steps.append(("scale", P.StandardScaler(with_mean=False)))
    if chance(r, .2): steps.append(("reduce", reducing(r, of_classes)))
    if chance(r, .1): steps.append(("nothing", "passthrough"))
    return steps


def in_frames(made):
    """All its steps hand on frames, in which nothing can be sparse."""
    if "Vectorizer" in said_in_full(made): return made
    given = made.get_params()
    made.set_params(**{k: False for k in given if k.endswith("sparse_output")}, **{k: 0 for k in given if k.endswith("sparse_threshold")}, **{k: "onehot-dense" for k in given if given[k] == "onehot"})
    return made.set_output(transform="pandas")


def piped(r, steps, last, by_name):
    made = pipeline.Pipeline(steps + [("m", last)])
    return in_frames(made) if by_name and chance(r, .1) else made


# ---- what predicts

def likely(r): return of(r, lambda: L.LogisticRegression(max_iter=300), lambda: tree.DecisionTreeClassifier(max_depth=4, random_state=0), naive_bayes.GaussianNB, lambda: E.RandomForestClassifier(5, random_state=0))()


def classifier(r, two, depth=2, boosters=False):
    """`two`: of two classes."""
    if boosters and chance(r, .3): return booster(r, True)
    if depth and chance(r, .4):
        inner = lambda: classifier(r, two, depth - 1)
        tuned = (lambda: model_selection.FixedThresholdClassifier(likely(r), threshold=.4), lambda: model_selection.TunedThresholdClassifierCV(likely(r), cv=2, thresholds=10)) if two else ()
        return of(r, *tuned, lambda: E.VotingClassifier([("a", likely(r)), ("b", likely(r)), ("c", likely(r)), ("d", "drop")], voting=of(r, "hard", "soft"), weights=of(r, None, [1, 2, 2, 1])),
                  lambda: E.StackingClassifier([("a", likely(r)), ("b", inner()), ("c", "drop")], of(r, None, likely(r), pipeline.make_pipeline(P.StandardScaler(), likely(r))), cv=2, passthrough=chance(r, .5), stack_method=of(r, "auto", "predict")),
                  lambda: E.BaggingClassifier(inner(), 3, max_features=.7, bootstrap_features=chance(r, .3), random_state=0),
                  lambda: calibration.CalibratedClassifierCV(likely(r), method=of(r, "sigmoid", "isotonic", "temperature"), cv=2, ensemble=of(r, "auto", False)),
                  lambda: multiclass.OneVsRestClassifier(likely(r)), lambda: multiclass.OneVsOneClassifier(likely(r)), lambda: multiclass.OutputCodeClassifier(likely(r), code_size=3, random_state=0),
                  lambda: E.AdaBoostClassifier(of(r, tree.DecisionTreeClassifier(max_depth=2, random_state=0), likely(r)), n_estimators=4, random_state=0), lambda: semi_supervised.SelfTrainingClassifier(likely(r)),
                  lambda: E.GradientBoostingClassifier(n_estimators=4, init=likely(r), random_state=0),
                  lambda: model_selection.GridSearchCV(L.LogisticRegression(max_iter=200), {"C": [.1, 1]}, cv=model_selection.StratifiedKFold(2, shuffle=True, random_state=0), scoring=of(r, "accuracy", "f1_macro", "roc_auc_ovr", ["accuracy", "neg_log_loss"]), refit=of(r, "accuracy", True)),
                  lambda: model_selection.RandomizedSearchCV(L.LogisticRegression(max_iter=200), {"C": scipy.stats.loguniform(.01, 10), "class_weight": [None, "balanced"]}, n_iter=2, cv=2, random_state=0))()
    return of(r, lambda: L.LogisticRegression(max_iter=300), lambda: L.LogisticRegressionCV(Cs=3, cv=2, max_iter=300), lambda: L.RidgeClassifier(), lambda: L.RidgeClassifierCV(), lambda: L.SGDClassifier(loss=of(r, "log_loss", "hinge", "modified_huber"), random_state=0), lambda: L.Perceptron(random_state=0),
              lambda: tree.DecisionTreeClassifier(random_state=0, class_weight=of(r, None, "balanced")), lambda: tree.ExtraTreeClassifier(random_state=0), lambda: E.RandomForestClassifier(int(r.randint(5, 20)), random_state=0), lambda: E.ExtraTreesClassifier(10, random_state=0),
              lambda: E.GradientBoostingClassifier(n_estimators=8, random_state=0), lambda: E.HistGradientBoostingClassifier(max_iter=8), lambda: svm.SVC(kernel=of(r, "rbf", "linear", "poly", "sigmoid")), lambda: svm.NuSVC(nu=.1), lambda: svm.LinearSVC(), naive_bayes.GaussianNB, lambda: naive_bayes.BernoulliNB(),
              lambda: discriminant_analysis.LinearDiscriminantAnalysis(solver=of(r, "svd", "lsqr")), lambda: discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=.1), lambda: neighbors.KNeighborsClassifier(int(r.randint(1, 8)), weights=of(r, "uniform", "distance")), neighbors.NearestCentroid,
              lambda: neural_network.MLPClassifier((8,), activation=of(r, "relu", "tanh", "logistic"), max_iter=30, random_state=0), lambda: dummy.DummyClassifier(strategy=of(r, "prior", "most_frequent")), lambda: gaussian_process.GaussianProcessClassifier(of(r, None, 1. * K.RBF(2.) + K.WhiteKernel(.1)), optimizer=None),
              lambda: pipeline.make_pipeline(P.MinMaxScaler(clip=True), of(r, naive_bayes.ComplementNB, naive_bayes.MultinomialNB)()), lambda: L.LogisticRegression(solver="liblinear", l1_ratio=1., C=of(r, .1, 1.)) if two else L.LogisticRegression(C=.1, class_weight="balanced", max_iter=300),
              lambda: E.RandomForestClassifier(8, criterion="entropy", max_samples=.5, oob_score=True, class_weight="balanced_subsample", random_state=0), lambda: E.HistGradientBoostingClassifier(max_iter=6, early_stopping=True, class_weight="balanced", random_state=0),
              lambda: neighbors.RadiusNeighborsClassifier(of(r, 1., 50.), outlier_label="most_frequent"), lambda: neighbors.KNeighborsClassifier(5, metric=of(r, "manhattan", "cosine", "chebyshev")), lambda: semi_supervised.LabelSpreading(gamma=of(r, .1, 20), max_iter=10),
              lambda: E.AdaBoostClassifier(n_estimators=5, random_state=0), lambda: svm.SVC(gamma=.1, decision_function_shape="ovo", class_weight="balanced"))()


def booster(r, of_classes):
    import catboost, lightgbm, xgboost
    small = {"n_estimators": 8, "max_depth": 3}
    x, l, c = (xgboost.XGBClassifier, lightgbm.LGBMClassifier, catboost.CatBoostClassifier) if of_classes else (xgboost.XGBRegressor, lightgbm.LGBMRegressor, catboost.CatBoostRegressor)
    return of(r, lambda: x(**small, n_jobs=1), lambda: l(**small, n_jobs=1, verbose=-1), lambda: c(iterations=8, depth=3, thread_count=1, verbose=0, allow_writing_files=False))()


def regressor(r, depth=2, boosters=False):
    if boosters and chance(r, .3): return booster(r, False)
    if depth and chance(r, .4):
        inner = lambda: regressor(r, depth - 1)
        return of(r, lambda: E.VotingRegressor([("a", inner()), ("b", inner())], weights=of(r, None, [1, 3])), lambda: E.StackingRegressor([("a", inner()), ("b", inner())], cv=2, passthrough=chance(r, .3)), lambda: E.BaggingRegressor(inner(), 3, max_features=.8, random_state=0),
                  lambda: E.AdaBoostRegressor(tree.DecisionTreeRegressor(max_depth=3, random_state=0), n_estimators=4, random_state=0), lambda: targeted(r, inner()), lambda: L.RANSACRegressor(L.LinearRegression(), min_samples=40, random_state=0),
                  lambda: model_selection.RandomizedSearchCV(L.Ridge(), {"alpha": scipy.stats.uniform(.1, 10)}, n_iter=2, cv=model_selection.KFold(2), scoring="neg_mean_absolute_error", random_state=0),
                  lambda: E.GradientBoostingRegressor(n_estimators=4, init=of(r, L.Ridge(), "zero"), random_state=0))()
    return of(r, L.LinearRegression, L.Ridge, lambda: L.Lasso(.01), lambda: L.ElasticNet(.01), L.BayesianRidge, lambda: L.HuberRegressor(max_iter=500), lambda: L.PoissonRegressor(), lambda: L.TweedieRegressor(power=1.5, link="log"), lambda: L.QuantileRegressor(alpha=.01),
              lambda: tree.DecisionTreeRegressor(random_state=0), lambda: E.RandomForestRegressor(8, random_state=0), lambda: E.ExtraTreesRegressor(5, random_state=0), lambda: E.GradientBoostingRegressor(n_estimators=8, random_state=0), lambda: E.HistGradientBoostingRegressor(max_iter=8),
              lambda: svm.SVR(), lambda: svm.LinearSVR(random_state=0), lambda: neighbors.KNeighborsRegressor(5, weights=of(r, "uniform", "distance")), lambda: neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=50, random_state=0), lambda: dummy.DummyRegressor(strategy="median"),
              lambda: gaussian_process.GaussianProcessRegressor(of(r, None, 1. * K.RBF(2.) + K.WhiteKernel(.1), K.Matern(2., nu=1.5)), optimizer=None, alpha=1e-2, normalize_y=chance(r, .5)),
              lambda: L.RidgeCV(), lambda: L.LassoCV(cv=2), lambda: L.ElasticNetCV(cv=2, l1_ratio=[.2, .8]), lambda: L.LassoLarsIC(), lambda: L.OrthogonalMatchingPursuit(n_nonzero_coefs=2), L.ARDRegression, lambda: L.SGDRegressor(random_state=0), L.GammaRegressor,
              lambda: svm.NuSVR(), lambda: kernel_ridge.KernelRidge(kernel=of(r, "rbf", "linear", "poly"), gamma=.1), lambda: neighbors.RadiusNeighborsRegressor(50.), lambda: cross_decomposition.PLSRegression(1),
              lambda: E.HistGradientBoostingRegressor(max_iter=6, **of(r, dict(loss="quantile", quantile=.9), dict(loss="absolute_error"), dict(l2_regularization=1., early_stopping=True, random_state=0))),
              lambda: E.GradientBoostingRegressor(n_estimators=6, loss=of(r, "huber", "quantile"), subsample=.7, random_state=0))()


def targeted(r, inner):
    if chance(r, .5): return compose.TransformedTargetRegressor(inner, func=np.log1p, inverse_func=np.expm1, check_inverse=False)
    if chance(r, .2): return compose.TransformedTargetRegressor(inner, transformer=P.FunctionTransformer(np.log1p, inverse_func=np.expm1, check_inverse=False))
    return compose.TransformedTargetRegressor(inner, transformer=of(r, P.StandardScaler, P.MinMaxScaler, P.RobustScaler, lambda: P.PowerTransformer(), lambda: P.QuantileTransformer(n_quantiles=40))())


def without_target(r):
    return of(r, lambda: cluster.KMeans(3, n_init=1, random_state=0), lambda: mixture.GaussianMixture(2, random_state=0), lambda: E.IsolationForest(n_estimators=8, random_state=0), lambda: svm.OneClassSVM(), lambda: cluster.MiniBatchKMeans(3, n_init=1, random_state=0),
              lambda: mixture.BayesianGaussianMixture(2, covariance_type=of(r, "full", "diag"), random_state=0), lambda: cluster.BisectingKMeans(3, random_state=0), lambda: cluster.Birch(n_clusters=3), lambda: neighbors.LocalOutlierFactor(novelty=True),
              lambda: covariance.EllipticEnvelope(random_state=0))()


def of_categories(r, t, of_classes, boosters):
    """A model that takes categories as they are, or as they are numbered by a step before it."""
    hist = E.HistGradientBoostingClassifier if of_classes else E.HistGradientBoostingRegressor
    if chance(r, .5) or not all(isinstance(t.X[c].dtype, pd.CategoricalDtype) for c in t.words):
        numbered = compose.make_column_transformer((P.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=of(r, np.nan, 200), max_categories=40), t.words), remainder="passthrough", verbose_feature_names_out=False)
        return pipeline.make_pipeline(numbered.set_output(transform="pandas"), hist(max_iter=6, categorical_features=of(r, t.words, list(range(len(t.words)))), min_samples_leaf=10))
    if not boosters or chance(r, .4): return hist(max_iter=6, categorical_features="from_dtype", min_samples_leaf=10)
    last = booster(r, of_classes)
    if type(last).__name__.startswith("XGB"): last.set_params(enable_categorical=True, tree_method="hist")
    if type(last).__name__.startswith("CatBoost"): last.set_params(cat_features=t.words)
    return last


def searched(r, steps, last, another):
    """A search over a whole pipeline, whose steps it exchanges."""
    whole = pipeline.Pipeline(steps + [("between", "passthrough"), ("m", last)])
    grid = {"m": [last, another], "between": ["passthrough", P.MaxAbsScaler()]}
    return of(r, lambda: model_selection.GridSearchCV(whole, grid, cv=2), lambda: model_selection.RandomizedSearchCV(whole, grid, n_iter=2, cv=2, random_state=0),
              lambda: model_selection.HalvingGridSearchCV(whole, grid, cv=2, factor=3, random_state=0), lambda: model_selection.HalvingRandomSearchCV(whole, grid, cv=2, factor=3, random_state=0))()


def whole_classifier(r, t, depth, boosters, by_name, rows):
    """A classifier of the table's own columns: a pipeline, or what is made of several."""
    two = len(set(t.classes)) == 2
    one = lambda last: piped(r, prepared(r, t, True, by_name), last, by_name)
    part = lambda: whole_classifier(r, t, depth - 1, boosters, by_name, rows) if chance(r, .3) else one(likely(r))
    if by_name and t.words and not t.texts and chance(r, .12): return of_categories(r, t, True, boosters)
    if not depth or chance(r, .55): return one(classifier(r, two, boosters=boosters))
    scoring = lambda: of(r, "balanced_accuracy", "accuracy", "f1_macro", "f1" if set(t.classes) in ({0, 1}, {False, True}) else "accuracy")
    return of(r, lambda: E.StackingClassifier([("a", part()), ("b", part())], likely(r), cv=2), lambda: E.VotingClassifier([("a", part()), ("b", part())], voting="soft"), lambda: calibration.CalibratedClassifierCV(part(), method=of(r, "sigmoid", "isotonic", "temperature"), cv=2),
              lambda: calibration.CalibratedClassifierCV(frozen.FrozenEstimator(one(likely(r)).fit(rows, t.classes[:len(rows)]))), lambda: multiclass.OneVsRestClassifier(part()),
              lambda: model_selection.TunedThresholdClassifierCV(one(likely(r)), cv=2, thresholds=8, scoring=scoring()) if two else part(), lambda: model_selection.FixedThresholdClassifier(one(likely(r)), threshold=.35, pos_label=t.classes[0]) if two else part(),
              lambda: searched(r, prepared(r, t, True, by_name), classifier(r, two, 1), likely(r)), lambda: E.VotingClassifier([("a", part()), ("b", part()), ("c", part())]),
              lambda: E.StackingClassifier([("a", one(likely(r)).fit(rows, t.classes[:len(rows)])), ("b", one(likely(r)).fit(rows, t.classes[:len(rows)]))], likely(r), cv="prefit"),
              lambda: pipeline.Pipeline([("f", frozen.FrozenEstimator(pipeline.Pipeline(prepared(r, t, True, by_name)).fit(rows, t.classes[:len(rows)]))), ("m", classifier(r, two))]))()


def whole_regressor(r, t, depth, boosters, by_name):
    one = lambda last: piped(r, prepared(r, t, False, by_name), last, by_name)
    part = lambda: whole_regressor(r, t, depth - 1, boosters, by_name) if chance(r, .3) else one(regressor(r, 0))
    if by_name and t.words and not t.texts and chance(r, .12): return of_categories(r, t, False, boosters)
    if not depth or chance(r, .55): return one(regressor(r, boosters=boosters))
    return of(r, lambda: E.StackingRegressor([("a", part()), ("b", part())], cv=2), lambda: E.VotingRegressor([("a", part()), ("b", part())]), lambda: targeted(r, part()), lambda: searched(r, prepared(r, t, False, by_name), regressor(r, 1), L.Ridge()))()


OF_ONE_TARGET = ("TargetEncoder", "Select", "RFE", "LinearDiscriminantAnalysis()", "NeighborhoodComponents", "PLSSVD")   # steps that take no other


def whole_of_several(r, t, boosters, by_name, rows):
    """-> what predicts more than one thing, and these."""
    def one(last, of_classes):
        drawn = (piped(r, prepared(r, t, of_classes, by_name), last, by_name) for _ in range(20))
        return next(made for made in drawn if not any(w in said_in_full(made) for w in OF_ONE_TARGET))

    forests = lambda kind: of(r, lambda: getattr(tree, "DecisionTree" + kind)(max_depth=5, random_state=0), lambda: getattr(E, "RandomForest" + kind)(5, random_state=0), lambda: getattr(E, "ExtraTrees" + kind)(5, random_state=0), lambda: getattr(neighbors, "KNeighbors" + kind)(3))()
    first = t.classes
    shifted = np.roll(first, 3) if chance(r, .5) or first.dtype.kind in "OU" else first[::-1]
    if chance(r, .3):                                                                                # classes
        inner = of(r, lambda: multioutput.MultiOutputClassifier(likely(r)), lambda: multioutput.ClassifierChain(likely(r), order=[1, 0], random_state=0), lambda: forests("Classifier"), lambda: dummy.DummyClassifier(strategy="prior"))()
        return one(inner, True) if chance(r, .7) else multioutput.MultiOutputClassifier(whole_classifier(r, t, 1, boosters, by_name, rows)), np.stack([first, shifted], axis=1)
    if chance(r, .4):                                                                                # which of three labels there are
        y = np.stack([first == first[0], t.values > np.median(t.values), shifted == first[0]], axis=1).astype(int)
        inner = of(r, lambda: multiclass.OneVsRestClassifier(likely(r)), lambda: forests("Classifier"), lambda: neural_network.MLPClassifier((6,), max_iter=30, random_state=0), L.RidgeClassifier, lambda: multioutput.ClassifierChain(L.LogisticRegression(max_iter=200), random_state=0),
                   lambda: multioutput.MultiOutputClassifier(likely(r)))()
        return one(inner, True), y
    y = np.stack([t.values, np.sqrt(np.abs(t.values)), -t.values[::-1]], axis=1)
    plain = lambda: of(r, L.LinearRegression, L.Ridge, lambda: L.MultiTaskLasso(.01), lambda: L.MultiTaskElasticNet(.01), lambda: forests("Regressor"), lambda: neural_network.MLPRegressor((6,), max_iter=30, random_state=0), lambda: cross_decomposition.PLSRegression(1),
                       lambda: kernel_ridge.KernelRidge(kernel="rbf", gamma=.1), lambda: gaussian_process.GaussianProcessRegressor(optimizer=None, alpha=.01), lambda: dummy.DummyRegressor(strategy="median"))()
    inner = of(r, plain, plain, lambda: multioutput.MultiOutputRegressor(regressor(r, 1, boosters)), lambda: multioutput.RegressorChain(L.Ridge(), order=[1, 0, 2]), lambda: compose.TransformedTargetRegressor(plain(), transformer=of(r, P.StandardScaler, P.MinMaxScaler)()))()
    return one(inner, False) if chance(r, .8) else multioutput.MultiOutputRegressor(one(regressor(r, 0), False)), y


WITHOUT_SPARSE = ("GaussianNB", "DiscriminantAnalysis", "HistGradient", "GaussianProcess", "MinMaxScaler", "LabelSpreading", "init=")   # what takes no sparse matrix


def of_text(r, t, boosters):
    last = classifier(r, len(set(t.classes)) == 2, 1, boosters)
    dense = [decomposition.TruncatedSVD(4, random_state=0)] if any(w in said_in_full(last) for w in WITHOUT_SPARSE) else []
    return pipeline.make_pipeline(texts(r), *dense, last)


def model(r, t, boosters, by_name, rows):
    """-> a model and the y it is fitted to. `rows` are those that it will be fitted on: of a column of prose alone, too."""
    if isinstance(rows, pd.Series): return of_text(r, t, boosters), t.classes
    kind = r.rand()
    if kind < .06: return pipeline.Pipeline(prepared(r, t, True, by_name)), t.classes
    if kind < .12: return pipeline.Pipeline(prepared(r, t, True, by_name) + [("m", without_target(r))]), t.classes
    if kind < .25: return whole_of_several(r, t, boosters, by_name, rows)
    if kind < .72: return whole_classifier(r, t, 2, boosters, by_name, rows), t.classes
    return whole_regressor(r, t, 2, boosters, by_name), t.values
