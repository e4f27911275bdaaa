"""Maps that need gradients, drawn by a process of their own: the app's process never loads TensorFlow.

``client`` (the app's side) starts ``python -m fer_core.explain.worker`` on first use, keeps a queue, and tells state,
progress and place in the queue; ``serve``, ``opened``, ``draw`` and ``randomise`` run over there; ``messages`` is what
goes to and fro.

Why a plain child process and pickles over its standard input and output, and not ``multiprocessing`` or
``concurrent.futures``: their spawn runs the parent's main script again, which under Streamlit is the app itself; a pool
tells neither progress nor who died; and a child whose standard input ends knows, on every system, that its parent has
gone, however it went.
"""
