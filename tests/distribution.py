"""How the tests are dealt to the processes that run them at once: those that share something dear stay together."""

from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/browser/", "tests/scale/", "tests/inference/")
"""Folders whose files share a running product, a browser or a model, which each process would start for itself."""


class ByWhatIsShared(LoadFileScheduling):
    """Deals out file by file, and these folders as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))
