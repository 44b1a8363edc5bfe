"""Models of imbalanced-learn: pipelines that resample, and ensembles that do."""
import sklearn
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.ensemble import BalancedBaggingClassifier, BalancedRandomForestClassifier, EasyEnsembleClassifier, RUSBoostClassifier
from imblearn.over_sampling import ADASYN, SMOTE, SMOTENC, BorderlineSMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline, make_pipeline
from imblearn.under_sampling import NearMiss, RandomUnderSampler, TomekLinks
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline as plain_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier


def cases():
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    few = {"n_estimators": 4, "random_state": 0}
    columns = make_column_transformer(
        (plain_pipeline(SimpleImputer(), StandardScaler()), ["age", "fare"]), (OneHotEncoder(handle_unknown="ignore"), ["sex", "port"]))
    yield "pipeline", make_pipeline(SMOTE(random_state=0), StandardScaler(), LogisticRegression()), "numbers", "rare"
    yield "pipeline_of_columns", make_pipeline(columns, RandomUnderSampler(random_state=0), LogisticRegression()), "new", "rare"
    yield "pipeline_of_a_frame", make_pipeline(RandomOverSampler(random_state=0), columns, tree), "new", "three"
    yield "pipeline_that_passes", Pipeline([("a", "passthrough"), ("b", ADASYN(random_state=0)), ("c", None), ("d", tree)]), "frame_numbers", "rare"
    yield "pipeline_that_transforms", make_pipeline(StandardScaler(), SMOTETomek(random_state=0), PCA(2)), "numbers", "rare"
    yield "samplers", make_pipeline(BorderlineSMOTE(random_state=0), TomekLinks(), SMOTEENN(random_state=0), tree), "numbers", "rare"
    yield "sampler_of_categories", make_pipeline(SMOTENC([2], random_state=0), NearMiss(), tree), "numbers", "rare"
    yield "search", GridSearchCV(make_pipeline(SMOTE(random_state=0), tree), {"decisiontreeclassifier__max_depth": [2, 3]}, cv=2), "numbers", "rare"
    yield "balanced_forest", BalancedRandomForestClassifier(max_depth=4, sampling_strategy="all", replacement=True, bootstrap=False, **few), "numbers", "rare"
    yield "balanced_forest_of_three", BalancedRandomForestClassifier(max_depth=4, sampling_strategy="auto", replacement=False, bootstrap=True, **few), "frame_numbers", "three"
    yield "balanced_bagging", BalancedBaggingClassifier(tree, **few), "numbers", "three"
    yield "balanced_bagging_of_features", BalancedBaggingClassifier(LogisticRegression(), max_features=.5, sampler=SMOTE(k_neighbors=2), **few), "numbers", "rare"
    yield "easy_ensemble", EasyEnsembleClassifier(2, AdaBoostClassifier(n_estimators=3, **({"algorithm": "SAMME"} if sklearn.__version__ < "1.6" else {})), random_state=0), "frame_numbers", "rare"
    yield "easy_ensemble_of_three", EasyEnsembleClassifier(2, RandomForestClassifier(3, max_depth=3), random_state=0), "numbers", "three"
    yield "rus_boost", RUSBoostClassifier(tree, **few), "numbers", "three"
    yield "rus_boost_of_two", RUSBoostClassifier(algorithm="SAMME", **few), "numbers", "rare"
    yield "sampler", SMOTE(random_state=0), "numbers", "rare", "resamples rows for fitting and has no answer for new ones"
    yield "ends_with_a_sampler", make_pipeline(StandardScaler(), SMOTE(random_state=0)), "numbers", "rare", "steps end with 'smote', which resamples"
