"""A cluster on the loopback address: a head with one processor, and one more such node for each line of the input.

Prints a line of JSON for each node: ``address`` of the cluster, ``raylet``, the node's process. Ends with the input.
"""

from __future__ import annotations

import json
import sys

from ray._private.node import Node
from ray.cluster_utils import Cluster


def main() -> None:
    options = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=options)

    def tell(node: Node) -> None:
        raylet = node.all_processes["raylet"][0].process.pid
        print(json.dumps({"address": cluster.address, "raylet": raylet}), flush=True)

    tell(cluster.head_node)
    for _ in sys.stdin:
        tell(cluster.add_node(num_cpus=1, object_store_memory=80_000_000))
    cluster.shutdown()


if __name__ == "__main__":
    main()
