"""``python -m fer_core.explain.worker``: the gradient worker. Started by :mod:`fer_core.explain.worker.client`."""

from __future__ import annotations

from fer_core.explain.worker.serve import serve
from fer_core.explain.worker.work import handle, prepare

if __name__ == "__main__":
    serve(handle, prepare)
