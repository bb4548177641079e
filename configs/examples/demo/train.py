"""Trains the models of this example on data that scikit-learn ships: `python train.py FOLDER`.

It runs in the environment of the runtime that will serve them, so that the versions agree.
"""

import sys
from pathlib import Path

import joblib
import numpy
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import SVC
from xgboost import XGBClassifier


def main(folder: Path) -> None:
    flowers, species = load_iris(return_X_y=True)
    save_sklearn(folder / "iris-sklearn", LogisticRegression(max_iter=1000).fit(flowers, species))
    boosted = XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1).fit(flowers, species)
    save_xgboost(folder / "iris-xgboost", boosted)

    pictures, digits = load_digits(return_X_y=True)
    noise = numpy.random.default_rng(0).normal(0, 3, pictures.shape)
    cleaner = KNeighborsRegressor(5, weights="distance").fit(pictures + noise, pictures)
    save_sklearn(folder / "digits-cleaner", cleaner)
    save_sklearn(folder / "digits-reader", SVC().fit(pictures, digits))


def save_sklearn(folder: Path, model: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib")
    print(f"trained {folder.name}: {type(model).__name__}")


def save_xgboost(folder: Path, model: XGBClassifier) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model.save_model(folder / "model.ubj")  # in JSON it would pass for a manifest
    print(f"trained {folder.name}: {type(model).__name__}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
