"""A transformer on the KServe SDK: flowers measured in millimetres, for a model of centimetres."""

import argparse

import kserve
from kserve import model_server


class Millimetres(kserve.Model):
    def preprocess(self, payload, headers=None):
        flowers = payload["instances"]
        return {"instances": [[length / 10 for length in flower] for flower in flowers]}


if __name__ == "__main__":
    args, _ = argparse.ArgumentParser(parents=[model_server.parser]).parse_known_args()
    model = Millimetres(args.model_name)
    model.ready = True
    kserve.ModelServer(enable_grpc=False).start([model])
