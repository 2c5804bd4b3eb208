import pytest

from lyapnet.runs import checkpoint


@pytest.fixture
def always(monkeypatch):
    """Save after every epoch."""
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
