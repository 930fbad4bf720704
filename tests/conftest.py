"""What holds for every test."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def runs_of_the_tests(tmp_path_factory):
    """Keeps the runs of the tests, and of the servers that they start, out of the user's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("runs")
        patch.setenv("WORKBENCH_RUNS", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("WORKBENCH_SCHEDULER", raising=False)
        yield folder
