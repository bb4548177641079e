"""scikit-learn models on the KServe SDK: V1 and V2."""

import joblib
import kserve
from kserve.utils.utils import get_predict_input, get_predict_response
from loopback import model_file, serve


class SklearnModel(kserve.Model):
    def load(self, folder):
        self.model = joblib.load(model_file(folder, "model.joblib", "model.pkl", "model.pickle"))
        self.ready = True

    def predict(self, payload, headers=None):
        result = self.model.predict(get_predict_input(payload))
        return get_predict_response(payload, result, self.name)


serve(SklearnModel)
