"""Short runs with a checkpoint, and whether two results are the same bit for bit."""

import lyapnet as ln


def cell(**kwargs):
    return ln.VanillaRNN.random(6, **{"bias": 0.1, "rng": 0, **kwargs})


def train(path, *, callback=None, **kwargs):
    settings = dict(
        n_steps=12, batch_size=3, clip_norm=0.1, rng=1, diagnostics=["singular_values"],
        schedule=ln.FlossingSchedule(before=3, at=[4], epochs=5, k=4, n_steps=8),
    )  # fmt: skip
    return ln.train(
        cell(), ln.tasks.TemporalXOR(4), 9, callback=callback, checkpoint=path,
        **{**settings, **kwargs},
    )  # fmt: skip


def floss(path, *, callback=None, **kwargs):
    settings = dict(k=4, n_steps=8, rng=1)
    return ln.floss(cell(), 9, callback=callback, checkpoint=path, **{**settings, **kwargs})


def arrays(result):
    """Return all numbers of a result."""
    out = {f"cell.{name}": x for name, x in result.cell.params.items()}
    out |= {name: getattr(result, name) for name in ("loss", "exponents")}
    out |= {f"m.{name}": x for name, x in result.optimizer.state.m.items()}
    if hasattr(result, "accuracy"):
        out |= {"x0": result.x0, "readout": result.readout.W, "accuracy": result.accuracy}
        out |= {f"diagnostics.{name}": x for name, x in result.diagnostics.items()}
        out |= {f"floss.v.{name}": x for name, x in result.flossing_optimizer.state.v.items()}
        out["flossing_epochs"] = result.flossing_epochs
    return out


def assert_equal(a, b):
    a, b = arrays(a), arrays(b)
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].tobytes() == b[name].tobytes(), name
