"""XGBoost models on the KServe SDK: V1 and V2. A classifier answers the class, as on MLServer."""

import kserve
import xgboost
from kserve.utils.utils import get_predict_input, get_predict_response
from loopback import model_file, serve


class XGBoostModel(kserve.Model):
    def load(self, folder):
        file = model_file(folder, "model.bst", "model.json", "model.ubj")
        try:
            self.model = xgboost.XGBRegressor()
            self.model.load_model(file)
        except TypeError:  # it is a classifier
            self.model = xgboost.XGBClassifier()
            self.model.load_model(file)
        self.ready = True

    def predict(self, payload, headers=None):
        result = self.model.predict(get_predict_input(payload))
        return get_predict_response(payload, result, self.name)


serve(XGBoostModel)
