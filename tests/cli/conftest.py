import numpy as np
import pytest


@pytest.fixture
def weights(tmp_path):
    rng = np.random.default_rng(0)
    W, V, b = rng.standard_normal((6, 6)) / 2, rng.standard_normal((6, 2)), rng.standard_normal(6)
    np.savez(tmp_path / "weights.npz", W=W, V=V, b=b)
    np.save(tmp_path / "inputs.npy", rng.standard_normal((500, 2)))
    return tmp_path
