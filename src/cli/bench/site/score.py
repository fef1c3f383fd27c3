"""The peer of `goldenhour bench score`: XGBoost on one thread. Arguments: folder, rows, seed.

Leaves model.ubj and rows.f32 in the folder and says `ready`. For every line that it is told it scores all rows, as a fresh
DMatrix each time (a second prediction of the same one is remembered, not computed), and says `done`. Margins go to
margins.f32 at the end.
"""

import sys

import numpy as np
import xgboost as xgb

folder, rows, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
TREES, DEPTH, FEATURES = 300, 6, 30


def sample(rng, n):
    return rng.normal(size=(n, FEATURES)).astype(np.float32)


rng = np.random.default_rng(seed)
x = sample(rng, 100_000)
z = x[:, 0] * x[:, 1] + np.sin(x[:, 2] * 2) + 0.5 * x[:, 3] * (x[:, 4] > 0) + x[:, 5:15] @ rng.normal(size=10) * 0.3
y = (rng.random(len(x)) < 1 / (1 + np.exp(1 - z))).astype(np.float32)
params = {"objective": "binary:logistic", "max_depth": DEPTH, "eta": 0.1, "tree_method": "hist", "seed": seed}
xgb.train(params, xgb.DMatrix(x, y), TREES).save_model(f"{folder}/model.ubj")
x = sample(rng, rows)
x.tofile(f"{folder}/rows.f32")
booster = xgb.Booster({"nthread": 1}, model_file=f"{folder}/model.ubj")
print("ready", flush=True)
margins = None
for _ in sys.stdin:
    margins = booster.predict(xgb.DMatrix(x, nthread=1), output_margin=True)
    print("done", flush=True)
margins.astype("<f4").tofile(f"{folder}/margins.f32")
