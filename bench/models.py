"""The pipelines that are measured, fitted on made data: (name, fitted, rows to predict)."""
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, RationalQuadratic, WhiteKernel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

ROWS, FITTED, COLUMNS = 20_000, 5_000, 20
# Of 10,000 rows by 500 to 5,000 samples by 20 features ONNX Runtime would hold several tensors of 0.8 to 8 GB.
TOO_LARGE_FOR_ONNXRUNTIME = {"KNeighborsClassifier", "GaussianProcessRegressor RBF", "GaussianProcessRegressor of several kernels"}
random = np.random.default_rng(0)


def pipelines():
    X = random.standard_normal((ROWS, COLUMNS))
    y = (X[:, 0] + X[:, 1] * X[:, 2] + random.standard_normal(ROWS) * 0.3 > 0).astype(int)
    z = X[:, 0] * 2 + np.sin(X[:, 1]) + random.standard_normal(ROWS) * 0.1
    few, labels, values = X[:FITTED], y[:FITTED], z[:FITTED]
    yield "StandardScaler + LogisticRegression", make_pipeline(StandardScaler(), LogisticRegression()).fit(few, labels), X
    yield "StandardScaler + PCA + LinearRegression", make_pipeline(StandardScaler(), PCA(8), LinearRegression()).fit(few, values), X
    yield "MLPClassifier 100-50", make_pipeline(StandardScaler(), MLPClassifier((100, 50), max_iter=30, random_state=0)).fit(few, labels), X
    yield "DecisionTreeClassifier", DecisionTreeClassifier(max_depth=8, random_state=0).fit(few, labels), X
    yield "RandomForestClassifier 100, depth 10", RandomForestClassifier(100, max_depth=10, random_state=0).fit(few, labels), X
    yield "RandomForestRegressor 100", RandomForestRegressor(100, random_state=0).fit(few, values), X
    yield "GradientBoostingRegressor 100", GradientBoostingRegressor(random_state=0).fit(few, values), X
    yield "HistGradientBoostingClassifier 100", HistGradientBoostingClassifier(random_state=0).fit(few, labels), X
    yield "SVC", SVC().fit(few[:2000], labels[:2000]), X
    yield "SVR", SVR().fit(few[:2000], values[:2000]), X
    yield "KNeighborsClassifier", KNeighborsClassifier().fit(few, labels), X
    yield "KMeans 8", KMeans(8, n_init=1, random_state=0).fit(few), X
    yield "MiniBatchKMeans 64", MiniBatchKMeans(64, n_init=1, random_state=0).fit(few), X
    yield "GaussianNB", GaussianNB().fit(few, labels), X
    counts = np.floor(np.abs(X) * 3)
    yield "MultinomialNB", MultinomialNB().fit(counts[:FITTED], labels), counts
    yield "QuadraticDiscriminantAnalysis", QuadraticDiscriminantAnalysis().fit(few, labels), X
    yield "GaussianMixture 5", GaussianMixture(5, random_state=0).fit(few), X
    kernels = {"RBF": RBF(4.0), "of several kernels": ConstantKernel(2.0) * RBF(4.0) + RationalQuadratic(4.0, 2.0)}
    for name, kernel in kernels.items():
        process = GaussianProcessRegressor(kernel + WhiteKernel(0.1), optimizer=None)
        yield f"GaussianProcessRegressor {name}", process.fit(few[:500], values[:500]), X
    yield mixed("LogisticRegression", LogisticRegression(max_iter=500), X, y)
    yield mixed("RandomForestClassifier 100", RandomForestClassifier(100, max_depth=10, random_state=0), X, y)


def mixed(name, estimator, X, y):
    """A frame of numbers with gaps, text and a boolean."""
    frame = pd.DataFrame(X[:, :8], columns=[f"n{k}" for k in range(8)]).mask(random.random((ROWS, 8)) < 0.05)
    frame["city"] = pd.Series(np.array(["Paris", "Lima", "Oslo", "Quito", "Kyiv"])[random.integers(0, 5, ROWS)], dtype=object)
    frame["shop"] = pd.Series([f"shop {k}" for k in random.integers(0, 200, ROWS)], dtype=object)
    frame["member"] = random.random(ROWS) < 0.5
    numbers = [c for c in frame if frame[c].dtype.kind == "f"]
    preparation = ColumnTransformer([("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
                                     ("text", OneHotEncoder(handle_unknown="ignore"), ["city", "shop"]), ("rest", "passthrough", ["member"])])
    return f"mixed frame + {name}", make_pipeline(preparation, estimator).fit(frame[:FITTED], y[:FITTED]), frame


def big_forest():
    """Some 2.5 million nodes: trees grown to the last row."""
    rows = 40_000
    X = random.standard_normal((rows, COLUMNS))
    forest = RandomForestRegressor(50, max_features=4, random_state=0, n_jobs=-1).fit(X, X[:, 0] + random.standard_normal(rows))
    nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    forest.n_jobs = None
    return f"RandomForestRegressor of {nodes / 1e6:.1f} million nodes", forest, X
